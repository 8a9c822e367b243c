"""Two weeks with sources that break at random: nothing is missing afterwards, and nobody was called too often."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import replace
from datetime import timedelta
from random import Random

import httpx
import pytest
import stamina
from structlog.testing import capture_logs

from bot.feeds import BarFeed, every_feed, named
from bot.ingest import Coordinator
from providers.client import Client
from providers.hosts import HOSTS
from storage import bars, feeds, instruments, migrate
from storage.instants import utc as instant
from storage.store import Store
from tests.feeds import venues
from tests.feeds.simulated import KINDS, Time, World
from tests.feeds.venues import utc
from tests.soak import times

START = utc(2026, 9, 1, 7, 13)
DAYS = 14
END = START + timedelta(days=DAYS)
ASKED = ["kraken:BTC:1h", "coinbase:BTC:1h", "bitstamp:BTC:1d"]


@pytest.fixture
def one_try() -> object:
    """The client's own tries follow in fractions of a second, which do not exist here; it has tests of its own."""
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(times(short=1, long=20)))
async def test_every_series_is_whole_again(one_try: object, seed: int) -> None:
    # In memory: what a disk does to a commit is tried where processes are killed.
    store = await Store.open("sqlite+aiosqlite://")
    await migrate.prepare(store)
    rng = Random(seed)  # noqa: S311 -- draws outages, hides nothing
    time = Time(START, END, parties=len(ASKED))
    world = World(time, start=START, days=DAYS, rng=rng)
    ours = [
        replace(feed, depth=min(feed.depth, timedelta(days=20)))
        for feed in named(ASKED, every_feed())
        if isinstance(feed, BarFeed)
    ]
    transport = httpx.MockTransport(world.answer)
    with capture_logs() as logged:
        async with Client(transport=transport, now=time.now, tick=time.tick) as client:
            coordinator = Coordinator(
                store, client, ours, venues=("kraken",), clock=time, until=time.until, rng=rng
            )
            running = asyncio.create_task(coordinator.run())
            ended = asyncio.create_task(time.over.wait())
            await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
            running.cancel()
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    for feed in ours:
        async with store.read() as db:
            series = await instruments.at_venue(db, feed.venue, feed.symbol, feed.interval)
            rows = await bars.closed(db, series, feed.interval, at=END)
            progress = (await feeds.progress(db))[feed.name]
        step = feed.step
        newest = int((END - timedelta(minutes=2)).timestamp()) // step * step
        assert progress.covered_since is not None
        assert [row.opened_at for row in rows] == list(
            range(-(-progress.covered_since // step) * step, newest, step)
        )
        assert instant(rows[0].opened_at) <= START - timedelta(days=14)
        assert [row.close for row in rows] == [venues.price(row.opened_at + step) for row in rows]
    await store.close()

    assert world.too_soon == []
    for host, calls in world.calls.items():
        rules, recent = HOSTS[host], deque[float]()
        for at in calls:
            recent.append(at.timestamp())
            while recent[0] <= recent[-1] - rules.per_s:
                recent.popleft()
            assert len(recent) <= rules.calls, f"{host} at {at}"
    lines = [line for line in logged if line["log_level"] == "warning"]
    outages = sum(len(each) for each in world.outages.values())
    assert outages > 8
    assert len(world.kinds) > min(len(KINDS), outages) // 3
    # A source that fails in two ways during one outage, or twice, says so each time; never each try.
    assert 0 < len(lines) <= 2 * outages
