"""``/level-book``: Discord's door to a server's own levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import level_book
from bot.errors import UserError
from bot.language import N_
from bot.permissions import Right, is_moderator, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.tell import Said, tell
from storage import level_book as books

if TYPE_CHECKING:
    from bot.client import Leadline
    from storage.level_book import Book


@app_commands.guild_only()
class LevelBookCog(
    commands.GroupCog,
    group_name="level-book",
    group_description=locale_str("The prices this server watches"),
    group_extras={QUESTION: N_("Which prices are watched here?")},
):
    @app_commands.command(
        name="add",
        description=locale_str("Put a price into this server's level book"),
    )
    @app_commands.describe(
        price=locale_str("The price, such as 73.6k or 73,600"),
        label=locale_str("What to call it"),
        venue=locale_str("Where it was traded"),
        date=locale_str("When: 2026-01-28 or 1/28"),
        source=locale_str("Where it comes from"),
    )
    @open_to(Right.MODERATOR)
    async def add(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        price: str,
        label: str = "",
        venue: str = "",
        date: str = "",
        source: str = "",
    ) -> None:
        bot, server_id, now = interaction.client, _server_of(interaction), interaction.client.clock.now()
        level = level_book.drafted(price, label=label, venue=venue, dated=date, source=source, now=now)
        speech = await speech_of(interaction)

        async def adding() -> Said:
            change = await level_book.add(
                bot.answers.store,
                level,
                server_id=server_id,
                user_id=interaction.user.id,
                interaction_id=interaction.id,
                now=now,
            )
            return Said(text=level_book.added_words(change, speech))

        await tell(interaction, adding())

    @app_commands.command(
        name="remove",
        description=locale_str("Take a price out of this server's level book"),
    )
    @app_commands.describe(level=locale_str("The level's price"))
    @open_to(Right.MODERATOR)
    async def remove(self, interaction: discord.Interaction[Leadline], level: str) -> None:
        bot, server_id = interaction.client, _server_of(interaction)
        speech = await speech_of(interaction)

        async def removing() -> Said:
            change = await level_book.remove(
                bot.answers.store,
                level,
                server_id=server_id,
                interaction_id=interaction.id,
                now=bot.clock.now(),
            )
            return Said(text=level_book.removed_words(change, speech))

        await tell(interaction, removing())

    @remove.autocomplete("level")
    async def _levels(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        speech = await speech_of(interaction)
        choices = level_book.offered(await _book(interaction), typed, speech)
        return [app_commands.Choice(name=shown, value=value) for shown, value in choices]

    @app_commands.command(
        name="list",
        description=locale_str("The levels of this server's book"),
    )
    @open_to(Right.MEMBER)
    async def list_(self, interaction: discord.Interaction[Leadline]) -> None:
        bot, server_id, speech = interaction.client, _server_of(interaction), await speech_of(interaction)
        asked_by_moderator = is_moderator(interaction, await bot.answers.server(server_id))

        async def listing() -> Said:
            async with bot.answers.store.read() as db:
                book = await books.book(db, server_id)
                added = await books.added(db, server_id, most=level_book.NEWEST) if asked_by_moderator else []
            parts = (level_book.list_words(book, speech), level_book.added_by_words(added, speech))
            return Said(text="\n".join(part for part in parts if part))

        await tell(interaction, listing())


def _server_of(interaction: discord.Interaction[Leadline]) -> int:
    if interaction.guild_id is None:
        raise UserError("A level book belongs to a server: ask there.")
    return interaction.guild_id


async def _book(interaction: discord.Interaction[Leadline]) -> Book:
    server_id = _server_of(interaction)
    async with interaction.client.answers.store.read() as db:
        return await books.book(db, server_id)


async def setup(bot: Leadline) -> None:
    await bot.add_cog(LevelBookCog())
