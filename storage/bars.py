"""Closed bars, as of an instant, and the one rule by which they are stored."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)

from analysis.levels import Interval
from storage import instruments, schema, sources
from storage.bulk import insert_rows
from storage.instants import epoch
from storage.instruments import Series
from storage.store import Db
from storage.versions import Stored

_DAY = 86_400
_EVER = -(2**62)
_VALUES = ("open", "high", "low", "close", "volume")


CloseRow = tuple[int, float, int]
"""When a close was made (epoch seconds UTC), the close, and the series' id: as it is read, years of them at once."""
_SERIES_ID = itemgetter(2)


class BarRow(NamedTuple):
    """One closed bar; instants in epoch seconds UTC. Only ``close`` is never null."""

    opened_at: int
    closed_at: int
    open: float | None
    high: float | None
    low: float | None
    close: float
    volume: float | None


async def closed(
    db: Db, series: Series, interval: Interval, *, at: datetime, since: datetime | None = None
) -> list[BarRow]:
    """Bars closed by ``at`` and opened at ``since`` or later, oldest first.

    ``interval`` is one that is stored; the others are made from it by analysis.
    """
    return await _read(db, schema.bars, series.id, str(interval), at=at, since=since)


async def closed_rows(
    db: Db, series: Series, *, at: datetime, since: datetime | None = None
) -> list[tuple[Any, ...]]:
    """The same of the series' own interval, as plain tuples in the order of ``BarRow``: years of them at once."""
    return await _rows(db, schema.bars, series.id, str(series.interval), at=at, since=since)


_CLOSES = (
    select(schema.bars.c.closed_at, schema.bars.c.close, schema.bars.c.instrument_id)
    .where(
        schema.bars.c.instrument_id.in_(bindparam("series", expanding=True)),
        schema.bars.c.interval == bindparam("interval"),
        # A bar opens before it closes: this bounds the walk along the primary key.
        schema.bars.c.opened_at.between(bindparam("since"), bindparam("at")),
        schema.bars.c.closed_at <= bindparam("at"),
    )
    .order_by(schema.bars.c.instrument_id, schema.bars.c.opened_at)
)


async def closes(
    db: Db,
    every: Iterable[Series],
    *,
    at: datetime,
    since: datetime | None = None,
    hours: Collection[int] | None = None,
) -> dict[Series, list[CloseRow]]:
    """Closes by ``at`` of several series, oldest first.

    With ``hours`` only those made on one of these hours of the UTC day. One query an interval,
    for all series that have it.
    """
    t = schema.bars.c
    found: dict[Series, list[CloseRow]] = {}
    wanted = list(every)
    for interval in {one.interval for one in wanted}:
        of = [one for one in wanted if one.interval is interval]
        statement = _CLOSES
        if hours is not None:
            statement = statement.where((t.closed_at % _DAY).in_(hour * 3_600 for hour in sorted(hours)))
        values = {
            "series": [one.id for one in of],
            "interval": str(interval),
            "at": epoch(at),
            "since": _EVER if since is None else epoch(since),
        }
        rows = await db.rows(statement, values)
        for one in of:
            begin = bisect_left(rows, one.id, key=_SERIES_ID)
            found[one] = rows[begin : bisect_right(rows, one.id, begin, key=_SERIES_ID)]
    return found


async def daily(db: Db, series: Series, *, at: datetime, since: datetime | None = None) -> list[BarRow]:
    """Daily bars by ``at``, oldest first: the series' own if it is daily, else the kept roll-up.

    The roll-up holds UTC days of which every bar is stored. Days it lacks are taken from
    the daily bars of the same instrument, if its venue gives any.
    """
    if series.interval is Interval.D1:
        return await _read(db, schema.bars, series.id, str(Interval.D1), at=at, since=since)
    days = {
        row.opened_at: row
        for row in await _read(db, schema.bars, series.id, str(Interval.D1), at=at, since=since)
    }
    for row in await _read(db, schema.daily_rollups, series.id, str(series.interval), at=at, since=since):
        days[row.opened_at] = row
    return [days[opened_at] for opened_at in sorted(days)]


