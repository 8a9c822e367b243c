"""Digests: what is due by the servers' clocks, and what became of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from bot import digest_words
from bot.answers import Answers
from bot.digest_words import Asking
from bot.posts import Drop, Wait, Written
from bot.schedule import Occurrence, Rhythm
from storage import digests, marks, outbox, servers
from storage.digests import Schedule
from storage.outbox import Post, State
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


async def plan_one(db: Db, schedule: Schedule, now: datetime) -> list[Occurrence]:
    """Puts what is due of one digest into the outbox; returns what was missed for good, oldest first.

    Of several that are due, only the newest is posted, and only if it is not too late.
    """
    missed: deque[Occurrence] = deque(maxlen=MOST_MISSED)
    following: Occurrence | None = None
    for found in rhythm_of(schedule).after(schedule.since, later_than=schedule.planned_through):
        if found.at > now:
            following = found
            break
        missed.append(found)
    through = missed[-1].day if missed else None
    if missed:
        newest = missed[-1]
        last = wait_until(schedule, newest)
        post_until = (last or newest.at) + LATE_WITHIN
        if now <= post_until:
            missed.pop()
            await outbox.add(db, replace(_post(schedule, newest, post_until), wait_until=last, next_at=now))
    for each in missed:
        skipped = _post(schedule, each, each.at + LATE_WITHIN)
        await outbox.add(db, replace(skipped, state=State.SKIPPED, reason="late", settled_at=now))
    # A rhythm without a next time is looked at again tomorrow.
    next_at = following.at if following is not None else now + timedelta(days=1)
    await digests.planned(db, schedule.id, through=through, next_at=next_at)
    return list(missed)


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
    if await plan_one(db, schedule, now):
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
                for schedule in await digests.due(db, now, most=_AT_A_TIME):
                    await self._plan(db, schedule, now)
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

    async def _plan(self, db: Db, schedule: Schedule, now: datetime) -> None:
        try:
            rhythm_of(schedule)
        except (ValueError, KeyError, OSError):
            # A zone or days that this version does not know: the others must not wait for it.
            log.exception("a digest cannot be planned", digest=schedule.id)
            await digests.pause(db, schedule.id, "unreadable")
            return
        if missed := await plan_one(db, schedule, now):
            log.warning("digests were missed", digest=schedule.id, count=len(missed))
            await digests.note(db, schedule.id, "skipped", now=now)
            channel = self._for_moderators(schedule.server_id) or schedule.channel_id
            key = f"notice:skipped:{schedule.id}:{missed[-1].day.isoformat()}"
            await outbox.add(db, _notice(schedule, key, channel, due_at=missed[-1].at, now=now))

    async def write(self, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:
        async with self._store.read() as db:
            schedule = await digests.find(db, post.subject or 0)
            settings = await servers.settings(db, post.server_id)
            own_data = await servers.own_data(db, post.server_id)
        if schedule is None:
            return Drop("removed")
        if schedule.paused is not None:
            return Drop("paused")
        if now.replace(second=0, microsecond=0) != self._asking.minute:
            self._asking = Asking(self._answers, now)
        # Whoever has no book, no figures and no thresholds of their own has the same answer.
        parts = await self._asking.parts(schedule, server_id=post.server_id if own_data else 0)
        if post.wait_until is not None and now < post.wait_until and not all(part.is_final for part in parts):
            return Wait(min(now + FINAL_EVERY, post.wait_until))
        return await digest_words.written(
            schedule,
            parts,
            self._asking,
            settings=settings,
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

    async def settled(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        if post.subject is None:
            return
        if state is State.DONE:
            await digests.posted(db, post.subject)
        elif state is State.FAILED and reason == "unsure":
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

    async def write(self, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:  # noqa: ARG002
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

    async def settled(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        """The digest itself already has the note."""
