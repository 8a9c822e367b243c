"""Days on which US exchanges trade: the calendar of the New York Stock Exchange.

The rules and the closings nobody can foresee (a national day of mourning, a hurricane)
come from the ``holidays`` package, which keeps them. A day that closes early is a
session: its flows are reported like any other's.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_NEW_YORK = ZoneInfo("America/New_York")
_CLOSE = time(16)


def sessions(first: date, as_of: datetime) -> list[date]:
    """The sessions from ``first`` on that had closed by ``as_of``, oldest first.

    One that closes early counts from 16:00 New York as well.
    """
    wall = as_of.astimezone(_NEW_YORK)
    last = wall.date() if wall.time() >= _CLOSE else wall.date() - timedelta(days=1)
    off = set(closures(first, as_of))
    return [day for day in _weekdays(first, last) if day not in off]


def closed_at(day: date) -> datetime:
    """The close of a session: 16:00 New York of its date."""
    return datetime.combine(day, _CLOSE, _NEW_YORK)


def closures(first: date, as_of: datetime) -> list[date]:
    """The weekdays from ``first`` on without trading, up to the one it is in New York at ``as_of``."""
    # Half a second to load, and only an answer needs it.
    from holidays import financial_holidays

    last = as_of.astimezone(_NEW_YORK).date()
    if last < first:
        return []
    known = financial_holidays("NYSE", years=range(first.year, last.year + 1))
    return [day for day in _weekdays(first, last) if day in known]


def _weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]
