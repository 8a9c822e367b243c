"""How unusual the last five sessions of one series were, and between which next values they would be usual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from math import exp, fsum, log, sqrt
from typing import Final

from analysis.freshness import Freshness
from analysis.macro import Point
from analysis.sessions import LAMBDA, WEEK, ewma_sigmas

LEAST: Final = 26
"""Points before there is a z: twenty changes to begin the volatility with, five to judge, one before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiveDays:
    """Five sessions up to ``last``: z = sum of changes / (sigma sqrt 5), sigma daily EWMA known before the last.

    ``low`` and ``high``: the next value strictly between them would give a size of z under the
    threshold asked for. ``course``: every z there is with the instant its value was known, oldest first.
    """

    last: Point
    z: float
    low: float
    high: float
    course: tuple[tuple[datetime, float], ...]
    source: str
    freshness: Freshness


def of_prices(
    points: Sequence[Point], *, threshold: float, source: str, freshness: Freshness
) -> FiveDays | None:
    """By log returns; null under ``LEAST`` points or where the price stood still all along."""
    changes = [log(after.value / before.value) for before, after in pairwise(points)]
    return _judged(
        points,
        changes,
        threshold,
        lambda last, change: last * exp(change),
        source=source,
        freshness=freshness,
    )


def of_levels(
    points: Sequence[Point], *, threshold: float, source: str, freshness: Freshness
) -> FiveDays | None:
    """By differences: for what is itself in percent and may be nought."""
    changes = [after.value - before.value for before, after in pairwise(points)]
    return _judged(
        points, changes, threshold, lambda last, change: last + change, source=source, freshness=freshness
    )


def _judged(
    points: Sequence[Point],
    changes: Sequence[float],
    threshold: float,
    after: Callable[[float, float], float],
    *,
    source: str,
    freshness: Freshness,
) -> FiveDays | None:
    if len(points) < LEAST:
        return None
    sigmas = ewma_sigmas(changes)
    # A value that was revised is known later than some that follow it: a z is known with all before it.
    known = list(accumulate((point.known_at for point in points), max))
    course = [
        (known[place + 1], fsum(changes[place - WEEK + 1 : place + 1]) / (sigma * sqrt(WEEK)))
        for place, sigma in enumerate(sigmas)
        if sigma
    ]
    if not course or not sigmas[-1]:
        return None
    # The next change is judged by a sigma that knows the last one.
    following = sqrt(LAMBDA * sigmas[-1] ** 2 + (1 - LAMBDA) * changes[-1] ** 2)
    reach, standing = threshold * following * sqrt(WEEK), fsum(changes[1 - WEEK :])
    last = points[-1]
    return FiveDays(
        last=last,
        z=course[-1][1],
        low=after(last.value, -reach - standing),
        high=after(last.value, reach - standing),
        course=tuple(course),
        source=source,
        freshness=freshness,
    )
