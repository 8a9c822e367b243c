"""Results and pictures, asked for by many at once and made once.

The same question in the same minute over the same data is one calculation, and
the same result in the same look is one drawing (``bot/pictures.py``). Cards,
digests and the command line all come through here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from analysis.charts.look import Look, Picture
from bot.clock import Clock
from bot.errors import PictureUnavailable, UserError
from bot.pictures import Pictures, Result
from bot.reports.shapes import Asked, Report
from storage import servers
from storage.servers import ServerSettings
from storage.store import Store

log = structlog.get_logger(__name__)

MOST_KEPT: Final = 256
CALCULATIONS: Final = 2
"""How many answers are calculated at the same time."""
PICTURE_SECONDS: Final = 6.0
"""How long words wait for their picture before they go out alone; less than closing waits for them."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A result and the instant it was asked at; ``kept`` when somebody had asked before."""

    result: Any
    at: datetime
    kept: bool = False


class Answers:
    """One bot's answers; safe to share between tasks of one event loop."""

    def __init__(self, store: Store, pictures: Pictures, clock: Clock) -> None:
        self.store = store
        self.pictures = pictures
        self.clock = clock
        self._made: OrderedDict[Hashable, asyncio.Task[Answered]] = OrderedDict()
        self._servers: tuple[int, dict[int, ServerSettings | None]] = (-1, {})
        # The store has one connection and Python one lock: more at a time would only
        # take turns more often, and the event loop would wait for its own.
        self._calculating = asyncio.Semaphore(CALCULATIONS)
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def answer(self, report: Report[Any, Any], query: Hashable, *, server_id: int) -> Answered:
        """The result of ``query`` now; at most a minute old if nothing new was stored."""
        now = self.clock.now()
        if report.private(query):
            # What is for one person's eyes only is not kept for anybody.
            return await self._answer(report, query, Asked(store=self.store, at=now, server_id=server_id))
        key = (report.name, query, server_id, self.store.version, now.replace(second=0, microsecond=0))
        task = self._made.get(key)
        kept = task is not None
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            kept = False
            asked = Asked(store=self.store, at=now, server_id=server_id)
            task = asyncio.create_task(self._answer(report, query, asked), name=f"answer {report.name}")
            self._made[key] = task
            while len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
        # Shielded: one reader who goes away must not take the others' answer along.
        return replace(await asyncio.shield(task), kept=kept)

    async def _answer(self, report: Report[Any, Any], query: Any, asked: Asked) -> Answered:
        async with self._calculating:
            return Answered(await report.answer(query, asked), asked.at)

    async def picture(self, report: Report[Any, Any], result: Result, look: Look) -> Picture | None:
        """The picture, or None when it is late or cannot be drawn; the reason is logged."""
        try:
            async with asyncio.timeout(PICTURE_SECONDS):
                return await self.pictures.draw(report.chart, result, look)
        except (PictureUnavailable, TimeoutError) as error:
            log.warning("picture unavailable", report=report.name, reason=str(error) or type(error).__name__)
            return None

    async def warm(self, reports: Iterable[Report[Any, Any]]) -> None:
        """Asks each report its plainest question once, so that the first reader does not wait for libraries."""
        for report in reports:
            try:
                answered = await self.answer(report, report.read({}, self.clock.now()), server_id=0)
            except UserError as error:
                log.info("nothing to warm with", report=report.name, reason=error.msgid)
            else:
                await self.picture(report, answered.result, Look())

    async def server(self, server_id: int) -> ServerSettings | None:
        """A server's settings, or None while nobody has set any."""
        version, known = self._servers
        if version != self.store.version:
            known = {}
            self._servers = (self.store.version, known)
        if server_id not in known:
            async with self.store.read() as db:
                known[server_id] = await servers.settings(db, server_id)
        return known[server_id]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Marks an answer as under way, so that closing can wait for it."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    @property
    def unfinished(self) -> int:
        """How many answers are under way."""
        return self._running

    async def finish(self, seconds: float) -> None:
        """Waits for running answers, at most ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("answers cut off at closing", running=self.unfinished)
