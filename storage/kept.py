"""Results that took long to derive from what is stored, kept until new data arrives.

Nothing here is a source: every row can be thrown away and made again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One result. ``name`` says what it is, ``key`` of what; ``payload`` is plain JSON.

    ``stamp`` tells the rows it was made from apart from any others: while theirs is the
    same, there is nothing to make anew. ``through``: the newest of them was known from then;
    who is asked as of an earlier instant must cut ``payload`` off or not use it.
    """

    name: str
    key: str
    stamp: str
    through: datetime
    made_at: datetime
    payload: Any


async def read(db: Db, name: str, key: str) -> Kept | None:
    """None while it was never made."""
    t = schema.kept_results.c
    row = (await db.execute(select(schema.kept_results).where(t.name == name, t.key == key))).first()
    if row is None:
        return None
    return Kept(
        name=row.name,
        key=row.key,
        stamp=row.stamp,
        through=utc(row.through),
        made_at=utc(row.made_at),
        payload=json.loads(row.payload),
    )


async def stamps(db: Db, name: str) -> dict[str, str]:
    """The stamps of all results of that name by their keys: what is kept, without reading it."""
    t = schema.kept_results.c
    rows = await db.execute(select(t.key, t.stamp).where(t.name == name))
    return {row.key: row.stamp for row in rows}


async def keep(db: Db, result: Kept) -> None:
    """Put a result in the place of the one of its name and key. Raises ValueError for NaN or infinity."""
    await forget(db, result.name, result.key)
    await db.execute(
        insert(schema.kept_results).values(
            name=result.name,
            key=result.key,
            stamp=result.stamp,
            through=epoch(result.through),
            made_at=epoch(result.made_at),
            payload=json.dumps(result.payload, separators=(",", ":"), allow_nan=False),
        )
    )


async def forget(db: Db, name: str, key: str) -> None:
    """Take a result away, if it was there."""
    t = schema.kept_results.c
    await db.execute(delete(schema.kept_results).where(t.name == name, t.key == key))
