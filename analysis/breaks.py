"""Break, reclaim and hold: what closed bars have done to one price.

The rule is deterministic and judged bar by bar over every bar given, so that an
answer does not depend on how much of the chart somebody wants to see. It belongs to
the family of trading-range break rules with a band and a confirmation (Brock,
Lakonishok and LeBaron, Journal of Finance 1992); the numbers are this product's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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

    def __post_init__(self) -> None:
        if self.bars_to_break < 1 or self.bars_to_hold < 1:
            raise ValueError("a break and a hold take at least one bar")
        if not (self.buffer_share >= 0 and self.buffer_atr >= 0):
            raise ValueError("a buffer cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of state; ``time`` is the close of the deciding bar (UTC)."""

    time: datetime
    opened_at: datetime
    before: State
    after: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Closed bars as the rule reads them: arrays of equal length, oldest first.

    Instants in epoch seconds UTC; ``atr`` is ATR14 with the bar itself, NaN while
    there are too few bars to judge; ``after_gap`` is true where more than one bar is
    missing before.
    """

    opened_at: NDArray[np.int64]
    closed_at: NDArray[np.int64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    atr: NDArray[np.float64]
    after_gap: NDArray[np.bool_]

    def part(self, first: int) -> Tape:
        """Without the bars before ``first``."""
        return Tape(**{name: getattr(self, name)[first:] for name in self.__dataclass_fields__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where the rule stands after the last bar.

    ``count`` is the number of closes beyond the level so far while breaking or
    reclaiming, otherwise 0; ``buffer`` is d at the last bar, null before there is an
    ATR14; ``since`` is the close of the bar of the last event, null while none was
    seen since the state was last unknown; ``events`` oldest first.
    """

    state: State
    since: datetime | None
    count: int
    buffer: float | None
    retested_at: datetime | None
    events: tuple[Event, ...]


class _Close(IntEnum):
    """Where a bar closed, seen from level L with buffer d: an index into a row of the table."""

    UNDER_BAND = 0  # C < L-d
    UNDER = 1  # L-d <= C < L
    AT = 2  # C = L
    OVER = 3  # L < C <= L+d
    OVER_BAND = 4  # C > L+d
    UNJUDGED = 5  # no ATR14 yet, so no d
    AFTER_GAP = 6


class _Then(NamedTuple):
    """The state after a close, and whether the close counts towards the next one.

    A close that does not count sets the count to 0.
    """

    state: State
    counts: bool


_UNKNOWN, _ABOVE, _BROKEN = (_Then(s, False) for s in (State.UNKNOWN, State.ABOVE, State.BROKEN))
_RECLAIMED = _Then(State.RECLAIMED, False)
_BREAKING_0, _BREAKING_1 = _Then(State.BREAKING, False), _Then(State.BREAKING, True)
_RECLAIMING_0, _RECLAIMING_1 = _Then(State.RECLAIMING, False), _Then(State.RECLAIMING, True)

_UNSEEN = (_UNKNOWN, _UNKNOWN)  # UNJUDGED, AFTER_GAP

# One row per state, one column per _Close.
_TABLE = {
    State.UNKNOWN: (_BROKEN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _ABOVE, *_UNSEEN),
    State.ABOVE: (_BREAKING_1, _ABOVE, _ABOVE, _ABOVE, _ABOVE, *_UNSEEN),
    State.BREAKING: (_BREAKING_1, _BREAKING_1, _BREAKING_0, _BREAKING_0, _ABOVE, *_UNSEEN),
    State.BROKEN: (_BROKEN, _BROKEN, _BROKEN, _BROKEN, _RECLAIMING_1, *_UNSEEN),
    State.RECLAIMING: (_BROKEN, _RECLAIMING_0, _RECLAIMING_0, _RECLAIMING_1, _RECLAIMING_1, *_UNSEEN),
    State.RECLAIMED: (_BREAKING_1, _RECLAIMED, _RECLAIMED, _RECLAIMED, _RECLAIMED, *_UNSEEN),
}


