"""Whoever judges what is new is woken when it is stored, and by nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from bot.ingest import Coordinator
from providers.client import Client
from storage.store import Store
from tests.feeds.simulated import Time
from tests.feeds.test_ingest import KRAKEN, MINUTE, NOW, at_kraken
from tests.patience import PATIENCE
from tests.providers.conftest import HURRIED
from tests.providers.loopback import Loopback


async def woken(store: Store, source: Loopback, *, minutes: int) -> int:
    times = 0

    def wake() -> None:
        nonlocal times
        times += 1

    time = Time(NOW, NOW + minutes * MINUTE, parties=1)
    async with Client(hosts=HURRIED, transport=source.transport) as client:
        coordinator = Coordinator(
            store, client, KRAKEN, venues=("kraken",), clock=time, until=time.until, hosts=HURRIED,
            rng=Random(1),  # noqa: S311 -- spreads calls, hides nothing
        )  # fmt: skip
        coordinator.on_stored = wake
        running = asyncio.create_task(coordinator.run())
        async with asyncio.timeout(PATIENCE):
            await time.over.wait()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return times


async def test_a_page_with_new_bars_wakes_and_the_same_again_does_not(store: Store, source: Loopback) -> None:
    source.always = at_kraken(NOW)
    assert await woken(store, source, minutes=1) == 1
    assert await woken(store, source, minutes=45) == 0
