"""``leadline fetch``: everything that is missing of some feeds, now. What was fetched before is not fetched again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.feeds import Feed
from bot.fetching import Call, Fetches, Fetching
from bot.ingest import SHORTEST, Until, by_host, pace, sleeping
from providers.errors import Malformed, ProviderError, TooMany, Unreachable
from providers.hosts import HOSTS, HostRules
from storage import feeds, instruments
from storage.feeds import FeedState, Progress
from storage.instants import utc
from storage.store import Store

TRIES: Final = 3
"""Calls in a row that may fail before a feed is given up; each is repeated by the client as well."""


@dataclass(slots=True, kw_only=True)
class Filled:
    """What became of one feed, in rows. ``reason`` why it was not fetched to the end; None if it was."""

    name: str
    added: int = 0
    unchanged: int = 0
    revised: int = 0
    reason: str | None = None


async def fill(
    store: Store,
    client: Fetches,
    every: Sequence[Feed],
    wanted: Sequence[Feed],
    *,
    venues: Sequence[str],
    clock: Clock,
    since: datetime | None = None,
    told: Callable[[str, float], None],
    until: Until | None = None,
    hosts: Mapping[str, HostRules] = HOSTS,
) -> list[Filled]:
    """Fetch ``wanted`` up to now, and back to ``since`` or their own depth; hosts beside each other.

    ``told`` hears how much of a feed is there, from 0 to 1. A host that asked to be left
    alone is, by this process or the one before it.
    """
    filling = _Filling(
        store=store, client=client, clock=clock, until=until or sleeping(clock), since=since, told=told
    )
    async with store.write() as db:
        await instruments.prefer(db, venues)
    known = await filling.fetching.register(tuple(every))
    async with asyncio.TaskGroup() as running:
        tasks = [
            running.create_task(filling.host(ours, known, pace(host, hosts)))
            for host, ours in by_host(wanted).items()
        ]
    found = {one.name: one for task in tasks for one in task.result()}
    return [found[feed.name] for feed in wanted]


class _Filling:
    def __init__(
        self,
        *,
        store: Store,
        client: Fetches,
        clock: Clock,
        until: Until,
        since: datetime | None,
        told: Callable[[str, float], None],
    ) -> None:
        self.fetching = Fetching(store, client)
        self._store = store
        self._clock = clock
        self._until = until
        self._since = since
        self._told = told

    async def host(
        self, ours: Sequence[Feed], known: Mapping[str, Progress], step: timedelta
    ) -> list[Filled]:
        """The feeds of one host, one after the other."""
        done = []
        left_alone = next((reason for feed in ours if (reason := self._left_alone(known[feed.name]))), None)
        for feed in ours:
            filled = Filled(name=feed.name, reason=left_alone)
            done.append(filled)
            if left_alone is None:
                self._told(feed.name, 0.0)
                left_alone = await self._feed(feed, filled, step)
        return done

    def _left_alone(self, known: Progress) -> str | None:
        if known.state is not FeedState.STOPPED or known.next_try_at is None:
            return None
        until = utc(known.next_try_at)
        return (
            f"its host is left alone until {until:%Y-%m-%d %H:%M} UTC" if until > self._clock.now() else None
        )

    async def _feed(self, feed: Feed, filled: Filled, step: timedelta) -> str | None:
        """Page by page; why the host is to be left alone from now on, if it is."""
        older, again, failures = False, False, 0
        while True:
            now = self._clock.now()
            call = Call(now=now, next_try_at=feed.due(now), older=older, again=again, since=self._since)
            try:
                page = await self.fetching.page(feed, call)
            except ProviderError as error:
                failures += 1
                filled.reason = error.reason
                if left_alone := await self._failed(feed, error):
                    return left_alone
                if failures == TRIES:
                    # Who does not answer at all will not for the next feed either: a dead network is told soon.
                    return error.reason if isinstance(error, Unreachable) else None
                await self._until(self._clock.now() + SHORTEST / 20)
                continue
            failures, filled.reason = 0, None
            filled.added += page.stored.added
            filled.unchanged += page.stored.unchanged
            filled.revised += page.stored.revised
            self._told(feed.name, page.share)
            await self._until(self._clock.now() + step)
            done = again or (page.newest and not page.older)
            again = done and page.again_at is not None and page.again_at <= now
            if done and not again:
                self._told(feed.name, 1.0)
                return None
            older = page.newest and not again

    async def _failed(self, feed: Feed, error: ProviderError) -> str | None:
        now = self._clock.now()
        if isinstance(error, Malformed):
            await self.fetching.quarantine(feed, error, now=now)
        async with self._store.write() as db:
            await feeds.failed(db, feed.name, error.reason, now=now, next_try_at=now + SHORTEST)
            if isinstance(error, TooMany) and error.retry_after_s is not None:
                await feeds.stop(
                    db, feed.host, now + timedelta(seconds=error.retry_after_s + 1), error.reason
                )
                return error.reason
        return None
