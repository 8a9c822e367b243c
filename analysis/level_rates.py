"""How often reclaims held and prices bounced: at the levels of a book, and at arbitrary ones.

The test of levels against arbitrary ones is that of Osler (FRBNY Economic Policy Review,
July 2000), on bars: a bar *hits* a level if it comes within ``NEAR`` of it and the bar before
did not; it *bounced* if the bar after closes on the side from which it came. Arbitrary
levels are drawn evenly from between the lowest and the highest price of the same bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.base_rates import DRAWS, SEED, Compared, compared
from analysis.breaks import Rule, State, Tape, follow

HELD: Final = (1, 2, 4, 8)
"""Closes in a row that are asked about."""
NEAR: Final = 0.0001
"""0.01 % of the level."""
ARBITRARY: Final = 200
"""Levels drawn; a book is held against ``DRAWS`` books of as many of them."""
BLOCK: Final = 256
_QUESTIONS: Final = 2 * len(HELD) + 1


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


def level_rates(places: Sequence[Place], history: History, pool: Counts, *, horizon: timedelta) -> LevelRates:
    """The rates of a book beside those of ``pool``, which is ``arbitrary`` of the same history."""
    tape = history.tape
    lowest, highest = float(np.nanmin(tape.low)), float(np.nanmax(history.high))
    within = [place for place in places if lowest <= place.price <= highest]
    own = count(within, history)
    times, cases = own.times.sum(axis=0), own.cases.sum(axis=0)
    chance = np.random.default_rng(SEED)
    books = chance.integers(len(pool.times), size=(DRAWS, max(len(within), 1)))
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
        levels=len(within),
        arbitrary=len(pool.times),
        lowest=lowest,
        highest=highest,
        holds=tuple(
            Hold(closes=closes, stayed=stayed, kept=kept)
            for closes, stayed, kept in zip(HELD, answers, answers[len(HELD) :], strict=False)
        ),
        bounces=answers[-1],
    )


def arbitrary(history: History) -> Counts:
    """The counts of ``ARBITRARY`` levels drawn evenly from the prices of ``history``, by the standard rule."""
    lowest, highest = float(np.nanmin(history.tape.low)), float(np.nanmax(history.high))
    prices = np.random.default_rng(SEED).uniform(lowest, highest, ARBITRARY)
    return count([Place(price=price, rule=Rule()) for price in prices.tolist()], history)


def count(places: Iterable[Place], history: History) -> Counts:
    bars = _Bars(history)
    rows = [bars.judge(place) for place in places]
    told = np.array(rows, dtype=np.int64).reshape(len(rows), 2, _QUESTIONS)
    return Counts(times=told[:, 0], cases=told[:, 1])


def counts(times: Sequence[Sequence[int]], cases: Sequence[Sequence[int]]) -> Counts:
    """From plain lists, as they are kept."""
    return Counts(times=np.array(times, dtype=np.int64), cases=np.array(cases, dtype=np.int64))


class _Bars:
    """A history and what of it is the same for every level."""

    def __init__(self, history: History) -> None:
        self.tape = history.tape
        self.high = history.high
        self.horizon = history.horizon
        self.gaps = np.cumsum(history.tape.after_gap)
        self._unjudged = np.isnan(self.tape.atr) | self.tape.after_gap
        # What spans of bars have in common, so that most of them need not be looked into: a span in which
        # a bar is not judged is one without bounds.
        self._blocks = np.arange(0, len(self.tape.close), BLOCK)
        self._lengths = np.diff(self._blocks, append=len(self.tape.close))
        broken = np.logical_or.reduceat(self._unjudged, self._blocks)
        self._lowest = np.where(broken, -np.inf, np.minimum.reduceat(self.tape.close, self._blocks))
        self._highest = np.where(broken, np.inf, np.maximum.reduceat(self.tape.close, self._blocks))
        self._widest = np.fmax.reduceat(self.tape.atr, self._blocks)

    def judge(self, place: Place) -> tuple[list[int], list[int]]:
        first = int(np.searchsorted(self.tape.opened_at, place.known_from))
        begun = self.reclaims(place.price, place.rule)
        times, cases = self._holds(place, begun[begun >= first])
        hit = self._hits(place.price, first)
        return [*times, hit[0]], [*cases, hit[1]]

    def reclaims(self, level: float, rule: Rule) -> NDArray[np.int64]:
        """The bars at which ``follow`` sees a reclaim begin.

        Far from the level one bar says what the next one says, and after as many as a break or a hold
        takes nothing can come of another. The others are left out: ten years are judged as fast as
        the days that matter.
        """
        tape, longest = self.tape, max(rule.bars_to_break, rule.bars_to_hold)
        reach = np.fmax(rule.buffer_share * level, rule.buffer_atr * self._widest)
        near = (self._lowest <= level + reach) & (level - reach <= self._highest)
        bars = _first_of(self._blocks, np.where(near, self._lengths, np.minimum(self._lengths, longest)))
        buffer = np.fmax(rule.buffer_share * level, rule.buffer_atr * tape.atr[bars])
        close = tape.close[bars]
        side = (close > level + buffer).astype(np.int8) - (close < level - buffer)
        side[self._unjudged[bars]] = 0
        runs = np.concatenate(([0], np.flatnonzero(np.diff(side)) + 1))
        lengths = np.diff(runs, append=len(side))
        bars = bars[_first_of(runs, np.where(side[runs] == 0, lengths, np.minimum(lengths, longest)))]
        seen = Tape(
            opened_at=tape.opened_at[bars],
            closed_at=tape.closed_at[bars],
            low=tape.low[bars],
            close=tape.close[bars],
            atr=tape.atr[bars],
            after_gap=tape.after_gap[bars],
        )
        begun = [
            int(event.opened_at.timestamp())
            for event in follow(level, rule, seen).events
            if event.after is State.RECLAIMING
        ]
        found: NDArray[np.int64] = np.searchsorted(tape.opened_at, begun).astype(np.int64)
        return found

    def _holds(self, place: Place, begun: NDArray[np.int64]) -> tuple[list[int], list[int]]:
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
        return [int((did & case).sum()) for did, case in pairs], [int(case.sum()) for _, case in pairs]

    def _known(self, begun: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a bar has closed by now and none is missing from ``begun`` to it."""
        inside = after < len(self.gaps)
        whole = self.gaps[np.minimum(after, len(self.gaps) - 1)] == self.gaps[begun][:, None]
        known: NDArray[np.bool_] = inside & whole
        return known

    def _hits(self, level: float, first: int) -> tuple[int, int]:
        """Bounces and hits from above and from below."""
        bounced = hits = 0
        for near, far, side in (self._from_above, self._from_below):
            bars = np.flatnonzero((near <= level * side) & (level * side < far)) + 1
            bars = bars[bars >= first]
            hits += len(bars)
            bounced += int((self.tape.close[bars + 1] * side > level * side).sum())
        return bounced, hits

    @cached_property
    def _from_above(self) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """For each bar but the first and the last: the levels it hits, from the one up to below the other."""
        low = self.tape.low / (1 + NEAR)
        return *self._unbroken(low[1:-1], low[:-2]), 1

    @cached_property
    def _from_below(self) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """The same seen upside down: levels and prices with a minus."""
        high = -self.high / (1 - NEAR)
        return *self._unbroken(high[1:-1], high[:-2]), -1

    def _unbroken(
        self, near: NDArray[np.float64], far: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where bars are missing before or after, nothing is hit."""
        broken = self.tape.after_gap[1:-1] | self.tape.after_gap[2:]
        return near, np.where(broken, -np.inf, far)


def _first_of(starts: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of spans that begin at ``starts`` the first ``taken`` places each, in order."""
    places: NDArray[np.int64] = np.repeat(starts - np.cumsum(taken) + taken, taken) + np.arange(taken.sum())
    return places
