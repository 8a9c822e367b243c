"""For whom a card is made: language, time zone and look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

import discord

from analysis.charts.look import Look, Palette, Theme
from bot.language import LOCALES, Speech, nearest
from storage.servers import ServerSettings

if TYPE_CHECKING:
    from bot.client import Leadline

BOTH: Final = "both"
"""A server that reads both languages: a card is in the one of whoever asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    speech: Speech
    look: Look


def defaults(server_id: int, locale: discord.Locale | None) -> ServerSettings:
    """What holds until moderators say otherwise; ``locale`` is the server's, None where there is none.

    Chinese was chosen by somebody: such a server reads Chinese, Taipei time and the red-up
    palette. English is what Discord gives every server and says nothing: each their own.
    """
    if locale is not None and nearest(locale.value) == "zh-TW":
        return ServerSettings(server_id=server_id, language="zh-TW", zone="Asia/Taipei", palette="tw")
    return ServerSettings(server_id=server_id, language=BOTH)


def of(
    interaction: discord.Interaction, settings: ServerSettings | None, *, locale: str | None = None
) -> Reader:
    """What the server has set; else what holds by default.

    ``locale`` is a choice made on the card itself and goes before everything.
    """
    chosen = settings or defaults(interaction.guild_id or 0, interaction.guild_locale)
    language = locale or (
        chosen.language if chosen.language in LOCALES else nearest(interaction.locale.value)
    )
    return Reader(
        speech=Speech(language, ZoneInfo(chosen.zone)),
        look=Look(
            locale=language,
            theme=cast("Theme", chosen.theme),
            palette=cast("Palette", chosen.palette),
            zone=chosen.zone,
        ),
    )


async def speech_of(interaction: discord.Interaction[Leadline]) -> Speech:
    """The language and time zone of whoever asks here."""
    return of(interaction, await interaction.client.answers.server(interaction.guild_id or 0)).speech
