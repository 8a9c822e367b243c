"""What a Discord server has chosen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, select, union, update

from storage import entries, marks, schema
from storage.instants import epoch
from storage.store import Db, Store

KEPT_AFTER_LEAVING: Final = timedelta(days=30)
"""How long a server the bot left is remembered, in case it was thrown out by mistake."""

_EVERY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A server's choices. ``zone`` is an IANA name; ``public_channels`` are channel ids;
    None is every channel, the default, and an empty tuple none.

    ``changed_by`` (a user id) changed them last, at ``changed_at`` (epoch seconds UTC).
    ``language`` is ``en``, ``zh-TW`` or ``both``: posts in both, cards in each reader's own.
    ``light_*``: what turns the four lights; None is what holds by default.
    """

    server_id: int
    language: str = "en"
    zone: str = "UTC"
    palette: str = "intl"
    theme: str = "dark"
    public_channels: tuple[int, ...] | None = None
    moderator_role: int | None = None
    changed_by: int | None = None
    changed_at: int | None = None
    light_line: float | None = None
    light_closes: int | None = None
    light_flows_musd: float | None = None
    light_macro_sigma: float | None = None
    light_silver_sigma: float | None = None


async def settings(db: Db, server_id: int) -> ServerSettings | None:
    """What a server chose; None while it has chosen nothing."""
    return (await settings_of(db, [server_id])).get(server_id)


async def settings_of(db: Db, server_ids: Collection[int]) -> dict[int, ServerSettings]:
    """What servers chose, by server; one that has chosen nothing is not in it."""
    t = schema.server_settings
    found = {}
    for row in (await db.execute(select(t).where(t.c.server_id.in_(server_ids)))).mappings():
        kept = row["public_channels"]
        channels = None if kept == _EVERY else tuple(int(channel) for channel in kept.split())
        found[row["server_id"]] = ServerSettings(**{**row, "public_channels": channels})
    return found


async def own_data(db: Db, server_id: int) -> bool:
    """Whether a report may say something else to a server than to all: its own book, entries or thresholds."""
    return server_id in await with_own_data(db, [server_id])


async def with_own_data(db: Db, server_ids: Collection[int]) -> set[int]:
    """Those of these servers to which a report may say something else than to all."""
    t = schema.server_settings.c
    chosen = or_(*(column.is_not(None) for column in t if column.name.startswith("light_")))
    own = union(
        select(schema.levels.c.server_id).where(schema.levels.c.server_id.in_(server_ids)),
        select(schema.entries.c.server_id).where(schema.entries.c.server_id.in_(server_ids)),
        select(t.server_id).where(t.server_id.in_(server_ids), chosen),
    )
    return set((await db.execute(own)).scalars())


async def keep(db: Db, chosen: ServerSettings) -> None:
    """Make ``chosen`` the server's settings."""
    t = schema.server_settings
    channels = chosen.public_channels
    values = {
        **asdict(chosen),
        "public_channels": _EVERY if channels is None else " ".join(map(str, channels)),
    }
    done = await db.execute(update(t).where(t.c.server_id == chosen.server_id).values(values))
    if done.rowcount == 0:
        await db.execute(insert(t).values(values))


async def left(db: Db, server_id: int, *, now: datetime) -> None:
    """Note that the bot is no longer in a server; the first note stands. Its next coming is a first one again."""
    t = schema.servers_left
    await marks.remove(db, _welcomed(server_id))
    if await db.scalar(select(t.c.server_id).where(t.c.server_id == server_id)) is None:
        await db.execute(insert(t).values(server_id=server_id, left_at=epoch(now)))


async def returned(db: Db, server_id: int) -> None:
    """The bot is in the server: whatever note there was that it had left goes."""
    await db.execute(delete(schema.servers_left).where(schema.servers_left.c.server_id == server_id))


async def first_welcome(db: Db, server_id: int, *, now: datetime) -> bool:
    """Note, before it is sent, that the server is being welcomed; False if it has been since the bot came."""
    if await marks.read(db, _welcomed(server_id)) is not None:
        return False
    await marks.write(db, _welcomed(server_id), str(epoch(now)))
    return True


async def look_around(db: Db, present: Collection[int], *, now: datetime) -> None:
    """Note what happened while nobody listened: servers left, and servers come back to.

    ``present`` are all servers the bot is in.
    """
    noted = set((await db.execute(select(schema.servers_left.c.server_id))).scalars())
    tables = (
        schema.server_settings,
        schema.levels,
        schema.entries,
        schema.digest_schedules,
        schema.alerts,
    )
    kept = union(*(select(table.c.server_id) for table in tables))
    known = set((await db.execute(kept)).scalars()) - {schema.DEFAULT_BOOK}
    for server_id in sorted(known - noted - set(present)):
        await left(db, server_id, now=now)
    for server_id in sorted(noted & set(present)):
        await returned(db, server_id)


def _welcomed(server_id: int) -> str:
    return f"welcomed:{server_id}"


async def forget(db: Db, server_id: int) -> None:
    """Delete what is kept of a server: settings, level book, entries, digests, alerts and posts, when it was welcomed and left."""
    if server_id == schema.DEFAULT_BOOK:
        return
    await entries.forget(db, server_id)
    kept = (
        schema.server_settings,
        schema.levels,
        schema.digest_schedules,
        schema.alerts,
        schema.outbox,
        schema.servers_left,
    )
    for table in kept:
        await db.execute(delete(table).where(table.c.server_id == server_id))
    await marks.remove(db, _welcomed(server_id))


async def purge(store: Store, now: datetime) -> int:
    """Forget the servers left ``KEPT_AFTER_LEAVING`` ago or longer; returns how many.

    Each in a transaction of its own, so that nobody waits for all of them.
    """
    left = schema.servers_left.c
    long_ago = left.left_at <= epoch(now - KEPT_AFTER_LEAVING)
    async with store.read() as db:
        gone = [row.server_id for row in await db.execute(select(left.server_id).where(long_ago))]
    purged = 0
    for server_id in gone:
        async with store.write() as db:
            # Asked again: the bot may have been invited back since.
            if await db.scalar(select(left.server_id).where(left.server_id == server_id, long_ago)):
                await forget(db, server_id)
                purged += 1
    return purged
