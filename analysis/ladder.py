"""The ladder: where each position is liquidated, how far that is, what moves it, what is left on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analysis.errors import UserError
from analysis.freshness import Rhythm
from analysis.ladder_positions import (
    Convention,
    Hold,
    Kind,
    Position,
    bankruptcy,
    check,
    hold,
    liquidation,
    rate_at,
)
from analysis.ladder_sales import Pool, pool
from analysis.ladder_steps import Steps, distance
from analysis.ladder_tiers import Kept, Tier, tiers
from analysis.margin_rules import Basis, Change, Product, cost

OFFSET_INDEX_PCT = 25.0
"""Below this risk index a Taiwanese broker sells by force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A futures contract and the margin rules it stands under: in force, and the next one known."""

    product: Product
    rule: Change
    following: Change | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Holding:
    """A position with what is known about it. ``kept`` where its tiers come from our table."""

    position: Position
    contract: Contract | None = None
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the store knows of an instrument: the last close (``price`` at ``closed_at``) and the daily ATR14.

    ``rhythm`` is that of the bars it was taken from.
    """

    price: float
    closed_at: datetime
    atr_1d: float | None
    source: str
    is_sample: bool
    rhythm: Rhythm


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Standing:
    """A position at ``price``: its equity and maintenance there, whether it still stands."""

    price: float
    label: str
    equity: float
    maintenance: float
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WhatIf:
    """The position under another maintenance rate, or the next margin rule of its contract."""

    rate: float
    following: Change | None
    liquidation_price: float | None
    distance_pct: float | None
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Gauge:
    """風險指標: 100 equity / required initial margin at the mark, and the price at which it is 25."""

    index_pct: float
    offset_price: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rung:
    """One position. Amounts in its settlement currency, prices in US dollars.

    ``margin`` stands behind it: its own, or under cross what the pool leaves it
    (balance - maintenance of the others + their profit, all at their marks).
    ``liquidation_price`` is null where no positive price liquidates; ``distance_pct`` =
    100 (liquidation / mark - 1), ``distance_atr`` in daily ATRs. ``rate`` is that of the
    bracket at the liquidation price, ``notional_usd`` what is released there.
    ``at_mark``: how it stands now; ``standings`` at the floors on its losing side and at
    the shock, nearest first.
    """

    holding: Holding
    margin: float
    liquidation_price: float | None
    bankruptcy_price: float | None
    distance_pct: float | None
    distance_atr: float | None
    rate: float
    notional_usd: float
    at_mark: Standing
    standings: tuple[Standing, ...]
    hold: Hold | None
    what_if: WhatIf | None
    gauge: Gauge | None

    @property
    def position(self) -> Position:
        return self.holding.position

    def is_beyond(self, price: float) -> bool:
        """Whether ``price`` is past the liquidation price, where the position would be gone."""
        at = self.liquidation_price
        return at is not None and self.position.sign * (price - at) <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to know besides: hold until a price, a move in percent, another rate, the next rule."""

    hold: float | None = None
    shock_pct: float | None = None
    new_rate: float | None = None
    next_rule: bool = False
    gauge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ladder:
    """What ``/ladder`` answers at ``as_of``: ``rungs`` for positions, else ``steps``.

    ``price`` is the present price of ``instrument``, of which the chart is: the mark of
    its first position, or the entry of ``steps``. ``floors``: the level book as (price,
    label). ``pools`` hold the positions under cross margin, at the mark or at the shock.
    ``kept``: where the rate of ``steps`` comes from, unless it was typed.
    """

    as_of: datetime
    instrument: str
    price: float
    market: Market | None
    asked: Asked
    rungs: tuple[Rung, ...]
    steps: Steps | None
    floors: tuple[tuple[float, str], ...]
    pools: tuple[Pool, ...]
    kept: Kept | None = None


def futures_tiers(change: Change, product: Product, entry: float) -> tuple[tuple[Tier, ...], Convention]:
    """A margin rule as tiers: percent of notional at the price, fixed dollars as a share of entry value."""
    if change.basis is Basis.PERCENT:
        return tiers([(0.0, change.maintenance / 100)]), Convention.MARK
    needed = cost(change, product, entry).maintenance_usd
    return tiers([(0.0, needed / (product.ounces * entry))]), Convention.ENTRY


def assess(
    holdings: Sequence[Holding],
    *,
    as_of: datetime,
    asked: Asked,
    markets: dict[str, Market],
    floors: Sequence[tuple[float, str]],
    floors_of: str,
) -> Ladder:
    """Where ``holdings`` are liquidated. ``floors`` (price, label) belong to the instrument ``floors_of``.

    Raises UserError for a position no venue would have opened.
    """
    positions = [holding.position for holding in holdings]
    for position in positions:
        check(position)
    rungs = tuple(
        _rung(
            holding,
            _behind(positions, index),
            asked,
            markets.get(holding.position.instrument),
            floors if holding.position.instrument == floors_of else (),
        )
        for index, holding in enumerate(holdings)
    )
    first = positions[0]
    return Ladder(
        as_of=as_of,
        instrument=first.instrument,
        price=first.mark,
        market=markets.get(first.instrument),
        asked=asked,
        rungs=rungs,
        steps=None,
        floors=tuple(floors) if first.instrument == floors_of else (),
        pools=_pools(positions, asked),
    )


def _shared(positions: Sequence[Position], index: int) -> list[int]:
    """The positions that share a pool with one under cross margin, itself among them."""
    currency = positions[index].currency
    return [i for i, other in enumerate(positions) if other.cross and other.currency == currency]


def _behind(positions: Sequence[Position], index: int) -> float:
    position = positions[index]
    if not position.cross:
        return position.own_margin
    members = _shared(positions, index)
    pooled = sum(positions[i].own_margin for i in members)
    if pooled < sum(positions[i].maintenance(positions[i].entry) for i in members):
        raise UserError("At entry the pool of cross margin would already be below its maintenance.")
    others = [positions[i] for i in members if i != index]
    return pooled - sum(other.maintenance(other.mark) - other.profit(other.mark) for other in others)


def _pools(positions: Sequence[Position], asked: Asked) -> tuple[Pool, ...]:
    move = 1 + (asked.shock_pct or 0.0) / 100
    prices = [position.mark * move for position in positions]
    seen: dict[str, list[int]] = {}
    for index, position in enumerate(positions):
        if position.cross:
            seen.setdefault(position.currency, []).append(index)
    return tuple(pool(positions, members, prices) for members in seen.values())


def _rung(
    holding: Holding,
    margin: float,
    asked: Asked,
    market: Market | None,
    floors: Sequence[tuple[float, str]],
) -> Rung:
    position = holding.position
    price = liquidation(position, margin)
    atr = market.atr_1d if market else None
    losing = [(floor, label) for floor, label in floors if position.sign * (position.mark - floor) > 0]
    if asked.shock_pct is not None:
        losing.append((position.mark * (1 + asked.shock_pct / 100), ""))
    losing.sort(key=lambda floor: abs(floor[0] - position.mark))
    return Rung(
        holding=holding,
        margin=margin,
        liquidation_price=price,
        bankruptcy_price=bankruptcy(position, margin),
        distance_pct=distance(price, position.mark),
        distance_atr=None if price is None or not atr else (price - position.mark) / atr,
        rate=rate_at(position, price or position.mark),
        notional_usd=position.notional_usd(price or position.mark),
        at_mark=_standing(position, margin, position.mark, ""),
        standings=tuple(_standing(position, margin, floor, label) for floor, label in losing),
        hold=None if asked.hold is None else hold(position, margin, asked.hold),
        what_if=_what_if(holding, margin, asked),
        gauge=_gauge(holding, margin) if asked.gauge else None,
    )


def _standing(position: Position, margin: float, price: float, label: str) -> Standing:
    equity, needed = margin + position.profit(price), position.maintenance(price)
    return Standing(price=price, label=label, equity=equity, maintenance=needed, stands=equity > needed)


def _what_if(holding: Holding, margin: float, asked: Asked) -> WhatIf | None:
    """The same margin under another rate; of a pool, with the others as they are."""
    position, contract, following = holding.position, holding.contract, None
    if asked.new_rate is not None:
        changed = replace(position, tiers=(Tier(0.0, asked.new_rate),))
        if position.kind is Kind.FUTURES:
            changed = replace(changed, convention=Convention.MARK)
    elif asked.next_rule and contract is not None and contract.following is not None:
        following = contract.following
        table, convention = futures_tiers(following, contract.product, position.entry)
        changed = replace(position, tiers=table, convention=convention)
    else:
        return None
    price = liquidation(changed, margin)
    return WhatIf(
        rate=changed.tiers[0].rate,
        following=following,
        liquidation_price=price,
        distance_pct=distance(price, position.mark),
        stands=_standing(changed, margin, position.mark, "").stands,
    )


def _gauge(holding: Holding, margin: float) -> Gauge | None:
    """Of a futures position under a known rule; else there is no initial margin to set equity against."""
    position, contract = holding.position, holding.contract
    if contract is None:
        return None
    initial = position.size * cost(contract.rule, contract.product, position.mark).initial_usd
    table, convention = futures_tiers(
        replace(contract.rule, maintenance=contract.rule.initial * OFFSET_INDEX_PCT / 100),
        contract.product,
        position.entry,
    )
    return Gauge(
        index_pct=100 * (margin + position.profit(position.mark)) / initial,
        offset_price=liquidation(replace(position, tiers=table, convention=convention), margin),
    )
