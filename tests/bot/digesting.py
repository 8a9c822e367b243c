"""A moderator at work on digests: what the panel and the list say, and what is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import simcord
from people import Server, bot_of, texts
from simcord.components import walk_components

from storage import digests, outbox
from storage.digests import Part, Schedule
from storage.outbox import Post

NOW = datetime(2026, 2, 5, 18, 0, tzinfo=UTC)
"""Where the clock of these tests begins: the sample's moment, a Thursday."""
NO_SUCH = "There is no such digest here: see /digest list."


@dataclass
class Hands:
    """A clock that is set by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def words(message: simcord.ResponseMessage) -> str:
    return "\n".join(texts(message))


def selects(message: simcord.ResponseMessage) -> dict[str, dict[str, Any]]:
    """The selects by what they choose."""
    parts = [part for part in walk_components(message.components) if part.get("type") in {3, 6, 8}]
    return {part["custom_id"].split("|")[1]: part for part in parts}


def chosen(message: simcord.ResponseMessage) -> dict[str, list[str]]:
    """What is chosen in each select."""
    return {
        name: [option["value"] for option in select["options"] if option.get("default")]
        if "options" in select
        else [str(value["id"]) for value in select.get("default_values") or ()]
        for name, select in selects(message).items()
    }


async def choose(
    server: Server, panel: simcord.ResponseMessage, select: str, *values: Any
) -> simcord.InteractionResult:
    custom_id = selects(panel)[select]["custom_id"]
    return await server.moderator.select(panel, list(values), custom_id=custom_id)


async def kept(server: Server) -> list[Schedule]:
    async with bot_of(server).answers.store.read() as db:
        return await digests.of_server(db, server.channel.guild.id)


async def keep(server: Server, **fields: Any) -> Schedule:
    """A digest that is there already: levels at 02:00 in Taipei, which is now, in this channel."""
    digest = Schedule(
        server_id=server.channel.guild.id,
        channel_id=server.channel.id,
        parts=(Part(report="levels"),),
        local_time=time(2),
        zone="Asia/Taipei",
        since=NOW,
        created_by=server.moderator.id,
        created_at=NOW - timedelta(days=7),
    )
    digest = replace(digest, **fields)
    async with bot_of(server).answers.store.write() as db:
        number = await digests.add(db, digest)
    return replace(digest, id=number)


async def post_of(server: Server, key: str) -> Post | None:
    async with bot_of(server).answers.store.read() as db:
        return await outbox.find(db, key)


def said_in(channel: Any) -> list[str]:
    """What stands in a channel for all to see."""
    return [message.content for message in channel.history()]
