"""One venue from end to end: over real HTTP into a real store, out again as an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from bot.clock import FixedClock
from bot.every_feed import every_feed, named
from bot.ingest import Coordinator
from providers.client import Client
from storage import migrate
from storage.store import Store
from tests.feeds import venues
from tests.feeds.venues import utc
from tests.patience import PATIENCE
from tests.providers.conftest import HURRIED
from tests.providers.loopback import Loopback, Reply

NOW = utc(2026, 9, 14, 12, 10)
KRAKEN = named(["kraken:BTC:30m"], every_feed())


@pytest.fixture
async def source() -> object:
    async with Loopback() as serving:
        yield serving


async def fetched(store: Store, source: Loopback, *, at: datetime = NOW, calls: int = 1) -> None:
    """Let the coordinator make so many calls."""
    called = asyncio.Event()
    waits = 0

    async def until(_: datetime) -> None:
        nonlocal waits
        waits += 1
        if waits > calls:
            called.set()
            await asyncio.Event().wait()

    async with Client(hosts=HURRIED, transport=source.transport) as client:
        coordinator = Coordinator(
            store, client, KRAKEN, venues=("kraken",), clock=FixedClock(at), until=until, hosts=HURRIED
        )
        running = asyncio.create_task(coordinator.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await called.wait()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def test_what_kraken_answers_is_what_levels_says(
    tmp_path: Path, source: Loopback, command_line: Callable[..., Result]
) -> None:
    file = tmp_path / "leadline.db"
    await migrate.upgrade(f"sqlite+aiosqlite:///{file}")
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    since = NOW - timedelta(days=15)
    params = {"interval": "30", "since": str(int(since.timestamp()) - 1)}
    source.always = Reply(body=venues.kraken(params, NOW))
    await fetched(store, source)
    await store.close()

    (asked,) = source.asked
    assert (asked.url.host, asked.url.path) == ("api.kraken.com", "/0/public/OHLC")
    assert asked.url.params["pair"] == "XBTUSD"
    said = await asyncio.to_thread(
        command_line,
        "--database-url", str(file), "report", "levels", "--json", "--at", "2026-09-14T12:10:00Z",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    closed = int(utc(2026, 9, 14, 12).timestamp())
    assert answer["venue"] == "Kraken"
    assert answer["quote"] == "USD"
    assert answer["source"] == "Kraken BTC/USD"
    assert answer["price"] == venues.price(closed)
    assert answer["price_at"] == "2026-09-14T12:00:00Z"
    assert (answer["age_s"], answer["freshness"]) == (600, "fresh")
    # The bar that opened at 12:00 runs: told as it was seen, and in no other figure.
    open_, high, low, close = venues.row(closed, venues.HALF_HOUR)
    assert answer["unfinished"] == {
        "opened_at": "2026-09-14T12:00:00Z",
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "seen_at": "2026-09-14T12:10:00Z",
    }
