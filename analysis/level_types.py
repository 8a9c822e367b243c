"""What is known of levels, as it is told: prices, what closed bars did to them, and where the price stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from analysis.auto_levels import AutoLevel
from analysis.breaks import Event, Rule, State
from analysis.freshness import Freshness, Rhythm, of_bars
from analysis.level_rates import LevelRates

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

    @property
    def horizon(self) -> timedelta:
        """How long base rates wait for what followed a hold."""
        return {
            Interval.M30: timedelta(days=1),
            Interval.H1: timedelta(days=1),
            Interval.H4: timedelta(days=7),
            Interval.D1: timedelta(days=10),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price somebody put into the book, with where it comes from; or one found in the bars.

    ``automatic`` says how the latter came about, and is null for the book's; such a level
    has no label of its own.
    """

    price: float
    label: str
    venue: str | None = None
    dated: date | None = None
    source: str | None = None
    rule: Rule = field(default_factory=Rule)
    automatic: AutoLevel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """A level and what closed bars have done to it.

    ``since`` is null while no change was seen; ``first_close_below`` is the opening
    time of the first bar in the asked window that closed below the level;
    ``distance_pct`` = 100 (level / price - 1) and ``distance_atr`` = (level - price) /
    ATR14 of UTC days, both negative for a level below the price; ``bars_held`` and
    ``bars_needed`` only while breaking or reclaiming; ``invalidation`` is the close
    beyond which the state would turn: below it for above, reclaiming and reclaimed,
    above it for breaking and broken; ``retested_at`` is the close of the last bar that
    dipped into the band and held. All times UTC. ``events`` oldest first, over all
    stored bars.
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

    @property
    def unconfirmed(self) -> bool:
        """Whether the price lies below a level that no closed bar has begun to break."""
        return self.state is State.ABOVE and self.distance_pct > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The nearest level below the price: how far, in % and daily ATRs, both negative."""

    price: float
    label: str
    distance_pct: float
    distance_atr: float | None
    automatic: AutoLevel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirPocket:
    """The span without a level in which the price stands: the nearest level not below it, the next floor.

    ``gap_pct`` = 100 (bottom / top - 1) and ``gap_atr`` = (bottom - top) / ATR14 of UTC
    days: how far a fall through all of it would be, both negative.
    """

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
class Running:
    """The bar that runs, as it was at ``seen_at``: shown, never judged. Times UTC."""

    opened_at: datetime
    open: float
    high: float
    low: float
    close: float
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What ``/levels`` knows at ``as_of``.

    ``price`` is the last close known, at ``price_at``, whatever the asked interval;
    ``change_24h_pct`` against the close 24 hours earlier; ``atr_1d`` is ATR14 of
    complete UTC days; ``levels`` are sorted from the highest price to the lowest;
    ``low`` is the lowest low from the window's start to ``price_at`` with the opening time
    of its bar (the first if there are several): after the last bar of the asked interval
    it is looked for in the finest bars, or it could lie above the price. ``freshness`` is
    that of ``price`` at ``as_of``; ``rests`` says whether only the hours of US futures count for it.
    ``running`` is the bar after the last of ``candles``, null where none was seen.
    ``base_rates``: what closed bars did before at the book's levels and at arbitrary ones.
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
    price_interval: Interval
    is_sample: bool
    rests: bool = False
    freshness: Freshness = Freshness.FRESH
    running: Running | None = None
    base_rates: LevelRates | None = None

    @property
    def rhythm(self) -> Rhythm:
        """How often there is a new price."""
        return of_bars(self.price_interval.length, rests=self.rests)
