"""``/settings``: Discord's door to what a server has chosen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import light_settings, zones
from bot.language import N_, nearest
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.settings_changes import change, moderator_role, panel
from bot.settings_panel import CHOICES

if TYPE_CHECKING:
    from bot.client import Leadline


def _choices(setting: str) -> list[app_commands.Choice[str]]:
    return [
        app_commands.Choice(name=locale_str(words), value=value) for value, words in CHOICES[setting].items()
    ]


class SettingsCog(commands.Cog):
    @app_commands.command(
        name="settings",
        description=locale_str(
            "What this server reads: language, time zone, colours, channels, moderators, lights"
        ),
        extras={QUESTION: N_("Where are language, time zone and colours set?")},
    )
    @app_commands.describe(
        language=locale_str("Language of the answers"),
        zone=locale_str("Time zone: a city, a country, UTC+8 or EST"),
        palette=locale_str("Colours of rising and falling prices"),
        theme=locale_str("Dark or light pictures"),
        role=locale_str("The role that may do what moderators may"),
        lights_line=locale_str("Four lights: the line, a bitcoin price (default 73,600)"),
        lights_closes=locale_str("Four lights: 30-minute closes until the line is held (default 8)"),
        lights_flows=locale_str("Four lights: least flow of five days in US$ million (default 0)"),
        lights_macro=locale_str("Four lights: macro is calm under so many sigmas (default 1.5)"),
        lights_silver=locale_str("Four lights: silver is quiet under so many sigmas (default 1.5)"),
    )
    @app_commands.choices(language=_choices("language"), palette=_choices("palette"), theme=_choices("theme"))
    @app_commands.guild_only()
    @open_to(Right.MODERATOR)
    async def settings(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        language: app_commands.Choice[str] | None = None,
        zone: str | None = None,
        palette: app_commands.Choice[str] | None = None,
        theme: app_commands.Choice[str] | None = None,
        role: discord.Role | None = None,
        lights_line: str | None = None,
        lights_closes: str | None = None,
        lights_flows: str | None = None,
        lights_macro: str | None = None,
        lights_silver: str | None = None,
    ) -> None:
        bot = interaction.client
        async with bot.answers.running():
            chosen: dict[str, Any] = {
                name: choice.value
                for name, choice in (("language", language), ("palette", palette), ("theme", theme))
                if choice is not None
            }
            if zone is not None:
                chosen["zone"] = await asyncio.to_thread(zones.resolve, zone, bot.clock.now())
            if role is not None:
                chosen["moderator_role"] = moderator_role(interaction, role)
            typed = {
                "line": lights_line,
                "closes": lights_closes,
                "flows_musd": lights_flows,
                "macro_sigma": lights_macro,
                "silver_sigma": lights_silver,
            }
            chosen |= light_settings.drafted(typed)
            before, settings = None, await bot.answers.server(interaction.guild_id or 0)
            if chosen:
                before, settings = await change(interaction, **chosen)
            view = await panel(interaction, settings, before=before)
            await interaction.response.send_message(view=view, ephemeral=True)

    @settings.autocomplete("zone")
    async def _zones(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        now = interaction.client.clock.now()
        locale = nearest(interaction.locale.value)
        # In a thread: names of places are read from files the first time.
        found = await asyncio.to_thread(zones.search, typed, now)
        return [
            app_commands.Choice(name=zones.line(place.zone, locale, now)[:100], value=place.zone)
            for place in found[:25]
        ]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(SettingsCog())
