"""Stress or rotation: one rule list over how unusual a week was in five markets.

The list is this product's own. Nearest published: days of flight to safety (Baele,
Bekaert, Inghelbrecht and Wei 2020), risk-on / risk-off. Oil never votes, its news is
supply; the Nasdaq is shown beside the S&P 500 and does not vote twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum, sqrt

VOTERS = ("BTC", "SI", "GC", "ES", "DXY")
REQUIRED = ("BTC", "ES", "DXY")
LEAST_VOTERS = 4


class Verdict(StrEnum):
    UNKNOWN = "UNKNOWN"
    DELEVERAGING = "DELEVERAGING"
    FLIGHT_TO_SAFETY = "FLIGHT TO SAFETY"
    RISK_OFF_UNCLEAR = "RISK-OFF, UNCLEAR"
    ROTATION = "ROTATION"
    IDIOSYNCRATIC = "IDIOSYNCRATIC"
    RISK_ON = "RISK-ON"
    CALM_MIXED = "CALM / MIXED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantities:
    """What the rules look at, in sigmas of five trading days.

    ``risk`` R = mean of BTC and ES, ``metal`` M = SI, ``hedge`` H = GC, ``dollar`` D =
    DXY, ``dispersion`` = sd (n - 1) over the voters. Null where an input is missing.
    """

    risk: float | None
    metal: float | None
    hedge: float | None
    dollar: float | None
    dispersion: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The nearest z5 of one voter, the others as they are, at which the verdict turns."""

    instrument: str
    z5: float
    border: float
    verdict: Verdict


def quantities(z5: Mapping[str, float]) -> Quantities:
    """``z5`` by instrument; only voters are looked at, those without a figure left out."""
    votes = [z5[code] for code in VOTERS if code in z5]
    return Quantities(
        risk=(z5["BTC"] + z5["ES"]) / 2 if "BTC" in z5 and "ES" in z5 else None,
        metal=z5.get("SI"),
        hedge=z5.get("GC"),
        dollar=z5.get("DXY"),
        dispersion=_deviation(votes) if len(votes) > 1 else None,
    )


def _deviation(votes: Sequence[float]) -> float:
    mean = fsum(votes) / len(votes)
    return sqrt(fsum((vote - mean) ** 2 for vote in votes) / (len(votes) - 1))


def verdict(z5: Mapping[str, float]) -> Verdict:
    """The first rule that fits.

    ::

        UNKNOWN            fewer than 4 voters, or BTC or ES or DXY missing
        DELEVERAGING       R <= -1, D >= 0.5, H <= 0
        FLIGHT TO SAFETY   R <= -1, H >= 0.5
        RISK-OFF, UNCLEAR  R <= -1 otherwise
        ROTATION           |R| < 0.75, dispersion >= 1, one z5 >= 1 and one <= -1
        IDIOSYNCRATIC      exactly one |z5| >= 2, all others < 1
        RISK-ON            R >= 1, D <= 0
        CALM / MIXED       else

    The change of the absorption ratio is not computed, so ROTATION is judged without it.
    """
    votes = [z5[code] for code in VOTERS if code in z5]
    one = quantities(z5)
    if len(votes) < LEAST_VOTERS or one.risk is None or one.dollar is None or one.dispersion is None:
        return Verdict.UNKNOWN
    falling = one.risk <= -1
    sizes = sorted(abs(vote) for vote in votes)
    rules = (
        (
            falling and one.dollar >= 0.5 and one.hedge is not None and one.hedge <= 0,
            Verdict.DELEVERAGING,
        ),
        (falling and one.hedge is not None and one.hedge >= 0.5, Verdict.FLIGHT_TO_SAFETY),
        (falling, Verdict.RISK_OFF_UNCLEAR),
        (
            abs(one.risk) < 0.75 and one.dispersion >= 1 and max(votes) >= 1 and min(votes) <= -1,
            Verdict.ROTATION,
        ),
        (sizes[-1] >= 2 and sizes[-2] < 1, Verdict.IDIOSYNCRATIC),
        (one.risk >= 1 and one.dollar <= 0, Verdict.RISK_ON),
    )
    return next((name for fits, name in rules if fits), Verdict.CALM_MIXED)


def flips(z5: Mapping[str, float]) -> tuple[Flip, ...]:
    """For each voter the nearest border, nearest first; a voter that cannot turn it is left out.

    Empty while the verdict is UNKNOWN: what is missing cannot be flipped.
    """
    now = verdict(z5)
    if now is Verdict.UNKNOWN:
        return ()
    found = []
    for code in VOTERS:
        if code in z5:
            turning = [
                Flip(instrument=code, z5=z5[code], border=border, verdict=after)
                for border in _borders(z5, code)
                if (after := _at(z5, code, border, now)) is not now
            ]
            found += sorted(turning, key=_distance)[:1]
    return tuple(sorted(found, key=_distance))


def _distance(flip: Flip) -> float:
    return abs(flip.border - flip.z5)


def _at(z5: Mapping[str, float], code: str, border: float, now: Verdict) -> Verdict:
    """Another verdict than ``now`` at the border or a hair beside it; ``now`` if there is none."""
    verdicts = (verdict({**z5, code: border + hair}) for hair in (0.0, 1e-9, -1e-9))
    return next((one for one in verdicts if one is not now), now)


def _borders(z5: Mapping[str, float], code: str) -> set[float]:
    """Every z5 of one voter at which some condition of some rule turns."""
    borders = {-2.0, -1.0, 1.0, 2.0}
    partner = {"BTC": "ES", "ES": "BTC"}.get(code)
    if partner is not None:
        borders |= {2 * risk - z5[partner] for risk in (-1.0, -0.75, 0.75, 1.0)}
    if code in ("GC", "DXY"):
        borders |= {0.0, 0.5}
    # Dispersion 1: with m and q the mean and the sum of squares of the n - 1 others,
    # sd^2 (n - 1) = q + (n - 1) / n (z - m)^2, set equal to n - 1.
    others = [z5[voter] for voter in VOTERS if voter in z5 and voter != code]
    n, mean = len(others) + 1, fsum(others) / len(others)
    rest = n - 1 - sum((z - mean) ** 2 for z in others)
    if rest >= 0:
        reach = sqrt(rest * n / (n - 1))
        borders |= {mean - reach, mean + reach}
    return borders
