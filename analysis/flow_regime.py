"""The regime of a series of daily flows: rolling sums, where they stand among their kind, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from statistics import fmean, stdev

Z_WINDOW = 250


class Regime(StrEnum):
    INSUFFICIENT = "INSUFFICIENT"
    CAPITULATION = "CAPITULATION"
    DISTRIBUTION = "DISTRIBUTION"
    STABILISING = "STABILISING"
    ACCUMULATION = "ACCUMULATION"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the regime is read from, at the last final day.

    Sums of the last 5 and 20 final days, share of inflow days among the last 20 in
    percent; ``z5`` and ``percentile5`` set the 5-day sum against the last
    ``sums5`` (at most 250) of its kind, itself included: (S - mean) / sd (n - 1) and
    100 rank / (n + 1).
    """

    rolling_5_musd: float | None
    rolling_20_musd: float | None
    hit_rate_20_pct: float | None
    z5: float | None
    percentile5: float | None
    sums5: int


def read(totals: Sequence[float]) -> Reading:
    """What ``totals`` (final days, oldest first, US$ million) say at their last day."""
    # Flows are published to a tenth: rounded, two sums that are equal on paper tie in rank, and nothing
    # that is zero on paper has a sign.
    sums = [round(fsum(totals[end - 5 : end]), 6) for end in range(5, len(totals) + 1)][-Z_WINDOW:]
    spread = stdev(sums) if len(sums) > 1 else 0.0
    last20 = totals[-20:]
    full = len(last20) == 20
    return Reading(
        rolling_5_musd=sums[-1] if sums else None,
        rolling_20_musd=round(fsum(last20), 6) if full else None,
        hit_rate_20_pct=100 * sum(total > 0 for total in last20) / 20 if full else None,
        z5=(sums[-1] - fmean(sums)) / spread if spread else None,
        percentile5=100 * sum(one <= sums[-1] for one in sums) / (len(sums) + 1) if sums else None,
        sums5=len(sums),
    )


def regime(reading: Reading, *, final_days: int, waiting: int) -> Regime:
    """The first rule that fits.

    INSUFFICIENT under 15 final days or more than one not yet final; CAPITULATION z5 <=
    -2 and percentile <= 2; DISTRIBUTION S20 < 0 and hit rate <= 35 %; STABILISING S20 < 0
    and S5 > 0; ACCUMULATION S20 > 0 and hit rate >= 60 %; NEUTRAL. Under 20 final days
    there is no S20, so of these rules only the first two and the last can fit.
    """
    s5, s20, hits = reading.rolling_5_musd, reading.rolling_20_musd, reading.hit_rate_20_pct
    if final_days < 15 or waiting > 1 or s5 is None:
        return Regime.INSUFFICIENT
    z5, percentile = reading.z5, reading.percentile5
    if z5 is not None and percentile is not None and z5 <= -2 and percentile <= 2:
        return Regime.CAPITULATION
    if s20 is None or hits is None:
        return Regime.NEUTRAL
    rules = (
        (s20 < 0 and hits <= 35, Regime.DISTRIBUTION),
        (s20 < 0 < s5, Regime.STABILISING),
        (s20 > 0 and hits >= 60, Regime.ACCUMULATION),
    )
    return next((name for fits, name in rules if fits), Regime.NEUTRAL)
