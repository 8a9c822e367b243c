"""A source on loopback, an empty store, and a coordinator that runs from one instant to another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from bot.feeds import Feed
from bot.ingest import Coordinator
from providers.client import Client
from storage import migrate
from storage.store import Store
from tests.feeds.simulated import Time
from tests.patience import PATIENCE
from tests.providers.conftest import HURRIED
from tests.providers.loopback import Loopback

Run = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture
async def source() -> AsyncIterator[Loopback]:
    async with Loopback() as serving:
        yield serving


@pytest_asyncio.fixture
async def file(tmp_path: Path) -> Path:
    file = tmp_path / "leadline.db"
    await migrate.upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest_asyncio.fixture
async def store(file: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


@pytest.fixture
def run(store: Store, source: Loopback) -> Run:
    """A process of its own each time: what it knows of before is in the store."""

    async def ran(
        feeds: Sequence[Feed], start: datetime, end: datetime, *, full: Callable[[], bool] = lambda: False
    ) -> None:
        time = Time(start, end, parties=len({feed.host for feed in feeds}))
        async with Client(hosts=HURRIED, transport=source.transport) as client:
            coordinator = Coordinator(
                store,
                client,
                feeds,
                venues=("kraken", "coinbase"),
                clock=time,
                until=time.until,
                hosts=HURRIED,
                rng=Random(1),  # noqa: S311 -- spreads calls, hides nothing
                full=full,
            )
            running = asyncio.create_task(coordinator.run())
            over = asyncio.create_task(time.over.wait())
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait({running, over}, return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    return ran
