"""``/macro``: Discord's door to the macro report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reports.macro import REPORT
from bot.respond import PRIVATE, answer

if TYPE_CHECKING:
    from bot.client import Leadline


class MacroCog(commands.Cog):
    @app_commands.command(
        name="macro",
        extras={QUESTION: N_("Where do Fed and prices stand?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(private=PRIVATE)
    @open_to(Right.MEMBER)
    async def macro(
        self,
        interaction: discord.Interaction[Leadline],
        private: bool = False,  # noqa: FBT001, FBT002 -- discord.py's form of a flag
    ) -> None:
        await answer(interaction, REPORT, {}, private=private)


async def setup(bot: Leadline) -> None:
    await bot.add_cog(MacroCog())
