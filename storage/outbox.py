"""What is to be posted, exactly once: a row from the plan to the message on Discord.

    planned -> rendered -> sending -> done | failed | skipped

``next_at`` says when a row wants to be looked at again, null when never.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db

PICTURES_KEPT: Final = timedelta(days=7)
"""After their last use."""
ROWS_KEPT: Final = timedelta(days=30)
"""After they were settled; what a digest has dealt with stands in its own row for ever."""


class State(StrEnum):
    """``SENDING``: Discord may or may not have it."""

    PLANNED = "planned"
    RENDERED = "rendered"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One thing to post. ``key`` names it for ever, for instance ``digest:7:2026-02-05``.

    ``kind`` says who writes it, ``subject`` is that one's own number. It is not posted
    after ``post_until``; figures that are not final are waited for until ``wait_until``.
    """

    id: int = 0
    key: str
    kind: str
    subject: int | None = None
    server_id: int
    channel_id: int
    due_at: datetime
    wait_until: datetime | None = None
    post_until: datetime
    state: State = State.PLANNED
    payload: str | None = None
    data_as_of: datetime | None = None
    attempt: int = 0
    first_try_at: datetime | None = None
    next_at: datetime | None = None
    message_id: int | None = None
    settled_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A picture of a post; ``sha256`` names its bytes."""

    sha256: str
    name: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a post says: ``payload`` is JSON, ``pictures`` are attached in this order."""

    payload: str
    pictures: tuple[Attached, ...]
    data_as_of: datetime | None


async def add(db: Db, post: Post) -> bool:
    """Put a post in; False where its key was ever there before."""
    t = schema.outbox
    if await db.scalar(select(t.c.id).where(t.c.key == post.key)) is not None:
        return False
    values = _row(post)
    del values["id"]
    await db.execute(insert(t).values(values))
    return True


async def add_all(db: Db, posts: Sequence[Post]) -> None:
    """Put in those whose key was never there before."""
    t = schema.outbox
    wanted = {post.key: post for post in posts}
    for key in await db.execute(select(t.c.key).where(t.c.key.in_(wanted))):
        del wanted[key[0]]
    rows = [_row(post) for post in wanted.values()]
    for row in rows:
        del row["id"]
    if rows:
        await db.execute(insert(t), rows)


async def find(db: Db, key: str) -> Post | None:
    t = schema.outbox
    row = (await db.execute(select(t).where(t.c.key == key))).mappings().first()
    return None if row is None else _post(row)


async def last_of(db: Db, kind: str, subject: int) -> Post | None:
    """The newest post of its kind for ``subject``, whatever became of it."""
    t = schema.outbox
    query = select(t).where(t.c.kind == kind, t.c.subject == subject).order_by(t.c.due_at.desc()).limit(1)
    row = (await db.execute(query)).mappings().first()
    return None if row is None else _post(row)


async def done_between(db: Db, after: datetime, until: datetime) -> list[Post]:
    """What was posted after ``after`` and by ``until``, the first first."""
    t = schema.outbox
    query = (
        select(t)
        .where(t.c.state == State.DONE, t.c.settled_at > epoch(after), t.c.settled_at <= epoch(until))
        .order_by(t.c.settled_at, t.c.id)
    )
    return [_post(row) for row in (await db.execute(query)).mappings()]


async def waiting(
    db: Db, states: Collection[State], now: datetime, *, most: int, without_channels: Collection[int] = ()
) -> list[Post]:
    """Posts in ``states`` that want to be looked at by ``now``, the earliest due first."""
    t = schema.outbox
    query = (
        select(t)
        .where(t.c.next_at <= epoch(now), t.c.state.in_(states), t.c.channel_id.not_in(without_channels))
        .order_by(t.c.due_at, t.c.id)
        .limit(most)
    )
    return [_post(row) for row in (await db.execute(query)).mappings()]


