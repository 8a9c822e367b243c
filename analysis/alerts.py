"""When a price alert speaks: the states of ``analysis/breaks.py``, for one alert and one bar at a time.

``breaks.follow`` judges a whole tape against one level for a card. Here many alerts wait for the next
bar, so each remembers in two small values (its phase, and the bar at which a count is full) what the
bars so far have done, and ``reach`` says which of them a bar can move at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from analysis import breaks, levels
from analysis.atr import ATR_BARS, atr
from analysis.breaks import Rule, State
from analysis.levels import Interval


class Kind(StrEnum):
    """What an alert waits for."""

    TOUCH = "touch"
    CLOSE = "close"
    HOLD = "hold"
    FLOW_FINAL = "flow_final"
    FLOW_REGIME = "flow_regime"
    MARGIN_RECORDED = "margin_recorded"
    MARGIN_TOMORROW = "margin_tomorrow"
    STRESS = "stress"
    STALE = "stale"

    @property
    def of_price(self) -> bool:
        return self in {Kind.TOUCH, Kind.CLOSE, Kind.HOLD}


class Direction(StrEnum):
    """Which way the price has to come: through the level upwards, downwards, or whichever way."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


class Phase(StrEnum):
    """``NEW``: not judged yet; ``WATCHING``: an alert of no price. The others are of the level.

    ``OVER`` and ``UNDER`` wait for a touch, ``TOUCHED`` for the price to leave; the rest are the states
    of ``breaks.State``.
    """

    NEW = "new"
    WATCHING = "watching"
    UNKNOWN = "unknown"
    OVER = "over"
    UNDER = "under"
    TOUCHED = "touched"
    ABOVE = "above"
    BREAKING = "breaking"
    BROKEN = "broken"
    RECLAIMING = "reclaiming"
    RECLAIMED = "reclaimed"


MOST_BARS: Final = 96
"""The longest hold: two days of 30-minute bars."""
_PLAIN: Final = Rule()
_EDGE: Final = 1e-9
"""By which share ``reach`` reaches too far, so that rounding hides no alert; ``step`` decides."""


class Prices(NamedTuple):
    """One closed bar as it is stored; instants in epoch seconds UTC. High and low may not be known."""

    opened_at: int
    closed_at: int
    high: float | None
    low: float | None
    close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One closed bar as alerts read it.

    ``number`` counts the bars of the series. ``atr`` is ATR14 with the bar itself, null while there are too
    few to judge; ``after_gap``: more than one bar is missing before it.
    """

    number: int
    opened_at: int
    closed_at: int
    high: float
    low: float
    close: float
    atr: float | None
    after_gap: bool = False

    def buffer(self, price: float) -> float:
        """The d of ``breaks.Rule``, with its usual parameters."""
        return max(_PLAIN.buffer_share * price, _PLAIN.buffer_atr * (self.atr or 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What an alert waits for and how far it has come; ``due`` is the bar at which a count is full."""

    kind: Kind
    price: float
    direction: Direction
    bars: int | None = None
    phase: Phase = Phase.UNKNOWN
    due: int | None = None


class Step(NamedTuple):
    """Where a bar leaves an alert; ``crossed`` where it has happened, whichever way was asked for."""

    phase: Phase
    due: int | None
    crossed: Direction | None = None


def step(watch: Watch, bar: Bar) -> Step:
    """One bar, in order: none left out, none twice, each closed.

    A close is a hold of one bar. A touch::

        start, after UNKNOWN   C > L+d  OVER     C < L-d  UNDER          else UNKNOWN
        OVER                   low <= L   TOUCHED, told as down
        UNDER                  high >= L  TOUCHED, told as up
        TOUCHED                wholly over L and C > L+d  OVER     wholly under L and C < L-d  UNDER
    """
    if bar.atr is None or bar.after_gap:
        return Step(Phase.UNKNOWN, None)
    return _touch(watch, bar) if watch.kind is Kind.TOUCH else _hold(watch, bar)


def wanted(watch: Watch, crossed: Direction) -> bool:
    return watch.direction in {crossed, Direction.EITHER}


def _touch(watch: Watch, bar: Bar) -> Step:
    level, buffer = watch.price, bar.buffer(watch.price)
    if watch.phase is Phase.OVER:
        return Step(Phase.TOUCHED, None, Direction.DOWN) if bar.low <= level else Step(Phase.OVER, None)
    if watch.phase is Phase.UNDER:
        return Step(Phase.TOUCHED, None, Direction.UP) if bar.high >= level else Step(Phase.UNDER, None)
    is_new = watch.phase is not Phase.TOUCHED
    if bar.close > level + buffer and (is_new or bar.low > level):
        return Step(Phase.OVER, None)
    if bar.close < level - buffer and (is_new or bar.high < level):
        return Step(Phase.UNDER, None)
    return Step(watch.phase, None)


