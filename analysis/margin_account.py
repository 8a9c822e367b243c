"""What a margin rule does to somebody's account: the call, its price, the ways to meet it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, isfinite
from typing import NamedTuple

from analysis.errors import UserError
from analysis.margin_rules import Basis, Change, Product, cost

MOST_WAYS = 5


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What somebody holds: ``equity`` in USD at the asked price, HRP or not. Either may be left out."""

    contracts: int | None = None
    equity: float | None = None
    side: Side = Side.LONG
    hrp: bool = False


class Way(NamedTuple):
    """One way to meet a call: so many contracts less and so much cash."""

    contracts: int
    deposit_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A position under one rule at one price, in USD and USD an ounce.

    ``initial_usd`` and ``maintenance_usd`` are those of all its contracts, null if they
    are not told. ``contracts_carried`` is how many the equity carries at initial, null
    without equity. All else needs both and is null without:

    ``called``: equity is below maintenance. ``call_price``: where equity meets
    maintenance, null where no positive price does. ``deposit_usd`` brings equity back to
    *initial* and is 0 while there is no call; ``contracts_to_cut`` is how many have to
    go so that initial is met without a deposit; ``ways`` are these two and what lies
    between them, by contracts, empty without a call. ``risk_index_pct`` = 100 equity /
    initial, the gauge of Taiwanese brokers.
    """

    position: Position
    initial_usd: float | None
    maintenance_usd: float | None
    contracts_carried: int | None
    called: bool | None
    call_price: float | None
    deposit_usd: float | None
    contracts_to_cut: int | None
    ways: tuple[Way, ...]
    risk_index_pct: float | None


def check(position: Position) -> None:
    """Raises UserError for a position that means nothing."""
    if position.contracts is not None and position.contracts < 1:
        raise UserError("The number of contracts has to be at least 1.")
    if position.equity is not None and not isfinite(position.equity):
        raise UserError("The equity has to be an amount in US dollars.")


def call_price(change: Change, product: Product, price: float, position: Position) -> float | None:
    """Where equity meets maintenance, in USD an ounce; null if no positive price does.

    E(P) = E0 + s n Q (P - P0), set equal to n m Q P under a percent rule and to n M
    under a fixed one, with s = +1 long, -1 short. CME: an account below maintenance is
    called up to initial. Null as well for a position without contracts or equity.
    """
    if position.contracts is None or position.equity is None:
        return None
    sign = 1 if position.side is Side.LONG else -1
    ounces = position.contracts * product.ounces
    if change.basis is Basis.PERCENT:
        called = (ounces * price - sign * position.equity) / (ounces * (1 - sign * change.maintenance / 100))
    else:
        needed = position.contracts * cost(change, product, price).maintenance_usd
        called = price - sign * (position.equity - needed) / ounces
    return called if called > 0 else None


def account(change: Change, product: Product, price: float, position: Position) -> Account:
    """``position`` under the rule of ``change`` at ``price``."""
    asked = cost(change, product, price)
    initial = asked.hrp_initial_usd if position.hrp else asked.initial_usd
    contracts, equity = position.contracts, position.equity
    # A quotient such as 2.9999999999999996 is three contracts paid for in full.
    carried = None if equity is None else max(0, floor(round(equity / initial, 9)))
    if contracts is None or equity is None or carried is None:
        return Account(
            position=position,
            initial_usd=None if contracts is None else contracts * initial,
            maintenance_usd=None if contracts is None else contracts * asked.maintenance_usd,
            contracts_carried=carried,
            called=None,
            call_price=None,
            deposit_usd=None,
            contracts_to_cut=None,
            ways=(),
            risk_index_pct=None,
        )
    # Accounts are kept in cents: what is smaller is noise of the arithmetic, not a call.
    called = round(equity - contracts * asked.maintenance_usd, 2) < 0
    cut = max(0, contracts - carried) if called else 0
    return Account(
        position=position,
        initial_usd=contracts * initial,
        maintenance_usd=contracts * asked.maintenance_usd,
        contracts_carried=carried,
        called=called,
        call_price=call_price(change, product, price, position),
        deposit_usd=contracts * initial - equity if called else 0.0,
        contracts_to_cut=cut,
        ways=_ways(contracts, equity, initial, cut) if called else (),
        risk_index_pct=100 * equity / (contracts * initial),
    )


def _ways(contracts: int, equity: float, initial: float, most: int) -> tuple[Way, ...]:
    """From cash alone to contracts alone, at most five of them, evenly apart."""
    steps = min(most, MOST_WAYS - 1) or 1
    cuts = sorted({round(most * step / steps) for step in range(steps + 1)})
    return tuple(Way(cut, max(0.0, (contracts - cut) * initial - equity)) for cut in cuts)
