"""``/digest``: Discord's door to what a server wants told at its hours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import digest_changes, digest_draft, digest_list, digest_store, times_of_day, zones
from bot.errors import UserError
from bot.language import N_, nearest
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.tell import Said, tell

if TYPE_CHECKING:
    from bot.client import Leadline
    from storage.digests import Schedule

_LONGEST = 20
"""Digits that no number of the store has."""
_DIGEST = locale_str("Which digest; not needed where there is only one")


@app_commands.guild_only()
class DigestCog(
    commands.GroupCog,
    group_name="digest",
    group_description=locale_str("Reports posted in this server at fixed times"),
    group_extras={QUESTION: N_("What is posted, and when?")},
):
    @app_commands.command(
        name="add",
        description=locale_str("Have a report posted at a fixed time; a preview comes first"),
        extras={QUESTION: N_("How is a report posted every day?")},
    )
    @app_commands.describe(
        report=locale_str("Which report: levels, or with options, levels interval:4h"),
        time=locale_str("When: 09:00, 21:30 or 9pm, on the server's clock"),
    )
    @open_to(Right.MODERATOR)
    async def add(self, interaction: discord.Interaction[Leadline], report: str, time: str) -> None:
        part = digest_draft.part_of(report, interaction.client.clock.now())
        draft = await digest_changes.blank(interaction, part, times_of_day.parse(time))
        await digest_store.room_for_another(interaction)
        await tell(interaction, digest_changes.panel(interaction, draft))

    @add.autocomplete("report")
    async def _reports(
        self,
        interaction: discord.Interaction[Leadline],  # noqa: ARG002 -- discord.py's signature
        typed: str,
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=text, value=text) for text in digest_draft.offered(typed)[:25]]

    @app_commands.command(
        name="list", description=locale_str("This server's digests: next post, last post, state")
    )
    @open_to(Right.MODERATOR)
    async def list_(self, interaction: discord.Interaction[Leadline]) -> None:
        digest_store.server_of(interaction)
        await tell(interaction, digest_list.listed(interaction))

    @app_commands.command(
        name="edit", description=locale_str("Change a digest: time, zone, channel, days, language, reports")
    )
    @app_commands.describe(
        digest=_DIGEST,
        time=locale_str("When: 09:00, 21:30 or 9pm, on the digest's clock"),
        zone=locale_str("Time zone: a city, a country, UTC+8 or EST"),
    )
    @open_to(Right.MODERATOR)
    async def edit(
        self,
        interaction: discord.Interaction[Leadline],
        digest: str | None = None,
        time: str | None = None,
        zone: str | None = None,
    ) -> None:
        now = interaction.client.clock.now()
        draft = await digest_changes.retimed(await _chosen(interaction, digest), time, zone, now)
        await tell(interaction, digest_changes.panel(interaction, draft))

    @edit.autocomplete("zone")
    async def _zones(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        now, locale = interaction.client.clock.now(), nearest(interaction.locale.value)
        # In a thread: names of places are read from files the first time.
        found = await asyncio.to_thread(zones.search, typed, now)
        return [
            app_commands.Choice(name=zones.line(place.zone, locale, now)[:100], value=place.zone)
            for place in found[:25]
        ]

    @app_commands.command(
        name="pause", description=locale_str("Post nothing of a digest until it is resumed")
    )
    @app_commands.describe(digest=_DIGEST)
    @open_to(Right.MODERATOR)
    async def pause(self, interaction: discord.Interaction[Leadline], digest: str | None = None) -> None:
        await _do(interaction, digest, digest_list.paused)

    @app_commands.command(name="resume", description=locale_str("Let a paused digest go on"))
    @app_commands.describe(digest=_DIGEST)
    @open_to(Right.MODERATOR)
    async def resume(self, interaction: discord.Interaction[Leadline], digest: str | None = None) -> None:
        await _do(interaction, digest, digest_list.resumed)

    @app_commands.command(name="remove", description=locale_str("Remove a digest; you are asked once"))
    @app_commands.describe(digest=_DIGEST)
    @open_to(Right.MODERATOR)
    async def remove(self, interaction: discord.Interaction[Leadline], digest: str | None = None) -> None:
        chosen = await _chosen(interaction, digest)
        await tell(interaction, digest_list.question(interaction, chosen.id))

    @app_commands.command(
        name="now", description=locale_str("Post a digest at once, beside its regular posts")
    )
    @app_commands.describe(digest=_DIGEST)
    @open_to(Right.MODERATOR)
    async def now(self, interaction: discord.Interaction[Leadline], digest: str | None = None) -> None:
        await _do(interaction, digest, digest_list.posted)

    @edit.autocomplete("digest")
    @pause.autocomplete("digest")
    @resume.autocomplete("digest")
    @remove.autocomplete("digest")
    @now.autocomplete("digest")
    async def _digests(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        speech = await speech_of(interaction)
        known = await digest_store.of_server(interaction)
        named = [(digest_list.name_of(each, interaction.guild, speech), str(each.id)) for each in known]
        wanted = typed.strip().casefold()
        return [
            app_commands.Choice(name=name, value=value)
            for name, value in named
            if wanted in name.casefold() or wanted == value
        ]


async def _do(
    interaction: discord.Interaction[Leadline],
    digest: str | None,
    work: Callable[[discord.Interaction[Leadline], int], Awaitable[str]],
) -> None:
    chosen = await _chosen(interaction, digest)

    async def doing() -> Said:
        return Said(text=await work(interaction, chosen.id))

    await tell(interaction, doing())


async def _chosen(interaction: discord.Interaction[Leadline], typed: str | None) -> Schedule:
    """The digest meant by a choice, or the only one. Raises UserError when it is none or one of several."""
    if typed is not None:
        # What was offered is its number; anything else names none, also digits without end.
        is_number = typed.isascii() and typed.isdigit() and len(typed) < _LONGEST
        return await digest_store.one_of(interaction, int(typed) if is_number else 0)
    known = await digest_store.of_server(interaction)
    if not known:
        raise UserError("There is no digest here yet: /digest add sets one up.")
    if len(known) > 1:
        raise UserError("There are {n} digests here: choose one.", n=len(known))
    return known[0]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(DigestCog())
