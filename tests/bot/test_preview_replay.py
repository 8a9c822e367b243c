"""A replay in the preview's page: what appears there by itself, and the reader's hand on its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from preview_page import Page

from bot import preview
from bot.answers import Answers
from bot.client import Leadline
from bot.clock import SetClock
from bot.pictures import Pictures
from bot.preview_replay import Player
from bot.replay import Playing, Replay
from bot.reports.levels import REPORT as LEVELS
from bot.reports.shapes import Asked
from storage import migrate, sample
from storage.store import Store
from tests.patience import PATIENCE

START = datetime(2026, 2, 4, 9, tzinfo=UTC)
DIGEST, ALERT = "**BTC 76,082**", "**BTC 收盤跌破 73,600**"
"""At 10:00; and at the close of 17:30, at 72,450."""


@dataclass
class Played:
    replay: Replay
    source: Store
    page: Page

    async def until_said(self, words: str, *, seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while not any(words in said for said in await self.said()):  # noqa: ASYNC110 -- another's page
                await asyncio.sleep(0.2)

    async def said(self) -> list[str]:
        await self.page.look()
        return self.page.said()

    async def of_the_bot(self) -> list[str]:
        """How its posts begin."""
        return [words.split(" · ")[0] for words in await self.said() if words.startswith("**BTC")]

    async def arrived(self, *, seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while self.replay.playing.to is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def answer(self, *path: str, **options: object) -> str:
        """Runs a command; all the words of what it answers."""
        before = set((await self.page.look())["messages"])
        await self.page.run(*path, **options)
        messages = (await self.page.look())["messages"]
        return str([messages[key] for key in messages if key not in before])


@asynccontextmanager
async def played(pictures: Pictures, **playing: Any) -> AsyncIterator[Played]:
    source = await sample.open_in_memory()
    store = await Store.open("sqlite+aiosqlite://")
    await migrate.prepare(store)
    replay = Replay(source, store, SetClock(START), Playing(**playing))
    await replay.begin()
    bot = Leadline(Answers(store, pictures, replay.clock), replay=replay)
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        preview.serve(
            bot,
            clock=replay.clock,
            port=None,
            locale="en",
            zone="UTC",
            welcome="It begins.",
            on_ready=ready.set_result,
            stop=stop,
            player=Player(replay, bot.outbox.changed),
        )
    )
    try:
        async with aiohttp.ClientSession() as http:
            page = Page(http, await asyncio.wait_for(ready, PATIENCE))
            await page.open()
            yield Played(replay, source, page)
    finally:
        stop.set()
        await serving
        await bot.close()
        await store.close()
        await source.close()


async def test_alerts_and_digests_appear_and_time_obeys(pictures: Pictures) -> None:
    async with played(pictures, speed=600) as it:
        await it.until_said(DIGEST)
        assert "Paused" in await it.answer("replay", "pause")
        stood = it.replay.clock.now()
        await asyncio.sleep(1.5)
        assert it.replay.clock.now() == stood < datetime(2026, 2, 4, 17, 30, tzinfo=UTC)

        assert "2026-02-04 17:40" in await it.answer("replay", "jump", to="2026-02-04 17:40")
        await it.arrived()
        now = datetime(2026, 2, 4, 17, 40, tzinfo=UTC)
        assert it.replay.clock.now() == now
        assert it.replay.playing == Playing(speed=600, paused=True)
        assert await it.of_the_bot() == [DIGEST, ALERT]
        times = [message["timestamp"] for message in it.page.state["messages"].values()]
        assert times == sorted(times)
        assert times[-1] == "2026-02-04T17:30:00+00:00"

        # What is asked while it rests is answered as of that instant.
        query = LEVELS.read({}, now)
        here, there = [
            LEVELS.as_json(await LEVELS.answer(query, Asked(store=store, at=now)), now)
            for store in (it.replay.store, it.source)
        ]
        assert here == there
        assert f"BTC {here['price']:,.0f}" in await it.answer("levels")

        # Back before the digest: what came later was never there, and comes again.
        await it.answer("replay", "jump", to="2026-02-04 09:30")
        await it.arrived()
        assert await it.of_the_bot() == []
        await it.answer("replay", "jump", to="2026-02-04 10:10")
        await it.arrived()
        assert await it.of_the_bot() == [DIGEST]


async def test_an_instant_outside_of_the_replay_is_refused(pictures: Pictures) -> None:
    async with played(pictures, paused=True) as it:
        for wrong in ("2026-02-04 08:59", "2027-01-01"):
            assert "This replay reaches from 2026-02-04 09:00 to 2026-02-09 09:00 UTC." in await it.answer(
                "replay", "jump", to=wrong
            )
        assert "is not an instant" in await it.answer("replay", "jump", to="tomorrow")
        assert it.replay.playing == Playing(paused=True)
