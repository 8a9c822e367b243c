"""Errands on Discord that end at once, unlike ``bot/running.py``: the invitation, telling the commands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from bot.clock import SystemClock
from bot.connection import refused, token_of, unreachable
from bot.errors import UserError
from bot.running import writing_store

if TYPE_CHECKING:
    from bot.settings import Settings

log = structlog.get_logger(__name__)


async def invitation(settings: Settings, application_id: int | None) -> str:
    """The address at which the bot is let into a server; offline. Raises UserError without a usable token."""
    from bot import invite

    if application_id is None:
        application_id = invite.application_id(token_of(settings))
    return invite.address(application_id)


async def sync(settings: Settings, *, guild_id: int | None, clear: bool) -> dict[int | None, int]:
    """Tells Discord about the commands now, or takes them away; returns how many by server, None for all.

    Raises UserError where Discord does not take them, and while a bot runs on the store.
    """
    import discord

    from bot import registration
    from bot.answers import Answers
    from bot.client import Leadline
    from bot.pictures import Pictures

    token = token_of(settings)
    guild = None if guild_id is None else discord.Object(guild_id)
    told: dict[int | None, int] = {}
    async with writing_store(settings.database_url) as store:
        # Nothing is answered, so nothing is drawn.
        bot = Leadline(
            Answers(store, Pictures(charts=()), SystemClock()),
            localized_names=settings.localized_command_names,
            tells_commands=False,
        )
        async with bot:
            with _refusals_in_words():
                await bot.login(token)
                if guild is not None and not clear:
                    bot.tree.copy_global_to(guild=guild)
                for scope in dict.fromkeys((None, guild) if clear else (guild,)):
                    if clear:
                        bot.tree.clear_commands(guild=scope)
                    done = await registration.tell(bot.tree, bot.translator, store, scope)
                    told[None if scope is None else scope.id] = len(done.ids)
    return told


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    """What Discord answers to an errand, as a sentence for whoever sent it."""
    from aiohttp import ClientError
    from discord import Forbidden, HTTPException, LoginFailure, NotFound, RateLimited
    from discord.app_commands import CommandSyncFailure

    try:
        yield
    except LoginFailure:
        raise refused() from None
    except (Forbidden, NotFound):
        raise UserError(
            "Discord refused it: the bot is not in that server, or was let in without commands."
        ) from None
    except CommandSyncFailure as error:
        raise UserError("Discord does not take these commands: {reason}", reason=str(error)) from None
    except RateLimited as error:
        minutes = math.ceil(error.retry_after / 60)
        raise UserError(
            "Discord takes no more commands for now: try again in {minutes} min.", minutes=minutes
        ) from None
    except (HTTPException, ClientError, OSError) as error:
        log.warning("discord unreachable", reason=str(error) or type(error).__name__)
        raise unreachable() from None
