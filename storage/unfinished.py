"""Bars that still run: one a series, replaced each time, never mixed with closed ones."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from storage import schema
from storage.bars import BarRow
from storage.instants import epoch
from storage.instruments import Series
from storage.store import Db


async def keep(db: Db, series: Series, bar: BarRow | None, *, now: datetime) -> None:
    """Put ``bar`` in place of what ran before; None when the source tells of none."""
    u = schema.unfinished_bars
    ours = (u.c.instrument_id == series.id) & (u.c.interval == str(series.interval))
    await db.execute(delete(u).where(ours))
    if bar is not None:
        await db.execute(
            insert(u).values(
                instrument_id=series.id,
                interval=str(series.interval),
                seen_at=epoch(now),
                **bar._asdict(),
            )
        )


async def running(db: Db, series: Series, *, at: datetime) -> tuple[BarRow, int] | None:
    """The bar that runs at ``at`` and when it was seen so (epoch seconds); None if none was seen by then."""
    u = schema.unfinished_bars.c
    row = (
        await db.execute(
            select(u.seen_at, *(u[name] for name in BarRow._fields)).where(
                u.instrument_id == series.id,
                u.interval == str(series.interval),
                u.seen_at <= epoch(at),
                u.closed_at > epoch(at),
            )
        )
    ).first()
    return None if row is None else (BarRow._make(row[1:]), int(row[0]))
