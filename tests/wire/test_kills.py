"""Bots are killed, at random and at every point of the way of a post: none is doubled, none is lost.

The bot is the real one over real HTTP and a real WebSocket; Discord commits late, answers
wrongly or not at all, and forgets a nonce after a second. ``LEADLINE_SOAK=1`` kills ten
times as often.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.posts import marker_of
from storage import digests, outbox
from storage.digests import Part, Schedule
from storage.store import Store
from tests.patience import PATIENCE
from tests.soak import times
from tests.wire import payloads
from tests.wire.conftest import Open
from tests.wire.loopback import Discord
from tests.wire.payloads import CHANNEL, GUILD, TOKEN
from tests.wire.posts import Weather
from tests.wire.process import ROOT

KILLS = times(short=300, long=3_000)
LANES = 3
"""Bots at a time, each with a Discord and a store of its own."""
EACH_TIME = 2
"""Posts that become due in every life of a bot."""
WINDOW = 1.5
ARRIVED = "arrived"
"""On the wire: Discord has the message, the bot no answer."""
POINTS = ("planned", "rendered", "claimed", "checked", "sending", "sent", "settled", ARRIVED)
WEATHER = Weather(
    reset_before=0.03,
    reset_after=0.04,
    error_before=0.03,
    error_after=0.04,
    limited=0.01,
    late=0.4,
    slowest=1.1,
)
CHANNELS = [str(int(CHANNEL) + number) for number in range(4)]
PARTS = (Part(report="levels"), Part(report="silver-margin"), Part(report="flows"))


class Nursery:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asking = asyncio.Lock()

    async def birth(self, **born: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._asking:
            self._process.stdin.write(json.dumps(born).encode() + b"\n")
            await self._process.stdin.drain()
            return int(await self._process.stdout.readline())


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("nursery.py")),
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"warm\n"
    yield Nursery(process)
    process.kill()
    await process.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def ended(pid: int, *, within: float) -> bool:
    until = time.monotonic() + within
    for _ in range(round(within * 100)):
        if not alive(pid) or time.monotonic() > until:
            break
        await asyncio.sleep(0.01)
    return not alive(pid)


async def schedule_more(file: Path, count: int, dice: random.Random) -> None:
    """Digests due at this second; those that are through are taken away, so that no start is slow."""
    with closing(sqlite3.connect(file)) as db:
        db.execute(
            "DELETE FROM digest_schedules WHERE id IN (SELECT subject FROM outbox WHERE state = 'done')"
        )
        db.commit()
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    now = datetime.now(UTC)
    try:
        async with store.write() as db:
            for _ in range(count):
                schedule = Schedule(
                    server_id=int(GUILD),
                    channel_id=int(dice.choice(CHANNELS)),
                    parts=tuple(dice.sample(PARTS, dice.randint(1, 2))),
                    local_time=now.time().replace(microsecond=0),
                    zone="UTC",
                    since=now - timedelta(seconds=2),
                    created_by=1,
                    created_at=now,
                )
                await digests.add(db, schedule)
    finally:
        await store.close()


def _nothing() -> None:
    """When no bot is to die of its message."""


class Lane:
    """One bot after the other on one store, each killed but the last."""

    kind = "digest"

    def __init__(self, discord: Discord, file: Path, nursery: Nursery, seed: int) -> None:
        self.discord, self.file, self._nursery = discord, file, nursery
        self._dice = random.Random(seed)  # noqa: S311 -- chance, no secret
        self.due = 0
        self.log = file.with_suffix(".log")

    async def more(self) -> None:
        """Something new is to be posted in the coming life."""
        await schedule_more(self.file, EACH_TIME, self._dice)
        self.due += EACH_TIME

    async def born(self, point: str = "", nth: int = 1) -> int:
        return await self._nursery.birth(
            rest=self.discord.rest,
            gateway=self.discord.gateway.address,
            store=str(self.file),
            log=str(self.log),
            point=point,
            nth=nth,
        )

    async def kill(self, times: int) -> None:
        for turn in range(times):
            await self.more()
            if turn % 2:
                point = POINTS[turn // 2 % len(POINTS)]
                pid = await self.born(point, self._dice.randint(1, 2))
                if point == ARRIVED:
                    self.discord.posts.on_arrival = partial(kill, pid)
                await ended(pid, within=2.5)
                self.discord.posts.on_arrival = _nothing
            else:
                pid = await self.born()
                await asyncio.sleep(self._dice.uniform(0.2, 1.0))
            kill(pid)
            assert await ended(pid, within=PATIENCE)
            if self._dice.random() < 0.06:
                # Longer than Discord remembers a nonce.
                await asyncio.sleep(WINDOW)

    async def finish(self) -> None:
        self.discord.posts.weather = Weather()
        pid = await self.born()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * PATIENCE):
                while self.open():  # noqa: ASYNC110 -- a file of another process has no event
                    await asyncio.sleep(0.2)
        kill(pid)
        assert await ended(pid, within=PATIENCE)

    def open(self) -> int:
        # Not for reading only: what a killed bot left half written must be rolled back first.
        with closing(sqlite3.connect(self.file, timeout=PATIENCE)) as db:
            (waiting,) = db.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE settled_at IS NULL)"
                " + (SELECT count(*) FROM digest_schedules WHERE planned_through IS NULL)"
            ).fetchone()
        return int(waiting)

    def told(self) -> tuple[int, int, int]:
        """How many posts there were, how many of them were doubled, how many lost."""
        with closing(sqlite3.connect(self.file)) as db:
            rows = db.execute("SELECT key, channel_id FROM outbox WHERE kind = ?", [self.kind]).fetchall()
        counts = []
        for key, channel in rows:
            now = datetime.now(UTC)
            post = outbox.Post(
                key=key, kind=self.kind, server_id=0, channel_id=channel, due_at=now, post_until=now
            )
            marker = marker_of(post)
            counts.append(sum(marker in each.text for each in self.discord.posts.posted))
        return len(rows), sum(count > 1 for count in counts), sum(count == 0 for count in counts)


@pytest.mark.soak
async def test_whatever_dies_every_post_comes_once(
    opened: Open, database: Path, nursery: Nursery, tmp_path: Path
) -> None:
    lanes = []
    for number in range(LANES):
        discord = await opened()
        discord.posts.window, discord.posts.weather = WINDOW, WEATHER
        discord.posts.random.seed(number)
        discord.gateway.guild = payloads.guild(*CHANNELS)
        lanes.append(Lane(discord, Path(shutil.copy(database, tmp_path / f"{number}.db")), nursery, number))
    await asyncio.gather(*(lane.kill(KILLS // LANES) for lane in lanes))
    await asyncio.gather(*(lane.finish() for lane in lanes))
    posts, doubled, lost = (sum(each) for each in zip(*[lane.told() for lane in lanes], strict=True))
    requests = sum((lane.discord.posts.seen for lane in lanes), start=Counter[str]())
    print(f"{KILLS} kills, {posts} posts, {doubled} doubled, {lost} lost, {dict(requests)}")
    logs = "".join(lane.log.read_text(encoding="utf-8") for lane in lanes)
    assert TOKEN not in logs
    assert [lane.open() for lane in lanes] == [0] * LANES
    assert posts == sum(lane.due for lane in lanes)
    assert (doubled, lost) == (0, 0)
