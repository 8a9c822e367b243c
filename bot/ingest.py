"""The coordinator: every feed fetched by its own rhythm, and what follows when a source goes bad.

One task a host, which does one thing at a time: polls that are due, then what lies further back.
After a failure a feed waits a minute, then twice as long each time, up to an hour; after five
in a row its host is left alone, and one call tries whether it is back. A host that
asks us to stay away is left alone for as long as it says, also by the next process.
The log has one line when a source begins to fail and one when it is well again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import structlog

from bot.clock import Clock
from bot.errors import UserError
from bot.feeds import Feed
from bot.fetching import Call, Fetches, Fetching
from providers.errors import Malformed, ProviderError, TooMany
from providers.hosts import HOSTS, HostRules
from storage import feeds, instruments
from storage.feeds import FeedState, Progress
from storage.instants import utc
from storage.store import Store

log = structlog.get_logger(__name__)

OPENS_AFTER: Final = 5
"""Failures in a row after which a host is left alone."""
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
"""The first wait after a failure, and what doubling it ends at."""
JITTER_S: Final = 5.0
"""Polls are spread over so many seconds, so that the bots of a group do not all call at once."""
SLOWEST_PACE: Final = timedelta(seconds=1)
"""Never faster than a call in this time, even where a host allows it."""
FURTHEST: Final = timedelta(days=8)
"""A next try noted for later than this was noted by a clock that was wrong; no host asks for more than a week."""

_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)

Until = Callable[[datetime], Awaitable[None]]


def sleeping(clock: Clock) -> Until:
    """Waits by ``clock``, also when it is put right or the machine was asleep meanwhile."""

    async def until(instant: datetime) -> None:
        while (left := (instant - clock.now()).total_seconds()) > 0:  # noqa: ASYNC110 -- no event tells of a clock put right
            await asyncio.sleep(min(left, 30.0))

    return until


def pace(host: str, hosts: Mapping[str, HostRules]) -> timedelta:
    """The time from one call to the next, which keeps within the host's budget whatever we call for."""
    rules = hosts[host]
    return max(SLOWEST_PACE, timedelta(seconds=rules.per_s / rules.calls))


