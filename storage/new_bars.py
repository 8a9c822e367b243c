"""The one rule by which closed bars are stored: the first copy stands, another one is a revision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from uuid import uuid4

from sqlalchemy import and_, case, delete, exists, func, insert, literal, or_, select

from storage import bars, instruments, rollups, schema, sources
from storage.bars import BarRow
from storage.bulk import insert_rows
from storage.instants import epoch
from storage.instruments import Series
from storage.store import Db
from storage.versions import Stored

_VALUES = ("open", "high", "low", "close", "volume")


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
    last = await bars.newest_opening(db, series)
    with db.adding() if last is not None and min(opened) > last else nullcontext():
        await insert_rows(db, schema.bars, ("instrument_id", "interval", *BarRow._fields), values)
        await rollups.complete_days(db, series, min(opened), max(opened))
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
    staged, kept, revisions = schema.staged_bars.c, schema.bars.c, schema.bar_revisions.c
    interval = str(series.interval)
    ours = staged.batch == batch
    same_bar = and_(
        kept.instrument_id == series.id, kept.interval == interval, kept.opened_at == staged.opened_at
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

    differs = or_(*(kept[name].is_distinct_from(staged[name]) for name in _VALUES))
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
    new = and_(ours, ~exists(select(kept.opened_at).where(same_bar)))
    newest = await bars.newest_opening(db, series)
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
            await rollups.complete_days(db, series, first, last)
    return Stored(added=added.rowcount, unchanged=total - added.rowcount - revised, revised=revised)
