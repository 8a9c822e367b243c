"""What a publisher said of a trade date before it said something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from storage import schema
from storage.flows import FlowState
from storage.instants import epoch, utc
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A version of a day that another one of the same publisher followed. US$ million."""

    trade_date: date
    known_at: datetime
    state: FlowState
    total_musd: float | None


async def replaced(db: Db, asset: str, *, at: datetime, source: str) -> list[Replaced]:
    """Every version known at ``at`` that is not the last of its day, in the order in which they were known."""
    v, o = schema.flow_versions.c, schema.sources.c
    ours = (
        v.asset == asset,
        v.known_at <= epoch(at),
        v.source_id.in_(select(o.id).where(o.name == source)),
    )
    several = select(v.trade_date).where(*ours).group_by(v.trade_date).having(func.count() > 1)
    rows = (
        await db.execute(
            select(v.trade_date, v.known_at, v.state, v.total_musd)
            .where(*ours, v.trade_date.in_(several))
            .order_by(v.known_at, v.id)
        )
    ).all()
    last = {row.trade_date: place for place, row in enumerate(rows)}
    return [
        Replaced(
            trade_date=date.fromisoformat(row.trade_date),
            known_at=utc(row.known_at),
            state=FlowState(row.state),
            total_musd=row.total_musd,
        )
        for place, row in enumerate(rows)
        if place != last[row.trade_date]
    ]
