"""What is to be posted is posted exactly once, whatever dies.

1. What a post says is stored before it is sent: the same bytes for every try.
2. That a try begins is committed before anything goes over the network.
3. Every try carries the same nonce: Discord takes it once within some minutes.
4. Before any further try Discord's own history is searched for the post's marker.
5. What Discord has not clearly answered stays open, and is tried again from 2.
6. Posts that took several tries are looked at again later, and doubles deleted.

One process at a time works on a store (``storage/lock.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from bot.channels import Enclosed, Letter, Outcome, Posting, Said
from bot.clock import Clock
from bot.commits import Commits
from bot.posts import Drop, Wait, Writer, Written, marked, marker_of, nonce_of, write
from bot.rest import Rest
from storage import outbox
from storage.outbox import Attached, Post, Rendered, State
from storage.store import Db, Store

log = structlog.get_logger(__name__)

BATCH: Final = 48
"""Posts in the sending at a time."""
WRITTEN_AT_ONCE: Final = 16
"""Few, so that what is ready to be sent need not queue for the store behind what is being written."""
LONGEST_REST: Final = timedelta(minutes=1)
"""How long nothing is looked at; a clock that was set shows by then."""
TIDY_EVERY: Final = timedelta(hours=1)
SKEW: Final = timedelta(minutes=5)
"""How far our clock may be ahead of Discord's."""
_LOOKED_AT: Final = (State.RENDERED, State.SENDING, State.DONE)
"""What delivering looks at: a post that is done may have doubles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``nonce`` is how long a nonce alone is trusted, less than Discord's few minutes."""

    retry: timedelta = timedelta(seconds=5)
    longest_retry: timedelta = timedelta(minutes=5)
    refused: timedelta = timedelta(hours=1)
    nonce: timedelta = timedelta(seconds=60)
    stale: timedelta = timedelta(minutes=10)
    doubles: tuple[timedelta, ...] = (timedelta(minutes=2), timedelta(minutes=10))
    finish: float = 8.0


