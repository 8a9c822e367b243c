"""How closely two markets move together, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, fsum, sqrt, tanh

NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Pearson's r over ``n`` pairs of returns, with Fisher's 95 % interval."""

    r: float
    low: float
    high: float
    n: int


def correlation(first: Sequence[float], second: Sequence[float]) -> Correlation | None:
    """Pearson's r of two series of log returns, never of prices; the same instants in both.

    Interval: tanh(atanh r -+ 1.96 / sqrt(n - 3)) (Fisher 1921). Null for fewer than 4
    pairs, or where one of the two did not move.
    """
    n = len(first)
    if n < 4:
        return None
    mean_x, mean_y = fsum(first) / n, fsum(second) / n
    xx = fsum((x - mean_x) ** 2 for x in first)
    yy = fsum((y - mean_y) ** 2 for y in second)
    xy = fsum((x - mean_x) * (y - mean_y) for x, y in zip(first, second, strict=True))
    if not xx or not yy:
        return None
    # Rounding may carry a perfect fit a hair beyond 1, where there is no atanh.
    r = max(-1.0, min(1.0, xy / sqrt(xx * yy)))
    if abs(r) == 1.0:
        return Correlation(r=r, low=r, high=r, n=n)
    reach = NORMAL_95 / sqrt(n - 3)
    return Correlation(r=r, low=tanh(atanh(r) - reach), high=tanh(atanh(r) + reach), n=n)


def distinguishable(one: Correlation, other: Correlation) -> bool:
    """Whether the two intervals lie apart; if not, neither can be called the closer."""
    return one.low > other.high or other.low > one.high
