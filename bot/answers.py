"""Results and pictures, asked for by many at once and made once.

The same question in the same minute over the same data is one calculation, and
the same result in the same look is one drawing (``bot/pictures.py``). Cards,
digests and the command line all come through here.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from analysis.charts.look import Look, Picture
from bot.clock import Clock
from bot.errors import PictureUnavailable, UserError
from bot.language import Speech
from bot.pictures import Pictures
from bot.reports.shapes import Asked, Reply, Report
from storage import servers
from storage.servers import ServerSettings
from storage.store import Store

log = structlog.get_logger(__name__)

MOST_KEPT: Final = 256
WANTED: Final = 12
"""How many questions are asked again by themselves when there is new data."""
WANTED_FOR: Final = timedelta(minutes=15)
"""How long after somebody last asked them."""
MOST_LOOKS: Final = 4
"""Pictures of one such question."""
REFRESH_SECONDS: Final = 15.0
"""Between two looks for new data: quotes that still move come several times a minute."""
CALCULATIONS: Final = 2
"""How many answers are calculated at the same time."""
PICTURE_SECONDS: Final = 6.0
"""How long words wait for their picture before they go out alone; less than closing waits for them."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A result and the instant it was asked at; ``kept`` when somebody had asked before.

    What was made of it stays with it, for whoever asks the same: words, and the names of its pictures.
    """

    result: Any
    at: datetime
    kept: bool = False
    asked: Hashable = None
    said: dict[Speech, Reply] = field(default_factory=dict)
    drawn: dict[Look, asyncio.Task[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Server:
    """``reads`` is the server whose data its answers are made of: 0 where it has none of its own."""

    settings: ServerSettings | None
    reads: int


@dataclass(slots=True)
class _Wanted:
    """A question somebody asked lately, and in which looks."""

    report: Report[Any, Any]
    query: Hashable
    server_id: int
    last: datetime
    looks: OrderedDict[Look, None] = field(default_factory=OrderedDict)


class Answers:
    """One bot's answers; safe to share between tasks of one event loop."""

    def __init__(self, store: Store, pictures: Pictures, clock: Clock) -> None:
        self.store = store
        self.pictures = pictures
        self.clock = clock
        self._made: OrderedDict[Hashable, asyncio.Task[Answered]] = OrderedDict()
        self._made_at = (-1, datetime.min.replace(tzinfo=UTC))
        self._servers: tuple[int, dict[int, _Server]] = (-1, {})
        self._asked_for: set[int] = set()
        self._looking_up = asyncio.Lock()
        self._wanted: OrderedDict[Hashable, _Wanted] = OrderedDict()
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
        server_id = (await self._server(server_id)).reads
        self._want(report, query, server_id, now)
        return await self._shared(report, query, server_id, now)

    async def _shared(
        self, report: Report[Any, Any], query: Hashable, server_id: int, now: datetime
    ) -> Answered:
        moment = (self.store.version, now.replace(second=0, microsecond=0))
        if moment > self._made_at:
            # Nobody asks any more for what was made before this minute, or of older data; results are large.
            self._made_at = moment
            self._made = OrderedDict((key, task) for key, task in self._made.items() if not task.done())
        key = (report.name, query, server_id, *moment)
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

    def _want(self, report: Report[Any, Any], query: Hashable, server_id: int, now: datetime) -> None:
        key = (report.name, query, server_id)
        if key not in self._wanted:
            self._wanted[key] = _Wanted(report, query, server_id, now)
        self._wanted[key].last = now
        self._wanted.move_to_end(key)
        while len(self._wanted) > WANTED:
            self._wanted.popitem(last=False)

    async def _answer(self, report: Report[Any, Any], query: Any, asked: Asked) -> Answered:
        async with self._calculating:
            return Answered(
                await report.answer(query, asked), asked.at, asked=(report.name, query, asked.server_id)
            )

    def say(self, report: Report[Any, Any], answered: Answered, speech: Speech) -> Reply:
        """The words of an answer, of the instant it was asked at."""
        reply = answered.said.get(speech)
        if reply is None:
            reply = answered.said[speech] = report.say(answered.result, speech, answered.at)
        return reply

    async def picture(self, report: Report[Any, Any], answered: Answered, look: Look) -> Picture | None:
        """The picture, or None when it is late or cannot be drawn; the reason is logged."""
        if (wanted := self._wanted.get(answered.asked)) is not None:
            wanted.looks[look] = None
            while len(wanted.looks) > MOST_LOOKS:
                wanted.looks.popitem(last=False)
        naming = answered.drawn.get(look)
        if naming is None:
            # One thread for all who wait, not one each.
            working_out = self.pictures.name(report.chart, answered.result, look)
            naming = answered.drawn[look] = asyncio.create_task(working_out, name="name a picture")
        try:
            async with asyncio.timeout(PICTURE_SECONDS):
                name = await asyncio.shield(naming)
                return await self.pictures.draw(report.chart, answered.result, look, key=name)
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
                await self.picture(report, answered, Look())

    async def keep_warm(self) -> None:
        """After new data, answers and draws again what was asked lately, so that the next reader finds it ready."""
        version = self.store.version
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            if version != self.store.version:
                version = self.store.version
                await self.refresh()

    async def refresh(self) -> None:
        """Asks once what was asked lately, the newest question first."""
        now = self.clock.now()
        for wanted in reversed(list(self._wanted.values())):
            if now - wanted.last > WANTED_FOR:
                continue
            try:
                answered = await self._shared(wanted.report, wanted.query, wanted.server_id, now)
            except UserError:
                continue
            except Exception:
                # Whoever asks it is told; the other questions are refreshed all the same.
                log.exception("an answer could not be refreshed", report=wanted.report.name)
                continue
            for look in list(wanted.looks):
                await self.picture(wanted.report, answered, look)

    async def server(self, server_id: int) -> ServerSettings | None:
        """A server's settings, or None while nobody has set any."""
        return (await self._server(server_id)).settings

    async def _server(self, server_id: int) -> _Server:
        version, known = self._servers
        if version != self.store.version:
            known = {}
            self._servers = (self.store.version, known)
        if server_id not in known:
            self._asked_for.add(server_id)
            async with self._looking_up:
                # All that were asked for meanwhile in one look: of a crowd, each would wait for the store in line.
                if server_id not in known:
                    wanted, self._asked_for = self._asked_for | {server_id}, set()
                    known |= await self._look_up(wanted)
        return known[server_id]

    async def _look_up(self, server_ids: Collection[int]) -> dict[int, _Server]:
        async with self.store.read() as db:
            settings = await servers.settings_of(db, server_ids)
            own = await servers.with_own_data(db, server_ids)
        return {each: _Server(settings.get(each), each if each in own else 0) for each in server_ids}

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
