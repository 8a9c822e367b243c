"""``silver-margin``: what a COMEX silver or gold contract costs today, and what that does to an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from analysis.closes import Close
from analysis.errors import UserError
from analysis.freshness import DAILY, freshness
from analysis.levels import Interval
from analysis.margin import PRODUCTS, Account, Basis, Change, Margin, Move, Position, Side, Step, assess
from analysis.margin_rules import table_is_old
from bot.language import N_, iso
from bot.reports import daily_closes, missing, numbers, windows
from bot.reports.margin_words import say
from bot.reports.shapes import Asked, Option, Report, Words, choice, rounded
from storage import margins
from storage.instruments import Series
from storage.margins import MANUAL, MarginChange
from storage.store import Db

MOST_CONTRACTS: Final = 100_000
HIGHEST_PRICE: Final = 1_000_000
HIGHEST_EQUITY: Final = 1_000_000_000_000
BEFORE_FIRST_CHANGE: Final = timedelta(days=30)
"""How far before the first known change closes count: since when the rule before it stood is not known."""

PRODUCT = Option(name="product", help=N_("Which contract (default SI)"), choices=tuple(PRODUCTS))
PRICE = Option(name="price", help=N_("US dollars an ounce: 76.53 (default the last close)"))
CONTRACTS = Option(name="contracts", help=N_("How many contracts you hold; the answer is for you alone"))
EQUITY = Option(
    name="equity", help=N_("Equity of your account in US dollars: 57.4k; the answer is for you alone")
)
SIDE = Option(
    name="side", help=N_("Long or short (default long)"), choices=tuple(side.value for side in Side)
)
HRP = Option(
    name="hrp",
    help=N_("A heightened-risk-profile account: initial is 110 % of maintenance"),
    choices=("yes", "no"),
    flag=True,
)
COMPARE = Option(name="compare", help=N_("One contract on two trade dates: 1/29..2/4"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SilverMarginQuery:
    """A checked question. What somebody holds is left out of its ``repr``: it belongs in no log."""

    product: str = "SI"
    price: float | None = None
    compare: tuple[date, date] | None = None
    contracts: int | None = field(default=None, repr=False)
    equity: float | None = field(default=None, repr=False)
    side: Side = field(default=Side.LONG, repr=False)
    hrp: bool = field(default=False, repr=False)


def read(words: Words, now: datetime) -> SilverMarginQuery:
    price, contracts, equity, compare = (
        words.get(option.name, "").strip() for option in (PRICE, CONTRACTS, EQUITY, COMPARE)
    )
    if not (contracts or equity) and (SIDE.name in words or HRP.name in words):
        raise UserError("Side and HRP are about an account: give contracts or equity as well.")
    return SilverMarginQuery(
        product=choice(words, PRODUCT, "SI"),
        price=numbers.amount(price, low=0.01, high=HIGHEST_PRICE) if price else None,
        compare=windows.span(compare, now) if compare else None,
        contracts=numbers.count(contracts, most=MOST_CONTRACTS) if contracts else None,
        equity=numbers.amount(equity, low=-HIGHEST_EQUITY, high=HIGHEST_EQUITY) if equity else None,
        side=Side(choice(words, SIDE, Side.LONG)),
        hrp=choice(words, HRP, "no") == "yes",
    )


def write(query: SilverMarginQuery) -> dict[str, str]:
    """Without what somebody holds: that is nobody else's business."""
    words = {"product": query.product}
    if query.price is not None:
        words["price"] = repr(query.price).removesuffix(".0")
    if query.compare is not None:
        words["compare"] = "..".join(day.isoformat() for day in query.compare)
    return words


def private(query: SilverMarginQuery) -> bool:
    return query.contracts is not None or query.equity is not None


def forgets(words: Words, value: str) -> frozenset[str]:
    """A price of silver is no price of gold."""
    before, after = PRODUCTS.get(words.get(PRODUCT.name, "SI")), PRODUCTS.get(value)
    same = before is not None and after is not None and before.leader == after.leader
    return frozenset() if same else frozenset({PRICE.name})


async def answer(query: SilverMarginQuery, asked: Asked) -> Margin:
    """Query -> rows -> result. Raises UserError when it cannot be answered."""
    product = PRODUCTS[query.product]
    async with asked.store.read() as db:
        changes = await margins.known(db, product.leader, at=asked.at, server_id=asked.server_id)
        series, closes = await _closes(db, product.leader, changes, asked.at)
    position = Position(contracts=query.contracts, equity=query.equity, side=query.side, hrp=query.hrp)
    return assess(
        [change_of(row) for row in changes],
        closes,
        product=product,
        as_of=asked.at,
        source=_table_source(changes),
        price_source=None if series is None else series.source,
        is_sample=any(row.is_sample for row in changes) or (series is not None and series.is_sample),
        price=query.price,
        position=position if private(query) else None,
        compare=query.compare,
    )