async def next_look(
    db: Db, states: Collection[State], *, without_channels: Collection[int] = ()
) -> datetime | None:
    """When the next post in ``states`` wants to be looked at, but for those of some channels."""
    t = schema.outbox
    query = select(func.min(t.c.next_at)).where(
        t.c.state.in_(states), t.c.channel_id.not_in(without_channels)
    )
    found = await db.scalar(query)
    return None if found is None else utc(found)


async def claim(
    db: Db, now: datetime, *, most: int, without: Collection[int], again_at: datetime
) -> list[Post]:
    """Take posts to be sent, at most one for a channel and none for the channels in ``without``.

    They are SENDING from here on: whatever happens, Discord is asked before a second try.
    """
    t = schema.outbox
    open_ = t.c.state.in_([State.RENDERED, State.SENDING])
    first = (
        select(func.min(t.c.id).label("id"))
        .where(t.c.next_at <= epoch(now), open_, t.c.channel_id.not_in(without))
        .group_by(t.c.channel_id)
        .order_by(func.min(t.c.due_at), func.min(t.c.id))
        .limit(most)
    )
    ids = [int(row.id) for row in await db.execute(first)]
    if not ids:
        return []
    await db.execute(
        update(t)
        .where(t.c.id.in_(ids))
        .values(
            state=State.SENDING,
            attempt=t.c.attempt + 1,
            first_try_at=func.coalesce(t.c.first_try_at, epoch(now)),
            next_at=epoch(again_at),
        )
    )
    rows = (await db.execute(select(t).where(t.c.id.in_(ids)).order_by(t.c.due_at, t.c.id))).mappings()
    return [_post(row) for row in rows]


async def resume(db: Db, now: datetime) -> int:
    """At a start: look at once at what was being sent when the last run ended. Returns how many."""
    t = schema.outbox
    done = await db.execute(update(t).where(t.c.state == State.SENDING).values(next_at=epoch(now)))
    return done.rowcount


async def rendered(db: Db, posts: Mapping[Post, Rendered], *, now: datetime) -> None:
    """Keep what posts say: the same bytes for every try."""
    t, links = schema.outbox, schema.outbox_pictures
    await db.execute(delete(links).where(links.c.outbox_id.in_([post.id for post in posts])))
    pictures = [
        {"outbox_id": post.id, "position": position, **asdict(picture)}
        for post, what in posts.items()
        for position, picture in enumerate(what.pictures)
    ]
    if pictures:
        await db.execute(insert(links), pictures)
    await db.execute(
        update(t)
        .where(t.c.id == bindparam("post"))
        .values({name: bindparam(name) for name in ("state", "payload", "data_as_of", "next_at")}),
        [
            {
                "post": post.id,
                # A post that may be on Discord stays so, whatever it says now.
                "state": State.SENDING if post.attempt else State.RENDERED,
                "payload": what.payload,
                "data_as_of": None if what.data_as_of is None else epoch(what.data_as_of),
                "next_at": epoch(now),
            }
            for post, what in posts.items()
        ],
    )


async def look_again(db: Db, post: Post, at: datetime | None, *, state: State | None = None) -> None:
    """Look at a post again at ``at``, in another state if one is given."""
    t = schema.outbox
    values: dict[str, Any] = {"next_at": None if at is None else epoch(at)}
    if state is not None:
        values["state"] = state
    await db.execute(update(t).where(t.c.id == post.id).values(values))


async def write_again(db: Db, post: Post, now: datetime, *, attempt: int) -> None:
    """Have it written anew: ``attempt`` is how many tries may have posted it."""
    t = schema.outbox
    await db.execute(
        update(t)
        .where(t.c.id == post.id)
        .values(state=State.PLANNED, payload=None, attempt=attempt, next_at=epoch(now))
    )


async def not_posted(db: Db, post: Post, at: datetime) -> None:
    """Discord has said that the last try did not post: as if it had not been made. Next try at ``at``."""
    t = schema.outbox
    left = max(0, post.attempt - 1)
    state = State.SENDING if left else State.RENDERED
    await db.execute(update(t).where(t.c.id == post.id).values(attempt=left, state=state, next_at=epoch(at)))


