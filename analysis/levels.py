"""Levels: break, reclaim and hold, judged on closed bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Interval(StrEnum):
    """Length of a bar; the value is what readers type."""

    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def length(self) -> timedelta:
        return {
            Interval.M30: timedelta(minutes=30),
            Interval.H1: timedelta(hours=1),
            Interval.H4: timedelta(hours=4),
            Interval.D1: timedelta(days=1),
        }[self]


class State(StrEnum):
    UNKNOWN = "unknown"
    ABOVE = "above"
    BREAKING = "breaking"
    BROKEN = "broken"
    RECLAIMING = "reclaiming"
    RECLAIMED = "reclaimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Parameters of the state machine, per level.

    buffer d = max(buffer_share * level, buffer_atr * ATR14 of the judged interval).
    """

    bars_to_break: int = 2
    bars_to_hold: int = 8
    buffer_share: float = 0.001
    buffer_atr: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price somebody put into the book, with where it comes from."""

    price: float
    label: str
    venue: str | None = None
    dated: date | None = None
    source: str | None = None
    rule: Rule = field(default_factory=Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of state; ``time`` is the close of the deciding bar (UTC)."""

    time: datetime
    opened_at: datetime
    before: State
    after: State


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """A level and what closed bars have done to it.

    ``since`` is null while no change was seen; ``first_close_below`` is the opening
    time of the first bar in the asked window that closed below the level;
    ``distance_pct`` = 100 (level / price - 1); ``distance_atr`` in ATR14 of UTC days;
    ``bars_held`` and ``bars_needed`` only while breaking or reclaiming;
    ``retested_at`` is the close of the last bar that dipped into the band and held.
    All times UTC. ``events`` oldest first, over all stored bars.
    """

    level: Level
    state: State
    since: datetime | None
    first_close_below: datetime | None
    distance_pct: float
    distance_atr: float | None
    bars_held: int | None
    bars_needed: int | None
    invalidation: float | None
    retested_at: datetime | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The nearest level below a price: how far, in % (negative) and daily ATRs (positive)."""

    price: float
    label: str
    distance_pct: float
    distance_atr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirPocket:
    """The span without a level in which the price stands: from the nearest level above to the next floor."""

    top: float
    bottom: float
    gap_pct: float
    gap_atr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Closed bars of the asked window, oldest first; ``opened_at`` in epoch seconds UTC."""

    opened_at: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What ``/levels`` knows at ``as_of``.

    ``price`` is the last close known, at ``price_at``, whatever the asked interval;
    ``change_24h_pct`` against the close 24 hours earlier; ``atr_1d`` is ATR14 of
    complete UTC days; ``levels`` are sorted from the highest price to the lowest;
    ``low`` is the lowest low in the window with the opening time of its bar.
    """

    as_of: datetime
    instrument: str
    venue: str
    quote: str
    interval: Interval
    source: str
    price: float
    price_at: datetime
    change_24h_pct: float | None
    atr_1d: float | None
    low: float
    low_at: datetime
    candles: Candles
    levels: tuple[LevelState, ...]
    next_floor: Floor | None
    air_pocket: AirPocket | None
