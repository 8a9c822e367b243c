"""When US futures and the dollar index trade: Sunday 18:00 to Friday 17:00 New York, an hour off each day.

A day on which the New York Stock Exchange rests counts as closed as a whole, although
some futures trade for half of it: what is missing then is not late.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from analysis import trading_days

_NEW_YORK = ZoneInfo("America/New_York")
_CLOSE, _REOPENS = time(17), time(18)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


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
    day = next_trade_date(wall.date() - _DAY if wall.time() < _CLOSE else wall.date())
    return datetime.combine(day, _CLOSE, _NEW_YORK)


def next_open(at: datetime) -> datetime:
    """When trading begins again; ``at`` itself while it goes on."""
    return at if is_open(at) else datetime.combine(next_close(at).date() - _DAY, _REOPENS, _NEW_YORK)


def rests(at: datetime) -> bool:
    """Whether there is no trading for longer than the hour of every day."""
    return not is_open(at) and _elapsed(last_close(at), next_open(at)) > _HOUR


def traded(since: datetime, until: datetime) -> timedelta:
    """How much of the time between two instants there was trading."""
    total, opened = timedelta(0), next_open(since)
    while opened < until:
        closed = min(next_close(opened), until)
        total += _elapsed(opened, closed)
        opened = next_open(closed)
    return total


def next_trade_date(day: date) -> date:
    """The first day after ``day`` on which there is trading."""
    day += _DAY
    while not _trades(day):
        day += _DAY
    return day


def _elapsed(since: datetime, until: datetime) -> timedelta:
    # In UTC: two walls of one zone are subtracted without the hour that a clock was changed by.
    return until.astimezone(UTC) - since.astimezone(UTC)


def _trades(day: date) -> bool:
    return day.weekday() < 5 and day not in _closures(day.year)


@lru_cache(maxsize=8)
def _closures(year: int) -> frozenset[date]:
    ends = datetime(year, 12, 31, 23, 59, tzinfo=_NEW_YORK)
    return frozenset(trading_days.closures(date(year, 1, 1), ends))
