"""Closed bars, as of an instant."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    func,
    or_,
    select,
)

from analysis.levels import Interval
from storage import schema
from storage.instants import epoch
from storage.instruments import Series
from storage.store import Db

_DAY = 86_400
_EVER = -(2**62)

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


async def newest_opening(db: Db, series: Series) -> int | None:
    """Opening of the last bar there is (epoch seconds), closed by whatever instant; None if there is none."""
    return await _last_opening(db, schema.bars, series.id, str(series.interval))


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
