"""What was, lived through again: a store that learns what another one holds, at the instants when it became known.

Whoever lives in it (the bot in the preview's page, or an outbox that posts nowhere) sees
nothing later than the clock: it is not in the store yet.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from analysis.alerts import Direction, Kind
from analysis.levels import Interval
from bot.clock import SetClock
from storage import alert_watch, alerts, digests, outbox, replay
from storage.alerts import Alert
from storage.digests import BOTH, Part, Schedule
from storage.outbox import State
from storage.replay import News
from storage.store import Db, Store

AHEAD: Final = timedelta(days=1)
"""How much of what is to come is held in memory."""
SLOWEST, FASTEST = 1, 3_600
"""Times the reader's own time; at the fastest a week takes less than three minutes."""
LEVELS: Final = (77_000.0, 73_600.0)
"""Of the default book, the two that the week of the sample breaks."""
DIGEST_AT: Final = time(18)
"""In ``ZONE``: 10:00 UTC, an hour after the last of the ETF flows are known."""
ZONE: Final = "Asia/Taipei"


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """How it goes on. ``to`` is an instant to be gone to at once, through all that lies between."""

    speed: float = 1.0
    paused: bool = False
    to: datetime | None = None


class Replay:
    """``store`` lives through what ``source`` holds, from ``start`` on; ``clock`` says how far it is.

    At ``end`` the last of it is known.
    """

    def __init__(self, source: Store, store: Store, clock: SetClock, playing: Playing | None = None) -> None:
        self.store = store
        self.clock = clock
        self.playing = playing or Playing()
        self.start = self.end = clock.now()
        self._source = source
        self._coming: deque[News] = deque()
        self._read_through = clock.now()

    async def begin(self) -> None:
        """Fill the empty store with what was known when the clock starts."""
        await replay.begin(self._source, self.store, self.start)
        async with self._source.read() as db:
            last = await replay.last_known(db)
        self.end = max(self.start, last or self.start)

    def target(self, seconds: float) -> datetime:
        """Where ``seconds`` of the reader's time lead; not past the end, unless somebody goes on from there."""
        now = self.clock.now()
        if self.playing.to is not None:
            return self.playing.to
        if self.playing.paused:
            return now
        on = now + timedelta(seconds=seconds * self.playing.speed)
        return min(on, self.end) if now < self.end else on

    def arrived(self, at: datetime) -> None:
        """A jump is over where it led to, and at the end everything rests."""
        if self.playing.to == at:
            self.playing = replace(self.playing, to=None)
        if at == self.end > self.start:
            self.playing = replace(self.playing, paused=True)

    async def step(self, until: datetime) -> News | None:
        """Go on to the next instant at which something becomes known or is due, at most to ``until``.

        Returns what became known, which may be nothing; None where the clock stands at ``until`` already.
        """
        now = self.clock.now()
        if now >= until:
            return None
        await self._look_ahead(now, until)
        async with self.store.read() as db:
            stops = [until, *await _due(db)]
        if self._coming:
            stops.append(self._coming[0].at)
        at = min(stop for stop in stops if stop > now)
        news = News(at, {})
        if self._coming and self._coming[0].at <= at:
            news = self._coming.popleft()
            async with self.store.write() as db:
                await replay.learn(db, news)
        self.clock.set(at)
        return news

    async def back(self, to: datetime) -> None:
        """Return to an earlier instant: what came later was never known, digests and alerts begin there anew."""
        async with self.store.write() as db:
            await replay.wind_back(db, to)
        self._coming.clear()
        self._read_through = to
        self.clock.set(to)

    async def _look_ahead(self, now: datetime, until: datetime) -> None:
        while not self._coming and self._read_through < until:
            after = max(now, self._read_through)
            through = after + AHEAD
            async with self._source.read() as db:
                self._coming.extend(await replay.between(db, after, through))
            self._read_through = through


async def _due(db: Db) -> list[datetime]:
    """When something is due by itself: a digest, the end of an alert's quiet hour, a post to be looked at."""
    every = (
        await digests.next_due(db),
        await alert_watch.next_end(db),
        await outbox.next_look(db, list(State)),
    )
    return [at for at in every if at is not None]


async def demonstrate(db: Db, *, server_id: int, channel_id: int, now: datetime) -> None:
    """What there is to be seen: one digest a day, and an alert for each way through two levels."""
    await digests.add(
        db,
        Schedule(
            server_id=server_id,
            channel_id=channel_id,
            parts=(Part(report="levels"), Part(report="flows")),
            local_time=DIGEST_AT,
            zone=ZONE,
            language=BOTH,
            since=now,
            created_by=None,
            created_at=now,
        ),
    )
    for price in LEVELS:
        await alerts.add(
            db,
            Alert(
                server_id=server_id,
                channel_id=channel_id,
                kind=Kind.CLOSE,
                subject="BTC",
                interval=Interval.M30,
                price=price,
                direction=Direction.EITHER,
                language=BOTH,
                zone="UTC",
                since=now,
                added_by=None,
                added_at=now,
            ),
        )
