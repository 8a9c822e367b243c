"""Margin rules of COMEX silver and gold: which one stands, and what it asks for a contract.

A rule is fixed (USD per contract) or a percentage of notional; under a percentage a
higher price needs more cash. Rules change after the close of their date: at that
day's close the old one still stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HRP_RATIO = 1.1
"""HRP initial margin over maintenance: 22,000 / 20,000, 16.5 % / 15 % (CME notices)."""

TABLE_HOLDS = timedelta(days=30)
"""How long a table without a newer notice is taken for the whole one: nobody tells it that nothing changed."""


class Basis(StrEnum):
    FIXED = "fixed"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A contract: its size in troy ounces, and the one whose margin it follows."""

    code: str
    ounces: int
    leader: str
    leader_ounces: int

    @property
    def derived(self) -> bool:
        """Whether its margin is worked out from its leader's and not published in our table."""
        return self.code != self.leader


PRODUCTS = {
    code: Product(code=code, ounces=ounces, leader=leader, leader_ounces=leader_ounces)
    for code, ounces, leader, leader_ounces in (
        ("SI", 5_000, "SI", 5_000),
        ("QI", 2_500, "SI", 5_000),
        ("SIL", 1_000, "SI", 5_000),
        ("SIC", 100, "SI", 5_000),
        ("GC", 100, "GC", 100),
        ("MGC", 10, "GC", 100),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the margin table of a leader (SI or GC).

    ``effective``: the instant (UTC) from which the rule stands, null for the rule
    before the first change on record; ``dated`` is false where no date was published
    and ``effective`` is the latest it can have been. ``known_at``: when the notice was
    out, ``entered_at`` when somebody entered it by hand. ``initial``, ``maintenance`` and ``hrp_initial`` in USD per contract or in
    percent of notional, as ``basis`` says; without ``hrp_initial`` it is 1.1 times
    maintenance.
    """

    effective: datetime | None
    known_at: datetime | None
    basis: Basis
    initial: float
    maintenance: float
    hrp_initial: float | None = None
    dated: bool = True
    source: str | None = None
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a rule asks for one contract at a price, in USD."""

    initial_usd: float
    maintenance_usd: float
    hrp_initial_usd: float


def cost(change: Change, product: Product, price: float) -> Cost:
    """USD per contract of ``product`` at ``price``; fixed dollars go pro rata by ounces."""
    if change.basis is Basis.FIXED:
        unit = product.ounces / product.leader_ounces
    else:
        unit = product.ounces * price / 100
    hrp = HRP_RATIO * change.maintenance if change.hrp_initial is None else change.hrp_initial
    return Cost(
        initial_usd=change.initial * unit,
        maintenance_usd=change.maintenance * unit,
        hrp_initial_usd=hrp * unit,
    )


def value(change: Change, product: Product) -> float:
    """What the rule says of this product: percent, or USD per contract."""
    if change.basis is Basis.PERCENT:
        return change.initial
    return change.initial * product.ounces / product.leader_ounces


def crossover_price(fixed_usd: float, rate_pct: float, ounces: int) -> float:
    """P* = M / (m Q): above it the percent rule costs more than the fixed one."""
    return fixed_usd / (rate_pct / 100 * ounces)


def in_force(changes: Sequence[Change], instant: datetime) -> int:
    """Index of the last change that has taken effect at ``instant``, -1 if none."""
    return sum(change.effective is None or change.effective <= instant for change in changes) - 1


def in_force_before(changes: Sequence[Change], instant: datetime) -> int:
    """The same for the session that ends at ``instant``: a change of that instant comes after it."""
    return sum(change.effective is None or change.effective < instant for change in changes) - 1


def table_is_old(told_at: datetime | None, now: datetime) -> bool:
    """Whether what stands by the table may long have been changed; ``told_at`` is its newest notice."""
    return told_at is not None and now - told_at > TABLE_HOLDS
