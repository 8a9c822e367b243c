"""A composite index of stress in the manner of the CISS: high where markets are unsettled together.

Hollo, Kremer and Lo Duca 2012 ("CISS, a composite indicator of systemic stress in the
financial system"). Theirs has five segments of the euro area's finances with weights of
their own; the five here, their markets and the equal weights are this product's choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import fsum, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.sessions import Series
from analysis.standing import shares

VOLATILITY = 20
"""Returns behind the realised volatility."""
HIGHEST, LEAST_CLOSES = 250, 60
"""CMAX looks back so many closes; while there are fewer than the second number, it is not known."""
LEAST_RANKS = 125
"""Values among which a rank begins to mean something: half a year."""
LAMBDA = 0.93
"""Daily decay of the correlation between segments."""
SEED = 20


class Segment(StrEnum):
    CRYPTO = "crypto"
    EQUITY = "equity"
    METALS = "metals"
    DOLLAR = "dollar"
    ENERGY = "energy"


SEGMENTS: Final[Mapping[Segment, tuple[str, ...]]] = {
    Segment.CRYPTO: ("BTC",),
    Segment.EQUITY: ("ES",),
    Segment.METALS: ("SI", "GC"),
    Segment.DOLLAR: ("DXY",),
    Segment.ENERGY: ("CL",),
}
WEIGHTS: Final = np.full(len(SEGMENTS), 1 / len(SEGMENTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPoint:
    """The index after one close, between 0 and 1.

    ``parts`` are the shares of the segments in the order of ``SEGMENTS``; they add up to
    ``value``, and one that runs against the others may be below 0. ``stresses`` are the
    segments' own (0 to 1). ``together``: what it would be if all moved as one, (w's)^2.
    """

    date: date
    value: float
    parts: tuple[float, ...]
    stresses: tuple[float, ...]
    together: float


def composite(
    stresses: ArrayLike, correlation: ArrayLike, weights: ArrayLike = WEIGHTS
) -> tuple[float, tuple[float, ...]]:
    """(w o s) C (w o s)' and what each segment adds to it."""
    weighted = np.asarray(weights, np.float64) * np.asarray(stresses, np.float64)
    parts = weighted * (np.asarray(correlation, np.float64) @ weighted)
    return float(parts.sum()), tuple(float(part) for part in parts)


def raw_stress(one: Series) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """Realised volatility, CMAX and the size of the last return in sigmas after each close of a market; null while unknown.

    CMAX = 1 - P / the highest of 250 closes (Patel and Sarkar 1998).
    """
    volatility: list[float | None] = []
    fall: list[float | None] = []
    size: list[float | None] = []
    for place, price in enumerate(one.prices):
        window = one.returns[max(0, place - VOLATILITY) : place]
        enough = len(window) == VOLATILITY
        volatility.append(sqrt(fsum(r * r for r in window) / VOLATILITY) if enough else None)
        highest = max(one.prices[max(0, place + 1 - HIGHEST) : place + 1])
        fall.append(1 - price / highest if place + 1 >= LEAST_CLOSES else None)
        sigma = one.sigmas[place - 1] if place else None
        size.append(abs(one.returns[place - 1]) / sigma if sigma else None)
    return volatility, fall, size


def stress_index(series: Mapping[str, Series]) -> tuple[IndexPoint, ...]:
    """The index at every close at which all segments have one, oldest first.

    Each point is made of what was known at its close: ranks are those among the values so
    far, and the correlation of segments is an exponential average of the past.
    """
    ranked = {code: _ranked(series[code]) for codes in SEGMENTS.values() for code in codes if code in series}
    dates = _common([ranked.get(code, {}) for codes in SEGMENTS.values() for code in codes])
    stresses = [
        tuple(fsum(ranked[code][day] for code in codes) / len(codes) for codes in SEGMENTS.values())
        for day in dates
    ]
    points = []
    for day, own, correlation in zip(dates, stresses, correlations(stresses), strict=True):
        if correlation is not None:
            value, parts = composite(own, correlation)
            together = float(np.dot(WEIGHTS, own)) ** 2
            points.append(IndexPoint(date=day, value=value, parts=parts, stresses=own, together=together))
    return tuple(points)


def correlations(stresses: Sequence[Sequence[float]]) -> list[NDArray[np.float64] | None]:
    """How closely the segments are stressed together, as known after each close.

    Exponentially weighted products of (s - 0.5), the first ones the mean of 20; null before.
    """
    found: list[NDArray[np.float64] | None] = [None] * min(SEED - 1, len(stresses))
    if len(stresses) < SEED:
        return found
    around = np.asarray(stresses, np.float64) - 0.5
    products = np.einsum("ti,tj->tij", around, around)
    covariance = products[:SEED].mean(axis=0)
    found.append(_normed(covariance))
    for product in products[SEED:]:
        covariance = LAMBDA * covariance + (1 - LAMBDA) * product
        found.append(_normed(covariance))
    return found


def _normed(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance to correlation; a segment that never left 0.5 goes with no other."""
    deviations = np.sqrt(np.diag(covariance))
    scale = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0)
    normed: NDArray[np.float64] = np.clip(covariance * np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(normed, 1.0)
    return normed


def _ranked(one: Series) -> dict[date, float]:
    """The mean rank of the three raw measures of a market by date, where all three have one."""
    ranks = [shares(raw, least=LEAST_RANKS) for raw in raw_stress(one)]
    found = {}
    for day, *three in zip(one.dates, *ranks, strict=True):
        known = [rank for rank in three if rank is not None]
        if len(known) == len(three):
            found[day] = fsum(known) / len(known)
    return found


def _common(ranked: Sequence[Mapping[date, float]]) -> list[date]:
    first, *others = ranked
    return [day for day in sorted(first) if all(day in other for other in others)]
