"""What a source sent and nothing was stored of: kept whole, so that somebody can look at it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db

LARGEST: Final = 256 * 1024
"""Of a longer body this many bytes are kept; ``size`` tells how long it was."""
NEWEST: Final = 10
"""How many are kept of each feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One answer of which nothing was stored. ``size`` in bytes, as it came."""

    feed: str
    kept_at: datetime
    reason: str
    size: int
    body: bytes


async def keep(db: Db, feed: str, body: bytes, reason: str, *, now: datetime) -> None:
    q = schema.quarantine
    await db.execute(
        insert(q).values(
            feed=feed,
            kept_at=epoch(now),
            reason=reason,
            size=len(body),
            body=zlib.compress(body[:LARGEST]),
        )
    )
    newest = select(q.c.id).where(q.c.feed == feed).order_by(q.c.id.desc()).limit(NEWEST)
    await db.execute(delete(q).where(q.c.feed == feed, q.c.id.not_in(newest)))


async def read(db: Db, feed: str) -> list[Refused]:
    """What is kept of a feed, newest first."""
    q = schema.quarantine
    rows = await db.execute(select(q).where(q.c.feed == feed).order_by(q.c.id.desc()))
    return [
        Refused(
            feed=row.feed,
            kept_at=utc(row.kept_at),
            reason=row.reason,
            size=row.size,
            body=zlib.decompress(row.body),
        )
        for row in rows
    ]
