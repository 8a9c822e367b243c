"""Discord's channels as the outbox sees them: post, look what is there, delete a double.

Channels are asked for by id and never looked up first: that our memory of a server is
empty says nothing about the channel. What Discord has not clearly said is ``UNKNOWN``.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, Protocol, Self

import discord
import structlog
from discord import ui

from bot.pace import Pace

log = structlog.get_logger(__name__)

CONTENT_LIMIT: Final = 2000
HISTORY_PAGE: Final = 100
DELETED: Final = 10008
"""Unknown message: the answer to a nonce whose message was posted and then deleted."""
REFUSALS: Final = {
    10003: "gone",
    50001: "hidden",
    50013: "forbidden",
    50008: "forbidden",
    50083: "archived",
    160005: "archived",
    50007: "blocked",
    50278: "blocked",
}
"""What Discord says when this channel does not take our posts, by its code; ``blocked`` is a person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    label: str
    custom_id: str
    current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The words and buttons of a post, in a form that can be kept; ``role`` is the one role it may ping."""

    content: str
    rows: tuple[tuple[Button, ...], ...] = ()
    role: int | None = None

    def kept(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, kept: str) -> Self:
        told = json.loads(kept)
        rows = tuple(tuple(Button(**button) for button in row) for row in told["rows"])
        return cls(content=told["content"], rows=rows, role=told["role"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A picture to upload."""

    name: str
    alt: str
    png: bytes


class Said(Enum):
    """What Discord has said about a request."""

    DONE = auto()
    REFUSED = auto()
    """Clearly, by the channel: nothing was posted."""
    WRONG = auto()
    """Clearly, for this post alone: it would never be taken."""
    LATER = auto()
    """Clearly: nothing was posted, because there was too much of it."""
    BLIND = auto()
    """We may not read what was posted."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``messages`` are ids: the one posted, or all that were found, oldest first."""

    said: Said
    messages: tuple[int, ...] = ()
    reason: str = ""


class Posting(Protocol):
    """Wherever posts go."""

    async def post(
        self, channel_id: int, letter: Letter, pictures: Sequence[Enclosed], *, nonce: str
    ) -> Outcome: ...

    async def find(self, server_id: int, channel_id: int, marker: str, *, since: datetime) -> Outcome: ...

    async def delete(self, channel_id: int, message_id: int) -> Outcome: ...


class Channels:
    """All channels of one client; every request waits for its turn and ends within ``seconds``."""

    def __init__(self, client: discord.Client, pace: Pace, *, seconds: float) -> None:
        self._client = client
        self._pace = pace
        self._seconds = seconds

    async def post(
        self, channel_id: int, letter: Letter, pictures: Sequence[Enclosed], *, nonce: str
    ) -> Outcome:
        """Posts once, as far as we can tell: what is not clearly yes or no is UNKNOWN."""
        view = _view(letter)
        files = [discord.File(io.BytesIO(each.png), each.name, description=each.alt) for each in pictures]
        roles = [discord.Object(letter.role)] if letter.role else False
        mentions = discord.AllowedMentions(everyone=False, users=False, roles=roles, replied_user=False)
        await self._pace.turn()
        try:
            async with asyncio.timeout(self._seconds):
                posted = await self._client.get_partial_messageable(channel_id).send(
                    letter.content, files=files, view=view, nonce=nonce, allowed_mentions=mentions
                )
        except Exception as error:
            return _outcome(error)
        return Outcome(said=Said.DONE, messages=(posted.id,))

    async def find(self, server_id: int, channel_id: int, marker: str, *, since: datetime) -> Outcome:
        """Our messages with ``marker`` since then. DONE with none is only said where we may read them all."""
        own = self._client.user
        channel = self._client.get_partial_messageable(channel_id)
        found: list[int] = []
        after: datetime | discord.Message = since
        try:
            while True:
                await self._pace.turn()
                async with asyncio.timeout(self._seconds):
                    page = [
                        message
                        async for message in channel.history(
                            limit=HISTORY_PAGE, after=after, oldest_first=True
                        )
                    ]
                found += [
                    message.id
                    for message in page
                    if own is not None and message.author.id == own.id and _bears(message, marker)
                ]
                if len(page) < HISTORY_PAGE:
                    break
                after = page[-1]
            if not found:
                # To somebody who may not read it, Discord shows an empty channel.
                return Outcome(said=await self._sight(server_id, channel_id))
        except Exception as error:
            return _outcome(error)
        return Outcome(said=Said.DONE, messages=tuple(sorted(found)))

    async def delete(self, channel_id: int, message_id: int) -> Outcome:
        await self._pace.turn()
        try:
            async with asyncio.timeout(self._seconds):
                await (
                    self._client.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
                )
        except Exception as error:
            return _outcome(error)
        return Outcome(said=Said.DONE)

    def for_moderators(self, server_id: int) -> int | None:
        """Where a server wants its moderators told: its updates channel, else its system channel."""
        guild = self._client.get_guild(server_id)
        if guild is None:
            return None
        chosen = guild.public_updates_channel or guild.system_channel
        return None if chosen is None else chosen.id

    async def _sight(self, server_id: int, channel_id: int) -> Said:
        guild = self._client.get_guild(server_id)
        me = None if guild is None or self._client.user is None else guild.get_member(self._client.user.id)
        if guild is None or me is None:
            return Said.UNKNOWN
        channel: Any = guild.get_channel_or_thread(channel_id)
        if channel is None:
            await self._pace.turn()
            async with asyncio.timeout(self._seconds):
                channel = await self._client.fetch_channel(channel_id)
        may = channel.permissions_for(me)
        return Said.DONE if may.read_messages and may.read_message_history else Said.BLIND


def _view(letter: Letter) -> ui.View:
    view = ui.View(timeout=None)
    for row, buttons in enumerate(letter.rows):
        for button in buttons:
            style = discord.ButtonStyle.primary if button.current else discord.ButtonStyle.secondary
            view.add_item(ui.Button(label=button.label, custom_id=button.custom_id, style=style, row=row))
    # Presses are answered by their custom_id alone (bot/respond.py).
    view.stop()
    return view


def _bears(message: discord.Message, marker: str) -> bool:
    if marker in message.content or any(marker in file.filename for file in message.attachments):
        return True
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    return any(marker in (getattr(part, "custom_id", None) or "") for row in rows for part in row.children)


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, discord.RateLimited):
        return Outcome(said=Said.LATER, reason="rate limit")
    if isinstance(error, discord.HTTPException):
        reason = f"{error.status}/{error.code}"
        if error.code == DELETED:
            return Outcome(said=Said.DONE)
        if error.code in REFUSALS:
            return Outcome(said=Said.REFUSED, reason=REFUSALS[error.code])
        # A code of 0 is a proxy's answer, not the channel's.
        if 400 <= error.status < 500 and error.code and error.status not in {401, 408, 429}:
            return Outcome(said=Said.WRONG, reason=reason)
        return Outcome(said=Said.UNKNOWN, reason=reason)
    if not isinstance(error, TimeoutError | OSError):
        log.info("a request to Discord ended oddly", reason=repr(error))
    return Outcome(said=Said.UNKNOWN, reason=type(error).__name__)
