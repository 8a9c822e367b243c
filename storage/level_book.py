"""The level book: prices a server watches, or the default ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, exists, insert, select

from analysis.levels import Level, Rule
from storage import schema
from storage.instants import epoch, utc
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A server's levels from the highest price down; ``is_own`` is false for the default ones."""

    levels: tuple[Level, ...]
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A level somebody added; ``by`` is their user id."""

    price: float
    by: int
    at: datetime


async def book(db: Db, server_id: int) -> Book:
    """The server's own book, or the default one while it has none."""
    t = schema.levels.c
    rows = (
        await db.execute(
            select(schema.levels)
            .where(t.server_id.in_([server_id, schema.DEFAULT_BOOK]))
            .order_by(t.price.desc())
        )
    ).all()
    own = [row for row in rows if row.server_id == server_id != schema.DEFAULT_BOOK]
    return Book(levels=tuple(_level(row) for row in own or rows), is_own=bool(own))


async def read(db: Db, server_id: int) -> list[Level]:
    """The levels of ``book``."""
    return list((await book(db, server_id)).levels)


async def add(db: Db, server_id: int, level: Level, *, added_by: int, now: datetime) -> bool:
    """Add one level; True if the server's own book began with it, as a copy of the default one.

    ``added_by`` is a user id. The price must not be in the book yet.
    """
    began = await _begin(db, server_id)
    author = {"added_by": added_by, "added_at": epoch(now)}
    await db.execute(insert(schema.levels).values(_row(server_id, level) | author))
    return began


async def remove(db: Db, server_id: int, price: float) -> bool:
    """Take one level out; True as for ``add``. A server whose last level goes has the default book again."""
    began = await _begin(db, server_id)
    t = schema.levels.c
    await db.execute(delete(schema.levels).where(t.server_id == server_id, t.price == price))
    return began


async def added(db: Db, server_id: int, *, most: int) -> list[Added]:
    """Who added what to the server's own book, newest first."""
    t = schema.levels.c
    rows = await db.execute(
        select(t.price, t.added_by, t.added_at)
        .where(t.server_id == server_id, t.added_by.is_not(None))
        .order_by(t.added_at.desc(), t.price)
        .limit(most)
    )
    return [Added(price=row.price, by=row.added_by, at=utc(row.added_at)) for row in rows]


async def write(db: Db, server_id: int, levels: Sequence[Level]) -> None:
    """Make ``levels`` the server's whole book; none gives it back the default one."""
    _refuse_default(server_id)
    await db.execute(delete(schema.levels).where(schema.levels.c.server_id == server_id))
    if levels:
        await db.execute(insert(schema.levels), [_row(server_id, level) for level in levels])


async def _begin(db: Db, server_id: int) -> bool:
    _refuse_default(server_id)
    t = schema.levels.c
    if await db.scalar(select(exists().where(t.server_id == server_id))):
        return False
    await write(db, server_id, await read(db, server_id))
    return True


def _refuse_default(server_id: int) -> None:
    if server_id == schema.DEFAULT_BOOK:
        raise ValueError("the default book belongs to no server")


def _level(row: Row[*tuple[Any, ...]]) -> Level:
    return Level(
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


def _row(server_id: int, level: Level) -> dict[str, object]:
    return {
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
