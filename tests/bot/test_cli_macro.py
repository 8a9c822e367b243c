"""``leadline report macro`` on the sample: what was decided, published and known by an instant."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

AT = "2026-02-05T18:00:00Z"
Leadline = Callable[..., Result]


@pytest.fixture
def asked(command_line: Leadline, sample_file: Path) -> Callable[..., dict[str, Any]]:
    def ask(at: str = AT, file: Path = sample_file) -> dict[str, Any]:
        told = command_line("--database-url", str(file), "report", "macro", "--json", "--at", at)
        assert told.exit_code == 0, told.stderr
        answer = json.loads(told.stdout)
        assert isinstance(answer, dict)
        return answer

    return ask


Asked = Callable[..., dict[str, Any]]


def test_what_the_sample_must_reproduce(asked: Asked) -> None:
    answer = asked()
    assert (answer["target_low"], answer["target_high"]) == (3.5, 3.75)
    assert (answer["target_since"], answer["target_decided"]) == ("2025-12-11", "2025-12-10")
    assert answer["target_before"] == {"low": 3.75, "high": 4.0}
    assert (answer["last_meeting"], answer["last_outcome"]) == ("2026-01-28", "held")
    assert (answer["next_meeting"], answer["next_meeting_at"]) == ("2026-03-18", "2026-03-18T18:00:00Z")
    assert (answer["source"], answer["freshness"]) == ("sample", "fresh")


def test_consumer_prices_and_the_month_that_is_missing(asked: Asked) -> None:
    cpi = asked()["cpi"]
    assert (cpi["month"], cpi["month_year_ago"]) == ("2025-12", "2024-12")
    # 100 (326.031 / 317.604 - 1) = 2.6533
    assert cpi["yoy_pct"] == pytest.approx(2.6533, abs=1e-4)
    assert cpi["missing"] == ["2025-10"]
    assert cpi["released"] == "2026-01-13T13:30:00Z"
    assert (cpi["next_month"], cpi["next_release"]) == ("2026-01", "2026-02-13T13:30:00Z")
    months = {month["month"]: month for month in cpi["months"]}
    assert months["2025-10"] == {"month": "2025-10", "index": None, "yoy_pct": None}
    # 100 (325.063 / 316.528 - 1) = 2.6964: on November, not on October 2024.
    assert months["2025-11"]["yoy_pct"] == pytest.approx(2.6964, abs=1e-4)


def test_what_stands_beside_it_is_dated(asked: Asked) -> None:
    answer = asked()
    # The close of 5 February is not yet made at 18:00 UTC, nor the breakeven of that day told.
    assert answer["breakeven_10y"] == {
        "date": "2026-02-04", "value_pct": 2.35, "before": {"date": "2026-01-05", "value_pct": 2.26},
        "source": "FRED", "freshness": "fresh",
    }  # fmt: skip
    assert (answer["oil"]["date"], answer["oil"]["price_usd"]) == ("2026-02-04", 65.14)
    assert (answer["dollar"]["date"], answer["dollar"]["index"]) == ("2026-02-04", 97.62)


@pytest.mark.parametrize(
    ("at", "month", "next_release"),
    [
        # Published on 24 October, nine days late; known from its minute on.
        ("2025-10-24T12:29:59Z", "2025-08", "2025-10-24T12:30:00Z"),
        ("2025-10-24T12:30:00Z", "2025-09", "2025-11-13T13:30:00Z"),
        # That it would be late was told on 10 October.
        ("2025-10-09T12:00:00Z", "2025-08", "2025-10-15T12:30:00Z"),
        ("2025-12-18T13:29:59Z", "2025-09", "2025-12-18T13:30:00Z"),
        ("2025-12-18T13:30:00Z", "2025-11", "2026-01-13T13:30:00Z"),
        ("2026-02-04T18:00:00Z", "2025-12", "2026-02-11T13:30:00Z"),
    ],
)
def test_prices_are_known_from_their_release(asked: Asked, at: str, month: str, next_release: str) -> None:
    cpi = asked(at)["cpi"]
    assert (cpi["month"], cpi["next_release"]) == (month, next_release)


def test_the_missing_month_is_missing_from_when_that_was_told(asked: Asked) -> None:
    assert asked("2025-11-21T12:00:00Z")["cpi"]["missing"] == []
    assert asked("2025-11-21T12:00:00Z")["cpi"]["freshness"] == "late"
    assert asked("2025-11-22T12:00:00Z")["cpi"]["missing"] == ["2025-10"]
    assert asked("2025-11-22T12:00:00Z")["cpi"]["freshness"] == "fresh"


def test_the_decision_is_in_the_series_the_day_after(asked: Asked) -> None:
    before, told, after = (asked(f"2025-12-{at}Z") for at in ("10T18:59:59", "10T19:00:00", "11T00:00:00"))
    assert (before["last_meeting"], before["last_outcome"]) == ("2025-10-29", "cut")
    assert before["next_meeting"] == "2025-12-10"
    assert (told["last_meeting"], told["last_outcome"], told["target_high"]) == ("2025-12-10", None, 4.0)
    assert (after["last_outcome"], after["target_high"]) == ("cut", 3.75)


def test_forgetting_all_that_came_later_changes_nothing(
    asked: Asked, sample_file: Path, tmp_path: Path
) -> None:
    chance = random.Random(11)  # noqa: S311 -- repeatable instants, nothing secret
    first = datetime(2024, 2, 1, tzinfo=UTC)
    span = (datetime(2026, 2, 7, tzinfo=UTC) - first).total_seconds()
    for _n in range(8):
        at = (first + timedelta(seconds=int(chance.uniform(0, span)))).replace(microsecond=0)
        file = tmp_path / "then.db"
        shutil.copy(sample_file, file)
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("DELETE FROM bars WHERE closed_at > ?", [at.timestamp()])
            db.execute("DELETE FROM macro_observations WHERE known_at > ?", [at.timestamp()])
        text = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        assert asked(text) == asked(text, file)


def test_words_pictures_and_numbers(command_line: Leadline, sample_file: Path, tmp_path: Path) -> None:
    png, numbers = tmp_path / "macro.png", tmp_path / "macro.csv"
    told = command_line(
        "--database-url", str(sample_file), "report", "macro", "--at", AT, "--locale", "zh-TW",
        "--png", str(png), "--csv", str(numbers),
    )  # fmt: skip
    assert told.exit_code == 0
    lines = told.stdout.split("\n")
    assert lines[0] == "聯準會目標區間 3.50–3.75 %，2025/12/11 起適用，2025/12/10 決議"
    assert "缺漏，從未公布：2025/10" in lines[2]
    with Image.open(png) as picture:
        assert picture.size == (1280, 720)
    rows = numbers.read_text("utf-8-sig").splitlines()
    assert "fed_target,2025-12-11,,3.5,3.75,,percent," in rows
    assert "cpi,2025-10-01,,,,,index," in rows


def test_a_range_does_not_close_at_a_weekend(asked: Asked, command_line: Leadline, sample_file: Path) -> None:
    """On Saturday, 31 January, oil and the dollar rest; the range stands."""
    saturday = "2026-01-31T12:00:00Z"
    assert asked(saturday)["target_freshness"] == "fresh"
    for locale, closed, following in (
        ("en", "market closed", "next 18 Mar 2026 18:00 UTC"),
        ("zh-TW", "休市", "下次 2026/3/18（三）18:00 UTC"),
    ):
        told = command_line(
            "--database-url", str(sample_file), "report", "macro", "--at", saturday, "--locale", locale
        )
        lines = told.stdout.split("\n")
        assert closed not in lines[0]
        assert lines[1].endswith(" · " + following)
        assert lines[3].count(closed) == 2
        assert closed not in lines[-2]


def test_before_anything_was_known(command_line: Leadline, sample_file: Path) -> None:
    told = command_line("--database-url", str(sample_file), "report", "macro", "--at", "2019-01-01")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "No macro figure was known at that time.\n"
