"""Stress or rotation: one rule list over how unusual a week was in five markets.

The list is this product's own. Nearest published: days of flight to safety (Baele,
Bekaert, Inghelbrecht and Wei 2020), risk-on / risk-off. Oil never votes, its news is
supply; the Nasdaq is shown beside the S&P 500 and does not vote twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum, sqrt
from operator import ge, le, lt
from typing import Literal, NamedTuple

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


class Measure(StrEnum):
    """What a rule compares. ``largest`` and ``second`` are sizes of z5, whatever their sign."""

    RISK = "R"
    RISK_SIZE = "|R|"
    HEDGE = "H"
    DOLLAR = "D"
    DISPERSION = "dispersion"
    HIGHEST = "highest z5"
    LOWEST = "lowest z5"
    LARGEST = "largest |z5|"
    SECOND = "second largest |z5|"
    ABSORPTION = "dAR"


Sign = Literal["<=", ">=", "<"]
_COMPARE: Mapping[Sign, Callable[[float, float], bool]] = {"<=": le, ">=": ge, "<": lt}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of a rule and the value it met or did not meet; a null value meets nothing."""

    measure: Measure
    sign: Sign
    border: float
    value: float | None

    @property
    def met(self) -> bool:
        return self.value is not None and _COMPARE[self.sign](self.value, self.border)


class Condition(NamedTuple):
    measure: Measure
    sign: Sign
    border: float

    def check(self, values: Mapping[Measure, float | None]) -> Check:
        return Check(measure=self.measure, sign=self.sign, border=self.border, value=values[self.measure])


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A condition that was left out because its measure is not known."""

    verdict: Verdict
    measure: Measure


RULES: tuple[tuple[Verdict, tuple[Condition, ...]], ...] = (
    (
        Verdict.DELEVERAGING,
        (
            Condition(Measure.RISK, "<=", -1.0),
            Condition(Measure.DOLLAR, ">=", 0.5),
            Condition(Measure.HEDGE, "<=", 0.0),
        ),
    ),
    (
        Verdict.FLIGHT_TO_SAFETY,
        (Condition(Measure.RISK, "<=", -1.0), Condition(Measure.HEDGE, ">=", 0.5)),
    ),
    (Verdict.RISK_OFF_UNCLEAR, (Condition(Measure.RISK, "<=", -1.0),)),
    (
        Verdict.ROTATION,
        (
            Condition(Measure.RISK_SIZE, "<", 0.75),
            Condition(Measure.DISPERSION, ">=", 1.0),
            Condition(Measure.HIGHEST, ">=", 1.0),
            Condition(Measure.LOWEST, "<=", -1.0),
            Condition(Measure.ABSORPTION, "<", 1.0),
        ),
    ),
    (
        Verdict.IDIOSYNCRATIC,
        (Condition(Measure.LARGEST, ">=", 2.0), Condition(Measure.SECOND, "<", 1.0)),
    ),
    (Verdict.RISK_ON, (Condition(Measure.RISK, ">=", 1.0), Condition(Measure.DOLLAR, "<=", 0.0))),
)
"""In the order in which they are asked; what none fits is CALM / MIXED."""


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


def verdict(z5: Mapping[str, float], shift: float | None = None) -> Verdict:
    """The first rule that fits. ``shift`` is dAR, the shift of the absorption ratio.

    ::

        UNKNOWN            fewer than 4 voters, or BTC or ES or DXY missing
        DELEVERAGING       R <= -1, D >= 0.5, H <= 0
        FLIGHT TO SAFETY   R <= -1, H >= 0.5
        RISK-OFF, UNCLEAR  R <= -1 otherwise
        ROTATION           |R| < 0.75, dispersion >= 1, one z5 >= 1 and one <= -1, dAR < 1
        IDIOSYNCRATIC      exactly one |z5| >= 2, all others < 1
        RISK-ON            R >= 1, D <= 0
        CALM / MIXED       else

    Where dAR is not known ROTATION is judged without it.
    """
    values = _measures(z5, shift)
    if not values:
        return Verdict.UNKNOWN
    fitting = (
        rule for rule, conditions in _asked(values) if all(one.check(values).met for one in conditions)
    )
    return next(fitting, Verdict.CALM_MIXED)


def _asked(values: Mapping[Measure, float | None]) -> list[tuple[Verdict, tuple[Condition, ...]]]:
    """The rules without the condition that is left out where its measure is not known."""
    if values[Measure.ABSORPTION] is not None:
        return list(RULES)
    return [
        (rule, tuple(one for one in conditions if one.measure is not Measure.ABSORPTION))
        for rule, conditions in RULES
    ]


def checks(
    z5: Mapping[str, float], shift: float | None = None
) -> tuple[tuple[Verdict, tuple[Check, ...]], ...]:
    """Every rule in its order with what it found; empty where the verdict is UNKNOWN."""
    values = _measures(z5, shift)
    if not values:
        return ()
    return tuple(
        (rule, tuple(one.check(values) for one in conditions)) for rule, conditions in _asked(values)
    )


def skipped(z5: Mapping[str, float], shift: float | None = None) -> tuple[Skip, ...]:
    """What could not be asked: gold and the others while they are missing, dAR while it is not known."""
    values = _measures(z5, shift)
    if not values:
        return ()
    return tuple(
        Skip(verdict=rule, measure=one.measure)
        for rule, conditions in RULES
        for one in conditions
        if values[one.measure] is None
    )


def _measures(z5: Mapping[str, float], shift: float | None) -> dict[Measure, float | None]:
    """What the rules compare; empty where too little is known to judge."""
    votes = [z5[code] for code in VOTERS if code in z5]
    one = quantities(z5)
    if len(votes) < LEAST_VOTERS or one.risk is None or one.dollar is None or one.dispersion is None:
        return {}
    sizes = sorted(abs(vote) for vote in votes)
    return {
        Measure.RISK: one.risk,
        Measure.RISK_SIZE: abs(one.risk),
        Measure.HEDGE: one.hedge,
        Measure.DOLLAR: one.dollar,
        Measure.DISPERSION: one.dispersion,
        Measure.HIGHEST: max(votes),
        Measure.LOWEST: min(votes),
        Measure.LARGEST: sizes[-1],
        Measure.SECOND: sizes[-2],
        Measure.ABSORPTION: shift,
    }


def flips(z5: Mapping[str, float], shift: float | None = None) -> tuple[Flip, ...]:
    """For each voter the nearest border, nearest first; a voter that cannot turn it is left out.

    Empty while the verdict is UNKNOWN: what is missing cannot be flipped.
    """
    now = verdict(z5, shift)
    if now is Verdict.UNKNOWN:
        return ()
    found = []
    for code in VOTERS:
        if code in z5:
            turning = [
                Flip(instrument=code, z5=z5[code], border=border, verdict=after)
                for border in _borders(z5, code)
                if (after := _at(z5, code, border, now, shift)) is not now
            ]
            found += sorted(turning, key=_distance)[:1]
    return tuple(sorted(found, key=_distance))


def _distance(flip: Flip) -> float:
    return abs(flip.border - flip.z5)


def _at(z5: Mapping[str, float], code: str, border: float, now: Verdict, shift: float | None) -> Verdict:
    """Another verdict than ``now`` at the border or a hair beside it; ``now`` if there is none."""
    verdicts = (verdict({**z5, code: border + hair}, shift) for hair in (0.0, 1e-9, -1e-9))
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
