"""By how much bitcoin has moved when a market moved: the slope of one return on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from analysis.tails import t_tails

LIKELY = 0.05
_STILL = 1e-20
"""Below this share of its own squares, what is left of a market's moves is rounding."""
_MOST_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Least squares over ``n`` days with its 95 % interval: beta -+ t(n - coefficients) times its standard error.

    The interval takes days for independent and alike in size; storms make it too narrow.
    """

    beta: float
    low: float
    high: float
    n: int


def beta(moved: Sequence[float], market: Sequence[float]) -> Slope | None:
    """Slope of ``moved`` on ``market``, log returns of the same days: cov / var.

    Null for fewer than 4 of them, or where the market did not move.
    """
    return _first_slope(np.array(moved), np.array(market).reshape(1, -1))


def summed_beta(
    moved: Sequence[float], before: Sequence[float], same: Sequence[float], after: Sequence[float]
) -> Slope | None:
    """The slopes on the market's returns of the day before, the day itself and the day after, added up.

    Dimson 1979 ("Risk measurement when shares are subject to infrequent trading"): closes of
    different hours put part of what went together into the neighbouring days. Null for
    fewer than 6 days, or where the sum is not to be told from them.
    """
    one, two, three = np.array(before), np.array(same), np.array(after)
    # b1 x1 + b2 x2 + b3 x3 = (b1 + b2 + b3) x2 + b1 (x1 - x2) + b3 (x3 - x2): the sum is one slope.
    return _first_slope(np.array(moved), np.array([two, one - two, three - two]))


def _first_slope(moved: NDArray[np.float64], markets: NDArray[np.float64]) -> Slope | None:
    """The slope on the first of ``markets`` (one a row) beside the others and a constant.

    By Frisch and Waugh: on what of the first the others do not tell.
    """
    n = len(moved)
    freedom = n - len(markets) - 1
    if freedom < 2:
        return None
    own = _left_of(markets[0], markets[1:])
    squares = float(own @ own)
    if squares <= _STILL * float(markets[0] @ markets[0]):
        return None
    found = float(own @ moved) / squares
    rest = _left_of(moved, markets)
    reach = t_reach(freedom) * sqrt(float(rest @ rest) / freedom / squares)
    return Slope(beta=found, low=found - reach, high=found + reach, n=n)


def _left_of(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without what a constant and ``others`` (one a row) tell of it."""
    centred: NDArray[np.float64] = values - values.mean()
    if not len(others):
        return centred
    told = (others - others.mean(axis=1, keepdims=True)).T
    slopes: NDArray[np.float64] = np.linalg.lstsq(told, centred)[0]
    return np.asarray(centred - told @ slopes)


def t_reach(freedom: float) -> float:
    """Between -t and +t lie 95 % of Student's distribution.

    By Newton's method from the normal 1.96, which lies inside and so is never overshot.
    """
    density = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(freedom * pi)
    t = 1.9599
    for _ in range(_MOST_STEPS):
        height = density * exp(-(freedom + 1) / 2 * log1p(t * t / freedom))
        step = (t_tails(t, freedom) - LIKELY) / (2 * height)
        t += step
        if abs(step) < 1e-13 * t:
            break
    return t
