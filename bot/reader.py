"""For whom a card is made: language, time zone and look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

import discord

from analysis.charts.look import Look, Palette, Theme
from bot.language import Speech, nearest
from storage.servers import ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    speech: Speech
    look: Look


def of(interaction: discord.Interaction, settings: ServerSettings | None, *, locale: str | None = None) -> Reader:
    """What the server has set; else what its and the reader's Discord say.

    ``locale`` is a choice made on the card itself and goes before everything.
    A server whose Discord is Chinese reads Taipei time and the red-up palette
    until its moderators say otherwise.
    """
    chinese = interaction.guild_locale is not None and nearest(interaction.guild_locale.value) == "zh-TW"
    language = locale or (settings.language if settings is not None else None) or nearest(interaction.locale.value)
    zone = (settings.zone if settings is not None else None) or ("Asia/Taipei" if chinese else "UTC")
    palette = (settings.palette if settings is not None else None) or ("tw" if chinese else "intl")
    theme = (settings.theme if settings is not None else None) or "dark"
    if language not in ("en", "zh-TW"):  # a server that reads both gets each person's own language
        language = nearest(interaction.locale.value)
    return Reader(
        speech=Speech(language, ZoneInfo(zone)),
        look=Look(locale=language, theme=cast(Theme, theme), palette=cast(Palette, palette), zone=zone),
    )
