"""Small facts the bot keeps about itself, such as which commands Discord was last told about."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from storage import schema
from storage.store import Db


async def read(db: Db, name: str) -> str | None:
    """The mark's text; None while it was never written."""
    t = schema.marks.c
    text: str | None = await db.scalar(select(t.text).where(t.name == name))
    return text


async def write(db: Db, name: str, text: str) -> None:
    """Set a mark, whatever it said before."""
    await remove(db, name)
    await db.execute(insert(schema.marks).values(name=name, text=text))


async def remove(db: Db, name: str) -> None:
    """Take a mark away, if it was there."""
    await db.execute(delete(schema.marks).where(schema.marks.c.name == name))
