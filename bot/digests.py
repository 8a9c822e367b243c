"""Digests: what is due by the servers' clocks, and what became of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bot import digest_words
from bot.answers import Answers
from bot.digest_words import Asking
from bot.posts import Drop, Wait, Writing, Written
from bot.schedule import Occurrence, Rhythm
from storage import digests, marks, outbox, servers
from storage.digests import Schedule
from storage.outbox import Post, State
from storage.servers import ServerSettings
from storage.store import Db

log = structlog.get_logger(__name__)

LATE_WITHIN: Final = timedelta(hours=6)
"""How late a digest is still posted."""
NOW_WITHIN: Final = timedelta(minutes=30)
"""How long a post that somebody waits for is tried."""
NOTICE_WITHIN: Final = timedelta(days=1)
REFUSALS_BEFORE_PAUSE: Final = 3
FINAL_EVERY: Final = timedelta(minutes=1)
"""How often figures that are waited for are looked at."""
MOST_MISSED: Final = 31
"""How many missed occurrences of one digest are put down."""
_AT_A_TIME: Final = 100

ForModerators = Callable[[int], int | None]
"""The channel in which a server's moderators are told, by server."""


def rhythm_of(schedule: Schedule) -> Rhythm:
    return Rhythm(at=schedule.local_time, zone=ZoneInfo(schedule.zone), days=schedule.days)


def next_times(schedule: Schedule, now: datetime, count: int) -> list[Occurrence]:
    """The next occurrences that will be posted: after ``now``, and on no date that was dealt with."""
    coming = rhythm_of(schedule).after(now, later_than=schedule.planned_through)
    return [found for found, _ in zip(coming, range(count), strict=False)]


