"""Totals of fund flows that a server's moderators typed for days on which no source answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import insert, select

from storage import entries, schema
from storage.instants import utc
from storage.store import Db

MOST_MUSD: Final = 10_000
"""US$ million a day, in or out; the largest day so far was a seventh of it."""
FIRST_DAY: Final = date(2024, 1, 1)
"""The year in which spot ETFs of bitcoin and ether began to trade in the US."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredFlow:
    """The whole net flow of a trade date, in US$ million."""

    asset: str
    trade_date: date
    total_musd: float


async def keep(db: Db, entry_id: int, rows: Sequence[EnteredFlow]) -> None:
    """The rows of an entry, each day once."""
    await db.execute(
        insert(schema.entered_flows),
        [
            {
                "entry_id": entry_id,
                "asset": row.asset,
                "trade_date": row.trade_date.isoformat(),
                "total_musd": row.total_musd,
            }
            for row in rows
        ],
    )


async def known(db: Db, server_id: int, asset: str, *, at: datetime) -> list[tuple[EnteredFlow, datetime]]:
    """What stood at ``at``, oldest day first, each with when it was entered; of a day the newest entry."""
    f, e = schema.entered_flows, schema.entries
    rows = await db.execute(
        select(f, e.c.added_at)
        .join_from(f, e, f.c.entry_id == e.c.id)
        .where(f.c.asset == asset, entries.known(server_id, at))
        .order_by(f.c.trade_date, e.c.id)
    )
    newest = {row.trade_date: row for row in rows}
    return [
        (
            EnteredFlow(
                asset=row.asset, trade_date=date.fromisoformat(row.trade_date), total_musd=row.total_musd
            ),
            utc(row.added_at),
        )
        for row in newest.values()
    ]