async def last_settled_day(db: Db, series: Series) -> int | None:
    """Opening of the last of the ``daily`` bars that more bars at the end leave as they are; None if none is sure."""
    if series.interval is Interval.D1:
        return await _last_opening(db, schema.bars, series.id, str(Interval.D1))
    rolled = await _last_opening(db, schema.daily_rollups, series.id, str(series.interval))
    told = await _last_opening(db, schema.bars, series.id, str(Interval.D1))
    # A day the venue told may yet be rolled up, and one that was not may yet be told.
    return rolled if rolled is None or told is None else min(rolled, told)


async def _last_opening(db: Db, table: Table, instrument_id: int, interval: str) -> int | None:
    t = table.c
    found: int | None = await db.scalar(
        select(func.max(t.opened_at)).where(t.instrument_id == instrument_id, t.interval == interval)
    )
    return found


async def first_and_last(db: Db, series: Series, *, at: datetime) -> tuple[int, int] | None:
    """Opening of the first and close of the last bar closed by ``at``; None if there is none."""
    b = schema.bars.c
    row = (
        await db.execute(
            select(func.min(b.opened_at), func.max(b.closed_at)).where(
                b.instrument_id == series.id,
                b.interval == str(series.interval),
                b.opened_at < epoch(at),
                b.closed_at <= epoch(at),
            )
        )
    ).one()
    return (int(row[0]), int(row[1])) if row[0] is not None else None


async def stamp(db: Db, series: Series, *, at: datetime) -> str:
    """Tells the bars closed by ``at`` apart from more or others: how many there are and when the last closed.

    A stored bar never changes, so this is enough.
    """
    b = schema.bars.c
    number, last = (
        await db.execute(
            select(func.count(), func.max(b.closed_at)).where(
                b.instrument_id == series.id,
                b.interval == str(series.interval),
                b.opened_at < epoch(at),
                b.closed_at <= epoch(at),
            )
        )
    ).one()
    return f"{series.id}:{series.interval}:{number}:{last or 0}"


async def last_close(db: Db, series: Series, *, at: datetime) -> float | None:
    """The close of the last bar closed by ``at``; None if there is none."""
    b = schema.bars.c
    statement = (
        select(b.close)
        .where(
            b.instrument_id == series.id,
            b.interval == str(series.interval),
            b.opened_at < epoch(at),
            b.closed_at <= epoch(at),
        )
        .order_by(b.opened_at.desc())
        .limit(1)
    )
    close: float | None = await db.scalar(statement)
    return close


async def oldest_opening(db: Db, series: Series, *, since: int) -> int | None:
    """Opening of the first bar that opened at ``since`` (epoch seconds) or later."""
    b = schema.bars.c
    opening: int | None = await db.scalar(
        select(func.min(b.opened_at)).where(
            b.instrument_id == series.id, b.interval == str(series.interval), b.opened_at >= since
        )
    )
    return opening


async def openings(db: Db, series: Series, among: Collection[int]) -> set[int]:
    """Which of these openings are stored."""
    b = schema.bars.c
    rows = await db.execute(
        select(b.opened_at).where(
            b.instrument_id == series.id, b.interval == str(series.interval), b.opened_at.in_(among)
        )
    )
    return set(rows.scalars())


async def openings_between(db: Db, series: Series, *, since: int, until: int) -> set[int]:
    """Openings of the stored bars from one instant to before another (epoch seconds)."""
    b = schema.bars.c
    rows = await db.execute(
        select(b.opened_at).where(
            b.instrument_id == series.id,
            b.interval == str(series.interval),
            b.opened_at >= since,
            b.opened_at < until,
        )
    )
    return set(rows.scalars())


async def prices_elsewhere(db: Db, series: Series, *, since: int, until: int) -> list[float]:
    """Closes between two instants of every other series of the code: what a doubtful price is held against."""
    b, i = schema.bars.c, schema.instruments.c
    rows = await db.execute(
        select(b.close)
        .join_from(schema.bars, schema.instruments, b.instrument_id == i.id)
        .where(
            i.code == series.code,
            or_(b.instrument_id != series.id, b.interval != str(series.interval)),
            b.opened_at > since - _DAY,
            b.opened_at < until,
            b.closed_at > since,
            b.closed_at <= until,
        )
    )
    return list(rows.scalars())


