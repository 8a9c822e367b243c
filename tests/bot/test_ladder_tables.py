"""Whose maintenance rate the ladder takes: the venue's own table as of the time asked about, else the one kept by hand."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from storage import tiers
from storage.store import Store
from storage.tiers import Contract, TierRow

SEEN = datetime(2026, 9, 14, 12, tzinfo=UTC)
BYBIT = Contract(venue="bybit", code="BTC", kind="linear")
OKX = Contract(venue="okx", code="BTC", kind="linear")
OKX_INVERSE = Contract(venue="okx", code="BTC", kind="inverse")
BYBIT_ROWS = (TierRow(0, 0.0033, 0), TierRow(300_000, 0.005, 510), TierRow(2_000_000, 0.0056, 1_710))
OKX_ROWS = (TierRow(0, 0.004, 0), TierRow(10, 0.005, 0), TierRow(50, 0.0075, 0))
Asked = Callable[..., dict[str, Any]]


async def stored(file: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    async with store.write() as db:
        await tiers.store(db, BYBIT, BYBIT_ROWS, by_size=False, source="Bybit", now=SEEN)
        await tiers.store(db, OKX, OKX_ROWS, by_size=True, source="OKX", now=SEEN)
        in_dollars = tuple(row._replace(floor=row.floor * 10_000) for row in OKX_ROWS)
        await tiers.store(db, OKX_INVERSE, in_dollars, by_size=True, source="OKX", now=SEEN)
    await store.close()


@pytest.fixture
def file(sample_file: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copy(sample_file, tmp_path / "leadline.db"))
    asyncio.run(stored(copy))
    return copy


@pytest.fixture
def leadline(command_line: Callable[..., Result], file: Path) -> Callable[..., str]:
    def run(*options: str, at: datetime = SEEN + timedelta(hours=2)) -> str:
        told = command_line(
            "--database-url",
            str(file),
            "report",
            "ladder",
            "--entry",
            "90076",
            *options,
            "--at",
            at.isoformat(),
        )
        assert told.exit_code == 0, told.stderr
        return told.stdout

    return run


@pytest.fixture
def asked(leadline: Callable[..., str]) -> Asked:
    def run(*options: str, **at: datetime) -> dict[str, Any]:
        [found] = json.loads(leadline("--json", "--leverage", "10", *options, **at))["positions"]
        assert isinstance(found, dict)
        return found

    return run


@pytest.mark.parametrize(
    ("venue", "size", "price"),
    [
        # (90,076 - 9,007.60) / (1 - 0.0033), all of it below 300,000.
        ("bybit", "1", 81_336.81),
        # (5 x 90,076 - 45,038 - 510) / (5 x 0.995): at its price it is worth more than 300,000.
        ("bybit", "5", 81_373.27),
        # 81,068.40 / 0.996, the article's own; 10 BTC are 1,000 contracts, which the tier still holds.
        ("okx", "1", 81_393.98),
        ("okx", "10", 81_393.98),
        # 81,068.40 / 0.995: the rate of the second tier for all of it, without a deduction.
        ("okx", "20", 81_475.78),
    ],
)
def test_the_tier_that_a_position_stands_under(asked: Asked, venue: str, size: str, price: float) -> None:
    assert asked("--venue", venue, "--size", size)["liquidation_price"] == pytest.approx(price, abs=0.005)


def test_inverse_tiers_by_size_are_of_dollars(asked: Asked) -> None:
    # 100,000 dollars are in the lowest tier, 100,001 in the next.
    rates = [
        asked("--venue", "okx", "--kind", "inverse", "--size", size)["mmr_pct"]
        for size in ("100000", "100001")
    ]
    assert rates == [0.4, 0.5]


def test_venue_date_and_age_are_named(leadline: Callable[..., str], asked: Asked) -> None:
    assert asked("--size", "1")["mmr_source"] == {
        "source": "Bybit", "read_on": "2026-09-14", "seen_at": "2026-09-14T12:00:00Z", "age_s": 7_200,
        "freshness": "fresh", "whole": True,
    }  # fmt: skip
    said = leadline("--leverage", "10", "--size", "1")
    assert "(Bybit, read 14 Sep 12:00 UTC, 2 h old)" in said.replace("\N{NO-BREAK SPACE}", " ")
    # The ladder of leverages, too.
    assert "Maintenance rate: Bybit, read 14 Sep" in leadline()
    assert json.loads(leadline("--json"))["leverages"]["mmr_pct"] == 0.33


def test_a_stale_table_says_so_and_still_answers(leadline: Callable[..., str], asked: Asked) -> None:
    later = SEEN + timedelta(days=3)
    assert asked("--size", "1", at=later)["mmr_source"]["freshness"] == "stale"
    said = leadline("--leverage", "10", "--size", "1", at=later)
    assert "3 days old; stale: the venue has not answered since" in said


def test_before_the_venue_was_asked_the_table_kept_by_hand_answers(asked: Asked) -> None:
    told = asked("--size", "1", at=SEEN - timedelta(hours=1))
    # (90,076 - 9,007.60) / 0.995
    assert told["liquidation_price"] == pytest.approx(81_475.78, abs=0.005)
    assert told["mmr_source"]["source"] == "Bybit help centre"
    assert told["mmr_source"]["read_on"] == "2026-05-27"
    assert told["mmr_source"]["freshness"] is None
    assert (
        told["mmr_source"]["age_s"]
        == (SEEN - timedelta(hours=1) - datetime(2026, 5, 27, tzinfo=UTC)).total_seconds()
    )


def test_a_rate_that_was_typed_goes_before_any_table(asked: Asked) -> None:
    told = asked("--size", "1", "--mmr", "0.4")
    assert told["mmr_source"] is None
    assert told["liquidation_price"] == pytest.approx(81_393.98, abs=0.005)


async def test_every_version_is_kept_and_answers_for_its_time(store: Store) -> None:
    changed = (TierRow(0, 0.004, 0), *BYBIT_ROWS[1:])
    hour = timedelta(hours=1)
    for rows, at in ((BYBIT_ROWS, SEEN), (BYBIT_ROWS, SEEN + hour), (changed, SEEN + 2 * hour)):
        async with store.write() as db:
            await tiers.store(db, BYBIT, rows, by_size=False, source="Bybit", now=at)
    async with store.read() as db:
        assert await tiers.known(db, BYBIT, at=SEEN - hour) is None
        first = await tiers.known(db, BYBIT, at=SEEN + hour)
        last = await tiers.known(db, BYBIT, at=SEEN + 3 * hour)
        assert await tiers.known(db, OKX, at=SEEN) is None
    assert first is not None
    assert last is not None
    assert (first.rows, first.known_at, first.seen_at) == (BYBIT_ROWS, SEEN, SEEN + hour)
    assert (last.rows, last.known_at, last.seen_at) == (changed, SEEN + 2 * hour, SEEN + 2 * hour)
