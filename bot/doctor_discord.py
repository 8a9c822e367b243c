"""What ``leadline doctor`` asks Discord: the token, the servers, what the bot may do in each channel."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import aiohttp
import discord
from discord.http import Route

from bot.doctor import Finding, Verdict

if TYPE_CHECKING:
    from bot.doctor import Home

MOST_SKEW: Final = 5.0
MOST_NAMED: Final = 5
"""Channels of a server named one by one; more are counted."""

NEEDED: Final = {
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}
"""What the bot needs wherever it sees a channel, by discord.py's names and Discord's."""

_NETWORK: Final = "check this computer's network, its name server and its firewall, then discordstatus.com"


async def connection(home: Home) -> list[Finding]:
    """The token, the application, and every server; nothing is said about a channel that is in order."""
    if home.settings.discord_token is None:
        return [
            Finding(
                name="token",
                verdict=Verdict.WARN,
                says="there is none: leadline run shows the preview only",
                remedy="put the bot's token into .env as DISCORD_TOKEN",
            )
        ]
    client = discord.Client(intents=discord.Intents(guilds=True))
    try:
        await client.login(home.settings.discord_token.get_secret_value())
        found = [
            Finding(
                name="token",
                verdict=Verdict.OK,
                says=f"accepted: {client.user}, application {client.application_id}",
            )
        ]
        ids = [guild.id async for guild in client.fetch_guilds(limit=200)]
        if not ids:
            remedy = "invite it: leadline invite prints the address"
            says = "the bot is in no server"
            return [*found, Finding(name="servers", verdict=Verdict.WARN, says=says, remedy=remedy)]
        return [*found, *await asyncio.gather(*(_server(client, number) for number in ids))]
    except discord.LoginFailure:
        return [
            Finding(
                name="token",
                verdict=Verdict.ACT,
                says="Discord refuses it",
                remedy="put the bot's current token into .env; a lost one is made anew on Discord's page of the application",
            )
        ]
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        reason = (
            f"answered {error.status}" if isinstance(error, discord.HTTPException) else "cannot be reached"
        )
        return [Finding(name="Discord", verdict=Verdict.ACT, says=f"Discord {reason}", remedy=_NETWORK)]
    finally:
        await client.close()


async def _server(client: discord.Client, number: int) -> Finding:
    """What the bot lacks in the text channels it sees."""
    if client.user is None:
        raise RuntimeError("not logged in")
    guild = await client.fetch_guild(number, with_counts=False)
    channels, me = await asyncio.gather(guild.fetch_channels(), guild.fetch_member(client.user.id))
    texts = [channel for channel in channels if isinstance(channel, discord.TextChannel)]
    seen = [channel for channel in texts if channel.permissions_for(me).view_channel]
    lacking: dict[str, list[str]] = defaultdict(list)
    for channel in seen:
        allowed = channel.permissions_for(me)
        for name, words in NEEDED.items():
            if not getattr(allowed, name):
                lacking[words].append(f"#{channel.name}")
    name = f"server {guild.name}"
    says = f"{len(seen)} of {len(texts)} text channels can be seen"
    if not lacking and seen:
        return Finding(name=name, verdict=Verdict.OK, says=says)
    if not seen:
        remedy = "give the bot's role View Channels where it is to answer"
        return Finding(name=name, verdict=Verdict.WARN, says=says, remedy=remedy)
    told = "; ".join(f"{words} in {_named(where)}" for words, where in lacking.items())
    remedy = "allow it for the bot's role, in Server Settings or in the channel's permissions"
    return Finding(name=name, verdict=Verdict.WARN, says=f"{says}; lacks {told}", remedy=remedy)


def _named(channels: list[str]) -> str:
    more = len(channels) - MOST_NAMED
    return ", ".join(channels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


async def clock() -> list[Finding]:
    """This computer's clock against the one of Discord's servers."""
    asked = datetime.now(UTC)
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{Route.BASE}/gateway") as answer:
            stated = answer.headers.get("Date", "")
            here = datetime.now(UTC)
        there = parsedate_to_datetime(stated)
        # Between the two it may have been any instant, if the way was long.
        skew = (min(max(there, asked), here) - there).total_seconds()
    except (aiohttp.ClientError, OSError):
        says = "cannot be compared: Discord cannot be reached"
        return [Finding(name="clock", verdict=Verdict.WARN, says=says, remedy=_NETWORK)]
    except ValueError:
        says = "cannot be compared: Discord's answer tells no time"
        return [Finding(name="clock", verdict=Verdict.WARN, says=says, remedy=_NETWORK)]
    if abs(skew) > MOST_SKEW:
        says = f"{abs(skew):.0f} s {'fast' if skew > 0 else 'slow'}: answers would count as late, schedules go wrong"
        remedy = "let the computer set its clock: timedatectl set-ntp true"
        return [Finding(name="clock", verdict=Verdict.ACT, says=says, remedy=remedy)]
    return [Finding(name="clock", verdict=Verdict.OK, says="right, by Discord's")]
