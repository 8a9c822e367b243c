"""How much of the moves of several markets one common factor explains, and whether that has shifted.

Kritzman, Li, Page and Rigobon 2011 ("Principal components as a measure of systemic risk").
With six markets a fifth of them is one factor. Each market is measured in its own sigmas:
otherwise bitcoin and silver, which move most, would be the factor by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from statistics import stdev

import numpy as np
from numpy.typing import NDArray

from analysis.covariance import weighted_covariance

WINDOW, LEAST = 500, 250
"""Days looked at: so many, while there are that many; fewer than the second are too few."""
HALF_LIFE = 250
SHORT, LONG = 15, 250
"""The shift compares the mean of the one number of days with mean and sigma of the other."""
FRAGILE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorptionPoint:
    """``ratio``: the share of all variance that lies in the first factor (1 / n to 1).

    ``parts`` are what each market has in it; they add up to ``ratio``. ``shift`` = (mean of
    15 days - mean of a year) / sigma of the year; null while there is no year of ratios.
    """

    date: date
    ratio: float
    parts: tuple[float, ...]
    shift: float | None


def absorption(dates: Sequence[date], returns: NDArray[np.float64]) -> tuple[AbsorptionPoint, ...]:
    """The ratio after every day (rows of ``returns``, one a date), oldest first."""
    ratios: list[float] = []
    points: list[AbsorptionPoint] = []
    for place in range(LEAST, len(returns) + 1):
        found = first_factor(returns[max(0, place - WINDOW) : place])
        if found is not None:
            ratio, parts = found
            ratios.append(ratio)
            points.append(
                AbsorptionPoint(date=dates[place - 1], ratio=ratio, parts=parts, shift=shift(ratios))
            )
    return tuple(points)


def first_factor(returns: NDArray[np.float64]) -> tuple[float, tuple[float, ...]] | None:
    """The share of the first principal component, and the markets' shares of it; null if one did not move."""
    age = np.arange(len(returns))[::-1]
    weights = 0.5 ** (age / HALF_LIFE)
    covariance = weighted_covariance(returns, weights / weights.sum())
    deviations = np.sqrt(np.diag(covariance))
    if not (deviations > 0).all():
        return None
    values, vectors = np.linalg.eigh(covariance / np.outer(deviations, deviations))
    ratio = float(values[-1] / values.sum())
    return ratio, tuple(float(part) for part in ratio * vectors[:, -1] ** 2)


def shift(ratios: Sequence[float]) -> float | None:
    """How far the last ``SHORT`` ratios lie from those of the last year, in its sigmas."""
    year = ratios[-LONG:]
    if len(year) < LONG:
        return None
    sigma = stdev(year)
    return (fsum(year[-SHORT:]) / SHORT - fsum(year) / LONG) / sigma if sigma else None
