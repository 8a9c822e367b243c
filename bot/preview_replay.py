"""The preview's page, playing a replay: time in steps, and in each of them the bot does what it would have done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot import preview
from bot.replay import demonstrate

if TYPE_CHECKING:
    import simcord

    from bot.preview import Turn
    from bot.replay import Replay

MOST: Final = 2.0
"""Seconds of the reader's at a time: what takes longer slows the replay down and does not make it leap."""
TO_ACT: Final = 0.1
"""Seconds of Discord's that the bot has for what a step brings: posts keep a small distance."""


class Player:
    """Plays ``replay`` in a page; ``changed`` tells the bot that something may be due."""

    def __init__(self, replay: Replay, changed: Callable[[], None]) -> None:
        self._replay = replay
        self._changed = changed
        self._channel = 0

    async def begin(self, server_id: int, channel_id: int) -> None:
        """Set what there is to be seen."""
        self._channel = channel_id
        async with self._replay.store.write() as db:
            await demonstrate(db, server_id=server_id, channel_id=channel_id, now=self._replay.clock.now())

    async def tick(self, env: simcord.Env, page: simcord.Preview, turn: Turn, seconds: float) -> None:
        """Go on as the reader has set it; a reader's action comes between two steps."""
        replay, shown = self._replay, time.perf_counter()
        asked, target = replay.playing, replay.target(min(seconds, MOST))
        new = False
        while True:
            async with turn.lock:
                if replay.playing != asked:
                    return
                if target < replay.clock.now():
                    preview.take_back(env, self._channel, target)
                    await replay.back(target)
                    preview.move_epoch(env, target)
                    new = True
                elif target > replay.clock.now():
                    await replay.step(target)
                self._changed()
                there = replay.clock.now() == target
                # The page's own timers run with the reader's seconds, whatever the speed.
                await self._act(env, max(TO_ACT, seconds) if there else TO_ACT)
                new = turn.something_new() or new
                if new and (there or time.perf_counter() - shown > preview.TICK):
                    shown, new = time.perf_counter(), False
                    await page.refresh()
            if there:
                replay.arrived(target)
                return
            # A reader's action that waits for its turn gets it here.
            await asyncio.sleep(0)

    async def _act(self, env: simcord.Env, seconds: float) -> None:
        """Let the bot's timers run, while Discord's clock stands by the replay's; what is said stays in order."""
        at = max(env.now(), self._replay.clock.now())
        preview.move_epoch(env, at)
        await env.advance_time(seconds)
        preview.move_epoch(env, at + timedelta(milliseconds=1))
