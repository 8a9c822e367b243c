"""``/flows``: Discord's door to the flows report."""

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
from bot.reports.flows import ASSET, REPORT, SINCE
from bot.respond import PRIVATE, answer

if TYPE_CHECKING:
    from bot.client import Leadline

_ASSETS = [
    app_commands.Choice(name=locale_str("bitcoin (BTC)"), value="BTC"),
    app_commands.Choice(name=locale_str("ether (ETH)"), value="ETH"),
]


class FlowsCog(commands.Cog):
    @app_commands.command(
        name="flows",
        extras={QUESTION: N_("Do ETFs take in or give back?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(asset=locale_str(ASSET.help), since=locale_str(SINCE.help), private=PRIVATE)
    @app_commands.choices(asset=_ASSETS)
    @open_to(Right.MEMBER)
    async def flows(
        self,
        interaction: discord.Interaction[Leadline],
        asset: app_commands.Choice[str] | None = None,
        since: str | None = None,
        private: bool = False,  # noqa: FBT001, FBT002 -- discord.py's form of a flag
    ) -> None:
        typed = {"asset": asset.value if asset else None, "since": since}
        words = {name: value for name, value in typed.items() if value is not None}
        await answer(interaction, REPORT, words, private=private)

    @flows.autocomplete("since")
    async def _since(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        offered = windows.suggestions(typed, interaction.client.clock.now())
        return [app_commands.Choice(name=value, value=value) for value in offered]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(FlowsCog())