def _hold(watch: Watch, bar: Bar) -> Step:
    before = State(watch.phase)
    state, counts = breaks.after(before, bar.close, level=watch.price, buffer=bar.buffer(watch.price))
    if not counts:
        return Step(Phase(state), None)
    rule = rule_of(watch)
    due = watch.due
    if due is None or state is not before:
        needed = rule.bars_to_break if state is State.BREAKING else rule.bars_to_hold
        due = bar.number + needed - 1
    if bar.number < due:
        return Step(Phase(state), due)
    if state is State.BREAKING:
        return Step(Phase.BROKEN, None, Direction.DOWN)
    return Step(Phase.RECLAIMED, None, Direction.UP)


def rule_of(watch: Watch) -> Rule:
    """How many closes each way; the way that is not asked for takes as many as on a card."""
    if watch.kind is Kind.CLOSE:
        return Rule(bars_to_break=1, bars_to_hold=1)
    count = watch.bars or _PLAIN.bars_to_hold
    return Rule(
        bars_to_break=_PLAIN.bars_to_break if watch.direction is Direction.UP else count,
        bars_to_hold=_PLAIN.bars_to_hold if watch.direction is Direction.DOWN else count,
    )


class Reach(NamedTuple):
    """The prices that a bar is beyond: over all below ``over``, under all above ``under``."""

    over: float
    under: float


def reach(bar: Bar) -> Reach:
    """C > L + d solved for L, and C < L - d: no price between the two has a close beyond its edges."""
    share, room = _PLAIN.buffer_share, _PLAIN.buffer_atr * (bar.atr or 0.0)
    over = min(bar.close / (1 + share), bar.close - room)
    under = max(bar.close / (1 - share), bar.close + room)
    return Reach(over * (1 + _EDGE), under * (1 - _EDGE))


def history(rows: Sequence[Prices], interval: Interval, *, weekends: bool, last_number: int) -> list[Bar]:
    """Bars with the ATR14 of all of ``rows``, oldest first; the last of them is ``last_number``."""
    if not rows:
        return []
    opened_at = np.array([row.opened_at for row in rows], dtype=np.int64)
    closed_at = np.array([row.closed_at for row in rows], dtype=np.int64)
    close = np.array([row.close for row in rows], dtype=np.float64)
    high = np.array([row.close if row.high is None else row.high for row in rows], dtype=np.float64)
    low = np.array([row.close if row.low is None else row.low for row in rows], dtype=np.float64)
    gaps = levels.after_gap(opened_at, closed_at, interval, weekends=weekends)
    first = last_number - len(rows) + 1
    return [
        Bar(
            number=first + place,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            high=float(high[place]),
            low=float(low[place]),
            close=row.close,
            atr=None if np.isnan(average) else float(average),
            after_gap=bool(gaps[place]),
        )
        for place, (row, average) in enumerate(zip(rows, atr(high, low, close), strict=True))
    ]


def following(last: Bar, rows: Iterable[Prices], interval: Interval, *, weekends: bool) -> list[Bar]:
    """The bars after ``last``, whose ATR14 must be known, each with its own."""
    found = []
    for row in rows:
        high = row.close if row.high is None else row.high
        low = row.close if row.low is None else row.low
        true_range = max(high - low, abs(high - last.close), abs(low - last.close))
        gap = levels.after_gap(
            np.array([last.opened_at, row.opened_at], dtype=np.int64),
            np.array([last.closed_at, row.closed_at], dtype=np.int64),
            interval,
            weekends=weekends,
        )
        last = Bar(
            number=last.number + 1,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            high=high,
            low=low,
            close=row.close,
            atr=((ATR_BARS - 1) * (last.atr or 0.0) + true_range) / ATR_BARS,
            after_gap=bool(gap[1]),
        )
        found.append(last)
    return found


def whole(rows: Iterable[Prices], interval: Interval) -> list[Prices]:
    """Bars of ``interval`` made of shorter ones, oldest first: only those that are filled without a hole."""
    length = int(interval.length.total_seconds())
    grouped: dict[int, list[Prices]] = {}
    for row in rows:
        grouped.setdefault(row.opened_at - row.opened_at % length, []).append(row)
    made = []
    for opened_at, parts in grouped.items():
        if sum(part.closed_at - part.opened_at for part in parts) != length:
            continue
        highs = [part.close if part.high is None else part.high for part in parts]
        lows = [part.close if part.low is None else part.low for part in parts]
        made.append(
            Prices(
                opened_at=opened_at,
                closed_at=opened_at + length,
                high=max(highs),
                low=min(lows),
                close=parts[-1].close,
            )
        )
    return made
