"""Base rates: how often something was followed by something, and how often by chance.

A share of n past cases says little without its interval and without what arbitrary cases
gave: here are the two, for every question that ``level_rates``, ``flow_rates`` and
``verdict_rates`` ask of all stored history. They describe what was; none is a forecast.
A case is counted only when all that followed it, to the end of its horizon, is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Z95: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""
DRAWS: Final = 1000
SEED: Final = 2000
"""Chance is drawn from the same numbers every time: the same history gives the same answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``times`` of ``cases``, at least one, with the 95 % interval of Wilson (JASA 1927) as shares."""

    times: int
    cases: int

    @property
    def share(self) -> float:
        return self.times / self.cases

    @property
    def low(self) -> float:
        return max(self._centre - self._reach, 0.0) if self.times else 0.0

    @property
    def high(self) -> float:
        return min(self._centre + self._reach, 1.0) if self.times < self.cases else 1.0

    @property
    def _centre(self) -> float:
        return (self.times + Z95**2 / 2) / (self.cases + Z95**2)

    @property
    def _reach(self) -> float:
        spread = self.times * (self.cases - self.times) / self.cases + Z95**2 / 4
        return Z95 * sqrt(spread) / (self.cases + Z95**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What the same count gave in ``draws`` random draws of as many.

    ``share`` is that of the draws together, ``low`` to ``high`` where the middle 95 % of them
    lie. ``p_value``: how often a draw came out at least as far to the observed side, times two.
    """

    share: float
    low: float
    high: float
    draws: int
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A rate beside chance; each null where there was not one case."""

    rate: Rate | None
    chance: Chance | None


def compared(
    times: int, cases: int, drawn_times: NDArray[np.int64], drawn_cases: NDArray[np.int64]
) -> Compared:
    """``times`` of ``cases`` beside the same two numbers of every draw.

    Draws without a case have no share; chance is null where that is more than half of them.
    """
    rate = Rate(times=times, cases=cases) if cases else None
    told = drawn_cases > 0
    if rate is None or 2 * int(told.sum()) <= len(told):
        return Compared(rate=rate, chance=None)
    shares = drawn_times[told] / drawn_cases[told]
    draws = len(shares)
    low, high = np.quantile(shares, [0.025, 0.975]).tolist()
    # The observed one counts as a draw, so that a p is never 0 (Davison and Hinkley 1997, 4.2).
    beyond = min(int((shares >= rate.share).sum()), int((shares <= rate.share).sum()))
    return Compared(
        rate=rate,
        chance=Chance(
            share=int(drawn_times.sum()) / int(drawn_cases.sum()),
            low=low,
            high=high,
            draws=draws,
            p_value=min(1.0, 2 * (beyond + 1) / (draws + 1)),
        ),
    )


def among_any(times: int, cases: int, *, any_times: int, any_cases: int) -> Compared:
    """``times`` of ``cases`` beside as many drawn at random, each once, from all ``any_cases`` there were."""
    chance = np.random.default_rng(SEED)
    drawn = chance.hypergeometric(any_times, any_cases - any_times, cases, DRAWS)
    found = compared(times, cases, drawn, np.full(DRAWS, cases))
    if found.chance is None:
        return found
    # Of all the draws there could be, the share is known.
    return replace(found, chance=replace(found.chance, share=any_times / any_cases))


def walk_holds(more: int) -> float:
    """P(``more`` further closes above a level, after one) of a driftless walk that started at it.

    Whatever the steps, if they are symmetric and have no atoms, k sums in a row are positive with
    C(2k, k) / 4^k (Sparre Andersen 1953); so this is the ratio of k = more + 1 and k = 1.
    """
    closes = more + 1
    return float(2 * comb(2 * closes, closes) / 4**closes)
