"""The connection to Discord: begun, kept, ended in order, and in words why not."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import OperatorMustAct, UserError
from bot.starting import Starts, refuse_without_sessions
from storage import lock

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.settings import Settings

log = structlog.get_logger(__name__)

CONNECTION_SECONDS: Final = 5.0
"""How long the connection to Discord may take to end."""
AUTHENTICATION_FAILED: Final = 4004
"""Discord's code when it closes a connection over the token."""
BEAT_SECONDS: Final = 20.0
"""How often a connected bot says that it is well; ``leadline doctor --health`` waits three times as long."""


def token_of(settings: Settings) -> str:
    """Raises UserError while there is none."""
    if settings.discord_token is None:
        raise UserError("There is no DISCORD_TOKEN in .env.")
    return settings.discord_token.get_secret_value()


def refused() -> UserError:
    return OperatorMustAct("Discord refused the token: put the bot's current one into .env.")


def unreachable() -> UserError:
    return UserError("Discord cannot be reached. Try again in a minute; the log says why.")


async def connected(bot: Leadline, starts: Starts, token: str, stop: asyncio.Event) -> None:
    """Connects and stays so until ``stop``. Raises UserError if Discord does not let us, or cannot."""
    if stop.is_set():  # while the start was waiting
        return
    connection = asyncio.create_task(_connection(bot, starts, token), name="connection")
    stopping = asyncio.create_task(stop.wait(), name="stopping")
    try:
        await asyncio.wait({connection, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if connection.done():
            connection.result()
    finally:
        stopping.cancel()
        if not connection.done():
            # Closing ends the connection; its task then returns by itself.
            await bot.close()
            await asyncio.wait({connection}, timeout=CONNECTION_SECONDS)
            connection.cancel()
            # What an interrupted connection raises is of no interest, but must have been seen.
            await asyncio.gather(connection, return_exceptions=True)


async def _connection(bot: Leadline, starts: Starts, token: str) -> None:
    """Logs in and stays connected until closed; discord.py comes back by itself from what is not final."""
    from aiohttp import ClientError
    from discord import ConnectionClosed, HTTPException, LoginFailure, RateLimited

    try:
        await bot.login(token)
        await refuse_without_sessions(bot)
        await starts.begin(bot.clock.now())
        await bot.connect()
    except LoginFailure:
        raise refused() from None
    except ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise refused() from None
        raise OperatorMustAct(
            "Discord has ended the connection for good (code {code}).", code=error.code
        ) from None
    except (HTTPException, RateLimited, ClientError, OSError) as error:
        if bot.is_closed():  # this is how closing interrupts a call
            return
        log.warning("discord unreachable", reason=str(error) or type(error).__name__)
        raise unreachable() from None
    except AttributeError:
        # discord.py 2.7.1 trips over itself when the very first connection fails, after it has
        # logged why; its latency is not a number until there has been one.
        if math.isnan(bot.latency):
            raise unreachable() from None
        raise


async def beat(bot: Leadline, path: Path | None) -> None:
    """Says that the bot is well, as long as it is connected and the event loop turns."""
    while path is not None:
        well = bot.is_ready() and not bot.is_closed()
        if well:
            await asyncio.to_thread(lock.beat, path)
        await asyncio.sleep(BEAT_SECONDS if well else 1.0)
