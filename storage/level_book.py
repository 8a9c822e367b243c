"""The level book: prices a server watches, or the default ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, insert, select

from analysis.levels import Level, Rule
from storage import schema
from storage.store import Db


async def read(db: Db, server_id: int) -> list[Level]:
    """The server's own book, or the default one while it has none; from the highest price down."""
    t = schema.levels.c
    rows = (
        await db.execute(
            select(
                t.server_id,
                t.price,
                t.label,
                t.venue,
                t.dated,
                t.source,
                t.bars_to_break,
                t.bars_to_hold,
                t.buffer_share,
                t.buffer_atr,
            )
            .where(t.server_id.in_([server_id, schema.DEFAULT_BOOK]))
            .order_by(t.price.desc())
        )
    ).all()
    own = [row for row in rows if row.server_id == server_id]
    return [
        Level(
            price=row.price,
            label=row.label,
            venue=row.venue,
            dated=date.fromisoformat(row.dated) if row.dated else None,
            source=row.source,
            rule=Rule(
                bars_to_break=row.bars_to_break,
                bars_to_hold=row.bars_to_hold,
                buffer_share=row.buffer_share,
                buffer_atr=row.buffer_atr,
            ),
        )
        for row in own or rows
    ]


async def owned(db: Db, server_id: int) -> bool:
    """Whether a server has a book of its own; the others all read the same one."""
    t = schema.levels.c
    return await db.scalar(select(t.price).where(t.server_id == server_id).limit(1)) is not None


async def write(db: Db, server_id: int, levels: Sequence[Level]) -> None:
    """Make ``levels`` the server's whole book; none gives it back the default one."""
    if server_id == schema.DEFAULT_BOOK:
        raise ValueError("the default book belongs to no server")
    await db.execute(delete(schema.levels).where(schema.levels.c.server_id == server_id))
    if levels:
        await db.execute(
            insert(schema.levels),
            [
                {
                    "server_id": server_id,
                    "price": level.price,
                    "label": level.label,
                    "venue": level.venue,
                    "dated": level.dated.isoformat() if level.dated else None,
                    "source": level.source,
                    "bars_to_break": level.rule.bars_to_break,
                    "bars_to_hold": level.rule.bars_to_hold,
                    "buffer_share": level.rule.buffer_share,
                    "buffer_atr": level.rule.buffer_atr,
                }
                for level in levels
            ],
        )
