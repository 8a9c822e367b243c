"""Futures margin: what the rule in force costs a contract, and what it does to an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite, log

from analysis.closes import Close, known
from analysis.errors import NoData, UserError
from analysis.freshness import DAILY, Freshness, freshness
from analysis.margin_account import Account, Position, Side, Way, account, call_price, check
from analysis.margin_rules import (
    PRODUCTS,
    Basis,
    Change,
    Cost,
    Product,
    cost,
    crossover_price,
    in_force,
    in_force_before,
    table_is_old,
    value,
)

__all__ = [
    "PRODUCTS",
    "Account",
    "Basis",
    "Change",
    "Compounding",
    "Cost",
    "Crossover",
    "Day",
    "Margin",
    "Move",
    "Position",
    "Product",
    "Side",
    "Step",
    "Way",
    "assess",
    "call_price",
    "compounding",
    "cost",
    "crossover_price",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From one amount to another: the difference in USD, in percent, and ln(new / old)."""

    usd: float
    pct: float
    log: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change of the rule and what it did to the initial margin of one contract.

    ``value`` in USD per contract or percent. ``price`` is the close of the effective
    date, or the asked price while the change is still to come.

    Since the step before, initial margin moved by ``price_part`` (the old rule, from
    that step's price to this one's) and then by ``rate_part`` (old rule to new, at this
    price). The two logarithms add up to the whole move, d ln margin = d ln m + d ln P,
    as do the two amounts. Under a fixed rule the price part is 0. Null where there is
    no step or no price before. ``entered_at``: when somebody entered it by hand.
    """

    effective: datetime | None
    dated: bool
    in_force: bool
    basis: Basis
    value: float
    price: float | None
    initial_usd: float | None
    rate_part: Move | None
    price_part: Move | None
    source: str | None
    entered_at: datetime | None = None

    @property
    def change_pct(self) -> float | None:
        """The new rule against the old one at the same price, in percent."""
        return self.rate_part.pct if self.rate_part else None

    @property
    def cut_pct(self) -> float | None:
        """100 (1 - old / new): what a fully margined account has to sell at constant equity."""
        return 100 * (1 - 1 / (1 + self.rate_part.pct / 100)) if self.rate_part else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One close with the rule of that session and the initial margin it asked of a contract."""

    date: date
    closed_at: datetime
    price: float
    basis: Basis
    value: float
    initial_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """The price at which a fixed and a percent rule ask for the same."""

    fixed_usd: float
    rate_pct: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What ``/silver-margin`` knows at ``as_of``.

    ``source`` is that of the rules, ``price_source`` that of the closes, the last of
    which was made at ``closed_at``; both null without any. ``price`` in USD an ounce
    with the trade date of its close, null if it was asked for. ``basis``, ``rate_pct``
    (null under a fixed rule) and ``cost``: the rule in force, per contract;
    ``leverage`` = notional / initial. ``steps`` oldest first, all that were announced,
    the rule before the first change at their head; ``next_step`` the first of them
    still to come. ``crossover`` sets the last fixed rule against the percent rule in
    force. ``account`` and ``account_next`` (under the next rule) only for a position.
    ``history``: one row a close, oldest first, from the first close given. ``freshness``
    is that of the last of them at ``as_of``; ``told_at`` when the newest notice of the table
    was known, null where none has a date.
    """

    as_of: datetime
    product: Product
    source: str
    price_source: str | None
    closed_at: datetime | None
    is_sample: bool
    price: float
    price_date: date | None
    basis: Basis
    rate_pct: float | None
    notional_usd: float
    cost: Cost
    leverage: float
    crossover: Crossover | None
    steps: tuple[Step, ...]
    next_step: Step | None
    next_cost: Cost | None
    account: Account | None
    account_next: Account | None
    compounding: Compounding | None
    history: tuple[Day, ...]
    freshness: Freshness = Freshness.FRESH
    told_at: datetime | None = None

    @property
    def table_is_old(self) -> bool:
        """Whether a later change of the rule may be missing from the table."""
        return table_is_old(self.told_at, self.as_of)

    @property
    def in_force(self) -> Step:
        """The step whose rule stands."""
        return next(step for step in reversed(self.steps) if step.in_force)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compounding:
    """One contract on two dates: how the rate undid (or doubled) what the price did.

    Initial margin in USD by the closes and the rules of those sessions. ``price_part``
    is the old rule from one price to the other, ``rate_part`` old rule to new at the
    later price.
    """

    date_from: date
    date_to: date
    price_from: float
    price_to: float
    basis_from: Basis
    basis_to: Basis
    value_from: float
    value_to: float
    initial_from: float
    initial_to: float
    price_change_pct: float
    initial_change_pct: float
    rate_part: Move
    price_part: Move


def assess(
    changes: Sequence[Change],
    closes: Sequence[Close],
    *,
    product: Product,
    as_of: datetime,
    source: str,
    price_source: str | None = None,
    is_sample: bool = False,
    price: float | None = None,
    position: Position | None = None,
    compare: tuple[date, date] | None = None,
) -> Margin:
    """The margin of ``product`` at ``as_of``, and of ``position`` if there is one.

    ``changes``: the table of the product's leader, in the order in which the rules
    took effect, the rule before the first change at its head; ``closes`` of the leader,
    oldest first. What was announced or closed after ``as_of`` is left out. ``price`` in
    USD an ounce; without it the last close. ``compare``: two trade dates for the
    compounding of rate and price.

    Raises UserError where no rule or price is known, or a figure means nothing.
    """
    announced = [change for change in changes if change.known_at is None or change.known_at <= as_of]
    closes = known(closes, as_of)
    now = in_force(announced, as_of)
    if now < 0:
        raise NoData("No margin rule of {product} was known at that time.", product=product.code)
    price_date = None
    if price is None:
        if not closes:
            raise NoData(
                "No price of {product} was known at that time: give one with the option price.",
                product=product.code,
            )
        price, price_date = closes[-1].price, closes[-1].date
    if not (isfinite(price) and price > 0):
        raise UserError("The price has to be above 0.")
    rule = announced[now]
    following = announced[now + 1] if now + 1 < len(announced) else None
    asked = cost(rule, product, price)
    steps = _steps(announced, closes, product=product, as_of=as_of, price=price)
    if position is not None:
        check(position)
    return Margin(
        as_of=as_of,
        product=product,
        source=source,
        price_source=price_source if closes else None,
        closed_at=closes[-1].closed_at if closes else None,
        is_sample=is_sample,
        price=price,
        price_date=price_date,
        basis=rule.basis,
        rate_pct=rule.initial if rule.basis is Basis.PERCENT else None,
        notional_usd=product.ounces * price,
        cost=asked,
        leverage=product.ounces * price / asked.initial_usd,
        crossover=_crossover(announced[: now + 1], product),
        steps=steps,
        next_step=steps[now + 1] if following else None,
        next_cost=cost(following, product, price) if following else None,
        account=None if position is None else account(rule, product, price, position),
        account_next=account(following, product, price, position) if position and following else None,
        compounding=None
        if compare is None
        else compounding(
            announced, closes, product=product, date_from=compare[0], date_to=compare[1], as_of=as_of
        ),
        history=_history(announced, closes, product),
        freshness=freshness(closes[-1].closed_at, as_of, DAILY) if closes else Freshness.STALE,
        told_at=max((change.known_at for change in announced if change.known_at is not None), default=None),
    )


def compounding(
    changes: Sequence[Change],
    closes: Sequence[Close],
    *,
    product: Product,
    date_from: date,
    date_to: date,
    as_of: datetime,
) -> Compounding:
    """One contract by the closes of two trade dates and the rules in force at them.

    Arguments as for ``assess``. Raises UserError if a date has no known close, or no
    known rule.
    """
    announced = [change for change in changes if change.known_at is None or change.known_at <= as_of]
    days = {
        close.date: (close, rule)
        for close in known(closes, as_of)
        if (rule := in_force_before(announced, close.closed_at)) >= 0
    }
    ends: list[tuple[Close, Change, float]] = []
    for day in (date_from, date_to):
        if day not in days:
            raise _no_close(product, day, max((other for other in days if other < day), default=None))
        close, rule = days[day]
        change = announced[rule]
        ends.append((close, change, cost(change, product, close.price).initial_usd))
    (first, rule_from, initial_from), (last, rule_to, initial_to) = ends
    before = cost(rule_from, product, last.price).initial_usd
    return Compounding(
        date_from=date_from,
        date_to=date_to,
        price_from=first.price,
        price_to=last.price,
        basis_from=rule_from.basis,
        basis_to=rule_to.basis,
        value_from=rule_from.initial,
        value_to=rule_to.initial,
        initial_from=initial_from,
        initial_to=initial_to,
        price_change_pct=100 * (last.price / first.price - 1),
        initial_change_pct=100 * (initial_to / initial_from - 1),
        rate_part=_move(before, initial_to),
        price_part=_move(initial_from, before),
    )


def _no_close(product: Product, day: date, before: date | None) -> UserError:
    values = {"product": product.code, "date": day.isoformat()}
    if before is None:
        return UserError("There is no close of {product} with a known margin on {date}.", **values)
    return UserError(
        "There is no close of {product} with a known margin on {date}; the one before is of {before}.",
        **values,
        before=before.isoformat(),
    )


def _initial(change: Change, product: Product, price: float | None) -> float | None:
    if price is None and change.basis is Basis.PERCENT:
        return None
    return cost(change, product, price or 0.0).initial_usd


def _steps(
    changes: Sequence[Change], closes: Sequence[Close], *, product: Product, as_of: datetime, price: float
) -> tuple[Step, ...]:
    steps = []
    before: Change | None = None
    start: float | None = None
    for change in changes:
        stands = change.effective is None or change.effective <= as_of
        at: float | None = None if stands else price
        if stands and change.effective is not None:
            past = known(closes, change.effective)
            at = past[-1].price if past else None
        old = None if before is None else _initial(before, product, at)
        new = _initial(change, product, at)
        steps.append(
            Step(
                effective=change.effective,
                dated=change.dated,
                in_force=stands,
                basis=change.basis,
                value=value(change, product),
                price=at,
                initial_usd=new,
                rate_part=None if old is None or new is None else _move(old, new),
                price_part=None if start is None or old is None else _move(start, old),
                source=change.source,
                entered_at=change.entered_at,
            )
        )
        before, start = change, new
    return tuple(steps)


def _move(old: float, new: float) -> Move:
    return Move(usd=new - old, pct=100 * (new / old - 1), log=log(new / old))


def _crossover(changes: Sequence[Change], product: Product) -> Crossover | None:
    """The last fixed rule against the percent rule in force, which is the last of ``changes``."""
    rule = changes[-1]
    fixed = [change for change in changes if change.basis is Basis.FIXED]
    if rule.basis is Basis.FIXED or not fixed:
        return None
    dollars = value(fixed[-1], product)
    return Crossover(
        fixed_usd=dollars,
        rate_pct=rule.initial,
        price=crossover_price(dollars, rule.initial, product.ounces),
    )


def _history(changes: Sequence[Change], closes: Sequence[Close], product: Product) -> tuple[Day, ...]:
    days = []
    for close in closes:
        rule = in_force_before(changes, close.closed_at)
        if rule >= 0:
            change = changes[rule]
            days.append(
                Day(
                    date=close.date,
                    closed_at=close.closed_at,
                    price=close.price,
                    basis=change.basis,
                    value=value(change, product),
                    initial_usd=cost(change, product, close.price).initial_usd,
                )
            )
    return tuple(days)
