"""Changes of a server's digests: each once for an interaction, checked again where it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import discord

from bot.digest_draft import MOST_DIGESTS, faults, full, may_post_to
from bot.digests import DigestWriter, planned_through_in, post_now, settle_timing
from bot.errors import AlreadyDone, UserError
from storage import digests, handled, outbox
from storage.digests import Schedule
from storage.outbox import State

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.language import Speech
    from storage.store import Db

BETWEEN_POSTS: Final = timedelta(minutes=1)
"""A button pressed twice posts once."""
_NOT_POSTED = {State.FAILED, State.SKIPPED}
_TIMING = ("local_time", "zone", "days")
_CHOSEN = (*_TIMING, "channel_id", "parts", "language", "ping_role", "latest_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A digest as it is kept now; ``timing`` when a change moved its hours."""

    digest: Schedule
    timing: bool = False


def server_of(interaction: discord.Interaction[Leadline]) -> int:
    if interaction.guild_id is None:
        raise UserError("Digests belong to a server: ask there.")
    return interaction.guild_id


async def of_server(interaction: discord.Interaction[Leadline]) -> list[Schedule]:
    server_id = server_of(interaction)
    async with interaction.client.answers.store.read() as db:
        return await digests.of_server(db, server_id)


async def one_of(interaction: discord.Interaction[Leadline], number: int) -> Schedule:
    """A digest of this server; another's does not exist here. Raises UserError if there is none."""
    return _among(await of_server(interaction), number)


async def room_for_another(interaction: discord.Interaction[Leadline]) -> None:
    """Raises UserError where a server has as many digests as it may."""
    if len(await of_server(interaction)) >= MOST_DIGESTS:
        raise full()


def _among(known: list[Schedule], number: int) -> Schedule:
    found = next((each for each in known if each.id == number), None)
    if found is None:
        raise UserError("There is no such digest here: see /digest list.")
    return found


@asynccontextmanager
async def _changing(interaction: discord.Interaction[Leadline], now: datetime) -> AsyncIterator[Db]:
    """One transaction that notes the interaction; afterwards the outbox looks again."""
    bot = interaction.client
    async with bot.answers.store.write() as db:
        if not await handled.first_time(db, interaction.id, now=now):
            raise AlreadyDone("This has been done already.")
        yield db
    bot.outbox.changed()


async def save(interaction: discord.Interaction[Leadline], draft: Schedule, speech: Speech) -> Changed:
    """Keeps a draft: a new digest, or what was chosen for one there is."""
    now = interaction.client.clock.now()
    async with _changing(interaction, now) as db:
        known = await digests.of_server(db, server_of(interaction))
        for fault in faults(draft, interaction, known, speech):
            raise fault
        if not draft.id:
            number = await digests.add(db, replace(draft, since=now, created_at=now))
            return Changed(digest=replace(draft, id=number, since=now, created_at=now))
        kept = _among(known, draft.id)
        timing = any(getattr(kept, name) != getattr(draft, name) for name in _TIMING)
        if timing and kept.paused is None:
            await settle_timing(db, kept, now)
            kept = _among(await digests.of_server(db, kept.server_id), kept.id)
        after = replace(
            kept,
            **{name: getattr(draft, name) for name in _CHOSEN},
            planned_through=await planned_through_in(db, kept, draft.zone),
            since=now if timing else kept.since,
            changed_by=interaction.user.id,
            changed_at=now,
        )
        await digests.change(db, after)
        return Changed(digest=after, timing=timing)


async def pause(interaction: discord.Interaction[Leadline], number: int) -> Schedule:
    now = interaction.client.clock.now()
    async with _changing(interaction, now) as db:
        kept = _among(await digests.of_server(db, server_of(interaction)), number)
        if kept.paused is not None:
            raise UserError("It is paused already.")
        after = replace(kept, paused="moderator", changed_by=interaction.user.id, changed_at=now)
        await digests.change(db, after)
        return after


async def resume(interaction: discord.Interaction[Leadline], number: int, speech: Speech) -> Schedule:
    """What was due during the pause stays unposted: only what comes from now on counts."""
    now = interaction.client.clock.now()
    async with _changing(interaction, now) as db:
        kept = _among(await digests.of_server(db, server_of(interaction)), number)
        if kept.paused is None:
            raise UserError("It is not paused.")
        may_post_to(kept.channel_id, interaction, speech)
        after = replace(
            kept,
            since=now,
            paused=None,
            refused=0,
            note=None,
            noted_at=None,
            changed_by=interaction.user.id,
            changed_at=now,
        )
        await digests.change(db, after)
        return after


async def remove(interaction: discord.Interaction[Leadline], number: int) -> Schedule:
    now = interaction.client.clock.now()
    async with _changing(interaction, now) as db:
        kept = _among(await digests.of_server(db, server_of(interaction)), number)
        await digests.remove(db, kept.id)
        return kept


async def post(interaction: discord.Interaction[Leadline], number: int, speech: Speech) -> Schedule:
    """Has a digest posted at once; the day's own post comes all the same."""
    now = interaction.client.clock.now()
    async with _changing(interaction, now) as db:
        kept = _among(await digests.of_server(db, server_of(interaction)), number)
        if kept.paused is not None:
            raise UserError("It is paused: resume it first.")
        may_post_to(kept.channel_id, interaction, speech)
        last = await outbox.last_of(db, DigestWriter.kind, kept.id)
        if last is not None and last.state not in _NOT_POSTED and now - last.due_at < BETWEEN_POSTS:
            raise UserError("It was posted less than a minute ago.")
        await post_now(db, kept, interaction.id, now)
        return kept
