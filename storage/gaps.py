"""Bars that are missing between others, and how often each was asked for again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update

from storage import schema
from storage.bulk import insert_rows
from storage.instants import epoch, utc
from storage.store import Db

WAITS: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""How long to wait before each time a bar is asked for again; after the last it is given up, and stays a gap."""


async def note(db: Db, feed: str, missing: Sequence[int], *, since: int, until: int, now: datetime) -> None:
    """Say which openings between two instants are missing: new ones wait for their first try, others
    that were noted there are there now.
    """
    g = schema.missing_bars
    between = (g.c.feed == feed) & (g.c.opened_at >= since) & (g.c.opened_at < until)
    noted = set((await db.execute(select(g.c.opened_at).where(between))).scalars())
    filled = noted - set(missing)
    if filled:
        await db.execute(delete(g).where(between, g.c.opened_at.in_(filled)))
    first = epoch(now + WAITS[0])
    new = [(feed, opened, 0, first) for opened in missing if opened not in noted]
    if new:
        await insert_rows(db, g, ("feed", "opened_at", "tries", "next_try_at"), new)


async def newest_due(db: Db, feed: str, *, since: int, now: datetime) -> int | None:
    """The newest opening from ``since`` on that is to be asked for again by now."""
    g = schema.missing_bars.c
    opened: int | None = await db.scalar(
        select(func.max(g.opened_at)).where(
            g.feed == feed, g.opened_at >= since, g.tries < len(WAITS), g.next_try_at <= epoch(now)
        )
    )
    return opened


async def tried(db: Db, feed: str, *, since: int, until: int, now: datetime) -> None:
    """Count a try for what was due between two instants."""
    g = schema.missing_bars
    for tries in range(len(WAITS)):
        wait = WAITS[min(tries + 1, len(WAITS) - 1)]
        await db.execute(
            update(g)
            .where(
                g.c.feed == feed,
                g.c.opened_at >= since,
                g.c.opened_at < until,
                g.c.tries == tries,
                g.c.next_try_at <= epoch(now),
            )
            .values(tries=tries + 1, next_try_at=epoch(now + wait))
        )


async def next_tries(db: Db, feeds: Collection[str] | None = None) -> dict[str, datetime]:
    """When each feed that lacks anything is to ask for it again; without those given up."""
    g = schema.missing_bars.c
    statement = select(g.feed, func.min(g.next_try_at)).where(g.tries < len(WAITS)).group_by(g.feed)
    if feeds is not None:
        statement = statement.where(g.feed.in_(feeds))
    return {feed: utc(at) for feed, at in await db.execute(statement)}


async def forget(db: Db, feed: str, *, before: int) -> None:
    """What the source can no longer tell of, or nobody asks for any more."""
    g = schema.missing_bars
    await db.execute(delete(g).where(g.c.feed == feed, g.c.opened_at < before))
