"""Four lights: is the line held, do flows stay steady, is macro calm, are silver and its margin quiet.

The rules are this product's own, few and deterministic; a light says what is, never what
will be. Over inputs that are stale or missing it is unknown: absence has no colour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import fsum
from typing import Final

from analysis import trading_days
from analysis.breaks import turned
from analysis.five_days import FiveDays
from analysis.flows import Day, DayState, Flows
from analysis.freshness import Freshness
from analysis.levels import LevelState
from analysis.levels import State as LineState
from analysis.sessions import WEEK

EVENT_AHEAD: Final = timedelta(hours=24)
"""How long before a decision or a release macro is not called calm."""
RISE_LASTS: Final = timedelta(days=7)
"""How long after it took effect a rise of the margin is still news."""
MOST_WAITING: Final = 1
"""Sessions without a final flow among the last twenty up to which the sum is judged, as in the regime."""


class State(StrEnum):
    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Why a light is unknown."""

    MISSING = "missing"
    STALE = "stale"
    TOO_FEW = "too few values"
    NOT_REPORTED = "not reported yet"
    UNJUDGED = "not judged yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a server may choose. ``line`` in the quote of bitcoin's venue; ``closes`` of 30 minutes above it
    make it held; ``flows_musd``: least sum of five final days; sizes of five-day moves in sigmas.
    """

    line: float = 73_600.0
    closes: int = 8
    flows_musd: float = 0.0
    macro_sigma: float = 1.5
    silver_sigma: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """``since``: from when it has its colour without a break, null where the data begin with it;
    of an unknown one, when the newest of its inputs is from. ``why`` only while unknown.
    """

    state: State
    since: datetime | None
    why: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLight:
    """Green while the line is above, reclaimed or not yet broken again; only a confirmed state turns it."""

    light: Light
    level: LevelState | None
    price: float | None = None
    price_at: datetime | None = None
    source: str = ""
    freshness: Freshness = Freshness.STALE


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLight:
    """Green while the last five final days sum to at least the threshold, in US$ million.

    ``next_needed``: the least flow of the next final day that would leave or make it green.
    ``latest`` is the last session, whatever its state.
    """

    light: Light
    sum_musd: float | None = None
    next_needed: float | None = None
    last_date: date | None = None
    latest: Day | None = None
    source: str = ""
    freshness: Freshness = Freshness.STALE


class EventKind(StrEnum):
    DECISION = "Fed decision"
    CPI = "CPI release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A date on the calendar of macro."""

    kind: EventKind
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroLight:
    """Green while the five-day moves of the dollar index and the breakeven are both small and nothing is
    due within a day. ``coming`` is the next decision or release.
    """

    light: Light
    dollar: FiveDays | None = None
    breakeven: FiveDays | None = None
    coming: Coming | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A rise of silver's margin: told at ``known_at``, in force from ``effective``, in percent at one price."""

    known_at: datetime
    effective: datetime
    pct: float

    @property
    def ends(self) -> datetime:
        """When it is no news any more."""
        return self.effective + RISE_LASTS


@dataclass(frozen=True, slots=True, kw_only=True)
class SilverLight:
    """Green while silver's five-day move is small and no rise of its margin is to come or a week young.

    ``rise`` is the last one known; ``rise_stands`` while it is not over.
    """

    light: Light
    silver: FiveDays | None = None
    rise: Rise | None = None
    rise_stands: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """What ``/lights`` knows at ``as_of``; ``is_own`` where the server chose one of the thresholds."""

    as_of: datetime
    thresholds: Thresholds
    is_own: bool
    line: LineLight
    flows: FlowLight
    macro: MacroLight
    silver: SilverLight
    is_sample: bool

    @property
    def all(self) -> tuple[Light, Light, Light, Light]:
        return self.line.light, self.flows.light, self.macro.light, self.silver.light

    @property
    def known_through(self) -> datetime | None:
        """When the newest price or close that the lights go by was known; null while there is none."""
        known = [self.line.price_at, *(move.last.known_at for move in self._moves)]
        return max((at for at in known if at is not None), default=None)

    @property
    def sources(self) -> tuple[str, ...]:
        """Who published what the lights go by, each once."""
        named = [self.line.source, self.flows.source, *(move.source for move in self._moves)]
        return tuple(source for source in dict.fromkeys(named) if source)

    @property
    def freshness(self) -> Freshness:
        """That of the input that is worst off; what is missing is stale."""
        states = [self.line.freshness, self.flows.freshness, *(move.freshness for move in self._moves)]
        if len(self._moves) < 3:
            states.append(Freshness.STALE)
        return max(states, key=lambda state: state.worse)

    @property
    def _moves(self) -> list[FiveDays]:
        found = (self.macro.dollar, self.macro.breakeven, self.silver.silver)
        return [move for move in found if move is not None]


