"""``/help``: what can be asked, by question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import card, questions
from bot.language import N_
from bot.permissions import Right, is_moderator, open_to
from bot.questions import QUESTION
from bot.reader import of as reader_of

if TYPE_CHECKING:
    from bot.client import Leadline


class HelpCog(commands.Cog):
    @app_commands.command(
        name="help",
        description=locale_str("What can be asked here, by question"),
        extras={QUESTION: N_("What can be asked here?")},
    )
    @open_to(Right.MEMBER)
    async def help(self, interaction: discord.Interaction[Leadline]) -> None:
        bot = interaction.client
        async with bot.answers.running():
            settings = await bot.answers.server(interaction.guild_id or 0)
            speech = reader_of(interaction, settings).speech
            asked = await questions.lines(bot.tree.get_commands(), bot.translator)
            page = questions.words(
                [line for line in asked if line.command != "help"],
                bot.command_ids,
                speech,
                moderator=is_moderator(interaction, settings),
            )
            await interaction.response.send_message(view=card.words_only(page), ephemeral=True)


async def setup(bot: Leadline) -> None:
    await bot.add_cog(HelpCog())
