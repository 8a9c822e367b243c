"""``/levels``: Discord's door to the levels report."""

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
from bot.reports.levels import AUTO, BARS, INSTRUMENT, INTERVAL, MOST_BARS, REPORT, SINCE
from bot.respond import PRIVATE, answer
from storage import instruments

if TYPE_CHECKING:
    from bot.client import Leadline

_INTERVALS = [
    app_commands.Choice(name=locale_str("30 minutes"), value="30m"),
    app_commands.Choice(name=locale_str("1 hour"), value="1h"),
    app_commands.Choice(name=locale_str("4 hours"), value="4h"),
    app_commands.Choice(name=locale_str("1 day"), value="1d"),
]


class LevelsCog(commands.Cog):
    @app_commands.command(
        name="levels",
        extras={QUESTION: N_("How far down is the next floor?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(
        instrument=locale_str(INSTRUMENT.help),
        interval=locale_str(INTERVAL.help),
        since=locale_str(SINCE.help),
        bars=locale_str(BARS.help),
        private=PRIVATE,
        auto=locale_str(AUTO.help),
    )
    @app_commands.choices(interval=_INTERVALS)
    @open_to(Right.MEMBER)
    async def levels(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        instrument: str | None = None,
        interval: app_commands.Choice[str] | None = None,
        since: str | None = None,
        bars: app_commands.Range[int, 1, MOST_BARS] | None = None,
        auto: bool | None = None,  # noqa: FBT001 -- discord.py's form of a flag
        private: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        typed = {
            "instrument": instrument,
            "interval": interval.value if interval else None,
            "since": since,
            "bars": None if bars is None else str(bars),
            "auto": "yes" if auto else None,
        }
        words = {name: value for name, value in typed.items() if value is not None}
        await answer(interaction, REPORT, words, private=private)

    @levels.autocomplete("instrument")
    async def _instruments(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        async with interaction.client.answers.store.read() as db:
            known = await instruments.with_candles(db)
        wanted = typed.strip().upper()
        return [
            app_commands.Choice(name=f"{series.code} · {series.label}"[:100], value=series.code)
            for series in known
            if wanted in series.code or wanted in series.label.upper()
        ][:25]

    @levels.autocomplete("since")
    async def _since(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        offered = windows.suggestions(typed, interaction.client.clock.now())
        return [app_commands.Choice(name=value, value=value) for value in offered]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(LevelsCog())