async def store(
    db: Db, series: Series, rows: Iterable[BarRow], *, source: str, now: datetime, is_sample: bool = False
) -> Stored:
    """Store closed bars in one transaction; ``rows`` fit into memory and have distinct openings.

    The first stored copy of a bar stands. One that differs from it is kept as a revision
    known at ``now``. Days that became complete are added to the roll-up.
    """
    values = list(rows)
    if values and await _untouched(db, series, values):
        return await _append(db, series, values, source=source, is_sample=is_sample)
    batch = new_batch()
    await stage(db, batch, values)
    return await settle(db, series, batch, source=source, now=now, is_sample=is_sample)


async def _untouched(db: Db, series: Series, rows: Sequence[BarRow]) -> bool:
    """Whether no bar is stored between the first and the last of ``rows``: then there is nothing to compare with."""
    b = schema.bars.c
    opened = [row.opened_at for row in rows]
    stored = select(b.opened_at).where(
        b.instrument_id == series.id,
        b.interval == str(series.interval),
        b.opened_at.between(min(opened), max(opened)),
    )
    return await db.scalar(stored.limit(1)) is None


async def _append(db: Db, series: Series, rows: Sequence[BarRow], *, source: str, is_sample: bool) -> Stored:
    """Straight into the bars, without the way through the staged ones."""
    source_id = await sources.keep(db, source, is_sample=is_sample)
    has_ohlc = any(row.high is not None for row in rows)
    await instruments.mark(db, series, source_id=source_id, is_sample=is_sample, ohlc=has_ohlc)
    interval = str(series.interval)
    values = [(series.id, interval, *row) for row in rows]
    opened = [row.opened_at for row in rows]
    last = await _last_opening(db, schema.bars, series.id, interval)
    with db.adding() if last is not None and min(opened) > last else nullcontext():
        await insert_rows(db, schema.bars, ("instrument_id", "interval", *BarRow._fields), values)
        await _complete_days(db, series, min(opened), max(opened))
    return Stored(added=len(rows), unchanged=0, revised=0)


def new_batch() -> str:
    return uuid4().hex


async def stage(db: Db, batch: str, rows: Iterable[BarRow]) -> int:
    """Put bars aside under ``batch``, where no reader sees them; how many."""
    values = [(batch, *row) for row in rows]
    await insert_rows(db, schema.staged_bars, ("batch", *BarRow._fields), values)
    return len(values)


async def discard(db: Db, batch: str | None = None) -> None:
    """Forget what was staged: one batch, or all of them."""
    statement = delete(schema.staged_bars)
    await db.execute(statement if batch is None else statement.where(schema.staged_bars.c.batch == batch))


async def settle(
    db: Db, series: Series, batch: str, *, source: str, now: datetime, is_sample: bool = False
) -> Stored:
    """Move a staged batch into the bars of ``series`` by the rule of ``store``."""
    staged, bars, revisions = schema.staged_bars.c, schema.bars.c, schema.bar_revisions.c
    interval = str(series.interval)
    ours = staged.batch == batch
    same_bar = and_(
        bars.instrument_id == series.id, bars.interval == interval, bars.opened_at == staged.opened_at
    )
    total, first, last, has_ohlc = (
        await db.execute(
            select(
                func.count(),
                func.min(staged.opened_at),
                func.max(staged.opened_at),
                func.max(case((staged.high.is_not(None), 1), else_=0)),
            ).where(ours)
        )
    ).one()
    if not total:
        return Stored(added=0, unchanged=0, revised=0)
    source_id = await sources.keep(db, source, is_sample=is_sample)
    await instruments.mark(db, series, source_id=source_id, is_sample=is_sample, ohlc=bool(has_ohlc))

    differs = or_(*(bars[name].is_distinct_from(staged[name]) for name in _VALUES))
    told_before = exists(
        select(revisions.id).where(
            revisions.instrument_id == series.id,
            revisions.interval == interval,
            revisions.opened_at == staged.opened_at,
            *(revisions[name].is_not_distinct_from(staged[name]) for name in _VALUES),
        )
    )
    revised = 0
    if not is_sample:
        done = await db.execute(
            insert(schema.bar_revisions).from_select(
                ["instrument_id", "interval", "opened_at", "known_at", *_VALUES, "source_id"],
                select(
                    literal(series.id),
                    literal(interval),
                    staged.opened_at,
                    literal(epoch(now)),
                    *(staged[name] for name in _VALUES),
                    literal(source_id),
                )
                .join_from(schema.staged_bars, schema.bars, same_bar)
                .where(ours, differs, ~told_before),
                include_defaults=False,
            )
        )
        revised = done.rowcount
    new = and_(ours, ~exists(select(bars.opened_at).where(same_bar)))
    newest = await _last_opening(db, schema.bars, series.id, interval)
    oldest_new = await db.scalar(select(func.min(staged.opened_at)).where(new))
    adds = newest is not None and oldest_new is not None and oldest_new > newest
    with db.adding() if adds else nullcontext():
        added = await db.execute(
            insert(schema.bars).from_select(
                ["instrument_id", "interval", *BarRow._fields],
                select(
                    literal(series.id), literal(interval), *(staged[name] for name in BarRow._fields)
                ).where(new),
            )
        )
        await discard(db, batch)
        if added.rowcount:
            await _complete_days(db, series, first, last)
    return Stored(added=added.rowcount, unchanged=total - added.rowcount - revised, revised=revised)


