"""``/lights``: Discord's door to the four lights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reports.lights import REPORT
from bot.respond import PRIVATE, answer

if TYPE_CHECKING:
    from bot.client import Leadline


class LightsCog(commands.Cog):
    @app_commands.command(
        name="lights",
        extras={QUESTION: N_("How do the four lights stand?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(private=PRIVATE)
    @open_to(Right.MEMBER)
    async def lights(
        self,
        interaction: discord.Interaction[Leadline],
        private: bool = False,  # noqa: FBT001, FBT002 -- discord.py's form of a flag
    ) -> None:
        await answer(interaction, REPORT, {}, private=private)


async def setup(bot: Leadline) -> None:
    await bot.add_cog(LightsCog())
