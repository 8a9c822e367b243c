"""What a Discord server has chosen."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from storage import schema
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A server's choices. ``zone`` is an IANA name; ``public_channels`` are channel ids.

    ``changed_by`` (a user id) changed them last, at ``changed_at`` (epoch seconds UTC).
    """

    server_id: int
    language: str = "en"
    zone: str = "UTC"
    palette: str = "intl"
    theme: str = "dark"
    public_channels: tuple[int, ...] = ()
    moderator_role: int | None = None
    changed_by: int | None = None
    changed_at: int | None = None


async def settings(db: Db, server_id: int) -> ServerSettings | None:
    """What a server chose; None while it has chosen nothing."""
    t = schema.server_settings
    row = (await db.execute(select(t).where(t.c.server_id == server_id))).mappings().first()
    if row is None:
        return None
    channels = tuple(int(channel) for channel in row["public_channels"].split())
    return ServerSettings(**{**row, "public_channels": channels})


async def keep(db: Db, chosen: ServerSettings) -> None:
    """Make ``chosen`` the server's settings."""
    t = schema.server_settings
    values = {**asdict(chosen), "public_channels": " ".join(map(str, chosen.public_channels))}
    done = await db.execute(update(t).where(t.c.server_id == chosen.server_id).values(values))
    if done.rowcount == 0:
        await db.execute(insert(t).values(values))


async def forget(db: Db, server_id: int) -> None:
    """Delete what is kept of a server: its settings, its own level book, its digests and what they were to post."""
    for table in (schema.server_settings, schema.levels, schema.digest_schedules, schema.outbox):
        if server_id != schema.DEFAULT_BOOK:
            await db.execute(delete(table).where(table.c.server_id == server_id))
