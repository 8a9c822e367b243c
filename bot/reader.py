"""For whom a card is made: language, time zone and look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

import discord

from analysis.charts.look import Look, Palette, Theme
from bot.language import LOCALES, Speech, nearest
from storage.servers import ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    speech: Speech
    look: Look


def of(
    interaction: discord.Interaction, settings: ServerSettings | None, *, locale: str | None = None
) -> Reader:
    """What the server has set; else what its and the reader's Discord say.

    ``locale`` is a choice made on the card itself and goes before everything.
    A server whose Discord is Chinese reads Taipei time and the red-up palette
    until its moderators say otherwise.
    """
    chinese = interaction.guild_locale is not None and nearest(interaction.guild_locale.value) == "zh-TW"
    own = nearest(interaction.locale.value)
    if settings is None:
        server = own, "Asia/Taipei" if chinese else "UTC", "tw" if chinese else "intl", "dark"
    else:
        server = settings.language, settings.zone, settings.palette, settings.theme
    language, zone, palette, theme = server
    language = locale or (
        language if language in LOCALES else own
    )  # a server that reads both: each their own
    return Reader(
        speech=Speech(language, ZoneInfo(zone)),
        look=Look(locale=language, theme=cast("Theme", theme), palette=cast("Palette", palette), zone=zone),
    )
