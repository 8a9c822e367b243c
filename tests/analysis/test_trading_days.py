"""The calendar of the New York Stock Exchange against the days it published, and the clock of its close."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis import trading_days

# From the exchange's own list of holidays, and its notice of 30 December 2024 (a day of mourning).
PUBLISHED = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
}
HALF_DAYS = ("2024-07-03", "2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28", "2025-12-24")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_days_the_exchange_published(year: int) -> None:
    closed = trading_days.closures(date(year, 1, 1), utc(f"{year}-12-31T22:00"))
    assert " ".join(f"{day:%m-%d}" for day in closed) == PUBLISHED[year]


def test_sessions_are_the_other_weekdays() -> None:
    days = trading_days.sessions(date(2024, 1, 1), utc("2027-12-31T22:00"))
    closed = {date.fromisoformat(f"{year}-{day}") for year, text in PUBLISHED.items() for day in text.split()}
    every = [date(2024, 1, 1) + timedelta(days=n) for n in range(366 + 3 * 365)]
    assert days == [day for day in every if day.weekday() < 5 and day not in closed]


def test_a_day_that_closes_early_is_a_session() -> None:
    days = trading_days.sessions(date(2024, 1, 1), utc("2026-01-01T00:00"))
    assert {date.fromisoformat(day) for day in HALF_DAYS} <= set(days)


@pytest.mark.parametrize(
    ("at", "last"),
    [
        # 16:00 in New York is 21:00 UTC in winter and 20:00 in summer.
        ("2026-02-05T20:59:59", "2026-02-04"),
        ("2026-02-05T21:00:00", "2026-02-05"),
        ("2026-02-06T04:30:00", "2026-02-05"),
        ("2025-07-10T19:59:59", "2025-07-09"),
        ("2025-07-10T20:00:00", "2025-07-10"),
        ("2026-02-08T12:00:00", "2026-02-06"),  # a Sunday
        ("2026-01-19T23:00:00", "2026-01-16"),  # a holiday
    ],
)
def test_a_session_is_over_at_its_close(at: str, last: str) -> None:
    assert trading_days.sessions(date(2025, 1, 1), utc(at))[-1] == date.fromisoformat(last)


def test_a_holiday_begins_in_new_york() -> None:
    assert trading_days.closures(date(2026, 1, 12), utc("2026-01-19T04:59")) == []
    assert trading_days.closures(date(2026, 1, 12), utc("2026-01-19T05:00")) == [date(2026, 1, 19)]


def test_nothing_lies_before_the_first_day() -> None:
    assert trading_days.sessions(date(2026, 2, 5), utc("2026-02-05T12:00")) == []
    assert trading_days.closures(date(2026, 2, 5), utc("2026-02-04T12:00")) == []


def test_the_close_is_at_four_in_new_york() -> None:
    assert trading_days.closed_at(date(2026, 2, 4)) == utc("2026-02-04T21:00")
    assert trading_days.closed_at(date(2025, 7, 10)) == utc("2025-07-10T20:00")


def test_the_calendar_is_loaded_only_when_it_is_asked() -> None:
    code = "import sys, bot.reports, analysis.charts.flows; print('holidays' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
