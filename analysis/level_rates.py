"""How often reclaims held and prices bounced: at the levels of a book, and at arbitrary ones.

The test of levels against arbitrary ones is that of Osler (FRBNY Economic Policy Review,
July 2000), on bars: a bar *hits* a level if it comes within ``NEAR`` of it and the bar before
did not; it *bounced* if the bar after closes on the side from which it came. Arbitrary
levels are drawn evenly from between the lowest and the highest price of the same bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.base_rates import DRAWS, SEED, Compared, compared
from analysis.breaks import Rule, Standing, State, Tape, further

HELD: Final = (1, 2, 4, 8)
"""Closes in a row that are asked about."""
NEAR: Final = 0.0001
"""0.01 % of the level."""
ARBITRARY: Final = 200
"""Levels drawn; a book is held against ``DRAWS`` books of as many of them."""
BLOCK: Final = 256
_QUESTIONS: Final = 2 * len(HELD) + 1
_Spans = tuple[NDArray[np.float64], NDArray[np.float64], int, float, float]
"""From where to below where each bar hits, seen from which side, and the bounds of them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A price with its rule; what happened before ``known_from`` (epoch seconds) is left out."""

    price: float
    rule: Rule
    known_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Closed bars to count in, with their highs, and how long is waited for what followed a hold."""

    tape: Tape
    high: NDArray[np.float64]
    horizon: int
    """In bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Times and cases, a row a level: stayed for ``HELD`` more closes, kept after ``HELD``, bounced."""

    times: NDArray[np.int64]
    cases: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What came of reclaims, ``closes`` being 1, 2, 4 or 8.

    ``stayed``: of those begun (first close above level + d), how often the next ``closes`` closes
    were all above the level. ``kept``: of those that had held for ``closes`` closes, the first
    included, how often no bar of the horizon after closed below level - d.
    """

    closes: int
    stayed: Compared
    kept: Compared


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRates:
    """All of it, over the bars from ``first`` to ``last`` (UTC; opening and close).

    ``levels`` of the book lie where the price was, between ``lowest`` and ``highest``.
    """

    first: datetime
    last: datetime
    bars: int
    horizon: timedelta
    levels: int
    arbitrary: int
    lowest: float
    highest: float
    holds: tuple[Hold, ...]
    bounces: Compared


def level_rates(own: Counts, history: History, pool: Counts, *, horizon: timedelta) -> LevelRates:
    """The rates of a book beside those of ``pool``, which is ``arbitrary`` of the same history.

    ``own``: the counts of those of its places that lie ``within`` it.
    """
    tape, levels = history.tape, len(own.times)
    lowest, highest = extremes(history)
    times, cases = own.times.sum(axis=0), own.cases.sum(axis=0)
    chance = np.random.default_rng(SEED)
    books = chance.integers(len(pool.times), size=(DRAWS, max(levels, 1)))
    drawn_times, drawn_cases = pool.times[books].sum(axis=1), pool.cases[books].sum(axis=1)
    answers = [
        compared(int(times[i]), int(cases[i]), drawn_times[:, i], drawn_cases[:, i])
        for i in range(_QUESTIONS)
    ]
    return LevelRates(
        first=datetime.fromtimestamp(int(tape.opened_at[0]), UTC),
        last=datetime.fromtimestamp(int(tape.closed_at[-1]), UTC),
        bars=len(tape.close),
        horizon=horizon,
        levels=levels,
        arbitrary=len(pool.times),
        lowest=lowest,
        highest=highest,
        holds=tuple(
            Hold(closes=closes, stayed=stayed, kept=kept)
            for closes, stayed, kept in zip(HELD, answers, answers[len(HELD) :], strict=False)
        ),
        bounces=answers[-1],
    )


def within(places: Iterable[Place], history: History) -> list[Place]:
    """Those where the price was."""
    lowest, highest = extremes(history)
    return [place for place in places if lowest <= place.price <= highest]


def extremes(history: History) -> tuple[float, float]:
    """The lowest and the highest price."""
    return float(np.nanmin(history.tape.low)), float(np.nanmax(history.high))


def arbitrary(history: History) -> Counts:
    """The counts of levels drawn evenly from the prices of ``history``, by the standard rule."""
    return count(drawn(*extremes(history)), history)


def drawn(lowest: float, highest: float) -> list[Place]:
    """``ARBITRARY`` places, always the same between the same prices."""
    prices = np.random.default_rng(SEED).uniform(lowest, highest, ARBITRARY)
    return [Place(price=price, rule=Rule()) for price in prices.tolist()]


def count(places: Iterable[Place], history: History) -> Counts:
    return Tally(places).upto(history)


def joined(rows: Sequence[Counts]) -> Counts:
    """The counts of several places together, in their order."""
    nothing = np.zeros((0, _QUESTIONS), dtype=np.int64)
    return Counts(
        times=np.concatenate([nothing, *(row.times for row in rows)]),
        cases=np.concatenate([nothing, *(row.cases for row in rows)]),
    )


def counts(times: Sequence[Sequence[int]], cases: Sequence[Sequence[int]]) -> Counts:
    """From plain lists, as they are kept."""
    return Counts(times=np.array(times, dtype=np.int64), cases=np.array(cases, dtype=np.int64))


class Tally:
    """Counts at some places in a history that only grows: what can no longer change is counted once."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = [_Counted(place) for place in places]
        self._bars = 0

    def upto(self, history: History) -> Counts:
        """Over all of ``history``, whose bars begin with those of the call before."""
        bars = _Bars(history, self._bars)
        self._bars = len(history.tape.close)
        rows = [counted.upto(bars) for counted in self._places]
        told = np.array(rows, dtype=np.int64).reshape(len(rows), 2, _QUESTIONS)
        return Counts(times=told[:, 0], cases=told[:, 1])


