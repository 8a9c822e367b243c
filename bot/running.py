"""What the commands of ``bot/cli.py`` set going: stores opened and closed, the bot run and ended in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import typer

from bot import logs
from bot.clock import Clock, ShiftedClock, SystemClock
from bot.errors import UserError
from storage import backup as backups
from storage import lock, migrate, sample
from storage.store import Store

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.settings import Settings

log = structlog.get_logger(__name__)

SAMPLE_START: Final = datetime(2026, 2, 5, 18, tzinfo=UTC)
"""Where the preview's clock starts on the sample: the middle of the sell-off it shows."""


@asynccontextmanager
async def reading_store(url: str, *, or_sample: bool) -> AsyncIterator[tuple[Store, bool]]:
    """A store to read beside whoever writes it, and whether it is the shipped sample.

    With ``or_sample`` the sample answers while the store does not exist or holds no
    market rows; without it an empty store raises UserError.
    """
    store = await _readable(url, or_sample=or_sample)
    try:
        yield (await sample.open_in_memory(), True) if store is None else (store, False)
    finally:
        if store is not None:
            await store.close()
