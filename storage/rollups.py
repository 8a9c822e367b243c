"""Days made of shorter bars: of those days of which every bar is stored."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, insert, literal, select

from storage import schema
from storage.bars import BarRow
from storage.instruments import Series
from storage.store import Db

_DAY = 86_400


async def complete_days(db: Db, series: Series, first: int, last: int) -> None:
    """Add the days of bars that opened between two instants (epoch seconds), as far as they are complete."""
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
