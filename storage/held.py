"""What the store holds, series by series, whoever brought it: for people who ask how old things are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import case, func, select

from storage import schema
from storage.instants import epoch, midnight_utc, utc
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series. Bars have ``interval``, flows ``asset``, macro values neither.

    ``newest_at`` is the close of the newest bar, else 00:00 UTC of the newest trade date or
    observation with a value. ``fills`` is the same as that of the feed that fills it, if one does.
    """

    label: str
    code: str
    source: str
    newest_at: datetime
    is_sample: bool
    interval: str | None = None
    asset: str | None = None
    fills: tuple[object, ...]


async def series(db: Db, *, at: datetime) -> list[Series]:
    """Every series with a value that was known at ``at``."""
    return [*await _bars(db, at), *await _flows(db, at), *await _macro(db, at)]


async def margins_to(db: Db, product: str, *, at: datetime) -> date | None:
    """The newest effective date in the table of margin changes everybody shares, as known at ``at``."""
    m = schema.margin_changes.c
    day = await db.scalar(
        select(func.max(m.effective_date)).where(m.product == product, m.known_at <= epoch(at))
    )
    return None if day is None else date.fromisoformat(day)


async def _bars(db: Db, at: datetime) -> list[Series]:
    s, i, o, b = schema.series.c, schema.instruments.c, schema.sources.c, schema.bars.c
    # The newest bar closes last: one look along the primary key.
    newest = (
        select(b.closed_at)
        .where(b.instrument_id == s.instrument_id, b.interval == s.interval, b.closed_at <= epoch(at))
        .order_by(b.opened_at.desc())
        .limit(1)
        .correlate(schema.series)
        .scalar_subquery()
    )
    rows = await db.execute(
        select(s.instrument_id, s.interval, i.code, i.label, o.name, o.is_sample, newest.label("newest"))
        .join_from(schema.series, schema.instruments, s.instrument_id == i.id)
        .join(schema.sources, s.source_id == o.id)
        .order_by(i.code, i.rank, s.interval)
    )
    return [
        Series(
            label=f"{row.code} {row.interval} · {row.label}",
            code=row.code,
            source=row.name,
            newest_at=utc(row.newest),
            is_sample=row.is_sample,
            interval=row.interval,
            fills=(row.instrument_id, row.interval),
        )
        for row in rows
        if row.newest is not None
    ]


async def _flows(db: Db, at: datetime) -> list[Series]:
    v, o = schema.flow_versions.c, schema.sources.c
    rows = await db.execute(
        select(
            v.asset,
            o.name,
            func.min(case((o.is_sample, 1), else_=0)).label("is_sample"),
            func.max(v.trade_date).label("newest"),
        )
        .join_from(schema.flow_versions, schema.sources, v.source_id == o.id)
        .where(v.total_musd.is_not(None), v.known_at <= epoch(at))
        .group_by(v.asset, o.name)
        .order_by(v.asset, o.name)
    )
    return [
        Series(
            label=f"{row.asset} ETF flows · {row.name}",
            code=row.asset,
            source=row.name,
            newest_at=_midnight(row.newest),
            is_sample=bool(row.is_sample),
            asset=row.asset,
            fills=(row.asset, row.name),
        )
        for row in rows
    ]


async def _macro(db: Db, at: datetime) -> list[Series]:
    m, o = schema.macro_observations.c, schema.sources.c
    rows = await db.execute(
        select(
            m.series,
            func.min(case((o.is_sample, 1), else_=0)).label("is_sample"),
            func.max(m.date).label("newest"),
        )
        .join_from(schema.macro_observations, schema.sources, m.source_id == o.id)
        .where(m.value.is_not(None), m.known_at <= epoch(at))
        .group_by(m.series)
        .order_by(m.series)
    )
    return [
        Series(
            label=row.series,
            code=row.series,
            source="FRED",
            newest_at=_midnight(row.newest),
            is_sample=bool(row.is_sample),
            fills=(row.series,),
        )
        for row in rows
    ]


def _midnight(day: str) -> datetime:
    return datetime.fromtimestamp(midnight_utc(date.fromisoformat(day)), UTC)
