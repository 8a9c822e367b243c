"""``ladder``: where a position is liquidated, how far that is, and what moves it. For one person's eyes only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from analysis import ladder
from analysis.errors import UserError
from analysis.freshness import of_bars
from analysis.ladder import Contract, Holding, Ladder, Market
from analysis.ladder_positions import Kind, Position
from analysis.ladder_steps import climb
from analysis.ladder_tiers import KEPT, Kept, Tier
from analysis.levels import Interval
from analysis.margin import PRODUCTS, Change, Side
from analysis.margin_rules import cost, in_force
from bot.language import N_
from bot.reports import ladder_read, numbers
from bot.reports.ladder_json import as_json, as_table
from bot.reports.ladder_read import DEFAULT_VENUE, OF_A_POSITION, SIDE, VENUE, Typed
from bot.reports.ladder_words import say
from bot.reports.shapes import Asked, Option, Report, Words, choice
from bot.reports.silver_margin import change_of
from storage import bars, instruments, level_book, margins, tiers
from storage.bars import BarRow
from storage.store import Db

BOOK_INSTRUMENT: Final = "BTC"
"""The level book is a book of bitcoin prices."""
HOLD = Option(name="hold", help=N_("Until which price to hold: what to add, or what to cut"))
SHOCK = Option(name="shock", help=N_("A move in percent, such as -20: what is left after it"))
NEW_MMR = Option(name="new_mmr", help=N_("What another maintenance rate, in percent, would do"))
NEXT = Option(
    name="next", help=N_("What the next known change of the rate does"), choices=("yes", "no"), flag=True
)
GAUGE = Option(
    name="gauge",
    help=N_("Also the risk index as Taiwanese brokers count it"),
    choices=("yes", "no"),
    flag=True,
)
POSITIONS = Option(name="positions", help=N_("A CSV file of up to 20 positions"), file=True)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LadderQuery:
    """A checked question; it prints nothing of itself. Without positions: leverages from ``entry``."""

    positions: tuple[Typed, ...] = ()
    entry: float | None = None
    instrument: str = BOOK_INSTRUMENT
    side: Side = Side.LONG
    rate: float | None = None
    venue: str = DEFAULT_VENUE
    fee: float = 0.0
    asked: ladder.Asked


def read(words: Words, now: datetime) -> LadderQuery:  # noqa: ARG001 -- every report is read at an instant
    positions = ladder_read.positions(words)
    entry, hold, shock, rate = (words.get(name, "").strip() for name in ("entry", "hold", "shock", "new_mmr"))
    tiers = None if positions else ladder_read.brackets(words)
    return LadderQuery(
        positions=positions,
        entry=ladder_read.price(words, ladder_read.ENTRY) if entry and not positions else None,
        instrument=ladder_read.instrument_of(words, Kind.LINEAR),
        side=Side(choice(words, SIDE, Side.LONG)),
        rate=tiers[0].rate if tiers else None,
        venue=choice(words, VENUE, DEFAULT_VENUE),
        fee=ladder_read.fee(words),
        asked=ladder.Asked(
            hold=numbers.amount(hold, low=ladder_read.LOWEST, high=ladder_read.HIGHEST_PRICE)
            if hold
            else None,
            shock_pct=None if not shock else 100 * ladder_read.share(shock, 1_000, least_pct=-99),
            new_rate=ladder_read.share(rate, ladder_read.MOST_RATE_PCT) if rate else None,
            next_rule=choice(words, NEXT, "no") == "yes",
            gauge=choice(words, GAUGE, "no") == "yes",
        ),
    )


def write(query: LadderQuery) -> dict[str, str]:
    """Nothing of what somebody holds, nor of the price they came in at."""
    return {} if private(query) else {SIDE.name: query.side.value}


def private(query: LadderQuery) -> bool:
    return bool(query.positions) or query.entry is not None


async def answer(query: LadderQuery, asked: Asked) -> Ladder:
    """Query -> rows -> result. Raises UserError when it cannot be answered."""
    codes = {one.instrument for one in query.positions} or {query.instrument}
    async with asked.store.read() as db:
        found = {code: await market(db, code, asked.at) for code in codes}
        changes = {
            product.leader: [
                change_of(row)
                for row in await margins.known(db, product.leader, at=asked.at, server_id=asked.server_id)
            ]
            for product in (PRODUCTS[one.instrument] for one in query.positions if one.kind is Kind.FUTURES)
        }
        book = await level_book.read(db, asked.server_id)
        kept = {
            contract: found_table
            for contract in _contracts(query)
            if (found_table := await _kept(db, contract, asked.at)) is not None
        }
    floors = [(level.price, level.label) for level in book]
    markets = {code: one for code, one in found.items() if one is not None}
    if not query.positions:
        return _steps(query, asked.at, markets, floors, kept=next(iter(kept.values()), None))
    holdings = [_holding(one, changes, kept, asked.at) for one in query.positions]
    return await asyncio.to_thread(
        ladder.assess,
        holdings,
        as_of=asked.at,
        asked=query.asked,
        markets=markets,
        floors=floors,
        floors_of=BOOK_INSTRUMENT,
    )


def _contract(typed: Typed) -> tiers.Contract:
    return tiers.Contract(venue=typed.venue, code=typed.instrument, kind=typed.kind.value)


def _contracts(query: LadderQuery) -> set[tiers.Contract]:
    """Whose tables are asked for: where nobody typed a rate, and no rule of an exchange gives it."""
    if query.positions:
        perpetuals = (one for one in query.positions if one.kind is not Kind.FUTURES and one.tiers is None)
        return {_contract(one) for one in perpetuals}
    if query.rate is not None:
        return set()
    return {tiers.Contract(venue=query.venue, code=query.instrument, kind=Kind.LINEAR.value)}


async def _kept(db: Db, contract: tiers.Contract, at: datetime) -> Kept | None:
    """What the venue told last, else what is kept by hand."""
    table = await tiers.known(db, contract, at=at)
    if table is None:
        return KEPT.get((contract.venue, contract.code, Kind(contract.kind)))
    return Kept(
        tiers=tuple(Tier._make(row) for row in table.rows),
        source=table.source,
        read_on=table.seen_at.date(),
        seen_at=table.seen_at,
        by_size=table.by_size,
    )


def _steps(
    query: LadderQuery,
    at: datetime,
    markets: dict[str, Market],
    floors: Sequence[tuple[float, str]],
    *,
    kept: Kept | None,
) -> Ladder:
    market = markets.get(query.instrument)
    entry = query.entry or (market.price if market else None)
    if entry is None:
        raise UserError(
            "No price of {instrument} is known here: give an entry price.", instrument=query.instrument
        )
    if query.rate is not None:
        rate = query.rate
    elif kept is not None:
        rate = kept.tiers[0].rate
    else:
        raise _no_rate(query.venue, query.instrument)
    return Ladder(
        as_of=at,
        instrument=query.instrument,
        price=entry,
        market=market,
        asked=query.asked,
        rungs=(),
        steps=climb(entry, side=query.side, rate=rate, fee=query.fee),
        floors=tuple(floors) if query.instrument == BOOK_INSTRUMENT else (),
        pools=(),
        kept=kept,
    )


def _no_rate(venue: str, instrument: str) -> UserError:
    return UserError(
        "No maintenance rate of {instrument} at {venue} is kept here: give it in percent (mmr 0.5), "
        "or the venue's brackets (tiers).",
        instrument=instrument,
        venue=venue,
    )


def _holding(
    typed: Typed, changes: dict[str, list[Change]], tables: dict[tiers.Contract, Kept], at: datetime
) -> Holding:
    """The position with the rates it stands under: those typed, else a contract's rule, else the venue's table."""
    contract = kept = None
    rates, convention, ounces, leverage = typed.tiers, typed.convention, 1, typed.leverage
    if typed.kind is Kind.FUTURES:
        product = PRODUCTS[typed.instrument]
        ounces = product.ounces
        known = changes[product.leader]
        now = in_force(known, at)
        if now >= 0:
            following = known[now + 1] if now + 1 < len(known) else None
            contract = Contract(product=product, rule=known[now], following=following)
            initial = product.ounces * typed.entry / cost(known[now], product, typed.entry).initial_usd
            leverage = leverage or initial
            if rates is None:
                rates, convention = ladder.futures_tiers(known[now], product, typed.entry)
    elif rates is None:
        kept = tables.get(_contract(typed))
        rates = kept.of(typed.size) if kept else None
    if rates is None:
        raise _no_rate(typed.venue, typed.instrument)
    if leverage is None:
        raise UserError("No margin rule of {product} was known at that time.", product=typed.instrument)
    return Holding(
        position=Position(
            kind=typed.kind,
            side=typed.side,
            instrument=typed.instrument,
            entry=typed.entry,
            size=typed.size,
            leverage=leverage,
            mark=typed.entry if typed.mark is None else typed.mark,
            tiers=rates,
            extra=typed.extra,
            fee=typed.fee,
            ounces=ounces,
            convention=convention,
            cross=typed.cross,
        ),
        contract=contract,
        kept=kept,
    )


async def market(db: Db, code: str, at: datetime) -> Market | None:
    """The last close of an instrument and its daily ATR; of a contract, those of its leader."""
    code = PRODUCTS[code].leader if code in PRODUCTS else code
    for interval in (Interval.M30, Interval.D1):
        series = await instruments.find(db, code, interval, at=at)
        if series is None:
            continue
        days = await bars.daily(db, series, at=at)
        last = (
            days[-1:]
            if interval is Interval.D1
            else await bars.closed(db, series, interval, at=at, since=_recent(days))
        )
        if not last:
            continue
        return Market(
            price=last[-1].close,
            closed_at=datetime.fromtimestamp(last[-1].closed_at, UTC),
            atr_1d=_atr(days) if series.ohlc else None,
            source=series.source,
            is_sample=series.is_sample,
            rhythm=of_bars(interval.length, rests=series.rests),
        )
    return None


def _recent(days: Sequence[BarRow]) -> datetime | None:
    """Where the last daily bar begins: the newest bar is not before it."""
    return datetime.fromtimestamp(days[-1].opened_at, UTC) if days else None


def _atr(days: Iterable[BarRow]) -> float | None:
    import numpy as np

    from analysis.atr import ATR_BARS, atr

    rows = [(row.high, row.low, row.close) for row in days if None not in {row.high, row.low}]
    if len(rows) < ATR_BARS:
        return None
    high, low, close = np.array(rows, np.float64).T
    return float(atr(high, low, close)[-1])


REPORT: Final = Report(
    name="ladder",
    about=N_("Your liquidation price: how far it is, what to add or cut; only you see it"),
    options=(*OF_A_POSITION, HOLD, SHOCK, NEW_MMR, NEXT, GAUGE, POSITIONS),
    read=read,
    write=write,
    answer=answer,
    say=say,
    as_json=as_json,
    as_table=as_table,
    private=private,
)
