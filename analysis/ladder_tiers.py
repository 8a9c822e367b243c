"""Maintenance tiers: the more notional, the higher the rate, and a deduction so that the margin has no steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from analysis.errors import UserError
from analysis.freshness import Freshness, Steps, freshness

ASKED: Final = Steps(step=timedelta(hours=6))
"""How often a venue is asked for its table."""


class Tier(NamedTuple):
    """From ``floor`` (settlement currency) on, maintenance is notional x ``rate`` - ``deduction``."""

    floor: float
    rate: float
    deduction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Tiers kept for a venue's contract, with where and when they were read.

    ``seen_at`` where the venue itself was asked: the last time that it told of them.
    ``by_size``: floors are sizes, not values. ``whole`` is false where only the
    lowest bracket was published there.
    """

    tiers: tuple[Tier, ...]
    source: str
    read_on: date
    seen_at: datetime | None = None
    by_size: bool = False
    whole: bool = True

    def of(self, size: float) -> tuple[Tier, ...]:
        """The tiers that a position of that size stands under."""
        return by_size(self.tiers, size) if self.by_size else self.tiers

    def age(self, now: datetime) -> timedelta:
        """Since it was read; of a day alone from its beginning on (UTC)."""
        day = datetime(self.read_on.year, self.read_on.month, self.read_on.day, tzinfo=UTC)
        return now - (self.seen_at or day)

    def freshness(self, now: datetime) -> Freshness | None:
        """How it stands against the rhythm it is asked for in; None for what was read by hand."""
        return None if self.seen_at is None else freshness(self.seen_at, now, ASKED)


def tiers(steps: Sequence[tuple[float, float]]) -> tuple[Tier, ...]:
    """From (floor, rate) with the lowest first and its floor 0; rates as shares.

    deduction_n = floor_n x (rate_n - rate_(n-1)) + deduction_(n-1) (Binance's documented
    rule), which makes maintenance continuous. Raises UserError for floors or rates that
    do not rise.
    """
    if not steps or steps[0][0] != 0:
        raise UserError("The first bracket has to begin at 0.")
    made = [Tier(0.0, steps[0][1])]
    for (floor, rate), (later, higher) in pairwise(steps):
        if later <= floor or higher < rate:
            raise UserError(
                "Brackets have to rise: a higher floor, and a rate not lower than the one before."
            )
        made.append(Tier(later, higher, later * (higher - rate) + made[-1].deduction))
    return tuple(made)


def by_size(table: Sequence[Tier], size: float) -> tuple[Tier, ...]:
    """The one tier under which a position of that size stands as a whole, whatever its price.

    Of a venue whose floors are sizes, and hold from above them on.
    """
    rate = next((tier.rate for tier in reversed(table) if size > tier.floor), table[0].rate)
    return (Tier(0.0, rate),)


def tier_of(table: Sequence[Tier], notional: float) -> Tier:
    """The tier that holds for a notional; at a border the two agree on the margin."""
    return next((tier for tier in reversed(table) if notional >= tier.floor), table[0])


KEPT = {
    ("bybit", "BTC", kind): Kept(
        tiers=tiers([(0.0, 0.005)]), source="Bybit help centre", read_on=date(2026, 5, 27), whole=False
    )
    for kind in ("linear", "inverse")
}
"""By venue, instrument and kind. Venues change brackets often: nothing is here that was not published."""