class Outbox:
    """Prepares and delivers from ``run`` to ``close``. ``checkpoint`` is told what has just been reached."""

    def __init__(
        self,
        store: Store,
        channels: Posting,
        clock: Clock,
        writers: Mapping[str, Writer],
        *,
        timing: Timing | None = None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._writers = writers
        self._timing = timing or Timing()
        self._reached = checkpoint
        self._to_prepare = Rest()
        self._to_deliver = Rest()
        self._closing = False
        self._running: list[asyncio.Task[None]] = []
        self._sending: dict[int, tuple[int, asyncio.Task[None]]] = {}
        """Channel and task, by post."""
        self._commits = Commits(store)
        self._tidied: datetime | None = None
        self._pngs: dict[str, bytes] = {}

    def start(self) -> None:
        """Begin, or go on; harmless when it already runs."""
        if self._running or self._closing:
            return
        self._running = [
            asyncio.create_task(self._forever(self._prepare, self._to_prepare), name="outbox: prepare"),
            asyncio.create_task(self._deliver_forever(), name="outbox: deliver"),
        ]

    def changed(self) -> None:
        """Something may be due earlier than it was."""
        self._to_prepare.wake()

    async def catch_up(self) -> None:
        """Do all that is due now: in place of ``start``, where the clock is set by hand."""
        while True:
            await self._prepare()
            next_at = await self._deliver()
            sending = {task for _, task in self._sending.values()}
            if sending:
                await asyncio.wait(sending)
            elif next_at is None or next_at > self._clock.now():
                return

    async def close(self) -> None:
        """Take up nothing new and let what is being sent arrive, for a while."""
        self._closing = True
        self._to_deliver.wake()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        sending = {task for _, task in self._sending.values()}
        if sending:
            _, late = await asyncio.wait(sending, timeout=self._timing.finish)
            for task in late:
                # It stays SENDING: the next start asks Discord whether it arrived.
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # Preparing

    async def _forever(self, turn: Callable[[], Awaitable[datetime | None]], rest: Rest) -> None:
        """Takes turns; each says when the next is wanted."""
        while True:
            try:
                next_at = await turn()
            except Exception:
                # A post must not be lost because one turn failed: the next one begins from the store.
                log.exception("posting stumbled")
                next_at = None
            wanted = LONGEST_REST if next_at is None else min(next_at - self._clock.now(), LONGEST_REST)
            await rest.until_woken(max(0.0, wanted.total_seconds()))

    async def _prepare(self) -> datetime | None:
        """Plans what is due and writes it."""
        now = self._clock.now()
        wanted = [await writer.plan(now) for writer in self._writers.values()]
        self._reached("planned")
        while True:
            async with self._store.read() as db:
                posts = await outbox.waiting(db, [State.PLANNED], now, most=WRITTEN_AT_ONCE)
            if not posts:
                break
            written = await write(self._writers, posts, now, stumbled=now + self._timing.longest_retry)
            async with self._store.write() as db:
                await self._keep(db, written, now)
            self._reached("rendered")
            self._to_deliver.wake()
        await self._tidy(now)
        async with self._store.read() as db:
            wanted.append(await outbox.next_look(db, [State.PLANNED]))
        return min((at for at in wanted if at is not None), default=None)

    async def _keep(self, db: Db, posts: Mapping[Post, Written | Wait | Drop], now: datetime) -> None:
        rendered: dict[Post, Rendered] = {}
        pngs = {each.png for what in posts.values() if isinstance(what, Written) for each in what.pictures}
        names = {png: await outbox.keep_picture(db, png, now=now) for png in pngs}
        for post, what in posts.items():
            if isinstance(what, Wait):
                await outbox.look_again(db, post, what.until)
            elif isinstance(what, Drop):
                await self._settle(db, post, State.SKIPPED, now, reason=what.reason)
            else:
                rendered[post] = Rendered(
                    payload=marked(what.letter, post, pictures=bool(what.pictures)).kept(),
                    pictures=tuple(
                        Attached(sha256=names[each.png], name=each.name, alt=each.alt)
                        for each in what.pictures
                    ),
                    data_as_of=what.data_as_of,
                )
        if rendered:
            await outbox.rendered(db, rendered, now=now)

    async def _tidy(self, now: datetime) -> None:
        if self._tidied is None or now - self._tidied >= TIDY_EVERY:
            async with self._store.write() as db:
                await outbox.tidy(db, now)
            self._tidied = now

    # Delivering

    async def _deliver_forever(self) -> None:
        async with self._store.write() as db:
            open_ = await outbox.resume(db, self._clock.now())
        if open_:
            log.info("posts of the last run may not have arrived", posts=open_)
        await self._forever(self._deliver, self._to_deliver)

    async def _deliver(self) -> datetime | None:
        """Takes what is ready and sends it, one post at a time to a channel."""
        now = self._clock.now()
        busy = {channel for channel, _ in self._sending.values()}
        free = BATCH - len(self._sending)
        if free < BATCH // 2:
            return None
        async with self._store.read() as db:
            ready = await outbox.waiting(db, _LOOKED_AT, now, most=1, without_channels=busy)
        if ready:
            again_at = now + self._timing.longest_retry
            async with self._store.write() as db:
                claimed = await outbox.claim(db, now, most=free, without=busy, again_at=again_at)
                attached = await outbox.attached(db, [post.id for post in claimed])
                busy |= {post.channel_id for post in claimed}
                done = await outbox.waiting(db, [State.DONE], now, most=1, without_channels=busy)
                for post in done:
                    await outbox.look_again(db, post, again_at)
            self._reached("claimed")
            for post in claimed:
                self._begin(post, self._try(post, attached[post.id]))
            for post in done:
                self._begin(post, self._remove_doubles(post, now))
        busy = {channel for channel, _ in self._sending.values()}
        async with self._store.read() as db:
            return await outbox.next_look(db, _LOOKED_AT, without_channels=busy)

    def _begin(self, post: Post, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._finish(post, work), name=f"post {post.key}")
        self._sending[post.id] = post.channel_id, task

    async def _finish(self, post: Post, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            # As the store has it, it is looked at again.
            log.exception("a post stumbled", key=post.key)
        finally:
            del self._sending[post.id]
            # Not after each: taking the next ones costs a commit, and half of them still wait for their turn.
            if len(self._sending) <= BATCH // 2:
                self._to_deliver.wake()

    async def _try(self, post: Post, attached: list[Attached]) -> None:
        if post.attempt > 1 and not await self._is_absent(post):
            return
        now = self._clock.now()
        if now > post.post_until:
            await self._commits.do(lambda db, _: self._settle(db, post, State.SKIPPED, now, reason="late"))
            return
        pictures = await self._enclosed(attached)
        if pictures is None or (post.data_as_of is not None and now - post.data_as_of > self._timing.stale):
            # Written anew, with figures of now; that it may have been tried stays known.
            left = post.attempt - 1
            await self._commits.do(lambda db, _: outbox.write_again(db, post, now, attempt=left))
            self._to_prepare.wake()
            return
        self._reached("sending")
        letter = Letter.of(post.payload or "")
        outcome = await self._channels.post(post.channel_id, letter, pictures, nonce=nonce_of(post))
        self._reached("sent")
        if outcome.said is Said.DONE and post.attempt == 1:
            await self._commits.do(self._note_posted, (post, next(iter(outcome.messages), None)))
        else:
            await self._commits.do(lambda db, _: self._note(db, post, outcome))
        self._reached("settled")

    async def _is_absent(self, post: Post) -> bool:
        """Whether Discord certainly has no earlier try of this post; if not, that is noted."""
        first = post.first_try_at or post.due_at
        seen = await self._channels.find(post.server_id, post.channel_id, marker_of(post), since=first - SKEW)
        self._reached("checked")
        now = self._clock.now()
        if seen.said is Said.DONE and not seen.messages:
            return True
        if seen.said is Said.BLIND and now - first < self._timing.nonce:
            # So soon the nonce alone keeps it from being posted twice.
            return True
        too_late = seen.said is not Said.DONE and now > post.post_until
        if too_late or seen.said is Said.BLIND:
            await self._commits.do(lambda db, _: self._settle(db, post, State.FAILED, now, reason="unsure"))
            return False
        await self._commits.do(lambda db, _: self._note(db, post, seen))
        return False

    async def _note_posted(self, db: Db, messages: Sequence[tuple[Post, int | None]]) -> None:
        """What Discord took at the first try, which leaves no doubles to look for."""
        now = self._clock.now()
        await outbox.done(db, dict(messages), now=now)
        of_kind: dict[str, list[Post]] = {}
        for post, _ in messages:
            of_kind.setdefault(post.kind, []).append(post)
        for kind, posts in of_kind.items():
            # Another version of the bot may have written what this one knows no writer of.
            if (writer := self._writers.get(kind)) is not None:
                await writer.posted(db, posts, now)

    async def _note(self, db: Db, post: Post, outcome: Outcome) -> None:
        """What the answer of Discord means for a post."""
        now = self._clock.now()
        match outcome.said:
            case Said.DONE:
                message = next(iter(outcome.messages), None)
                look_at = now + self._timing.doubles[0] if post.attempt > 1 else None
                await self._settle(db, post, State.DONE, now, message_id=message, look_at=look_at)
            case Said.REFUSED:
                log.warning("a channel refuses posts", key=post.key, reason=outcome.reason)
                again_at = now + self._timing.refused
                if await self._writers[post.kind].refused(db, post, outcome.reason, now):
                    await self._settle(db, post, State.FAILED, now, reason=outcome.reason)
                else:
                    await outbox.not_posted(db, post, again_at)
            case Said.WRONG:
                log.error("Discord does not take a post", key=post.key, reason=outcome.reason)
                await self._settle(db, post, State.FAILED, now, reason=outcome.reason)
            case Said.LATER:
                await outbox.not_posted(db, post, now + self._timing.longest_retry)
            case Said.BLIND | Said.UNKNOWN:
                log.warning("not known whether a post arrived", key=post.key, reason=outcome.reason)
                wait = min(self._timing.retry * 2 ** min(post.attempt - 1, 16), self._timing.longest_retry)
                await outbox.look_again(db, post, now + wait)

    async def _settle(
        self,
        db: Db,
        post: Post,
        state: State,
        now: datetime,
        *,
        message_id: int | None = None,
        reason: str | None = None,
        look_at: datetime | None = None,
    ) -> None:
        await outbox.settle(db, post, state, now=now, message_id=message_id, reason=reason, look_at=look_at)
        writer = self._writers.get(post.kind)
        if state is State.DONE:
            if writer is not None:
                await writer.posted(db, [post], now)
            return
        if writer is not None:
            await writer.unposted(db, post, state, reason, now)
        # There may be something to tell about it.
        self._to_prepare.wake()

    async def _remove_doubles(self, post: Post, now: datetime) -> None:
        first, settled = post.first_try_at or post.due_at, post.settled_at or now
        seen = await self._channels.find(post.server_id, post.channel_id, marker_of(post), since=first - SKEW)
        for double in seen.messages[1:]:
            log.warning("a double is deleted", key=post.key, message=double)
            await self._channels.delete(post.channel_id, double)
        later = (settled + after for after in self._timing.doubles if settled + after > now)
        look_at = next(later, None)
        await self._commits.do(lambda db, _: outbox.look_again(db, post, look_at))

    async def _enclosed(self, attached: list[Attached]) -> list[Enclosed] | None:
        """The pictures of a post; None if one is gone, as from a store that comes from a backup."""
        missing = {each.sha256 for each in attached} - set(self._pngs)
        if missing:
            if len(self._pngs) > 2 * BATCH:
                self._pngs.clear()
                missing = {each.sha256 for each in attached}
            async with self._store.read() as db:
                self._pngs |= await outbox.pngs(db, missing)
        if any(each.sha256 not in self._pngs for each in attached):
            return None
        return [Enclosed(name=each.name, alt=each.alt, png=self._pngs[each.sha256]) for each in attached]