class _Counted:
    """One place: what is settled, and the reclaims of which not all that followed is known."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._standing = Standing()
        self._open = np.array([], dtype=np.int64)
        self._settled = np.zeros((2, _QUESTIONS), dtype=np.int64)

    def upto(self, bars: _Bars) -> NDArray[np.int64]:
        """Times and cases."""
        place, judged = self._place, self._standing.bars
        first = int(np.searchsorted(bars.tape.opened_at, place.known_from))
        begun, self._standing = bars.reclaims(place, self._standing)
        begun = np.concatenate([self._open, begun[begun >= first]])
        # Of a reclaim all is known once the last bar of its longest horizon has closed.
        over = begun + HELD[-1] + bars.horizon < len(bars.tape.close)
        self._settled[:, :-1] += bars.holds(place, begun[over])
        # A hit is known with the bar after it; the last one of the call before was not.
        self._settled[:, -1] += bars.hits(place.price, max(first, judged - 1, 1))
        self._open = begun[~over]
        told = self._settled.copy()
        told[:, :-1] += bars.holds(place, self._open)
        return told


class _Bars:
    """A history of which the first bars were counted before, and what of it is the same for every level."""

    def __init__(self, history: History, counted: int) -> None:
        self._counted = counted
        self._begin = max(0, counted - 2)
        self.tape = history.tape
        self.high = history.high
        self.horizon = history.horizon

    def reclaims(self, place: Place, standing: Standing) -> tuple[NDArray[np.int64], Standing]:
        """The bars not judged yet at which a reclaim begins, and where the rule stands then."""
        if standing.bars and self._leave(place.price, standing):
            return np.array([], dtype=np.int64), replace(standing, bars=len(self.tape.close))
        seen = self.tape if standing.bars else self._worth_seeing(place.price, place.rule)
        now = further(replace(standing, events=()), place.price, place.rule, seen)
        begun = [int(event.opened_at.timestamp()) for event in now.events if event.after is State.RECLAIMING]
        found: NDArray[np.int64] = np.searchsorted(self.tape.opened_at, begun).astype(np.int64)
        return found, replace(now, bars=len(self.tape.close), events=())

    def _leave(self, level: float, standing: Standing) -> bool:
        """Whether the bars that came since all lie on the side of the level on which the rule stands already."""
        lowest, highest = self._new_closes
        if standing.state in {State.ABOVE, State.RECLAIMED}:
            return lowest >= level
        return standing.state is State.BROKEN and highest <= level

    @cached_property
    def _new_closes(self) -> tuple[float, float]:
        """The lowest and the highest; without bounds where a bar is not judged."""
        new = self.tape.part(self._counted)
        if np.isnan(new.atr).any() or new.after_gap.any():
            return -np.inf, np.inf
        return float(new.close.min(initial=np.inf)), float(new.close.max(initial=-np.inf))

    def _worth_seeing(self, level: float, rule: Rule) -> Tape:
        """The bars that decide what ``follow`` says of all of them, as far as reclaims go.

        Far from the level one bar says what the next one says, and after as many as a break or a hold
        takes nothing can come of another. The others are left out: ten years are judged as fast as
        the days that matter.
        """
        tape, longest, blocks = self.tape, max(rule.bars_to_break, rule.bars_to_hold), self._blocks
        reach = np.fmax(rule.buffer_share * level, rule.buffer_atr * blocks.widest)
        near = (blocks.lowest <= level + reach) & (level - reach <= blocks.highest)
        bars = _first_of(blocks.first, np.where(near, blocks.lengths, np.minimum(blocks.lengths, longest)))
        buffer = np.fmax(rule.buffer_share * level, rule.buffer_atr * tape.atr[bars])
        close = tape.close[bars]
        side = (close > level + buffer).astype(np.int8) - (close < level - buffer)
        side[blocks.unjudged[bars]] = 0
        runs = np.concatenate(([0], np.flatnonzero(np.diff(side)) + 1))
        lengths = np.diff(runs, append=len(side))
        bars = bars[_first_of(runs, np.where(side[runs] == 0, lengths, np.minimum(lengths, longest)))]
        return Tape(
            opened_at=tape.opened_at[bars],
            closed_at=tape.closed_at[bars],
            low=tape.low[bars],
            close=tape.close[bars],
            atr=tape.atr[bars],
            after_gap=tape.after_gap[bars],
        )

    @cached_property
    def _blocks(self) -> _Blocks:
        return _Blocks.of(self.tape)

    def holds(self, place: Place, begun: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times and cases of ``stayed`` and ``kept`` after these reclaims."""
        if not len(begun):
            return np.zeros((2, 2 * len(HELD)), dtype=np.int64)
        tape, level, rule = self.tape, place.price, place.rule
        after = begun[:, None] + np.arange(HELD[-1] + self.horizon + 1)
        known = self._known(begun, after)
        after = np.minimum(after, len(tape.close) - 1)
        above = tape.close[after] > level
        floor = level - np.fmax(rule.buffer_share * level, rule.buffer_atr * tape.atr[after])
        over_floor = tape.close[after] >= floor
        stayed = [(above[:, 1 : n + 1].all(axis=1), known[:, n]) for n in HELD]
        kept = []
        for n in HELD:
            end = n - 1 + self.horizon
            held = above[:, :n].all(axis=1) & known[:, end]
            kept.append((over_floor[:, n : end + 1].all(axis=1), held))
        pairs = stayed + kept
        return np.array(
            [[int((did & case).sum()) for did, case in pairs], [int(case.sum()) for _, case in pairs]]
        )

    def _known(self, begun: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a bar has closed by now and none is missing from ``begun`` to it."""
        first, end = int(begun[0]), min(int(after[-1, -1]) + 1, len(self.tape.close))
        gaps = np.cumsum(self.tape.after_gap[first:end])
        inside = after < len(self.tape.close)
        whole = gaps[np.minimum(after, end - 1) - first] == gaps[begun - first][:, None]
        known: NDArray[np.bool_] = inside & whole
        return known

    def hits(self, level: float, first: int) -> NDArray[np.int64]:
        """Bounces and hits from above and from below, at the bars from ``first`` to the last but one."""
        tape, found = self.tape, np.zeros(2, dtype=np.int64)
        if first >= len(tape.close) - 1:
            return found
        for near, far, side, lowest, highest in (self._from_above, self._from_below):
            if not lowest <= level * side < highest:
                continue
            begin = first - 1 - self._begin
            hit = (near[begin:] <= level * side) & (level * side < far[begin:])
            bars = np.flatnonzero(hit) + first
            found += (int((tape.close[bars + 1] * side > level * side).sum()), len(bars))
        return found

    @cached_property
    def _from_above(self) -> _Spans:
        """For each new bar but the first and the last: the levels it hits, from the one up to below the other."""
        low = self.tape.low[self._begin :] / (1 + NEAR)
        return self._unbroken(low[1:-1], low[:-2], 1)

    @cached_property
    def _from_below(self) -> _Spans:
        """The same seen upside down: levels and prices with a minus."""
        high = -self.high[self._begin :] / (1 - NEAR)
        return self._unbroken(high[1:-1], high[:-2], -1)

    def _unbroken(self, near: NDArray[np.float64], far: NDArray[np.float64], side: int) -> _Spans:
        """Where bars are missing before or after, nothing is hit."""
        after_gap = self.tape.after_gap[self._begin :]
        far = np.where(after_gap[1:-1] | after_gap[2:], -np.inf, far)
        return (
            near,
            far,
            side,
            float(np.fmin.reduce(near, initial=np.inf)),
            float(np.fmax.reduce(far, initial=-np.inf)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """What spans of bars have in common, so that most of them need not be looked into.

    A span in which a bar is not judged is one without bounds.
    """

    unjudged: NDArray[np.bool_]
    first: NDArray[np.int64]
    lengths: NDArray[np.int64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    widest: NDArray[np.float64]

    @classmethod
    def of(cls, tape: Tape) -> _Blocks:
        unjudged = np.isnan(tape.atr) | tape.after_gap
        first = np.arange(0, len(tape.close), BLOCK)
        broken = np.logical_or.reduceat(unjudged, first)
        return cls(
            unjudged=unjudged,
            first=first,
            lengths=np.diff(first, append=len(tape.close)),
            lowest=np.where(broken, -np.inf, np.minimum.reduceat(tape.close, first)),
            highest=np.where(broken, np.inf, np.maximum.reduceat(tape.close, first)),
            widest=np.fmax.reduceat(tape.atr, first),
        )


def _first_of(starts: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of spans that begin at ``starts`` the first ``taken`` places each, in order."""
    places: NDArray[np.int64] = np.repeat(starts - np.cumsum(taken) + taken, taken) + np.arange(taken.sum())
    return places
