"""Net flows of exchange-traded funds, day by day, as of an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import func, insert, select

from storage import schema, sources
from storage.bulk import insert_rows
from storage.instants import epoch, flow_known, utc
from storage.store import Db
from storage.versions import Stored, Tally, known_from


class FlowState(StrEnum):
    """``final``: every listed fund reported; ``partial``: some did; ``pending``: none yet."""

    FINAL = "final"
    PARTIAL = "partial"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDay:
    """What was known of one trade date. US$ million; null = not reported yet.

    ``funds`` holds the funds listed that day, by ticker. ``total_musd`` is the publisher's
    total (of what was reported so far while ``partial``), null while ``pending``.
    """

    trade_date: date
    known_at: datetime
    state: FlowState
    total_musd: float | None
    funds: Mapping[str, float | None]
    source: str
    is_sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One row of a publisher's table. ``known_at`` in epoch seconds; null: by the calendar.

    ``final`` where somebody who knows the publisher's ways says whether more will come;
    null: final once every listed fund reported.
    """

    trade_date: date
    funds: Mapping[str, float | None]
    total_musd: float | None = None
    known_at: int | None = None
    final: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who published flows, with how many final days and up to which trade date.

    The shipped sample of a publisher and an import of the same name are one publisher.
    """

    source: str
    final_days: int
    last_date: date


async def publishers(db: Db, asset: str, *, at: datetime) -> list[Publisher]:
    """Everybody with a final day known at ``at``, in no order. Two never belong in one sum."""
    v, o = schema.flow_versions.c, schema.sources.c
    rows = await db.execute(
        select(
            o.name,
            func.count(v.trade_date.distinct()).label("final_days"),
            func.max(v.trade_date).label("last_date"),
        )
        .join_from(schema.flow_versions, schema.sources, v.source_id == o.id)
        .where(v.asset == asset, v.known_at <= epoch(at), v.state == FlowState.FINAL)
        .group_by(o.name)
    )
    return [
        Publisher(source=row.name, final_days=row.final_days, last_date=date.fromisoformat(row.last_date))
        for row in rows
    ]


async def last_source(db: Db, asset: str) -> str | None:
    """The publisher of what was stored last."""
    v, o = schema.flow_versions.c, schema.sources.c
    name: str | None = await db.scalar(
        select(o.name)
        .join_from(schema.flow_versions, schema.sources, v.source_id == o.id)
        .where(v.asset == asset)
        .order_by(v.id.desc())
        .limit(1)
    )
    return name


async def known(
    db: Db, asset: str, *, at: datetime, since: date | None = None, source: str | None = None
) -> list[FlowDay]:
    """The trade dates from ``since`` on, oldest first, each as it was known at ``at``.

    With ``source`` only what that publisher said.
    """
    v, f, o = schema.flow_versions.c, schema.fund_flows.c, schema.sources.c
    wanted = [v.asset == asset, v.known_at <= epoch(at)]
    if since is not None:
        wanted.append(v.trade_date >= since.isoformat())
    if source is not None:
        wanted.append(v.source_id.in_(select(o.id).where(o.name == source)))
    newest = {
        row.trade_date: row
        for row in await db.execute(
            select(v.id, v.trade_date, v.known_at, v.state, v.total_musd, o.name, o.is_sample)
            .join_from(schema.flow_versions, schema.sources, v.source_id == o.id)
            .where(*wanted)
            .order_by(v.trade_date, v.known_at, v.id)
        )
    }
    funds: defaultdict[int, dict[str, float | None]] = defaultdict(dict)
    for version_id, ticker, value in await db.rows(
        select(v.id, schema.etf_funds.c.ticker, f.value_musd)
        .join_from(schema.flow_versions, schema.fund_flows, v.id == f.version_id)
        .join(schema.etf_funds, schema.etf_funds.c.id == f.fund_id)
        .where(*wanted)
        .order_by(v.id, f.fund_id)
    ):
        funds[version_id][ticker] = value
    return [
        FlowDay(
            trade_date=date.fromisoformat(row.trade_date),
            known_at=utc(row.known_at),
            state=FlowState(row.state),
            total_musd=row.total_musd,
            funds=funds[row.id],
            source=row.name,
            is_sample=row.is_sample,
        )
        for row in newest.values()
    ]


async def store(
    db: Db, asset: str, rows: Sequence[Reported], *, source: str, now: datetime, is_sample: bool = False
) -> Stored:
    """Add a version for every day whose values or state changed; the order of ``rows`` is that of dates.

    A fund counts as listed from its first value in ``rows`` or in the store; one without
    any, from the newest row. A day without known_at is known from 09:00 UTC of the next
    day, a changed one from ``now``. What another publisher said of a day changes nothing,
    except that the sample leaves it as it is.
    """
    if not rows:
        return Stored(added=0, unchanged=0, revised=0)
    source_id = await sources.keep(db, source, is_sample=is_sample)
    tickers = list(dict.fromkeys(ticker for row in rows for ticker in row.funds))
    fund_ids = await _fund_ids(db, asset, tickers)
    listed = await _listed(db, asset)
    for row in reversed(rows):
        for ticker, value in row.funds.items():
            if value is not None:
                listed[ticker] = min(row.trade_date, listed.get(ticker, row.trade_date))
    newest = rows[-1].trade_date

    before = await _versions(db, asset, rows[0].trade_date, newest, source=None if is_sample else source)
    next_id = (await db.scalar(select(func.max(schema.flow_versions.c.id))) or 0) + 1
    versions: list[dict[str, object]] = []
    values: list[tuple[int, int, float | None]] = []
    tally = Tally()
    for row in rows:
        day = row.trade_date.isoformat()
        funds = {
            ticker: value
            for ticker, value in row.funds.items()
            if value is not None or listed.get(ticker, newest) <= row.trade_date
        }
        state, total = _judged(funds, row.total_musd, final=row.final)
        said = (state, total, {fund_ids[ticker]: value for ticker, value in funds.items()})
        known_at = known_from(
            before[day],
            said,
            known_at=row.known_at,
            first_known_at=flow_known(row.trade_date),
            now=epoch(now),
            is_sample=is_sample,
        )
        tally.note(is_new=known_at is not None, had_versions=bool(before[day]))
        if known_at is None:
            continue
        versions.append(
            {
                "id": next_id,
                "asset": asset,
                "trade_date": day,
                "known_at": known_at,
                "state": str(state),
                "total_musd": total,
                "source_id": source_id,
            }
        )
        values += [(next_id, fund, value) for fund, value in said[2].items()]
        next_id += 1
    if versions:
        await db.execute(insert(schema.flow_versions), versions)
    await insert_rows(db, schema.fund_flows, ("version_id", "fund_id", "value_musd"), values)
    return tally.stored()


def _judged(
    funds: Mapping[str, float | None], total: float | None, *, final: bool | None
) -> tuple[FlowState, float | None]:
    reported = [value for value in funds.values() if value is not None]
    if not funds:
        if total is None:
            return FlowState.PENDING, None
        return (FlowState.PARTIAL if final is False else FlowState.FINAL), total
    if not reported:
        # Publishers print 0.0 as the total of a day of which nothing is known.
        return FlowState.PENDING, None
    if total is None:
        total = round(sum(reported), 1)
    if final is None:
        final = len(reported) == len(funds)
    return (FlowState.FINAL if final else FlowState.PARTIAL), total


async def _fund_ids(db: Db, asset: str, tickers: Sequence[str]) -> dict[str, int]:
    """The id of every ticker; an unknown one becomes a new fund."""
    t = schema.etf_funds.c
    query = select(t.ticker, t.id).where(t.asset == asset)
    known_ids = {row.ticker: row.id for row in await db.execute(query)}
    new = [{"asset": asset, "ticker": ticker} for ticker in tickers if ticker not in known_ids]
    if new:
        await db.execute(insert(schema.etf_funds), new)
        known_ids = {row.ticker: row.id for row in await db.execute(query)}
    return known_ids


async def _listed(db: Db, asset: str) -> dict[str, date]:
    """The first date with a value, by ticker."""
    v, f, t = schema.flow_versions.c, schema.fund_flows.c, schema.etf_funds.c
    rows = await db.execute(
        select(t.ticker, func.min(v.trade_date))
        .join_from(schema.fund_flows, schema.flow_versions, v.id == f.version_id)
        .join(schema.etf_funds, t.id == f.fund_id)
        .where(v.asset == asset, f.value_musd.is_not(None))
        .group_by(t.ticker)
    )
    return {ticker: date.fromisoformat(first) for ticker, first in rows}


_Said = tuple[FlowState, float | None, dict[int, float | None]]


async def _versions(
    db: Db, asset: str, first: date, last: date, *, source: str | None
) -> defaultdict[str, list[tuple[int, _Said]]]:
    v, f, o = schema.flow_versions.c, schema.fund_flows.c, schema.sources.c
    ours = [v.asset == asset, v.trade_date >= first.isoformat(), v.trade_date <= last.isoformat()]
    if source is not None:
        ours.append(v.source_id.in_(select(o.id).where(o.name == source)))
    funds: defaultdict[int, dict[int, float | None]] = defaultdict(dict)
    for version_id, fund_id, value in await db.execute(
        select(f.version_id, f.fund_id, f.value_musd)
        .join_from(schema.fund_flows, schema.flow_versions, v.id == f.version_id)
        .where(*ours)
    ):
        funds[version_id][fund_id] = value
    found: defaultdict[str, list[tuple[int, _Said]]] = defaultdict(list)
    for row in await db.execute(
        select(v.id, v.trade_date, v.known_at, v.state, v.total_musd).where(*ours).order_by(v.known_at, v.id)
    ):
        found[row.trade_date].append((row.known_at, (FlowState(row.state), row.total_musd, funds[row.id])))
    return found
