"""What the commands of ``bot/cli.py`` set going: stores opened and closed, the bot run and ended in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from bot.clock import Clock, ShiftedClock, SystemClock
from bot.errors import UserError
from storage import lock, migrate, sample
from storage.store import Store

if TYPE_CHECKING:
    from bot.answers import Answers
    from bot.settings import Settings

log = structlog.get_logger(__name__)

SAMPLE_START: Final = datetime(2026, 2, 5, 18, tzinfo=UTC)
"""Where the preview's clock starts on the sample: the middle of the sell-off it shows."""


@asynccontextmanager
async def reading_store(url: str, *, or_sample: bool) -> AsyncIterator[tuple[Store, bool]]:
    """A store to read beside whoever writes it, and whether it is the shipped sample.

    With ``or_sample`` the sample answers while the store does not exist or holds no
    market rows; without it a store that is not there, or is empty, raises UserError.
    """
    store, is_sample = await _readable(url, or_sample=or_sample)
    try:
        yield store, is_sample
    finally:
        await store.close()


async def _readable(url: str, *, or_sample: bool) -> tuple[Store, bool]:
    if or_sample and not migrate.exists(url):
        return await sample.open_in_memory(), True
    store = await Store.open(url, readonly=True)
    if await store.has_market_rows():
        return store, False
    await store.close()
    if or_sample:
        return await sample.open_in_memory(), True
    raise UserError("The store holds no market data yet.")


@asynccontextmanager
async def writing_store(url: str) -> AsyncIterator[Store]:
    """The store, migrated and locked against a second writer. Raises UserError while a bot runs on it."""
    with lock.RunningLock(url):
        await migrate.upgrade(url)
        store = await Store.open(url)
        try:
            yield store
        finally:
            await store.close()


async def upgrade(url: str) -> Path | None:
    """Migrates; returns where the copy made beforehand lies, if there was anything to copy."""
    with lock.RunningLock(url):
        return await migrate.upgrade(url)


@asynccontextmanager
async def _answers(store: Store, clock: Clock) -> AsyncIterator[Answers]:
    """Warm drawing processes on a store; ended in order."""
    from bot.answers import Answers
    from bot.pictures import Pictures

    pictures = Pictures()
    await pictures.start()
    try:
        yield Answers(store, pictures, clock)
    finally:
        await pictures.close()


async def discord(settings: Settings) -> int:
    """Connects to Discord and stays until stopped; returns the exit status."""
    from bot import logs
    from bot.client import Leadline
    from bot.shutdown import until_stopped

    token = settings.discord_token
    assert token is not None  # noqa: S101 -- bot.cli opens the preview otherwise
    logs.configure(settings.log_level)
    async with writing_store(settings.database_url) as store:
        if not await store.has_market_rows():
            await sample.load(store)
            log.info("the store was empty: the sample is loaded", ends=sample.ENDS.isoformat())
        async with _answers(store, SystemClock()) as answers:
            bot = Leadline(answers, dev_guild_id=settings.dev_guild_id)
            return await until_stopped(bot, token.get_secret_value())


async def preview(settings: Settings, *, port: int, at: datetime | None, live: bool) -> int:
    """Serves the bot in a local page until stopped; returns the exit status."""
    raise UserError("The preview is not installed.")
