"""What a post is, and what whoever writes posts promises the outbox."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bot.channels import Enclosed, Letter
from storage.outbox import Post, State
from storage.store import Db

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


class Writer(Protocol):
    """Whoever has posts in the outbox: plans them, writes them, hears what became of them."""

    async def plan(self, now: datetime) -> datetime | None:
        """Put in what is due by ``now``; returns when the next is due."""

    async def write(self, post: Post, marker: str, now: datetime) -> Written | Wait | Drop:
        """What a post says. File names and at least one button, if there are any, bear ``marker``."""

    async def refused(self, db: Db, post: Post, reason: str, now: datetime) -> bool:
        """The channel has refused a try; True to give the post up. In the transaction that notes it."""

    async def settled(self, db: Db, post: Post, state: State, reason: str | None, now: datetime) -> None:
        """What became of a post, in the transaction that notes it."""


def nonce_of(post: Post) -> str:
    """24 characters; Discord takes 25."""
    name = hashlib.sha256(f"{post.key} {post.channel_id}".encode()).digest()
    return base64.b32encode(name)[:24].decode()


def marker_of(post: Post) -> str:
    return nonce_of(post)[:MARKER_LENGTH]