_COLOUR: Final = {
    LineState.ABOVE: State.GREEN,
    LineState.RECLAIMED: State.GREEN,
    LineState.BREAKING: State.GREEN,
    LineState.BROKEN: State.RED,
    LineState.RECLAIMING: State.RED,
    LineState.UNKNOWN: State.UNKNOWN,
}
_USABLE: Final = {Freshness.FRESH, Freshness.CLOSED, Freshness.PENDING, Freshness.LATE}


def _unknown(why: Why, newest: datetime | None = None) -> Light:
    return Light(state=State.UNKNOWN, since=newest, why=why)


def line(level: LevelState, *, price: float, price_at: datetime, source: str, fresh: Freshness) -> LineLight:
    """The first light, from what closed bars have done to the line."""
    if fresh not in _USABLE:
        light = _unknown(Why.STALE, price_at)
    elif level.state is LineState.UNKNOWN:
        light = _unknown(Why.UNJUDGED, price_at)
    else:
        light = Light(state=_COLOUR[level.state], since=turned(level.events))
    return LineLight(light=light, level=level, price=price, price_at=price_at, source=source, freshness=fresh)


def flows(result: Flows, *, threshold: float) -> FlowLight:
    """The second light; ``result`` holds every final day since launch."""
    final = [
        (day.date, day.total_musd)
        for day in result.days
        if day.state is DayState.FINAL and day.total_musd is not None
    ]
    # Published to a tenth: rounded, a sum that is nought on paper is nought.
    sums = [round(fsum(total for _, total in final[n - WEEK : n]), 6) for n in range(WEEK, len(final) + 1)]
    needed = round(threshold - fsum(total for _, total in final[1 - WEEK :]), 6)
    return FlowLight(
        light=_steady(result, final, [total >= threshold for total in sums]),
        sum_musd=sums[-1] if sums else None,
        next_needed=needed if sums else None,
        last_date=result.last_date,
        latest=result.latest,
        source=result.source,
        freshness=result.freshness,
    )


def _steady(result: Flows, final: Sequence[tuple[date, float]], steady: Sequence[bool]) -> Light:
    closed = trading_days.closed_at(result.last_date)
    if result.freshness not in _USABLE:
        return _unknown(Why.STALE, closed)
    if result.waiting > MOST_WAITING:
        return _unknown(Why.NOT_REPORTED, closed)
    if not steady:
        return _unknown(Why.TOO_FEW, closed)
    first = _began(steady)
    return Light(
        state=State.GREEN if steady[-1] else State.RED,
        since=None if first == 0 else trading_days.closed_at(final[first + WEEK - 1][0]),
    )


def _began(course: Sequence[bool]) -> int:
    """Where the last run of equal values begins."""
    place = len(course) - 1
    while place and course[place - 1] == course[-1]:
        place -= 1
    return place


def macro(
    dollar: FiveDays | None,
    breakeven: FiveDays | None,
    calendar: Sequence[Coming],
    *,
    threshold: float,
    as_of: datetime,
) -> MacroLight:
    """The third light; ``calendar`` in order of time, past and to come."""
    windows = [(event.at - EVENT_AHEAD, event.at) for event in calendar]
    return MacroLight(
        light=_quiet((dollar, breakeven), windows, threshold=threshold, as_of=as_of),
        dollar=dollar,
        breakeven=breakeven,
        coming=next((event for event in calendar if event.at > as_of), None),
    )


def silver(move: FiveDays | None, rises: Sequence[Rise], *, threshold: float, as_of: datetime) -> SilverLight:
    """The fourth light; ``rises`` oldest first, as far as they were known."""
    windows = [(rise.known_at, rise.ends) for rise in rises]
    last = rises[-1] if rises else None
    return SilverLight(
        light=_quiet((move,), windows, threshold=threshold, as_of=as_of),
        silver=move,
        rise=last,
        rise_stands=last is not None and last.known_at <= as_of < last.ends,
    )


def _quiet(
    moves: Sequence[FiveDays | None],
    windows: Sequence[tuple[datetime, datetime]],
    *,
    threshold: float,
    as_of: datetime,
) -> Light:
    """Green while every move is smaller than the threshold and no window (its end not in it) is open."""
    known = [move for move in moves if move is not None]
    newest = max((move.last.known_at for move in known), default=None)
    if len(known) < len(moves):
        return _unknown(Why.MISSING, newest)
    if any(move.freshness not in _USABLE for move in known):
        return _unknown(Why.STALE, min(move.last.known_at for move in known))
    # The colour can change where a value is told and where a window opens or closes.
    begins = max(move.course[0][0] for move in known)
    edges = {at for move in known for at, _ in move.course} | {at for window in windows for at in window}
    instants = sorted(at for at in edges if begins <= at <= as_of)
    small = [
        all(abs(_at(move, at)) < threshold for move in known)
        and not any(opens <= at < closes for opens, closes in windows)
        for at in instants
    ]
    first = _began(small)
    return Light(state=State.GREEN if small[-1] else State.RED, since=None if first == 0 else instants[first])


def _at(move: FiveDays, at: datetime) -> float:
    return move.course[bisect_right(move.course, at, key=lambda told: told[0]) - 1][1]
