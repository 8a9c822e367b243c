"""What a post is, and what whoever writes posts promises the outbox."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from bot.channels import CONTENT_LIMIT, Enclosed, Letter
from storage.outbox import Post, State
from storage.store import Db

log = structlog.get_logger(__name__)

MARKER_LENGTH: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A post in words, with its pictures."""

    letter: Letter
    pictures: tuple[Enclosed, ...] = ()
    data_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: ask again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """There is nothing to post any more."""

    reason: str


Writing = Callable[[Post, str, datetime], Awaitable[Written | Wait | Drop]]
"""What a post says at an instant. File names and at least one button, if there are any, bear the marker."""


class Writer(Protocol):
    """Whoever has posts in the outbox: plans them, writes them, hears what became of them."""

    async def plan(self, now: datetime) -> datetime | None:
        """Put in what is due by ``now``; returns when the next is due."""

    async def writing(self, posts: Sequence[Post]) -> Writing:
        """One look into the store for all of ``posts``; what is returned then writes each of them."""

    async def refused(self, db: Db, post: Post, reason: str, now: datetime) -> bool:
        """The channel has refused a try; True to give the post up. In the transaction that notes it."""

    async def posted(self, db: Db, posts: Sequence[Post], now: datetime) -> None:
        """They stand in their channels. In the transaction that notes it."""

    async def unposted(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        """A post failed or was skipped. In the transaction that notes it."""


async def write(
    writers: Mapping[str, Writer], posts: Sequence[Post], now: datetime, *, stumbled: datetime
) -> dict[Post, Written | Wait | Drop]:
    """Each of ``posts`` by the writer of its kind. One that cannot be written is tried again at ``stumbled``."""
    written: dict[Post, Written | Wait | Drop] = {}
    of_kind: dict[str, list[Post]] = {}
    for post in posts:
        if now > post.post_until and not post.attempt:
            written[post] = Drop("late")
        elif post.kind not in writers:
            written[post] = Drop("unknown")
        else:
            of_kind.setdefault(post.kind, []).append(post)
    for kind, theirs in of_kind.items():
        writing = await writers[kind].writing(theirs)
        told = await asyncio.gather(
            *(writing(post, marker_of(post), now) for post in theirs), return_exceptions=True
        )
        for post, what in zip(theirs, told, strict=True):
            if isinstance(what, Exception):
                log.error("a post could not be written", key=post.key, exc_info=what)
                written[post] = Wait(stumbled)
            elif isinstance(what, BaseException):
                raise what
            else:
                written[post] = what
    return written


def marked(letter: Letter, post: Post, *, pictures: bool) -> Letter:
    """Words alone bear their marker in small print."""
    if letter.rows or pictures:
        return letter
    tail = f"\n-# {marker_of(post)}"
    return Letter(content=letter.content[: CONTENT_LIMIT - len(tail)] + tail, role=letter.role)


def nonce_of(post: Post) -> str:
    """24 characters; Discord takes 25."""
    name = hashlib.sha256(f"{post.key} {post.channel_id}".encode()).digest()
    return base64.b32encode(name)[:24].decode()


def marker_of(post: Post) -> str:
    return nonce_of(post)[:MARKER_LENGTH]
