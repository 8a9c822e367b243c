"""The one message a server gets unasked: what to type first, said when the bot comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import discord
import structlog

from bot.language import LOCALES, Speech
from bot.questions import mention
from bot.reader import BOTH, defaults
from storage import servers
from storage.store import Store

log = structlog.get_logger(__name__)


async def joined(
    guild: discord.Guild,
    me: discord.Member | None,
    store: Store,
    *,
    now: datetime,
    command_ids: Mapping[str, int],
) -> None:
    """Greets a server in its system channel, once, if ``me`` may write there; else says nothing."""
    channel = _where(guild, me)
    async with store.write() as db:
        await servers.returned(db, guild.id)
        # Noted before it is sent: rather none than two.
        greet = channel is not None and await servers.first_welcome(db, guild.id, now=now)
    log.info("joined a server", server=guild.id, greeted=greet)
    if channel is None or not greet:
        return
    try:
        await channel.send(words(guild.preferred_locale, command_ids))
    except Exception as error:
        # Whatever it was, the server has lost a greeting and nothing else.
        log.warning("welcome not sent", server=guild.id, reason=str(error) or type(error).__name__)


def _where(guild: discord.Guild, me: discord.Member | None) -> discord.TextChannel | None:
    channel = guild.system_channel
    if channel is None or me is None:
        return None
    may = channel.permissions_for(me)
    return channel if may.view_channel and may.send_messages else None


def words(locale: discord.Locale, command_ids: Mapping[str, int]) -> str:
    """In Chinese where Discord is; elsewhere in both languages, because English may not have been chosen."""
    language = defaults(0, locale).language
    languages = LOCALES if language == BOTH else (language,)
    return "\n\n".join(_in(Speech(language, ZoneInfo("UTC")), command_ids) for language in languages)


def _in(speech: Speech, command_ids: Mapping[str, int]) -> str:
    _ = speech._
    lines = (
        _(
            "**Leadline is here.** Begin with {levels}: how far down is the next floor? {help} names all questions."
        ),
        _("Moderators choose language, time zone and colours with {settings}."),
        _("Leadline answers commands only. It reads no messages."),
    )
    names = {name: mention(name, command_ids) for name in ("levels", "help", "settings")}
    return "\n".join(line.format(**names) for line in lines)
