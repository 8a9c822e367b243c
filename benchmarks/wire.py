"""The bot over real loopback sockets, as a process of its own: how soon it is there, and how soon it answers."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Figure, near, plain
from benchmarks.stage import (
    EMPTY,
    LEADLINE,
    WITH_PULSE,
    Servers,
    Stalls,
    memory_mb,
    running,
    store_with_sample,
)
from storage import digests
from storage.digests import Part, Schedule
from storage.store import Store
from tests.wire.payloads import CHANNEL, MODERATOR

STARTS, AGAIN, UNCACHED, CROWD, CHANNELS = 3, 60, 15, 200, 1000
SERVERS: Final = 8
LONGEST: Final = 20.0
"""Seconds after which an answer is not waited for any more."""
QUESTIONS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("levels", {"bars": "301"}),
    ("levels", {"bars": "302", "interval": "1h"}),
    ("levels", {"bars": "303", "interval": "4h"}),
    ("levels", {"bars": "304", "interval": "1d"}),
    ("levels", {"bars": "305"}),
    ("flows", {}),
    ("flows", {"asset": "ETH"}),
    ("flows", {"since": "2026-01-05"}),
    ("silver-margin", {}),
    ("stress", {}),
)


async def figures(folder: Path) -> AsyncIterator[Figure]:
    database = folder / "leadline.db"
    await store_with_sample(database)
    for figure in await _starts(database):
        yield figure
    async for figure in _answers(database, folder):
        yield figure
    async for figure in _digest(database, folder):
        yield figure


async def _starts(database: Path) -> list[Figure]:
    """The first start tells Discord the commands; those measured are the ones that come after it."""
    ready, answered = [], []
    for start in range(STARTS + 1):
        async with Servers() as discord:
            begun = time.perf_counter()
            async with running(discord, LEADLINE, DATABASE_URL=str(database)):
                await discord.connected(within=60)
                connected = time.perf_counter() - begun
                discord.commands["known"] = discord.commands.get("known", [{"name": "levels", "id": "1"}])
                if start:
                    await discord.timed("levels", private=True)
                    ready.append(connected)
                    answered.append(time.perf_counter() - begun)
    return [
        plain("start to READY, pictures warm, s", median(ready), required="<= 3", heading_for="<= 1.5"),
        plain("start to the first card, s", median(answered)),
    ]


async def _answers(database: Path, folder: Path) -> AsyncIterator[Figure]:
    stalls = Stalls(folder)
    async with AsyncExitStack() as stack:
        discord, bare = [await stack.enter_async_context(Servers()) for _ in range(2)]
        bot = await stack.enter_async_context(
            running(discord, WITH_PULSE, DATABASE_URL=str(database), LOOP_STALLS=str(stalls.file))
        )
        await stack.enter_async_context(running(bare, EMPTY))
        await asyncio.gather(discord.connected(within=60), bare.connected(within=60))
        discord.commands["known"] = [{"name": name, "id": "1"} for name in {name for name, _ in QUESTIONS}]
        await asyncio.sleep(5)  # what it asks itself at the start

        stalls.longest_ms()
        await asyncio.sleep(3)
        idle = stalls.longest_ms()

        empty, cached = [], []
        for server in range(SERVERS):
            await discord.timed("levels", server=server, private=True)
        for turn in range(AGAIN):
            empty.append(await bare.timed("empty"))
            cached.append(await discord.timed("levels", server=turn % SERVERS, private=True))
        yield near(
            "same question again, same data, beside an empty command, p50 ms",
            median(cached),
            median(empty),
            required="<= 3",
            heading_for="<= 1.7",
        )

        stalls.longest_ms()
        uncached = [
            await discord.timed("levels", server=turn % SERVERS, private=True, bars=str(101 + turn))
            for turn in range(UNCACHED)
        ]
        yield near("a new question, beside an empty command, p50 ms", median(uncached), median(empty))

        stalls.longest_ms()
        await asyncio.gather(
            *(discord.timed("levels", server=n % SERVERS, private=True, bars=str(201 + n)) for n in range(20))
        )
        yield plain(
            "event loop, longest stall while 20 pictures are drawn, ms",
            stalls.longest_ms(),
            required="<= 50",
            heading_for="<= 10",
        )
        yield plain("event loop, longest stall while nothing happens, ms", idle)

        await asyncio.sleep(1)
        asked = [
            await discord.ask(
                QUESTIONS[n % 10][0], server=100 + n % SERVERS, private=True, **QUESTIONS[n % 10][1]
            )
            for n in range(CROWD)
        ]
        loop = asyncio.get_running_loop()

        async def done(one: int) -> float:
            with suppress(TimeoutError):  # refused as too late, it never comes
                await asked[one].answer(within=LONGEST)
            return loop.time() - asked[one].asked

        took = await asyncio.gather(*map(done, range(CROWD)))
        yield plain(
            "200 people at once, 10 questions, the last answer, s",
            max(took),
            required="<= 3",
            heading_for="<= 1",
        )
        yield plain(
            "200 people at once, the latest first sign, s",
            min(LONGEST, max(one.waited for one in asked)),
            required="<= 1",
        )
        yield plain(
            "200 people at once, longest stall of the event loop, ms",
            stalls.longest_ms(),
            required="<= 50",
            heading_for="<= 10",
        )
        if (memory := memory_mb(bot.process.pid)) is not None:
            yield plain(
                "memory of all processes after that, MB", memory, required="<= 350", heading_for="<= 200"
            )
        for fault in (*discord.faults, *bare.faults):
            print(f"refused by the loopback Discord: {fault}", file=sys.stderr)


async def _digest(database: Path, folder: Path) -> AsyncIterator[Figure]:
    """Each channel in a server of its own, all at one minute."""
    file, stalls = Path(shutil.copy(database, folder / "digest.db")), Stalls(folder)
    due = (datetime.now(UTC) + timedelta(seconds=15)).replace(microsecond=0)
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    async with store.write() as db:
        one = Schedule(
            server_id=1, channel_id=int(CHANNEL), parts=(Part(report="levels"),), local_time=due.time(), zone="UTC",
            since=due - timedelta(minutes=1), created_by=int(MODERATOR.id), created_at=due - timedelta(minutes=1),
        )  # fmt: skip
        for number in range(CHANNELS):
            await digests.add(db, replace(one, channel_id=int(CHANNEL) + number, server_id=number + 1))
    await store.close()
    async with Servers() as discord:
        discord.posts.per_second = 50
        async with running(discord, WITH_PULSE, DATABASE_URL=str(file), LOOP_STALLS=str(stalls.file)):
            await _arrived(discord, 1)
            stalls.longest_ms()
            await _arrived(discord, CHANNELS)
            stall = stalls.longest_ms()
        posted = discord.posts.posted
        yield near(
            f"digest to {CHANNELS} channels, beside n / 50 a second, s",
            posted[-1].at - posted[0].at,
            CHANNELS / 50,
            required="<= 1.15",
            heading_for="<= 1.07",
        )
        yield plain("digest, refused as too fast (429)", discord.posts.limited, required="<= 0")
        yield plain(
            "digest, longest stall of the event loop, ms", stall, required="<= 50", heading_for="<= 10"
        )


async def _arrived(discord: Servers, count: int) -> None:
    async with asyncio.timeout(180):
        while len(discord.posts.posted) < count:  # noqa: ASYNC110 -- no event tells of a number
            await asyncio.sleep(0.1)
