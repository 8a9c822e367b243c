"""``/stress``: Discord's door to the stress report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reports import windows
from bot.reports.stress import REPORT, SINCE, VIEW
from bot.respond import PRIVATE, answer

if TYPE_CHECKING:
    from bot.client import Leadline


_VIEWS = [
    app_commands.Choice(name=locale_str("board"), value="board"),
    app_commands.Choice(name=locale_str("index"), value="index"),
    app_commands.Choice(name=locale_str("correlation"), value="correlation"),
    app_commands.Choice(name=locale_str("history"), value="history"),
]


class StressCog(commands.Cog):
    @app_commands.command(
        name="stress",
        extras={QUESTION: N_("Is it stress or rotation?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(since=locale_str(SINCE.help), view=locale_str(VIEW.help), private=PRIVATE)
    @app_commands.choices(view=_VIEWS)
    @open_to(Right.MEMBER)
    async def stress(
        self,
        interaction: discord.Interaction[Leadline],
        since: str | None = None,
        view: app_commands.Choice[str] | None = None,
        private: bool = False,  # noqa: FBT001, FBT002 -- discord.py's form of a flag
    ) -> None:
        typed = {"since": since, "view": view.value if view else None}
        words = {name: value for name, value in typed.items() if value is not None}
        await answer(interaction, REPORT, words, private=private)

    @stress.autocomplete("since")
    async def _since(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        offered = windows.suggestions(typed, interaction.client.clock.now())
        return [app_commands.Choice(name=value, value=value) for value in offered]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(StressCog())
