"""Who a stored row comes from, and whether it came with the shipped sample."""

from __future__ import annotations

from sqlalchemy import insert, select

from storage import schema
from storage.store import Db


async def keep(db: Db, name: str, *, is_sample: bool) -> int:
    """The id of a source, made when it is new."""
    table = schema.sources
    known = await db.scalar(select(table.c.id).where(table.c.name == name, table.c.is_sample == is_sample))
    if known is None:
        known = await db.scalar(insert(table).values(name=name, is_sample=is_sample).returning(table.c.id))
    return int(known or 0)
