"""Whether bitcoin moves with one market more than with another, and what a correlation is worth in a storm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import atanh, fsum, sqrt, tanh

from analysis.correlation import NORMAL_95, Correlation, correlation
from analysis.tails import t_tails

LAMBDA, SEED = 0.94, 20
"""RiskMetrics' daily decay; the first averages are those of 20 pairs."""
LIKELY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """A correlation of a stormy stretch as it would be in a calm one.

    ``delta`` = variance then / variance before - 1, of the market the shock came from.
    """

    raw: float
    r: float
    delta: float


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNTOLD = "not distinguishable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether the first of two correlations with the same market is the larger one.

    ``p``: how often two equal correlations would look so different (both tails).
    """

    answer: Answer
    first: float
    second: float
    t: float
    p: float
    n: int


def ewma(first: Sequence[float], second: Sequence[float], decay: float = LAMBDA) -> Correlation | None:
    """Exponentially weighted correlation: cov_t = decay cov_(t-1) + (1 - decay) x y, means taken as 0.

    ``n`` is the effective number of pairs, (1 + decay) / (1 - decay), and the interval
    Fisher's for so many. Null for fewer than 20 pairs, or where one did not move.
    """
    if len(first) < SEED:
        return None
    products = [(x * x, y * y, x * y) for x, y in zip(first, second, strict=True)]
    xx, yy, xy = (fsum(one) / SEED for one in zip(*products[:SEED], strict=True))
    for new in products[SEED:]:
        xx, yy, xy = (decay * old + (1 - decay) * one for old, one in zip((xx, yy, xy), new, strict=True))
    if not xx or not yy:
        return None
    r = max(-1.0, min(1.0, xy / sqrt(xx * yy)))
    n = (1 + decay) / (1 - decay)
    if abs(r) == 1.0:
        return Correlation(r=r, low=r, high=r, n=round(n))
    reach = NORMAL_95 / sqrt(n - 3)
    return Correlation(r=r, low=tanh(atanh(r) - reach), high=tanh(atanh(r) + reach), n=round(n))


def adjusted(r: float, delta: float) -> float:
    """The correlation r / sqrt(1 + delta (1 - r^2)) (Forbes and Rigobon 2002, "No contagion, only interdependence")."""
    return r / sqrt(1 + delta * (1 - r * r))


def volatility_adjusted(
    source: Sequence[float], other: Sequence[float], calm: Sequence[float]
) -> Adjusted | None:
    """The correlation of ``source`` and ``other``, freed of how much more ``source`` moved than in ``calm``.

    Assumes that the shock came from ``source``. Null where there is no correlation or no calm.
    """
    found = correlation(source, other)
    before = _variance(calm)
    if found is None or not before:
        return None
    delta = _variance(source) / before - 1
    return Adjusted(raw=found.r, r=adjusted(found.r, delta), delta=delta)


def _variance(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = fsum(values) / len(values)
    return fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def moves_more_with(
    market: Sequence[float], first: Sequence[float], second: Sequence[float]
) -> Comparison | None:
    """Williams' test of two correlations that share a market (Williams 1959; Steiger 1980, equation 7).

    Returns of the same instants in all three. Null for fewer than 4 of them, where a market
    did not move, or where one is the mirror of the others.
    """
    one, other, between = correlation(market, first), correlation(market, second), correlation(first, second)
    if one is None or other is None or between is None:
        return None
    found = williams(one.r, other.r, between.r, one.n)
    if found is None:
        return None
    p = t_tails(found, one.n - 3)
    larger = Answer.YES if found > 0 else Answer.NO
    answer = larger if p < LIKELY else Answer.UNTOLD
    return Comparison(answer=answer, first=one.r, second=other.r, t=found, p=p, n=one.n)


def williams(r12: float, r13: float, r23: float, n: int) -> float | None:
    """T2 of r12 against r13, which follows Student's t with n - 3 degrees of freedom; null if undefined."""
    determinant = 1 - r12 * r12 - r13 * r13 - r23 * r23 + 2 * r12 * r13 * r23
    middle = (r12 + r13) / 2
    below = 2 * (n - 1) / (n - 3) * determinant + middle * middle * (1 - r23) ** 3
    if below <= 1e-12:
        return None
    return (r12 - r13) * sqrt((n - 1) * (1 + r23) / below)
