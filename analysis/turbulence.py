"""How unusual one day of several markets was, given how they usually move: turbulence and its two parts.

Kritzman and Li 2010 ("Skulls, financial turbulence, and risk management"); magnitude and
correlation surprise: Kinlaw and Turkington 2014. Mean and covariance are estimated on the
days before only. It has no direction: a rise can be as unusual as a fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis.covariance import ledoit_wolf
from analysis.tails import f_tail

WINDOW, LEAST = 250, 40
"""Days before that are looked at: so many, while there are that many; fewer than the second are too few."""
FEW = 10
"""With fewer days than this many times the markets, the covariance is shrunk (Ledoit and Wolf)."""
UNUSUAL = 75.0
"""Percentile above which a day is called turbulent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurbulencePoint:
    """One day: ``ratio`` = d / n, about 1 on a usual day.

    ``parts`` are the shares of the markets, which add up to ``ratio``. ``magnitude``: the
    same without correlations; ``correlation`` = ratio / magnitude, above 1 where the markets
    moved in an unusual pattern for their sizes. ``odds``: how rarely a day of a steady normal
    market would be as unusual (F distribution); null where the covariance was shrunk.
    ``days`` were looked at.
    """

    date: date
    ratio: float
    parts: tuple[float, ...]
    magnitude: float
    correlation: float
    odds: float | None
    days: int


def turbulence(dates: Sequence[date], returns: NDArray[np.float64]) -> tuple[TurbulencePoint, ...]:
    """Every day (rows of ``returns``, one a date) against the days before it, oldest first.

    A day after a window in which some market did not move is left out.
    """
    points = []
    for place in range(LEAST, len(returns)):
        found = judge(dates[place], returns[place], returns[max(0, place - WINDOW) : place])
        if found is not None:
            points.append(found)
    return tuple(points)


def judge(day: date, today: NDArray[np.float64], before: NDArray[np.float64]) -> TurbulencePoint | None:
    """One day's returns against those ``before`` (days, markets); null where there is no covariance."""
    days, markets = before.shape
    deviations = before.std(axis=0, ddof=1)
    if not (deviations > 0).all():
        return None
    # In each market's own sigmas: shrinking would else mix markets of very different sizes.
    usual = (before - before.mean(axis=0)) / deviations
    sigmas = (today - before.mean(axis=0)) / deviations
    shrunk = days < FEW * markets
    covariance = ledoit_wolf(usual)[0] if shrunk else usual.T @ usual / (days - 1)
    try:
        parts = sigmas * np.linalg.solve(covariance, sigmas) / markets
    except np.linalg.LinAlgError:
        return None
    ratio = float(parts.sum())
    magnitude = float((sigmas**2 / np.diag(covariance)).mean())
    return TurbulencePoint(
        date=day,
        ratio=ratio,
        parts=tuple(float(part) for part in parts),
        magnitude=magnitude,
        correlation=ratio / magnitude if magnitude > 0 else 1.0,
        odds=None if shrunk else odds(ratio, markets, days),
        days=days,
    )


def odds(ratio: float, markets: int, days: int) -> float:
    """P of a ``ratio`` (d / n) as large for a new day of the same normal market.

    d T (T - n) / ((T^2 - 1) n) is F(n, T - n) distributed (Hotelling's T^2 of one new observation).
    """
    scaled = ratio * days * (days - markets) / (days**2 - 1)
    return f_tail(scaled, markets, days - markets)
