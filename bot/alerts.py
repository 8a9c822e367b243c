"""Alerts: judged whenever there is something new, and told through the same outbox as digests.

Nothing is told twice: how far an alert was judged, what happened to it and the post that tells it are
one transaction. Nobody is flooded: what happens a third time within an hour is told with the word that
from here on it is collected, and an hour later all of it is one message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot import alert_ids, alert_posts, price_alerts
from bot.news_alerts import Look, News
from bot.posts import Drop, Wait, Writing, Written
from storage import alert_watch, outbox
from storage.alert_watch import Group
from storage.alerts import Alert, Crossing
from storage.outbox import Post, State
from storage.store import Db, Store

log = structlog.get_logger(__name__)

TELL_WITHIN: Final = timedelta(hours=6)
"""How long a post that could not be sent is tried; what happened has its own time in it."""
NEWS_EVERY: Final = timedelta(minutes=5)
"""How often what has no bars is looked at: flows, margins, the verdict, silent sources."""
STORM: Final = 3
"""Told so often within ``STORM_WITHIN``, an alert is quiet for ``QUIET``."""
STORM_WITHIN: Final = timedelta(hours=1)
QUIET: Final = timedelta(hours=1)
BLOCKED_FOR: Final = timedelta(days=1)
"""How long somebody who takes no direct messages is not written to."""
TIDY_EVERY: Final = timedelta(days=1)
FOR_GOOD: Final = frozenset({"blocked", "gone"})
"""Refusals that no second try will change."""


async def tell(db: Db, alert: Alert, found: Sequence[Crossing], now: datetime) -> None:
    """Note what happened to an alert and plan the one post that tells it, unless its owner wants quiet."""
    news = await alert_watch.unheard(db, alert, found)
    if not news:
        return
    state, key = "told", None
    if _is_muted(alert, now):
        state = "muted"
    elif alert.note == "blocked" and alert.noted_at is not None and now - alert.noted_at < BLOCKED_FOR:
        state = "blocked"
    elif alert.quiet_until is not None and alert.quiet_until > now:
        state = "held"
    else:
        key = _key(alert, news[0])
        await outbox.add(db, _post(alert, key, now))
        before = await alert_watch.told_since(
            db, alert.id, noted=now - STORM_WITHIN, at=news[-1].at - STORM_WITHIN
        )
        if before + len(news) >= STORM:
            await alert_watch.quiet(db, alert.id, now + QUIET)
    await alert_watch.happened(db, alert, news, state=state, post_key=key, now=now)


async def end_quiet(db: Db, alert: Alert, now: datetime) -> None:
    """The quiet time of an alert is over: what was collected is told at once, if it may be told."""
    held = await alert_watch.held_back(db, alert.id)
    state, key = "told", None
    if held and _is_muted(alert, now):
        state = "muted"
    elif held:
        key = _key(alert, held[0])
        await outbox.add(db, _post(alert, key, now))
    await alert_watch.tell_held(db, alert.id, state=state, post_key=key, now=now)
    again = now + QUIET if key is not None and len(held) >= STORM else None
    await alert_watch.quiet(db, alert.id, again)


def _is_muted(alert: Alert, now: datetime) -> bool:
    return alert.muted_until is not None and alert.muted_until > now


def _key(alert: Alert, first: Crossing) -> str:
    """An alert and a crossing: never the same again."""
    return f"alert:{alert.id}:{first.name}"


def _post(alert: Alert, key: str, now: datetime) -> Post:
    return Post(
        key=key,
        kind=AlertWriter.kind,
        subject=alert.id,
        server_id=alert.server_id,
        channel_id=alert.channel_id,
        due_at=now,
        post_until=now + TELL_WITHIN,
        next_at=now,
    )


class AlertWriter:
    """Judges, plans and writes alerts for an outbox."""

    kind: Final = "alert"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looked_at: datetime | None = None
        self._tidied_at: datetime | None = None

    async def plan(self, now: datetime) -> datetime | None:
        await self._end_quiet_times(now)
        async with self._store.read() as db:
            waiting = [
                group for group in await alert_watch.groups(db) if await price_alerts.anything(db, group, now)
            ]
        for group in waiting:
            try:
                await self._judge(group, now)
            except Exception:
                # One series that cannot be judged must not silence the others, nor the digests.
                log.exception("alerts cannot be judged", subject=group.subject, interval=group.interval)
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < NEWS_EVERY:
            self._looked_at = now
            await self._look_around(now)
        async with self._store.read() as db:
            return await alert_watch.next_end(db)

    async def _end_quiet_times(self, now: datetime) -> None:
        async with self._store.read() as db:
            over = await alert_watch.quiet_over(db, now)
        tidies = self._tidied_at is None or now - self._tidied_at >= TIDY_EVERY
        if not over and not tidies:
            return
        async with self._store.write() as db:
            for alert in await alert_watch.quiet_over(db, now):
                await end_quiet(db, alert, now)
            if tidies:
                await alert_watch.tidy(db, now)
        self._tidied_at = now if tidies else self._tidied_at

    async def _judge(self, group: Group, now: datetime) -> None:
        """All new bars of a group; in one transaction as many as do not hold up the others."""
        more = True
        while more:
            async with self._store.write() as db:
                found = await price_alerts.judge(db, group, now)
                crossings: dict[int, tuple[Alert, list[Crossing]]] = {}
                for alert, crossing in found.happened:
                    crossings.setdefault(alert.id, (alert, []))[1].append(crossing)
                for alert, theirs in crossings.values():
                    await tell(db, alert, theirs, now)
            more = found.more
            await asyncio.sleep(0)

    async def _look_around(self, now: datetime) -> None:
        async with self._store.read() as db:
            waiting = await alert_watch.others(db)
        news = News(self._store, now)
        for alert in waiting:
            try:
                look = await news.look(alert)
                if look is not None and (look.happened or look.seen != alert.seen):
                    await self._saw(alert, look, now)
            except Exception:
                log.exception("an alert cannot be judged", alert=alert.id, what=str(alert.kind))

    async def _saw(self, alert: Alert, look: Look, now: datetime) -> None:
        async with self._store.write() as db:
            kept = await alert_watch.by_id(db, [alert.id])
            # Meanwhile it may have been edited: then it is looked at again, as it is now.
            if [(one.seen, one.since) for one in kept] == [(alert.seen, alert.since)]:
                await alert_watch.saw(db, alert, look.seen)
                await tell(db, kept[0], look.happened, now)

    async def writing(self, posts: Sequence[Post]) -> Writing:  # noqa: ARG002 -- each has its own crossings
        return self._write

    async def _write(self, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:
        async with self._store.read() as db:
            found = await alert_watch.by_id(db, [post.subject or 0])
            crossings = await alert_watch.told_by(db, post.subject or 0, post.key)
        if not found or not crossings:
            return Drop("removed")
        [alert] = found
        if _is_muted(alert, now):
            return Drop("muted")
        letter = alert_posts.letter(alert, crossings, now)
        return Written(letter=replace(letter, rows=(alert_ids.mute_row(alert, marker),)))

    async def refused(self, db: Db, post: Post, reason: str, now: datetime) -> bool:
        what = "blocked" if reason == "blocked" else "refused"
        await alert_watch.note(db, post.subject or 0, what, now=now)
        return reason in FOR_GOOD

    async def posted(self, db: Db, posts: Sequence[Post], now: datetime) -> None:
        for post in posts:
            await alert_watch.note(db, post.subject or 0, None, now=now)

    async def unposted(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        alert_id = post.subject or 0
        if reason in {"late", "unsure"}:
            await alert_watch.note(db, alert_id, reason, now=now)
        elif state is State.FAILED and reason not in FOR_GOOD:
            await alert_watch.note(db, alert_id, "failed", now=now)
