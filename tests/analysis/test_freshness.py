"""Age against rhythm: nights, weekends and holidays of the US market are not staleness."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from analysis import market_hours
from analysis.freshness import DAILY, Freshness, Rhythm, Sessions, Steps, closes, freshness, of_bars

HALF_HOUR = timedelta(minutes=30)
AROUND_THE_CLOCK = of_bars(HALF_HOUR, rests=False)
FUTURES = of_bars(HALF_HOUR, rests=True)
FLOWS = Sessions(
    due=lambda day: datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(days=1),
    stale_from=3,
    awaited=True,
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rhythm", "newest", "now", "state"),
    [
        # Bitcoin knows no rest: two steps are fresh, six late.
        (AROUND_THE_CLOCK, "2026-11-21 12:00", "2026-11-21 13:00", "fresh"),
        (AROUND_THE_CLOCK, "2026-11-21 12:00", "2026-11-21 13:01", "late"),
        (AROUND_THE_CLOCK, "2026-11-21 12:00", "2026-11-21 15:00", "late"),
        (AROUND_THE_CLOCK, "2026-11-21 12:00", "2026-11-21 15:01", "stale"),
        # A future on a Sunday: nothing since Friday's close (22:00 UTC in winter), and none is missing.
        (FUTURES, "2026-11-20 22:00", "2026-11-22 12:00", "closed"),
        # Half an hour short of that close is fresh by its hours; two hours short is late, over any weekend.
        (FUTURES, "2026-11-20 21:30", "2026-11-22 12:00", "closed"),
        (FUTURES, "2026-11-20 20:00", "2026-11-22 12:00", "late"),
        (FUTURES, "2026-11-20 18:00", "2026-11-22 12:00", "stale"),
        # It trades again from 23:00 UTC: an hour of that without a bar is fresh, more is late.
        (FUTURES, "2026-11-20 22:00", "2026-11-23 00:00", "fresh"),
        (FUTURES, "2026-11-20 22:00", "2026-11-23 00:01", "late"),
        # Thanksgiving, 26 November 2026, and the hour in which futures rest every day.
        (FUTURES, "2026-11-25 22:00", "2026-11-26 17:00", "closed"),
        (FUTURES, "2026-11-24 22:00", "2026-11-24 22:50", "fresh"),
        # A daily close is due at 22:00 UTC and may take six hours.
        (DAILY, "2026-11-18 22:00", "2026-11-20 03:59", "fresh"),
        (DAILY, "2026-11-18 22:00", "2026-11-20 04:00", "late"),
        (DAILY, "2026-11-18 22:00", "2026-11-21 04:00", "stale"),
        (DAILY, "2026-11-20 22:00", "2026-11-21 15:00", "closed"),
        (DAILY, "2026-11-20 22:00", "2026-11-24 03:59", "fresh"),
        (DAILY, "2026-11-20 22:00", "2026-11-24 04:00", "late"),
        # Over Thanksgiving: Wednesday's close until Friday's is due. 4 July 2025 was a Friday.
        (DAILY, "2026-11-25 22:00", "2026-11-26 17:00", "closed"),
        (DAILY, "2026-11-25 22:00", "2026-11-28 03:59", "closed"),
        (DAILY, "2026-11-25 22:00", "2026-11-28 04:00", "late"),
        (DAILY, "2025-07-03 21:00", "2025-07-08 02:59", "fresh"),
        (DAILY, "2025-07-03 21:00", "2025-07-08 03:00", "late"),
        # Prices of 16:00 are due an hour earlier.
        (closes(time(16)), "2026-11-18 21:00", "2026-11-20 02:59", "fresh"),
        (closes(time(16)), "2026-11-18 21:00", "2026-11-20 03:00", "late"),
        # Flows of a session are waited for from 16:00 New York until 09:00 UTC of the next day.
        (FLOWS, "2026-11-18 21:00", "2026-11-19 20:59", "fresh"),
        (FLOWS, "2026-11-18 21:00", "2026-11-19 21:00", "pending"),
        (FLOWS, "2026-11-18 21:00", "2026-11-20 08:59", "pending"),
        (FLOWS, "2026-11-18 21:00", "2026-11-20 09:00", "late"),
        (FLOWS, "2026-11-20 21:00", "2026-11-22 12:00", "closed"),
        (FLOWS, "2026-11-17 21:00", "2026-11-21 09:00", "stale"),
    ],
)
def test_how_a_series_stands(rhythm: Rhythm, newest: str, now: str, state: str) -> None:
    assert freshness(utc(newest), utc(now), rhythm) is Freshness(state)


def test_which_bars_rest() -> None:
    assert of_bars(timedelta(days=1), rests=True) is DAILY
    assert of_bars(timedelta(days=1), rests=False) == Steps(step=timedelta(days=1))


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-18 15:00", "2026-11-18 17:30", 2.5),
        # The hour from 22:00 UTC does not count, nor does a weekend.
        ("2026-11-18 21:00", "2026-11-19 01:00", 3),
        ("2026-11-20 21:00", "2026-11-22 23:30", 1.5),
        # 23 hours a day for three days, then Thanksgiving: nothing until 23:00 UTC.
        ("2026-11-22 23:00", "2026-11-26 20:00", 69),
        # New York's clocks go back on Sunday 1 November 2026: Friday's close is at 21:00 UTC, Monday's at 22:00.
        ("2026-10-30 20:00", "2026-11-02 23:00", 24),
        ("2026-11-18 15:00", "2026-11-18 15:00", 0),
    ],
)
def test_hours_of_trading_between(since: str, until: str, hours: float) -> None:
    assert market_hours.traded(utc(since), utc(until)) == timedelta(hours=hours)