def follow(level: float, rule: Rule, tape: Tape) -> Verdict:
    """Judge every bar of ``tape`` against ``level``.

    ::

        start, after UNKNOWN   C > L+d  ABOVE        C < L-d  BROKEN (no event)     else UNKNOWN
        ABOVE, RECLAIMED       C < L-d  BREAKING, count 1
        BREAKING               C < L    count + 1, BROKEN at bars_to_break
                               L <= C <= L+d  count 0                               C > L+d  ABOVE
        BROKEN                 C > L+d  RECLAIMING, count 1
        RECLAIMING             C > L    count + 1, RECLAIMED at bars_to_hold
                               L-d <= C <= L  count 0                               C < L-d  BROKEN

    with d = max(buffer_share L, buffer_atr ATR14). The bar that starts a count is in
    it. At the first bar after a gap the state is UNKNOWN, which is an event if
    something was known; leaving UNKNOWN is none. Wicks decide nothing; they only
    note a retest: in ABOVE or RECLAIMED, after a close above L+d, a low in the band
    or through it with a close above L.
    """
    return verdict(further(Standing(), level, rule, tape), level, rule, tape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the rule stands after the first ``bars`` bars of a tape: all that the next one is judged from.

    ``since`` and ``retested`` are places of bars, -1 for none.
    """

    bars: int = 0
    state: State = State.UNKNOWN
    count: int = 0
    since: int = -1
    retested: int = -1
    events: tuple[Event, ...] = ()


def further(standing: Standing, level: float, rule: Rule, tape: Tape) -> Standing:
    """Judge the bars of ``tape`` that were not judged yet. Those before must be the same as then."""
    begin = max(0, standing.bars - 1)
    new = tape.part(begin)
    buffer = np.fmax(rule.buffer_share * level, rule.buffer_atr * new.atr)
    upper = level + buffer
    left = np.roll(new.close, 1) > upper  # the first bar, where this wraps round, has no ATR14 or was judged
    dips = (left & (new.low <= upper) & (new.close > level)).tolist()
    closes = _closes(level, buffer, new)
    confirm = {
        State.BREAKING: (rule.bars_to_break, State.BROKEN),
        State.RECLAIMING: (rule.bars_to_hold, State.RECLAIMED),
    }
    state, count, since, retested = standing.state, standing.count, standing.since, standing.retested
    changes: list[tuple[int, State, State]] = []
    for bar in range(standing.bars, begin + len(closes)):
        then, counts = _TABLE[state][closes[bar - begin]]
        if dips[bar - begin] and then is state and (state is State.ABOVE or state is State.RECLAIMED):
            retested = bar
        if then is not state:
            if state is State.UNKNOWN:
                # Where the story starts nobody saw a change: there is none to tell.
                since = -1
            else:
                changes.append((bar, state, then))
                since = bar
            state = then
        if not counts:
            count = 0
            continue
        count += 1
        needed, confirmed = confirm[state]
        if count >= needed:
            changes.append((bar, state, confirmed))
            state, count, since = confirmed, 0, bar
    return Standing(
        bars=len(tape.close),
        state=state,
        count=count,
        since=since,
        retested=retested,
        events=standing.events
        + tuple(
            Event(
                time=_instant(tape.closed_at[bar]),
                opened_at=_instant(tape.opened_at[bar]),
                before=before,
                after=after,
            )
            for bar, before, after in changes
        ),
    )


_BELOW = {State.BROKEN, State.RECLAIMING}
_FAILURES = {(State.BREAKING, State.ABOVE), (State.RECLAIMING, State.BROKEN)}


def turned(events: Sequence[Event]) -> datetime | None:
    """Since when a level stands on its side: its last confirmed break or reclaim, whatever failed after it.

    Null where what is now began without one, at the start of the data or after a gap.
    """
    for event in reversed(events):
        if event.after is State.UNKNOWN:
            return None
        if (event.before in _BELOW) is not (event.after in _BELOW):
            return event.time
    return None


def failed(events: Sequence[Event]) -> datetime | None:
    """When the last thing that happened was a break or a reclaim that failed; else null."""
    last = events[-1] if events else None
    if last is None or (last.before, last.after) not in _FAILURES:
        return None
    return last.time


def verdict(standing: Standing, level: float, rule: Rule, tape: Tape) -> Verdict:
    """What is told of a standing after all bars of ``tape``."""
    atr_now = float(tape.atr[-1]) if tape.atr.size else np.nan
    buffer = float(np.fmax(rule.buffer_share * level, rule.buffer_atr * atr_now))
    return Verdict(
        state=standing.state,
        since=_instant(tape.closed_at[standing.since]) if standing.since >= 0 else None,
        count=standing.count,
        buffer=None if np.isnan(atr_now) else buffer,
        retested_at=_instant(tape.closed_at[standing.retested]) if standing.retested >= 0 else None,
        events=standing.events,
    )


def after(state: State, close: float, *, level: float, buffer: float) -> tuple[State, bool]:
    """One close of ``follow``: the state it leads to, and whether it counts towards the next one.

    A count that is full is the caller's to see.
    """
    if close > level:
        place = _Close.OVER_BAND if close > level + buffer else _Close.OVER
    elif close < level:
        place = _Close.UNDER_BAND if close < level - buffer else _Close.UNDER
    else:
        place = _Close.AT
    return _TABLE[state][place]


def _closes(level: float, buffer: NDArray[np.float64], tape: Tape) -> list[int]:
    """The _Close of every bar."""
    close = tape.close
    closes = np.where(close > level, _Close.OVER, np.where(close < level, _Close.UNDER, _Close.AT))
    closes[close > level + buffer] = _Close.OVER_BAND
    closes[close < level - buffer] = _Close.UNDER_BAND
    closes[np.isnan(tape.atr)] = _Close.UNJUDGED
    closes[tape.after_gap] = _Close.AFTER_GAP
    judged: list[int] = closes.tolist()
    return judged


def _instant(seconds: np.int64) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