async def _complete_days(db: Db, series: Series, first: int, last: int) -> None:
    step = int(series.interval.length.total_seconds())
    if step < _DAY:
        await _roll_up(db, series, step, since=first - first % _DAY, until=last)


async def _roll_up(db: Db, series: Series, step: int, *, since: int, until: int) -> None:
    """Add the days between two openings that are complete and not there yet."""
    bars, rollups = schema.bars, schema.daily_rollups
    interval = str(series.interval)
    needed = _DAY // step
    b = bars.c
    ours = and_(b.instrument_id == series.id, b.interval == interval)
    opened_at = b.opened_at - b.opened_at % _DAY
    days = (
        select(
            opened_at.label("day"),
            func.max(b.high).label("high"),
            func.min(b.low).label("low"),
            case((func.count(b.volume) == needed, func.sum(b.volume)), else_=None).label("volume"),
        )
        .where(ours, b.opened_at >= since, b.opened_at < until - until % _DAY + _DAY)
        .group_by(opened_at)
        .having(func.count(b.high) == needed)
        .subquery()
    )
    first, last = bars.alias("first"), bars.alias("last")

    def at(edge: FromClause, offset: int) -> ColumnElement[bool]:
        return and_(
            edge.c.instrument_id == series.id,
            edge.c.interval == interval,
            edge.c.opened_at == days.c.day + offset,
        )

    r = rollups.c
    already = exists(
        select(r.opened_at).where(
            r.instrument_id == series.id, r.interval == interval, r.opened_at == days.c.day
        )
    )
    await db.execute(
        insert(rollups).from_select(
            ["instrument_id", "interval", *BarRow._fields],
            select(
                literal(series.id),
                literal(interval),
                days.c.day,
                days.c.day + _DAY,
                first.c.open,
                days.c.high,
                days.c.low,
                last.c.close,
                days.c.volume,
            )
            .join_from(days, first, at(first, 0))
            .join(last, at(last, _DAY - step))
            .where(~already),
        )
    )


async def _read(
    db: Db,
    table: Table,
    instrument_id: int,
    interval: str,
    *narrower: ColumnElement[bool],
    at: datetime,
    since: datetime | None = None,
) -> list[BarRow]:
    rows = await _rows(db, table, instrument_id, interval, *narrower, at=at, since=since)
    return list(map(BarRow._make, rows))


async def _rows(
    db: Db,
    table: Table,
    instrument_id: int,
    interval: str,
    *narrower: ColumnElement[bool],
    at: datetime,
    since: datetime | None,
) -> list[tuple[Any, ...]]:
    t = table.c
    statement = select(*(t[name] for name in BarRow._fields)).where(
        t.instrument_id == instrument_id,
        t.interval == interval,
        # A bar opens before it closes: this bounds the walk along the primary key.
        t.opened_at < epoch(at),
        t.closed_at <= epoch(at),
        *narrower,
    )
    if since is not None:
        statement = statement.where(t.opened_at >= epoch(since))
    return await db.rows(statement.order_by(t.opened_at))
