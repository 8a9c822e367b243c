"""Whether a value is as new as its series can be: its age against the rhythm, without the time the market rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from analysis import market_hours, trading_days

ARRIVING: Final = timedelta(hours=6)
"""How long the close of a session may take to arrive before it counts as missing."""
LATE_AFTER, STALE_AFTER = 2, 6
"""Steps without a new value after which one is late, and stale."""

_NEW_YORK = ZoneInfo("America/New_York")
_DAY = timedelta(days=1)


class Freshness(StrEnum):
    """``closed``: nothing is missing, and the market rests; ``pending``: nothing is missing, and the
    value of a session that is over is not due yet.
    """

    FRESH = "fresh"
    CLOSED = "closed"
    PENDING = "pending"
    LATE = "late"
    STALE = "stale"

    @property
    def worse(self) -> int:
        """The higher, the less a value is to be relied on."""
        return (Freshness.FRESH, Freshness.CLOSED, Freshness.PENDING, Freshness.LATE, Freshness.STALE).index(
            self
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A value every ``step``, around the clock or, with ``rests``, while US futures trade."""

    step: timedelta
    rests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """A value a session, there at ``due`` of its date; stale when ``stale_from`` of them are overdue.

    ``awaited``: that one is not due yet is told from 16:00 New York of its session on.
    """

    due: Callable[[date], datetime]
    stale_from: int
    awaited: bool = False


Rhythm: TypeAlias = Steps | Sessions


def closes(at: time) -> Sessions:
    """Prices of a wall clock's hour in New York, one a session."""

    def due(day: date) -> datetime:
        return datetime.combine(day, at, _NEW_YORK).astimezone(UTC) + ARRIVING

    # One may have stayed away without a reason; two in a row did not.
    return Sessions(due=due, stale_from=2)


DAILY: Final = closes(time(17))
"""Daily closes of futures and the dollar index."""


def of_bars(length: timedelta, *, rests: bool) -> Rhythm:
    """The rhythm of bars; ``rests`` for what trades in the hours of US futures."""
    return DAILY if rests and length >= _DAY else Steps(step=length, rests=rests)


def freshness(newest: datetime, now: datetime, rhythm: Rhythm) -> Freshness:
    """How a series stands whose ``newest`` value is of that instant: the close of a bar or of a session."""
    match rhythm:
        case Steps():
            age = market_hours.traded(newest, now) if rhythm.rests else now - newest
            if age > LATE_AFTER * rhythm.step:
                return Freshness.STALE if age > STALE_AFTER * rhythm.step else Freshness.LATE
            rests = rhythm.rests
        case Sessions():
            day = newest.astimezone(_NEW_YORK).date()
            overdue = _overdue(day, now, rhythm)
            if overdue:
                return Freshness.STALE if overdue >= rhythm.stale_from else Freshness.LATE
            following = market_hours.next_trade_date(day)
            if rhythm.awaited and trading_days.closed_at(following) <= now:
                return Freshness.PENDING
            rests = True
    return Freshness.CLOSED if rests and market_hours.rests(now) else Freshness.FRESH


def _overdue(last: date, now: datetime, rhythm: Sessions) -> int:
    """How many sessions' values should have followed that of ``last``, as far as it matters."""
    missed, day = 0, market_hours.next_trade_date(last)
    while missed < rhythm.stale_from and rhythm.due(day) <= now:
        missed, day = missed + 1, market_hours.next_trade_date(day)
    return missed