async def settle(
    db: Db,
    post: Post,
    state: State,
    *,
    now: datetime,
    message_id: int | None = None,
    reason: str | None = None,
    look_at: datetime | None = None,
) -> None:
    """Done, failed or skipped; ``look_at`` is when to look for doubles of one that is done."""
    t = schema.outbox
    await db.execute(
        update(t)
        .where(t.c.id == post.id)
        .values(
            state=state,
            message_id=message_id,
            reason=reason,
            settled_at=epoch(now),
            next_at=None if look_at is None else epoch(look_at),
        )
    )


async def done(db: Db, messages: Mapping[Post, int | None], *, now: datetime) -> None:
    """These stand in their channels now, under these ids; nothing is left to look at."""
    t = schema.outbox
    await db.execute(
        update(t)
        .where(t.c.id == bindparam("post"))
        .values(
            state=State.DONE,
            message_id=bindparam("message"),
            reason=None,
            settled_at=epoch(now),
            next_at=None,
        ),
        [{"post": post.id, "message": message} for post, message in messages.items()],
    )


async def keep_picture(db: Db, png: bytes, *, now: datetime) -> str:
    """Keep a picture once, however many posts show it; returns its name."""
    t = schema.pictures
    name = hashlib.sha256(png).hexdigest()
    done = await db.execute(update(t).where(t.c.sha256 == name).values(last_used_at=epoch(now)))
    if done.rowcount == 0:
        await db.execute(insert(t).values(sha256=name, png=png, last_used_at=epoch(now)))
    return name


async def attached(db: Db, post_ids: Sequence[int]) -> dict[int, list[Attached]]:
    """The pictures of posts, in order, by post."""
    t = schema.outbox_pictures
    query = select(t).where(t.c.outbox_id.in_(post_ids)).order_by(t.c.outbox_id, t.c.position)
    found: dict[int, list[Attached]] = {post_id: [] for post_id in post_ids}
    for row in await db.execute(query):
        found[row.outbox_id].append(Attached(sha256=row.sha256, name=row.name, alt=row.alt))
    return found


async def pngs(db: Db, names: Collection[str]) -> dict[str, bytes]:
    """Pictures by name; one that was dropped is not in it."""
    t = schema.pictures
    rows = await db.execute(select(t.c.sha256, t.c.png).where(t.c.sha256.in_(names)))
    return {row.sha256: row.png for row in rows}


async def tidy(db: Db, now: datetime) -> None:
    """Drop pictures a week after their last use, and posts a month after they were settled."""
    t, links, kept = schema.outbox, schema.outbox_pictures, schema.pictures
    await db.execute(delete(t).where(t.c.settled_at < epoch(now - ROWS_KEPT)))
    old = select(kept.c.sha256).where(kept.c.last_used_at < epoch(now - PICTURES_KEPT))
    # A post that is still open keeps its pictures; settled ones give theirs up.
    still_open = select(t.c.id).where(t.c.settled_at.is_(None))
    await db.execute(delete(links).where(links.c.sha256.in_(old), links.c.outbox_id.not_in(still_open)))
    unused = ~exists(select(links.c.sha256).where(links.c.sha256 == kept.c.sha256))
    await db.execute(delete(kept).where(kept.c.last_used_at < epoch(now - PICTURES_KEPT), unused))


_TIMES: Final = (
    "due_at",
    "wait_until",
    "post_until",
    "data_as_of",
    "first_try_at",
    "next_at",
    "settled_at",
)


def _row(post: Post) -> dict[str, Any]:
    values = {name: getattr(post, name) for name in Post.__dataclass_fields__}
    for name in _TIMES:
        values[name] = None if values[name] is None else epoch(values[name])
    return values


def _post(row: Mapping[Any, Any]) -> Post:
    values = {str(name): value for name, value in row.items()}
    for name in _TIMES:
        values[name] = None if values[name] is None else utc(values[name])
    return Post(**{**values, "state": State(values["state"])})
