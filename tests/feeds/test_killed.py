"""Killed at random moments of fetching: what is stored of a batch is all of it, and the store stays whole."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx
import pytest

from bot.every_feed import every_feed, named
from bot.feeds import BarFeed
from bot.fetching import Call, Fetching
from providers.client import Client
from storage import migrate
from storage.instants import utc as instant
from storage.store import Store
from tests.feeds import venues
from tests.feeds.venues import HALF_HOUR, utc
from tests.providers.conftest import HURRIED
from tests.soak import times

START = utc(2026, 3, 1)
BATCH = 48
"""New bars a call."""


async def fetch_days(url: str, told: int, *, days: int) -> None:
    """One batch after the other, a day at a time; a byte for each that is committed."""
    (feed,) = named(["kraken:BTC:30m"], every_feed())
    assert isinstance(feed, BarFeed)
    store = await Store.open(url)
    now = START

    def answer(request: httpx.Request) -> httpx.Response:
        body = venues.kraken(dict(request.url.params), now)
        return httpx.Response(200, stream=httpx.ByteStream(body))

    async with Client(hosts=HURRIED, transport=httpx.MockTransport(answer)) as client:
        fetching = Fetching(store, client)
        known = (await fetching.register((feed,)))[feed.name]
        if known.covered_until is not None:
            now = instant(known.covered_until)
        for _ in range(days):
            now += timedelta(seconds=BATCH * HALF_HOUR)
            await fetching.page(feed, Call(now=now + timedelta(seconds=10), next_try_at=now))
            os.write(told, b".")
    await store.close()


def killed_once(url: str, rng: Random) -> None:
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(fetch_days(url, writes, days=1_000))
        finally:
            os._exit(1)
    os.close(writes)
    try:
        for _ in range(rng.choice((1, 1, 1, 2))):
            assert os.read(reads, 1) == b".", "the child ended by itself"
        time.sleep(rng.uniform(0, 0.02))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reads)


@pytest.mark.soak
def test_no_half_batch_is_ever_stored(tmp_path: Path) -> None:
    file = tmp_path / "leadline.db"
    url = f"sqlite+aiosqlite:///{file}"
    asyncio.run(migrate.upgrade(url))
    with Path(os.devnull).open("wb") as nobody:
        # What a first run has to import and to build, each child then has from its birth.
        asyncio.run(fetch_days(url, nobody.fileno(), days=1))
    rng = Random(5)  # noqa: S311 -- draws moments, hides nothing
    interrupted = 0
    for _ in range(times(short=200, long=2_000)):
        killed_once(url, rng)
        # Not every kill meets a write; those that do leave a journal behind.
        interrupted += file.with_name(f"{file.name}-journal").exists()
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            since, until = db.execute("SELECT covered_since, covered_until FROM feeds").fetchone()
            stored = db.execute("SELECT count(*), min(opened_at), max(closed_at) FROM bars").fetchone()
            assert stored == ((until - since) // HALF_HOUR, since, until)
            assert db.execute("SELECT count(*) FROM staged_bars").fetchone() == (0,)
            whole_days = until // 86_400 - -(-since // 86_400)
            assert db.execute("SELECT count(*) FROM daily_rollups").fetchone() == (whole_days,)
            (running,) = db.execute("SELECT opened_at FROM unfinished_bars").fetchone()
            assert running == until
    assert interrupted > 20