def _table_source(changes: Sequence[MarginChange]) -> str:
    """That of the table everybody shares: what was entered by hand says so itself."""
    shared = [row.source for row in changes if row.entered_at is None]
    return shared[-1] if shared else changes[-1].source if changes else ""


async def rules(db: Db, code: str, at: datetime, *, server_id: int) -> tuple[list[Change], Close | None]:
    """What stands and what comes for a leader, and its last close."""
    changes = await margins.known(db, code, at=at, server_id=server_id)
    _, closes = await _closes(db, code, changes, at)
    return [change_of(row) for row in changes], closes[-1] if closes else None


async def _closes(
    db: Db, code: str, changes: Sequence[MarginChange], at: datetime
) -> tuple[Series | None, list[Close]]:
    """Daily closes from a month before the first known change on; a month's without any."""
    first = min((row.in_force_from for row in changes if row.in_force_from is not None), default=at)
    series, closes = await daily_closes.read(db, code, at, since=min(first, at) - BEFORE_FIRST_CHANGE)
    # Sources give 4920.3999 for 4920.40: COMEX prices move by 0.10 (gold) and 0.005 (silver).
    return series, [close._replace(price=round(close.price, 3)) for close in closes]


def change_of(row: MarginChange) -> Change:
    return Change(
        effective=row.in_force_from,
        known_at=row.known_at,
        basis=Basis(row.rule),
        initial=row.initial,
        maintenance=row.maintenance,
        hrp_initial=row.hrp_initial,
        dated=row.dating != "unknown",
        source=row.citation,
        entered_at=row.entered_at,
    )


async def spans(db: Db, code: str, at: datetime, *, server_id: int = 0) -> list[str]:
    """What to offer for ``compare``: from each of the last changes of the rule to the last close."""
    product = PRODUCTS.get(code, PRODUCTS["SI"])
    changes = await margins.known(db, product.leader, at=at, server_id=server_id)
    _, closes = await _closes(db, product.leader, changes, at)
    dates = [row.effective_date for row in changes if row.effective_date is not None]
    traded = {close.date for close in closes}
    return [
        f"{day.isoformat()}..{closes[-1].date.isoformat()}"
        for day in reversed(dates)
        if day in traded and day < closes[-1].date
    ]


def as_json(result: Margin, now: datetime) -> dict[str, Any]:
    age = None if result.closed_at is None else now - result.closed_at
    following, since = result.next_step, result.in_force
    old = table_is_old(result.told_at, now)
    return {
        "as_of": iso(result.as_of),
        "product": result.product.code,
        "contract_oz": result.product.ounces,
        "follows": result.product.leader if result.product.derived else None,
        "price": result.price,
        "price_date": None if result.price_date is None else result.price_date.isoformat(),
        "rule": result.basis.value,
        "rate_pct": result.rate_pct,
        "since": _effective(since),
        "entered_at": _entered(since),
        "initial_usd": _cents(result.cost.initial_usd),
        "maintenance_usd": _cents(result.cost.maintenance_usd),
        "hrp_initial_usd": _cents(result.cost.hrp_initial_usd),
        "notional_usd": _cents(result.notional_usd),
        "leverage": rounded(result.leverage),
        "crossover": None
        if result.crossover is None
        else {
            "fixed_usd": _cents(result.crossover.fixed_usd),
            "rate_pct": result.crossover.rate_pct,
            "price": rounded(result.crossover.price),
        },
        "before_first_step": {"rule": result.steps[0].basis.value, "value": rounded(result.steps[0].value)}
        if result.steps[0].effective is None
        else None,
        "steps": [_step(step) for step in result.steps if step.effective is not None],
        "next": None
        if following is None or result.next_cost is None
        else {
            "effective": _effective(following),
            "entered_at": _entered(following),
            "rule": following.basis.value,
            "value": rounded(following.value),
            "change_pct": rounded(following.change_pct),
            "initial_usd": _cents(result.next_cost.initial_usd),
            "maintenance_usd": _cents(result.next_cost.maintenance_usd),
            "hrp_initial_usd": _cents(result.next_cost.hrp_initial_usd),
        },
        "account": None if result.account is None else _account(result.account, result.account_next),
        "compounding": _compounding(result),
        "source": "sample" if result.is_sample else result.source,
        "data_source": result.source,
        "price_source": result.price_source,
        "closed_at": None if result.closed_at is None else iso(result.closed_at),
        "age_s": None if age is None else int(age.total_seconds()),
        "table_told_at": None if result.told_at is None else iso(result.told_at),
        "table_age_s": None if result.told_at is None else int((now - result.told_at).total_seconds()),
        "table_is_old": old,
        "freshness": "stale"
        if old
        else "unknown"
        if result.closed_at is None
        else freshness(result.closed_at, now, DAILY).value,
    }


def _effective(step: Step) -> str | None:
    """Null where the date is not known; ``effective_by`` then tells the latest it can have been."""
    return iso(step.effective) if step.effective is not None and step.dated else None


