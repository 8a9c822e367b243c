"""What a server's moderators entered by hand: who, when, from where, and whether it was undone.

An entry is one form or one file; its rows stand in ``entered_margins`` or ``entered_flows``,
away from what everybody shares, and answer in their own server alone. It is known from when
it was added until it was withdrawn: a question about an earlier instant does not see it, and
one about an instant in between does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db

MOST: Final = 200
"""Entries of a server that stand; a limit on what a server can fill the store with."""


class Kind(StrEnum):
    MARGINS = "margins"
    FLOWS = "flows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``size`` rows. ``origin``: the link, words or file name it came with."""

    id: int
    kind: Kind
    size: int
    origin: str | None
    added_by: int | None
    added_at: datetime


async def begin(
    db: Db,
    server_id: int,
    kind: Kind,
    *,
    size: int,
    origin: str | None,
    added_by: int,
    now: datetime,
) -> int:
    """A new entry's id; its rows go in with the same transaction."""
    if server_id == schema.DEFAULT_BOOK:
        raise ValueError("an entry belongs to a server")
    values = {
        "server_id": server_id,
        "kind": str(kind),
        "size": size,
        "origin": origin,
        "added_by": added_by,
        "added_at": epoch(now),
    }
    return int(await db.scalar(insert(schema.entries).values(values).returning(schema.entries.c.id)))


async def withdraw(
    db: Db, server_id: int, entry_id: int, *, withdrawn_by: int, now: datetime
) -> Entry | None:
    """Undo a server's entry from ``now`` on; None where it has no such entry that stands."""
    t = schema.entries
    mine = and_(t.c.id == entry_id, t.c.server_id == server_id, t.c.withdrawn_at.is_(None))
    row = (await db.execute(select(t).where(mine))).first()
    if row is None:
        return None
    await db.execute(update(t).where(mine).values(withdrawn_at=epoch(now), withdrawn_by=withdrawn_by))
    return _entry(row)


async def standing(db: Db, server_id: int) -> list[Entry]:
    """What a server entered and did not undo, newest first."""
    t = schema.entries
    rows = await db.execute(
        select(t).where(t.c.server_id == server_id, t.c.withdrawn_at.is_(None)).order_by(t.c.id.desc())
    )
    return [_entry(row) for row in rows]


def known(server_id: int, at: datetime) -> ColumnElement[bool]:
    """The entries of a server that stood at an instant."""
    t = schema.entries.c
    return and_(
        t.server_id == server_id,
        t.added_at <= epoch(at),
        or_(t.withdrawn_at.is_(None), t.withdrawn_at > epoch(at)),
    )


async def forget(db: Db, server_id: int) -> None:
    """Delete all a server entered."""
    t = schema.entries.c
    for table in (schema.entered_margins, schema.entered_flows):
        await db.execute(
            delete(table).where(table.c.entry_id.in_(select(t.id).where(t.server_id == server_id)))
        )
    await db.execute(delete(schema.entries).where(t.server_id == server_id))


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        kind=Kind(row.kind),
        size=row.size,
        origin=row.origin,
        added_by=row.added_by,
        added_at=utc(row.added_at),
    )
