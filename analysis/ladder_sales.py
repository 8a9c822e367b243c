"""What must be sold when one pool of cash stands behind several positions: three orders, none of them the answer.

A sale at the mark turns an open loss into a realised one and frees the position's
requirement; the pool's equity stays as it is (fees and slippage aside). So much is sold
as brings the requirement down to equity (Brunnermeier and Pedersen 2009: the sum of
margins is at most the wealth).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import ceil

from analysis.ladder_positions import Kind, Position
from analysis.ladder_tiers import tier_of

LIQUIDITY = ("BTC", "GC", "ETH", "SI", "MGC", "SIL", "QI", "SIC")
"""The most traded first: an order we keep by hand, as the card says; others come after these."""


class Order(StrEnum):
    """``released``: most margin freed per dollar of loss realised first."""

    RELEASED = "released"
    LIQUID = "liquid"
    PRO_RATA = "pro_rata"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sale:
    """So much of position ``index`` (its own units); ``released`` margin and ``loss`` realised, negative a gain."""

    index: int
    size: float
    released: float
    loss: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SaleOrder:
    """One way to bring a pool's requirement down to its equity, and what remains afterwards.

    ``covered`` is false where even a sale of everything does not.
    """

    order: Order
    sales: tuple[Sale, ...]
    released: float
    loss: float
    remaining_notional_usd: float
    remaining_requirement: float
    covered: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pool:
    """Positions that share one pool of margin, at given prices, in ``currency``."""

    currency: str
    members: tuple[int, ...]
    equity: float
    maintenance: float
    short: float
    orders: tuple[SaleOrder, ...]


def pool(positions: Sequence[Position], members: Sequence[int], prices: Sequence[float]) -> Pool:
    """The pool of the ``members`` (indices) of ``positions`` at ``prices``; orders only for two or more in want."""
    equity = sum(positions[i].own_margin + positions[i].profit(prices[i]) for i in members)
    needed = sum(positions[i].maintenance(prices[i]) for i in members)
    short = max(0.0, needed - equity)
    orders: tuple[SaleOrder, ...] = ()
    if short > 0 and len(members) > 1:
        orders = tuple(_sold(order, positions, members, prices, equity) for order in Order)
    return Pool(
        currency=positions[members[0]].currency,
        members=tuple(members),
        equity=equity,
        maintenance=needed,
        short=short,
        orders=orders,
    )


def _queue(
    order: Order, positions: Sequence[Position], members: Sequence[int], prices: Sequence[float]
) -> list[int]:
    def released(i: int) -> float:
        loss = -positions[i].profit(prices[i])
        # A sale in profit realises no loss at all: it comes before every other.
        return positions[i].maintenance(prices[i]) / loss if loss > 0 else float("inf")

    def liquid(i: int) -> int:
        name = positions[i].instrument
        return LIQUIDITY.index(name) if name in LIQUIDITY else len(LIQUIDITY)

    if order is Order.RELEASED:
        return sorted(members, key=lambda i: -released(i))
    return sorted(members, key=liquid) if order is Order.LIQUID else list(members)


def _sold(
    order: Order,
    positions: Sequence[Position],
    members: Sequence[int],
    prices: Sequence[float],
    equity: float,
) -> SaleOrder:
    """Sell in the order's own queue, each as far as needed; pro rata the same share of all."""
    queue = _queue(order, positions, members, prices)
    shares = dict.fromkeys(members, 0.0)
    if order is Order.PRO_RATA:

        def together(part: float) -> float:
            return sum(_needed(positions[i], prices[i], part) for i in members)

        share = _share(together, equity)
        shares = dict.fromkeys(members, share)
    else:
        needed = {i: positions[i].maintenance(prices[i]) for i in members}
        for i in queue:
            room = equity - sum(value for j, value in needed.items() if j != i)
            shares[i] = _share(partial(_needed, positions[i], prices[i]), room)
            needed[i] = _needed(positions[i], prices[i], shares[i])
            if sum(needed.values()) <= equity:
                break
    shares = {i: _whole(positions[i], share) for i, share in shares.items()}
    sales = tuple(
        Sale(
            index=i,
            size=positions[i].size * shares[i],
            released=positions[i].maintenance(prices[i]) - _needed(positions[i], prices[i], shares[i]),
            loss=-positions[i].profit(prices[i]) * shares[i],
            left=positions[i].size * (1 - shares[i]),
        )
        for i in queue
        if shares[i] > 0
    )
    remaining = sum(_needed(positions[i], prices[i], shares[i]) for i in members)
    return SaleOrder(
        order=order,
        sales=sales,
        released=sum(sale.released for sale in sales),
        loss=sum(sale.loss for sale in sales),
        remaining_notional_usd=sum(positions[i].notional_usd(prices[i]) * (1 - shares[i]) for i in members),
        remaining_requirement=remaining,
        covered=remaining <= equity + 1e-9 * max(1.0, abs(equity)),
    )


def _needed(position: Position, price: float, share: float) -> float:
    """Maintenance at ``price`` once ``share`` of the position is sold."""
    notional = position.notional(position.valued(price)) * (1 - share)
    tier = tier_of(position.tiers, notional)
    return max(0.0, notional * (tier.rate + position.charged_fee) - tier.deduction)


def _share(needed: Callable[[float], float], room: float) -> float:
    """The smallest share whose sale brings a requirement down to ``room``; all of it where nothing does."""
    if needed(0.0) <= room:
        return 0.0
    if needed(1.0) > room:
        return 1.0
    low, high = 0.0, 1.0
    # Halved until floating point has no number between the two; a requirement falls with every sale.
    while (middle := (low + high) / 2) not in {low, high}:
        low, high = (low, middle) if needed(middle) <= room else (middle, high)
    return high


def _whole(position: Position, share: float) -> float:
    """Contracts are sold whole."""
    if position.kind is not Kind.FUTURES:
        return share
    return ceil(round(position.size * share, 9)) / position.size
