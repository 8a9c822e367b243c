from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analysis import market_hours


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# In summer New York is four hours behind UTC, in winter five.
@pytest.mark.parametrize(
    ("at", "is_open", "last_close", "next_close", "next_open"),
    [
        # A Friday, in trading, at its end and after it.
        ("2026-09-11 20:59", True, "2026-09-10 21:00", "2026-09-11 21:00", "2026-09-11 20:59"),
        ("2026-09-11 21:00", False, "2026-09-11 21:00", "2026-09-14 21:00", "2026-09-13 22:00"),
        ("2026-09-12 12:00", False, "2026-09-11 21:00", "2026-09-14 21:00", "2026-09-13 22:00"),
        # Sunday evening belongs to Monday.
        ("2026-09-13 21:59", False, "2026-09-11 21:00", "2026-09-14 21:00", "2026-09-13 22:00"),
        ("2026-09-13 22:00", True, "2026-09-11 21:00", "2026-09-14 21:00", "2026-09-13 22:00"),
        # The hour of a Tuesday.
        ("2026-09-15 21:30", False, "2026-09-15 21:00", "2026-09-16 21:00", "2026-09-15 22:00"),
        # Labor Day, Monday 7 September: closed from Friday's close to Monday evening.
        ("2026-09-07 14:00", False, "2026-09-04 21:00", "2026-09-08 21:00", "2026-09-07 22:00"),
        # Winter; Christmas falls on a Friday.
        ("2026-12-25 15:00", False, "2026-12-24 22:00", "2026-12-28 22:00", "2026-12-27 23:00"),
        ("2027-01-01 15:00", False, "2026-12-31 22:00", "2027-01-04 22:00", "2027-01-03 23:00"),
    ],
)
def test_hours_of_futures(at: str, is_open: bool, last_close: str, next_close: str, next_open: str) -> None:
    instant = utc(at)
    assert market_hours.is_open(instant) is is_open
    assert market_hours.last_close(instant) == utc(last_close)
    assert market_hours.next_close(instant) == utc(next_close)
    assert market_hours.next_open(instant) == utc(next_open)
