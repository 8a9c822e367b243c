"""Sources whose clocks differ from ours, as long as they do."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from storage import marks, schema
from storage.store import Db

_PREFIX: Final = "clock of "


async def differs(db: Db, host: str, *, by_s: int) -> None:
    """A host's clock is ahead of ours by so many seconds, behind it where they are negative."""
    await marks.write(db, _PREFIX + host, str(by_s))


async def agrees(db: Db, host: str) -> None:
    await marks.remove(db, _PREFIX + host)


async def differing(db: Db) -> dict[str, int]:
    """The hosts whose clocks differ, and by how many seconds when that was noticed."""
    t = schema.marks.c
    rows = await db.execute(select(t.name, t.text).where(t.name.startswith(_PREFIX, autoescape=True)))
    return {name.removeprefix(_PREFIX): int(text) for name, text in rows}