def doubled(failures: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    return min(SHORTEST * (1 << min(failures - 1, 10)), LONGEST)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One feed in the course of things. ``older``: there is more to fetch from before what is known."""

    feed: Feed
    due: datetime
    older: bool
    retry_at: datetime | None = None
    tried_at: datetime = _NEVER
    failures: int = 0
    warned: bool = False

    def at(self, now: datetime) -> datetime:
        if self.retry_at is not None:
            return self.retry_at
        return min(self.due, now) if self.older else self.due


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One host. ``not_before``: when it may next be called."""

    host: str
    pace: timedelta
    not_before: datetime
    turns: list[_Turn] = field(default_factory=list)
    failures: int = 0
    warned: bool = False

    def next_at(self, now: datetime) -> datetime:
        return max(self.not_before, min(turn.at(now) for turn in self.turns))

    def chosen(self, now: datetime) -> _Turn:
        """What is due goes before what lies further back; among equals who has waited longest."""
        ready = [turn for turn in self.turns if turn.at(now) <= now]
        return min(ready, key=lambda turn: (turn.due > now, turn.tried_at))


class Coordinator:
    """Fetches until it is cancelled. ``until`` waits for an instant of ``clock``."""

    def __init__(
        self,
        store: Store,
        client: Fetches,
        every: Sequence[Feed],
        *,
        venues: Sequence[str],
        clock: Clock,
        until: Until | None = None,
        hosts: Mapping[str, HostRules] = HOSTS,
        rng: Random | None = None,
    ) -> None:
        self.on_stored: Callable[[], None] = lambda: None
        """Called when something new is in the store."""
        self._store = store
        self._fetching = Fetching(store, client)
        self._every = tuple(every)
        self._venues = venues
        self._clock = clock
        self._until = until or sleeping(clock)
        self._hosts = hosts
        self._rng = rng or Random()  # noqa: S311 -- spreads calls, hides nothing

    async def run(self) -> None:
        lanes = await self._begun()
        async with asyncio.TaskGroup() as running:
            for lane in lanes:
                running.create_task(self._run(lane), name=f"fetch from {lane.host}")

    async def _begun(self) -> list[_Lane]:
        while True:
            try:
                async with self._store.write() as db:
                    await instruments.prefer(db, self._venues)
                known = await self._fetching.register(self._every)
            except UserError as error:
                log.warning("nothing can be fetched", reason=error.msgid)
                await self._until(self._clock.now() + LONGEST)
            else:
                return self._lanes(known)

    def _lanes(self, known: Mapping[str, Progress]) -> list[_Lane]:
        now = self._clock.now()
        lanes = []
        for host, ours in by_host(self._every).items():
            lane = _Lane(host=host, pace=pace(host, self._hosts), not_before=now)
            for feed in ours:
                progress = known[feed.name]
                noted = now if progress.next_try_at is None else utc(progress.next_try_at)
                due = noted if noted <= now + FURTHEST else now
                older = self._fetching.reaches_on(feed, progress, now=now)
                lane.turns.append(_Turn(feed=feed, due=due, older=older, failures=progress.failures))
                if progress.state is FeedState.STOPPED:
                    # Left alone by the process before us: one more failure, and it is again.
                    lane.failures = OPENS_AFTER - 1
                    lane.not_before = max(lane.not_before, due)
            lanes.append(lane)
        return lanes

    async def _run(self, lane: _Lane) -> None:
        while True:
            await self._until(lane.next_at(self._clock.now()))
            now = self._clock.now()
            if lane.next_at(now) > now:
                continue
            turn = lane.chosen(now)
            try:
                await self._try(lane, turn, now)
            except UserError as error:  # the disk is full, or takes no more
                self._put_off(lane, turn, error.msgid)
            except Exception:
                # A defect of ours must not end the fetching of everything else.
                log.exception("fetching failed", feed=turn.feed.name)
                turn.retry_at = self._clock.now() + LONGEST
            lane.not_before = max(lane.not_before, self._clock.now() + lane.pace)

    async def _try(self, lane: _Lane, turn: _Turn, now: datetime) -> None:
        turn.tried_at = now
        poll = turn.due <= now
        due = turn.feed.due(now) + timedelta(seconds=self._rng.uniform(0, JITTER_S)) if poll else turn.due
        try:
            page = await self._fetching.page(turn.feed, Call(now=now, next_try_at=due, older=not poll))
        except Malformed as refused:
            await self._set_aside(lane, turn, refused)
        except ProviderError as error:
            await self._failed(lane, turn, error)
        else:
            if poll and page.newest:
                turn.due = due
            turn.older, turn.retry_at, turn.failures = page.older, None, 0
            await self._well(lane, turn)
            if page.stored.added or page.stored.revised:
                self.on_stored()

    async def _well(self, lane: _Lane, turn: _Turn) -> None:
        if turn.warned:
            log.info("a series is well again", feed=turn.feed.name)
        if lane.warned:
            log.info("a source answers again", host=lane.host)
        if lane.failures:
            # What failed with the host need not wait for its own time.
            for other in lane.turns:
                other.retry_at = None
            async with self._store.write() as db:
                await feeds.resume(db, lane.host, {other.feed.name: other.due for other in lane.turns})
        lane.failures, lane.warned, turn.warned = 0, False, False

    async def _set_aside(self, lane: _Lane, turn: _Turn, refused: Malformed) -> None:
        """The host is well, what it says is not: only this feed waits, and the answer is kept to be looked at."""
        turn.failures += 1
        now = self._clock.now()
        turn.retry_at = now + self._jittered(doubled(turn.failures))
        if not turn.warned:
            log.warning("an answer was set aside", feed=turn.feed.name, reason=refused.reason)
            turn.warned = True
        await self._fetching.quarantine(turn.feed, refused, now=now)
        async with self._store.write() as db:
            await feeds.failed(db, turn.feed.name, refused.reason, now=now, next_try_at=turn.retry_at)
        if lane.failures >= OPENS_AFTER:
            lane.not_before = max(lane.not_before, now + doubled(lane.failures - OPENS_AFTER + 1))

    async def _failed(self, lane: _Lane, turn: _Turn, error: ProviderError) -> None:
        turn.failures += 1
        lane.failures += 1
        now = self._clock.now()
        wait = self._jittered(doubled(turn.failures))
        left_alone: datetime | None = None
        if isinstance(error, TooMany) and error.retry_after_s is not None:
            left_alone = now + timedelta(seconds=error.retry_after_s + 1)
        if lane.failures >= OPENS_AFTER:
            rest = now + self._jittered(doubled(lane.failures - OPENS_AFTER + 1))
            left_alone = rest if left_alone is None else max(rest, left_alone)
        turn.retry_at = left_alone or now + wait
        if not lane.warned:
            log.warning("a source fails", host=lane.host, feed=turn.feed.name, reason=error.reason)
            lane.warned = True
        async with self._store.write() as db:
            await feeds.failed(db, turn.feed.name, error.reason, now=now, next_try_at=turn.retry_at)
            if left_alone is not None:
                await feeds.stop(db, lane.host, left_alone, error.reason)
        if left_alone is not None:
            lane.not_before = max(lane.not_before, left_alone)

    def _put_off(self, lane: _Lane, turn: _Turn, reason: str) -> None:
        turn.retry_at = self._clock.now() + SHORTEST
        if not lane.warned:
            log.warning("what is fetched cannot be stored", feed=turn.feed.name, reason=reason)
            lane.warned = True

    def _jittered(self, wait: timedelta) -> timedelta:
        return wait * self._rng.uniform(1.0, 1.1)


def by_host(every: Iterable[Feed]) -> dict[str, list[Feed]]:
    """The feeds of each host, in their order."""
    found: dict[str, list[Feed]] = {}
    for feed in every:
        found.setdefault(feed.host, []).append(feed)
    return found
