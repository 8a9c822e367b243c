"""One leveraged position: where its equity meets its maintenance margin, and what moves that price.

Everything is solved on one axis. The profit of a linear contract is a straight line in
the price P, that of an inverse contract (settled in coins) a straight line in 1/P: with
``v`` = P or 1/P, quantity q, entry v0 and slope k = +1 or -1

    equity(v) = W + k q (v - v0)        maintenance(v) = q v (rate + fee) - deduction

so that v = (k q v0 - W - deduction) / (q (k - rate - fee)): the exchanges' own linear and inverse
formulas at once. k is the side for a linear contract and its opposite for an inverse one.
Amounts are in the settlement currency: US dollars, or coins for an inverse contract.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from analysis.errors import UserError
from analysis.ladder_tiers import Tier, tier_of
from analysis.margin_account import Side


class Kind(StrEnum):
    """``linear`` and ``futures`` settle in US dollars, ``inverse`` in coins."""

    LINEAR = "linear"
    INVERSE = "inverse"
    FUTURES = "futures"


class Convention(StrEnum):
    """How maintenance is valued: at the price itself, at entry (Bybit's older text), or Bybit's text of 2026.

    ``bybit2026`` (27 May 2026, inverse contracts only) charges no fee on maintenance and
    divides extra margin by 1 + fee (long) or 1 - fee (short).
    """

    MARK = "mark"
    ENTRY = "entry"
    BYBIT2026 = "bybit2026"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Position:
    """What somebody holds. It prints nothing of itself: it belongs in no log.

    ``size`` in coins (linear), US dollars (inverse) or contracts of ``ounces`` each
    (futures); ``fee`` and the tiers' rates are shares. ``extra`` is margin beyond entry
    value / leverage, in the settlement currency.
    """

    kind: Kind
    side: Side
    instrument: str
    entry: float
    size: float
    leverage: float
    mark: float
    tiers: tuple[Tier, ...]
    extra: float = 0.0
    fee: float = 0.0
    ounces: int = 1
    convention: Convention = Convention.MARK
    cross: bool = False

    @property
    def quantity(self) -> float:
        return self.size * self.ounces

    @property
    def currency(self) -> str:
        """What margin is paid in: USD, or the coin of an inverse contract."""
        return self.instrument if self.kind is Kind.INVERSE else "USD"

    @property
    def sign(self) -> int:
        return 1 if self.side is Side.LONG else -1

    @property
    def slope(self) -> int:
        return -self.sign if self.kind is Kind.INVERSE else self.sign

    @property
    def own_margin(self) -> float:
        """Entry value / leverage and the extra margin as the convention counts it."""
        return self.notional(self.entry) / self.leverage + self.extra / self.extra_divisor

    @property
    def extra_divisor(self) -> float:
        return 1 + self.sign * self.fee if self.convention is Convention.BYBIT2026 else 1.0

    @property
    def charged_fee(self) -> float:
        return 0.0 if self.convention is Convention.BYBIT2026 else self.fee

    def axis(self, price: float) -> float:
        """``v``: the price, or one over it; its own inverse."""
        return 1 / price if self.kind is Kind.INVERSE else price

    def notional(self, price: float) -> float:
        """In the settlement currency."""
        return self.quantity * self.axis(price)

    def notional_usd(self, price: float) -> float:
        return self.size if self.kind is Kind.INVERSE else self.quantity * price

    def valued(self, price: float) -> float:
        """The price at which the convention values maintenance when the mark is at ``price``."""
        return self.entry if self.convention is Convention.ENTRY else price

    def profit(self, price: float) -> float:
        return self.slope * self.quantity * (self.axis(price) - self.axis(self.entry))

    def maintenance(self, price: float) -> float:
        notional = self.notional(self.valued(price))
        tier = tier_of(self.tiers, notional)
        return notional * (tier.rate + self.charged_fee) - tier.deduction


def check(position: Position) -> None:
    """Raises UserError for a position that no venue would have opened."""
    if position.convention is Convention.BYBIT2026 and position.kind is not Kind.INVERSE:
        raise UserError("The convention bybit2026 is known for inverse contracts only.")
    if not position.cross and position.own_margin < position.maintenance(position.entry):
        raise UserError(
            "At entry the margin would already be below maintenance: leverage {leverage}x is too much for this rate.",
            leverage=f"{position.leverage:g}",
        )


def liquidation(position: Position, margin: float) -> float | None:
    """Where equity meets maintenance with ``margin`` behind the position; null if no positive price does.

    The tier is that of the notional *at that price*: maintenance has no steps, so exactly
    one tier agrees with its own answer.
    """
    quantity, slope, start = position.quantity, position.slope, position.axis(position.entry)
    if position.convention is Convention.ENTRY:
        value = start + (position.maintenance(position.entry) - margin) / (slope * quantity)
        return position.axis(value) if value > 0 else None
    found: list[tuple[float, float]] = []
    for tier, above in zip(position.tiers, (*position.tiers[1:], None), strict=True):
        rate = tier.rate + position.charged_fee
        value = (slope * quantity * start - margin - tier.deduction) / (quantity * (slope - rate))
        outside = max(tier.floor - quantity * value, 0.0)
        if above is not None:
            outside = max(outside, quantity * value - above.floor)
        found.append((outside, value))
    # Of a price on a border rounding may put it a hair outside of both tiers.
    _, value = min(found)
    return position.axis(value) if value > 0 else None


def rate_at(position: Position, price: float) -> float:
    """The maintenance rate of the tier that holds at a price."""
    return tier_of(position.tiers, position.notional(position.valued(price))).rate


def bankruptcy(position: Position, margin: float) -> float | None:
    """Where equity is nought; null if no positive price is."""
    value = position.axis(position.entry) - margin / (position.slope * position.quantity)
    return position.axis(value) if value > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Hold:
    """What puts the liquidation price at ``price``: ``add`` margin, or ``cut`` so much of the size at the mark.

    ``cut`` keeps what the sale frees with the position; null where no cut does it. Both are
    0 where the price is held already. ``left`` is the size after the cut.
    """

    price: float
    add: float
    cut: float | None
    left: float | None


def hold(position: Position, margin: float, price: float) -> Hold | None:
    """How to hold until ``price``; null where the mark has passed it already.

    Add: maintenance - equity at that price, in the margin's own terms. Cut x at the mark M:
    x = (maintenance - equity) / (k (vM - v) + v rate), the tier being that of what is left.
    """
    if position.sign * (position.mark - price) <= 0:
        return None
    short = position.maintenance(price) - margin - position.profit(price)
    if short <= 0:
        return Hold(price=price, add=0.0, cut=0.0, left=position.size)
    cut = _cut(position, margin, price)
    if cut is not None:
        cut /= position.ounces
        # A contract is bought and sold whole; a hair of rounding is not another contract.
        cut = float(ceil(round(cut, 9))) if position.kind is Kind.FUTURES else cut
    return Hold(
        price=price,
        add=short * position.extra_divisor,
        cut=cut,
        left=None if cut is None else position.size - cut,
    )


def _cut(position: Position, margin: float, price: float) -> float | None:
    quantity, value = position.quantity, position.axis(position.valued(price))
    moved = position.slope * (position.axis(position.mark) - position.axis(price))
    equity = margin + position.profit(price)
    found = []
    for tier, above in zip(position.tiers, (*position.tiers[1:], None), strict=True):
        each = value * (tier.rate + position.charged_fee)
        cut = (quantity * each - tier.deduction - equity) / (moved + each)
        left = (quantity - cut) * value
        outside = max(tier.floor - left, 0.0 if above is None else left - above.floor, 0.0)
        found.append((outside, cut))
    _, cut = min(found)
    return cut if 0 < cut < quantity else None


def after_cut(position: Position, cut: float) -> Position:
    """The position after selling ``cut`` of its size at the mark, what that frees left with it.

    Only under a convention that counts extra margin as it is; the realised profit and the
    margin freed are ``extra`` afterwards.
    """
    left = replace(position, size=position.size - cut, extra=0.0)
    realised = position.profit(position.mark) * cut / position.size
    return replace(left, extra=(position.own_margin + realised - left.own_margin) * position.extra_divisor)