def _step(step: Step) -> dict[str, Any]:
    return {
        "effective": _effective(step),
        "effective_by": None if step.effective is None else iso(step.effective),
        "in_force": step.in_force,
        "rule": step.basis.value,
        "value": rounded(step.value),
        "change_pct": rounded(step.change_pct),
        "cut_pct": rounded(step.cut_pct),
        "price": step.price,
        "initial_usd": _cents(step.initial_usd),
        "rate_part": _move(step.rate_part),
        "price_part": _move(step.price_part),
        "source": step.source,
        "entered_at": _entered(step),
    }


def _entered(step: Step) -> str | None:
    """Null for what is in the shared table; else when a moderator of the server entered it."""
    return None if step.entered_at is None else iso(step.entered_at)


def _move(move: Move | None) -> dict[str, float | None] | None:
    if move is None:
        return None
    return {"usd": _cents(move.usd), "pct": rounded(move.pct), "log": rounded(move.log)}


def _account(now: Account, later: Account | None) -> dict[str, Any]:
    position = now.position
    return {
        "contracts": position.contracts,
        "equity_usd": _cents(position.equity),
        "side": position.side.value,
        "hrp": position.hrp,
        "initial_usd": _cents(now.initial_usd),
        "maintenance_usd": _cents(now.maintenance_usd),
        "contracts_carried": now.contracts_carried,
        "called": now.called,
        "call_price": rounded(now.call_price),
        "deposit_usd": _cents(now.deposit_usd),
        "contracts_to_cut": now.contracts_to_cut,
        "ways": [{"contracts": way.contracts, "deposit_usd": _cents(way.deposit_usd)} for way in now.ways],
        "risk_index_pct": rounded(now.risk_index_pct),
        "initial_next_usd": None if later is None else _cents(later.initial_usd),
        "contracts_carried_next": None if later is None else later.contracts_carried,
        "called_next": None if later is None else later.called,
        "call_price_next": None if later is None else rounded(later.call_price),
        "deposit_next_usd": None if later is None else _cents(later.deposit_usd),
        "contracts_to_cut_next": None if later is None else later.contracts_to_cut,
    }


def _compounding(result: Margin) -> dict[str, Any] | None:
    found = result.compounding
    if found is None:
        return None
    return {
        "from": {
            "date": found.date_from.isoformat(),
            "price": found.price_from,
            "rule": found.basis_from.value,
            "value": rounded(found.value_from),
            "initial_usd": _cents(found.initial_from),
        },
        "to": {
            "date": found.date_to.isoformat(),
            "price": found.price_to,
            "rule": found.basis_to.value,
            "value": rounded(found.value_to),
            "initial_usd": _cents(found.initial_to),
        },
        "price_change_pct": rounded(found.price_change_pct),
        "initial_change_pct": rounded(found.initial_change_pct),
        "rate_part": _move(found.rate_part),
        "price_part": _move(found.price_part),
    }


def _cents(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def as_table(result: Margin) -> Sequence[Sequence[object]]:
    """Closes and changes in order of time, one row each; a change comes after the close of its instant."""
    header = [
        "kind", "instant_utc", "trade_date", "price_usd_oz", "rule", "value", "initial_usd", "change_pct",
        "rate_part_usd", "price_part_usd", "date_known", "source", "entered_utc",
    ]  # fmt: skip
    told: list[tuple[datetime, list[object]]] = [
        (
            day.closed_at,
            [
                "close", iso(day.closed_at), day.date.isoformat(), day.price, day.basis.value,
                rounded(day.value), _cents(day.initial_usd), None, None, None, "yes", result.price_source, None,
            ],
        )
        for day in result.history
    ]  # fmt: skip
    told += [
        (
            step.effective,
            [
                "change", iso(step.effective), None, step.price, step.basis.value, rounded(step.value),
                _cents(step.initial_usd), rounded(step.change_pct),
                _cents(step.rate_part.usd) if step.rate_part else None,
                _cents(step.price_part.usd) if step.price_part else None,
                "yes" if step.dated else "no", step.source or (MANUAL if step.entered_at else result.source),
                _entered(step),
            ],
        )
        for step in result.steps
        if step.effective is not None
    ]  # fmt: skip
    return [header, *(row for _, row in sorted(told, key=lambda entry: entry[0]))]


REPORT: Final = Report(
    name="silver-margin",
    about=N_("What a silver or gold contract costs today, what comes next, where the call is"),
    options=(PRODUCT, PRICE, CONTRACTS, EQUITY, SIDE, HRP, COMPARE),
    switch=PRODUCT.name,
    buttons=("SI", "QI", "SIL", "GC", "MGC"),
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, lambda query: [f"{PRODUCTS[query.product].leader}:{Interval.D1}"]),
    say=say,
    as_json=as_json,
    as_table=as_table,
    private=private,
    forgets=forgets,
)
