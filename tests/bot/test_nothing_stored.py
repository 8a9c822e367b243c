"""A report without its data says which are missing and how far those reach that there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.levels import Interval
from bot import tree
from bot.errors import UserError
from bot.language import catalogue
from bot.reports import REPORTS
from bot.reports.shapes import Asked
from storage import feeds, instruments, migrate, new_bars
from storage.bars import BarRow
from storage.feeds import Registered
from storage.store import Store

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    await migrate.upgrade(url)
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def refusal(store: Store, report: str, **words: str) -> str:
    asked = REPORTS[report]
    with pytest.raises(UserError) as refused:
        await asked.answer(asked.read(words, NOW), Asked(store=store, at=NOW))
    return str(refused.value)


async def test_an_empty_store_names_what_it_lacks(empty: Store) -> None:
    assert await refusal(empty, "levels") == "The store holds no prices yet, none of “BTC” either."
    assert await refusal(empty, "flows", asset="ETH") == "The store holds no ETH ETF flows yet."
    assert (
        await refusal(empty, "silver-margin", product="SIL")
        == "No margin rule of SIL was known at that time."
    )
    assert await refusal(empty, "stress") == (
        "No New York close of BTC, SI, GC, ES, NQ, DXY, CL was known at that time."
    )


@pytest.fixture
async def fetching(empty: Store) -> Store:
    """Feeds that were never answered, but for bitcoin's days; each with its next try."""
    async with empty.write() as db:
        days = await instruments.at_venue(db, "Kraken", "BTC/USD", Interval.D1)
        rows = [
            Registered(name=f"test:{name}", host="test", source="Test", label=f"{name} · Test")
            for name in ("BTC:30m", "ETH:flows", "SI:1d", "BTC:1h")
        ]
        rows.append(
            Registered(
                name="kraken:BTC:1d", host="kraken", source="Kraken", label="BTC 1d · Kraken",
                instrument_id=days.id, interval="1d",
            )
        )  # fmt: skip
        await feeds.register(db, rows)
        for minutes, row in enumerate(rows, start=1):
            await feeds.failed(
                db, row.name, "no answer", now=NOW, next_try_at=NOW + timedelta(minutes=minutes)
            )
    return empty


async def test_what_is_fetched_is_named_with_its_next_try(fetching: Store) -> None:
    assert await refusal(fetching, "levels") == (
        "The store holds no prices yet, none of “BTC” either.\n"
        "BTC:30m · Test has not arrived yet; the next try is at 2026-11-22T18:01:00Z."
    )
    assert await refusal(fetching, "flows", asset="ETH") == (
        "The store holds no ETH ETF flows yet.\n"
        "ETH:flows · Test has not arrived yet; the next try is at 2026-11-22T18:02:00Z."
    )
    assert (await refusal(fetching, "silver-margin", product="SIL")).endswith(
        "\nSI:1d · Test has not arrived yet; the next try is at 2026-11-22T18:03:00Z."
    )
    assert (await refusal(fetching, "stress")).endswith("at 2026-11-22T18:03:00Z.")
    # Nobody was to fetch bitcoin's flows.
    assert "\n" not in await refusal(fetching, "flows", asset="BTC")


async def test_what_there_is_is_told_with_its_end(fetching: Store) -> None:
    async with fetching.write() as db:
        days = await instruments.at_venue(db, "Kraken", "BTC/USD", Interval.D1)
        opened = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
        row = BarRow(opened, opened + 86_400, 1.0, 1.0, 1.0, 1.0, None)
        await new_bars.store(db, days, [row], source="Kraken", now=NOW)
    assert await refusal(fetching, "levels", interval="1d", since="7d") == (
        "No 1d bar of BTC has closed since 2026-11-15 00:00 UTC; the newest closed at 2026-11-02 00:00 UTC.\n"
        "What there is of it reaches to 2026-11-02T00:00:00Z; the next try, of BTC:30m · Test, "
        "is at 2026-11-22T18:01:00Z."
    )
    # Asked as of an earlier instant, what came later is nobody's business.
    asked, earlier = REPORTS["levels"], datetime(2026, 10, 1, tzinfo=UTC)
    with pytest.raises(UserError) as refused:
        await asked.answer(asked.read({"interval": "1d"}, earlier), Asked(store=fetching, at=earlier))
    assert str(refused.value) == "No bar of BTC had closed by then."


async def test_a_try_that_never_came_is_told(fetching: Store) -> None:
    asked = REPORTS["flows"]
    for minutes, ending in ((6, "; the next try is at"), (8, " and was not: nothing fetches at present.")):
        at = NOW + timedelta(minutes=minutes)
        with pytest.raises(UserError) as refused:
            await asked.answer(asked.read({"asset": "ETH"}, at), Asked(store=fetching, at=at))
        assert ending in str(refused.value)


async def test_on_discord_an_instant_is_in_the_readers_own_time(fetching: Store) -> None:
    asked = REPORTS["flows"]
    with pytest.raises(UserError) as refused:
        await asked.answer(asked.read({"asset": "ETH"}, NOW), Asked(store=fetching, at=NOW))
    stamp = int((NOW + timedelta(minutes=2)).timestamp())
    told = refused.value.in_words(catalogue("zh-TW").gettext, tree.shown)
    assert told.endswith(f"\nETH:flows · Test 尚無資料；下次嘗試：<t:{stamp}:f>。")


async def test_a_store_that_ended_long_ago_says_when(store: Store) -> None:
    """The sample's last bitcoin bar closes with 6 February, its last New York close is of that day."""
    assert await refusal(store, "levels", since="7d") == (
        "No 30m bar of BTC has closed since 2026-11-15 00:00 UTC; the newest closed at 2026-02-07 00:00 UTC."
    )
    assert await refusal(store, "stress", since="7d") == (
        "There has been no New York close since 2026-11-15; the newest is that of 2026-02-06."
    )
