"""When US futures and the dollar index trade: Sunday 18:00 to Friday 17:00 New York, an hour off each day.

A day on which the New York Stock Exchange rests counts as closed as a whole, although
some futures trade for half of it: what is missing then is not late.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from analysis import trading_days

_NEW_YORK = ZoneInfo("America/New_York")
_CLOSE, _REOPENS = time(17), time(18)
_DAY = timedelta(days=1)


def is_open(at: datetime) -> bool:
    wall = at.astimezone(_NEW_YORK)
    if _CLOSE <= wall.time() < _REOPENS:
        return False
    return _trades(wall.date() if wall.time() < _CLOSE else wall.date() + _DAY)


def last_close(at: datetime) -> datetime:
    """The newest close of a trade date by ``at``: 17:00 New York of it."""
    wall = at.astimezone(_NEW_YORK)
    day = wall.date() if wall.time() >= _CLOSE else wall.date() - _DAY
    while not _trades(day):
        day -= _DAY
    return datetime.combine(day, _CLOSE, _NEW_YORK)


def next_close(at: datetime) -> datetime:
    """The first close of a trade date after ``at``."""
    wall = at.astimezone(_NEW_YORK)
    day = wall.date() if wall.time() < _CLOSE else wall.date() + _DAY
    while not _trades(day):
        day += _DAY
    return datetime.combine(day, _CLOSE, _NEW_YORK)


def next_open(at: datetime) -> datetime:
    """When trading begins again; ``at`` itself while it goes on."""
    return at if is_open(at) else datetime.combine(next_close(at).date() - _DAY, _REOPENS, _NEW_YORK)


def resting_since(at: datetime) -> datetime:
    """``at`` while there is trading, else when it ended: what is older than that is late."""
    return at if is_open(at) else last_close(at)


def _trades(day: date) -> bool:
    return day.weekday() < 5 and day not in _closures(day.year)


@lru_cache(maxsize=8)
def _closures(year: int) -> frozenset[date]:
    ends = datetime(year, 12, 31, 23, 59, tzinfo=_NEW_YORK)
    return frozenset(trading_days.closures(date(year, 1, 1), ends))