def wait_until(schedule: Schedule, found: Occurrence) -> datetime | None:
    """Until when figures that are not final are waited for; None where they are not."""
    if schedule.latest_time is None:
        return None
    latest = Rhythm(at=schedule.latest_time, zone=ZoneInfo(schedule.zone)).on(found.day)
    return None if latest is None else max(latest.at, found.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due of one digest: posts for the outbox, and what of it was ``missed`` for good, oldest first.

    ``through``: every date up to it is dealt with by that, null if none is.
    """

    posts: tuple[Post, ...]
    missed: tuple[Occurrence, ...]
    through: date | None
    next_at: datetime


def due_of(schedule: Schedule, now: datetime) -> Due:
    """Of several occurrences that are due, only the newest is posted, and only if it is not too late."""
    missed: deque[Occurrence] = deque(maxlen=MOST_MISSED)
    following: Occurrence | None = None
    for found in rhythm_of(schedule).after(schedule.since, later_than=schedule.planned_through):
        if found.at > now:
            following = found
            break
        missed.append(found)
    through = missed[-1].day if missed else None
    posts = []
    if missed:
        newest = missed[-1]
        last = wait_until(schedule, newest)
        post_until = (last or newest.at) + LATE_WITHIN
        if now <= post_until:
            missed.pop()
            posts.append(replace(_post(schedule, newest, post_until), wait_until=last, next_at=now))
    for each in missed:
        skipped = _post(schedule, each, each.at + LATE_WITHIN)
        posts.append(replace(skipped, state=State.SKIPPED, reason="late", settled_at=now))
    # A rhythm without a next time is looked at again tomorrow.
    next_at = following.at if following is not None else now + timedelta(days=1)
    return Due(posts=tuple(posts), missed=tuple(missed), through=through, next_at=next_at)


async def keep_due(db: Db, found: Mapping[int, Due]) -> None:
    """Puts what is due, by digest, into the outbox, and notes that it is dealt with."""
    await outbox.add_all(db, [post for due in found.values() for post in due.posts])
    await digests.planned(db, {number: (due.through, due.next_at) for number, due in found.items()})


def _key(schedule: Schedule, day: date) -> str:
    return f"digest:{schedule.id}:{day.isoformat()}"


def _post(schedule: Schedule, found: Occurrence, post_until: datetime) -> Post:
    return Post(
        key=_key(schedule, found.day),
        kind=DigestWriter.kind,
        subject=schedule.id,
        server_id=schedule.server_id,
        channel_id=schedule.channel_id,
        due_at=found.at,
        post_until=post_until,
    )


async def settle_timing(db: Db, schedule: Schedule, now: datetime) -> None:
    """Deals with what is due of a digest by its old time, before that is changed."""
    due = due_of(schedule, now)
    await keep_due(db, {schedule.id: due})
    if due.missed:
        await digests.note(db, schedule.id, "skipped", now=now)


async def planned_through_in(db: Db, schedule: Schedule, zone: str) -> date | None:
    """The last date without a further post once the digest goes by the clock of ``zone``.

    There the last post may have come on a later date than by its own clock: that date has had its post, too.
    """
    through = schedule.planned_through
    last = None if through is None else await outbox.find(db, _key(schedule, through))
    if through is None or last is None or last.state is State.SKIPPED:
        return through
    came = last.settled_at or last.wait_until or last.due_at
    return max(through, came.astimezone(ZoneInfo(zone)).date())


async def post_now(db: Db, schedule: Schedule, interaction_id: int, now: datetime) -> bool:
    """A post beside the rhythm: no day's post is dealt with by it. False where it was asked for before."""
    post = Post(
        key=f"digest:{schedule.id}:now:{interaction_id}",
        kind=DigestWriter.kind,
        subject=schedule.id,
        server_id=schedule.server_id,
        channel_id=schedule.channel_id,
        due_at=now,
        post_until=now + NOW_WITHIN,
        next_at=now,
    )
    return await outbox.add(db, post)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What writing some posts takes from the store, by digest and by server."""

    schedules: Mapping[int, Schedule]
    settings: Mapping[int, ServerSettings]
    own_data: Collection[int]


class DigestWriter:
    """Plans and writes digests for an outbox."""

    kind: Final = "digest"

    def __init__(self, answers: Answers, for_moderators: ForModerators) -> None:
        self._answers = answers
        self._store = answers.store
        self._for_moderators = for_moderators
        self._asking = Asking(answers, answers.clock.now())
        self._fresh = False

    async def plan(self, now: datetime) -> datetime | None:
        if not self._fresh:
            await self._follow_new_rules()
            self._fresh = True
        while True:
            async with self._store.read() as db:
                due = await digests.due(db, now, most=_AT_A_TIME)
                next_at = await digests.next_due(db)
            if not due:
                return next_at
            async with self._store.write() as db:
                # Asked for again: a moderator may have changed one meanwhile.
                await self._plan(db, await digests.due(db, now, most=_AT_A_TIME), now)
            await asyncio.sleep(0)

    async def _follow_new_rules(self) -> None:
        """What was worked out with other rules of the world's clocks is worked out anew."""
        rules = version("tzdata")
        async with self._store.read() as db:
            known = await marks.read(db, "tzdata")
        if known != rules:
            async with self._store.write() as db:
                await digests.forget_next(db)
                await marks.write(db, "tzdata", rules)

    async def _plan(self, db: Db, schedules: Sequence[Schedule], now: datetime) -> None:
        found: dict[int, Due] = {}
        for schedule in schedules:
            try:
                rhythm_of(schedule)
            except (ValueError, KeyError, OSError):
                # A zone or days that this version does not know: the others must not wait for it.
                log.exception("a digest cannot be planned", digest=schedule.id)
                await digests.pause(db, schedule.id, "unreadable")
                continue
            found[schedule.id] = due_of(schedule, now)
        await keep_due(db, found)
        for schedule in schedules:
            missed = found[schedule.id].missed if schedule.id in found else ()
            if not missed:
                continue
            log.warning("digests were missed", digest=schedule.id, count=len(missed))
            await digests.note(db, schedule.id, "skipped", now=now)
            channel = self._for_moderators(schedule.server_id) or schedule.channel_id
            key = f"notice:skipped:{schedule.id}:{missed[-1].day.isoformat()}"
            await outbox.add(db, _notice(schedule, key, channel, due_at=missed[-1].at, now=now))

    async def writing(self, posts: Sequence[Post]) -> Writing:
        of_servers = {post.server_id for post in posts}
        async with self._store.read() as db:
            known = _Known(
                schedules=await digests.find_all(db, {post.subject or 0 for post in posts}),
                settings=await servers.settings_of(db, of_servers),
                own_data=await servers.with_own_data(db, of_servers),
            )
        return partial(self._write, known)

    async def _write(self, known: _Known, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:
        schedule = known.schedules.get(post.subject or 0)
        if schedule is None:
            return Drop("removed")
        if schedule.paused is not None:
            return Drop("paused")
        if now.replace(second=0, microsecond=0) != self._asking.minute:
            self._asking = Asking(self._answers, now)
        # Whoever has no book, no figures and no thresholds of their own has the same answer.
        parts = await self._asking.parts(
            schedule, server_id=post.server_id if post.server_id in known.own_data else 0
        )
        if post.wait_until is not None and now < post.wait_until and not all(part.is_final for part in parts):
            return Wait(min(now + FINAL_EVERY, post.wait_until))
        return await digest_words.written(
            schedule,
            parts,
            self._asking,
            settings=known.settings.get(post.server_id),
            marker=marker,
            due=post.wait_until or post.due_at,
        )

    async def refused(self, db: Db, post: Post, reason: str, now: datetime) -> bool:
        schedule = await digests.find(db, post.subject or 0)
        if schedule is None or await digests.refusal(db, schedule.id) < REFUSALS_BEFORE_PAUSE:
            return schedule is None
        await digests.pause(db, schedule.id, "refused")
        await digests.note(db, schedule.id, "refused", now=now)
        log.warning("a digest is paused", digest=schedule.id, reason=reason)
        channel = self._for_moderators(schedule.server_id)
        if channel is not None and channel != schedule.channel_id:
            key = f"notice:refused:{schedule.id}:{int(now.timestamp())}"
            await outbox.add(db, _notice(schedule, key, channel, due_at=now, now=now))
        return True

    async def posted(self, db: Db, posts: Sequence[Post], now: datetime) -> None:  # noqa: ARG002
        await digests.posted(db, {post.subject for post in posts if post.subject is not None})

    async def unposted(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        if post.subject is None:
            return
        if state is State.FAILED and reason == "unsure":
            await digests.note(db, post.subject, "unsure", now=now)
        elif state is State.FAILED:
            schedule = await digests.find(db, post.subject)
            if schedule is not None and schedule.paused is None:
                await digests.note(db, post.subject, "failed", now=now)
        elif reason == "late":
            await digests.note(db, post.subject, "skipped", now=now)
            schedule = await digests.find(db, post.subject)
            if schedule is not None:
                channel = self._for_moderators(post.server_id) or post.channel_id
                key = f"notice:skipped:{post.subject}:{post.key.rpartition(':')[2]}"
                await outbox.add(db, _notice(schedule, key, channel, due_at=post.due_at, now=now))


def _notice(schedule: Schedule, key: str, channel: int, *, due_at: datetime, now: datetime) -> Post:
    return Post(
        key=key,
        kind=NoticeWriter.kind,
        subject=schedule.id,
        server_id=schedule.server_id,
        channel_id=channel,
        due_at=due_at,
        post_until=now + NOTICE_WITHIN,
        next_at=now,
    )


class NoticeWriter:
    """Tells moderators what became of a digest."""

    kind: Final = "notice"

    def __init__(self, answers: Answers) -> None:
        self._store = answers.store

    async def plan(self, now: datetime) -> datetime | None:  # noqa: ARG002 -- a notice is put in with its cause
        return None

    async def writing(self, posts: Sequence[Post]) -> Writing:  # noqa: ARG002 -- notices are few
        return self._write

    async def _write(self, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:  # noqa: ARG002
        async with self._store.read() as db:
            schedule = await digests.find(db, post.subject or 0)
        if schedule is None:
            return Drop("removed")
        refused = post.key.startswith("notice:refused:")
        coming = [] if refused else next_times(schedule, now, 1)
        letter = digest_words.notice(
            schedule, refused=refused, due=post.due_at, following=coming[0].at if coming else None
        )
        return Written(letter=letter)

    async def refused(self, db: Db, post: Post, reason: str, now: datetime) -> bool:  # noqa: ARG002
        return True

    async def posted(self, db: Db, posts: Sequence[Post], now: datetime) -> None:
        """There is nothing to note."""

    async def unposted(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        """The digest itself already has the note."""
