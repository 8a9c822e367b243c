"""Interactions that have already changed something: Discord may deliver one twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from storage import schema
from storage.instants import epoch
from storage.store import Db

KEPT: Final = timedelta(hours=1)
"""Much longer than an interaction can be answered (15 minutes)."""


async def first_time(db: Db, interaction_id: int, *, now: datetime) -> bool:
    """Note the interaction, in the transaction that does what it asks; False if that was done before."""
    t = schema.handled_interactions
    if await db.scalar(select(t.c.id).where(t.c.id == interaction_id)) is not None:
        return False
    await db.execute(delete(t).where(t.c.handled_at < epoch(now - KEPT)))
    await db.execute(insert(t).values(id=interaction_id, handled_at=epoch(now)))
    return True
