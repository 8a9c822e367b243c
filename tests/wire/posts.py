"""Messages in the channels of the small Discord, and all that can go wrong on the way to them."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from tests.wire import payloads, rules
from tests.wire.payloads import Body

DISCORD_EPOCH_MS: Final = 1420070400000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How often, of all requests, each thing goes wrong; ``slowest`` is the latest commit, in seconds.

    A message that is committed late is committed also when the bot is dead by then.
    """

    reset_before: float = 0.0
    reset_after: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0
    limited: float = 0.0
    late: float = 0.0
    slowest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that came to be. ``text`` is all it bears: words, file names, custom_ids."""

    channel: str
    nonce: str
    text: str
    at: float


class Posts:
    """``window`` is how long a nonce is remembered, ``per_second`` how many requests are taken.

    The window is seconds here. Discord's is minutes: no bot is so slow as to use it up between its look at a
    channel and its post. So a nonce whose message came after the last look at the channel is remembered, too.
    """

    def __init__(self, faults: list[str]) -> None:
        self.window = 120.0
        self.per_second: int | None = None
        self.weather = Weather()
        self.random = random.Random(6)  # noqa: S311 -- weather, no secret
        self.may_ping: frozenset[str] = frozenset()
        self.refusing: dict[str, tuple[int, Body]] = {}
        """Answers of channels that take nothing."""
        self.blind: set[str] = set()
        """Channels whose history the bot may not read: it looks empty."""
        self.posted: list[Posted] = []
        """Every message that ever was, deleted ones too."""
        self.on_arrival: Callable[[], None] = lambda: None
        """Called when a message has come in and nothing is done with it yet."""
        self.committing = asyncio.Event()
        """While it is not set, messages that have come in do not come to be."""
        self.committing.set()
        self.limited = 0
        self.seen: Counter[str] = Counter()
        """Calls by method."""
        self._faults = faults
        self._messages: dict[str, dict[int, Body]] = defaultdict(dict)
        self._nonces: dict[tuple[str, str], tuple[float, int]] = {}
        self._looked_at: dict[str, float] = {}
        """When a channel's history was last read."""
        self._last_id = 0
        self._second: tuple[float, int] = (0.0, 0)
        self._late: set[asyncio.Task[Any]] = set()

    def messages(self, channel: str) -> list[Body]:
        """What stands in a channel, oldest first."""
        return [message for _, message in sorted(self._messages[channel].items())]

    def delete(self, channel: str, message_id: str) -> None:
        """As a moderator does."""
        del self._messages[channel][int(message_id)]

    def double(self, channel: str) -> None:
        """A second copy of the last message, as if a nonce had been forgotten."""
        last = self.messages(channel)[-1]
        number = self._number()
        self._messages[channel][number] = last | {"id": str(number)}

    async def serve(
        self, request: web.Request, path: str, body: Any, files: dict[str, tuple[str, bytes]]
    ) -> web.Response | None:
        """The answer to a call about a channel's messages; None for any other call."""
        match = re.fullmatch(r"/channels/(\d+)/messages(?:/(\d+))?", path)
        if match is None:
            return None
        channel, number = match.groups()
        self.seen[request.method] += 1
        if self._over_the_limit():
            self.limited += 1
            return _limited(0.5)
        if channel in self.refusing:
            status, told = self.refusing[channel]
            return _answer(status, told)
        what = self._weather()
        if what == "reset before":
            return _reset(request)
        if what == "error before":
            return _answer(503, {"message": "503: Service Unavailable", "code": 0})
        if what == "limited":
            return _limited(0.05)
        if request.method == "POST":
            self.on_arrival()
            wait = self.random.uniform(0, self.weather.slowest) if what == "late" else 0.0
            # A task of its own: it goes on whatever becomes of the connection.
            posting = asyncio.create_task(self._post(channel, body, files, wait))
            self._late.add(posting)
            posting.add_done_callback(self._late.discard)
            answer = await asyncio.shield(posting)
        elif request.method == "GET":
            answer = self._history(channel, request.query)
        else:
            self._messages[channel].pop(int(number or 0), None)
            answer = web.Response(status=204)
        if what == "reset after":
            return _reset(request)
        if what == "error after":
            return _answer(503, {"message": "503: Service Unavailable", "code": 0})
        return answer

    def _weather(self) -> str:
        """What goes wrong with this request; empty when nothing does."""
        shares = {
            "reset before": self.weather.reset_before,
            "error before": self.weather.error_before,
            "limited": self.weather.limited,
            "reset after": self.weather.reset_after,
            "error after": self.weather.error_after,
            "late": self.weather.late,
        }
        calm = 1.0 - sum(shares.values())
        return self.random.choices([*shares, ""], [*shares.values(), calm])[0]

    def _over_the_limit(self) -> bool:
        if self.per_second is None:
            return False
        now = time.monotonic()
        began, count = self._second
        if now - began >= 1.0:
            began, count = now, 0
        self._second = began, count + 1
        return count >= self.per_second

    async def _post(
        self, channel: str, body: Body, files: dict[str, tuple[str, bytes]], wait: float
    ) -> web.Response:
        if wrong := rules.faults(body, files, may_ping=self.may_ping):
            self._faults += wrong
            return _answer(400, {"message": "Invalid Form Body", "code": 50035, "errors": {}})
        if wait:
            await asyncio.sleep(wait)
        await self.committing.wait()
        nonce, now = str(body.get("nonce")), time.monotonic()
        known = self._nonces.get((channel, nonce))
        if body.get("enforce_nonce") and known is not None and self._remembers(channel, known[0], now):
            first = self._messages[channel].get(known[1])
            if first is None:
                return _answer(404, {"message": "Unknown Message", "code": 10008})
            return _answer(200, first)
        number = self._number()
        told = payloads.post(str(number), channel, body, files, datetime.now(UTC).isoformat())
        self._messages[channel][number] = told
        self._nonces[channel, nonce] = now, number
        ids = [part["custom_id"] for part in rules.walk(told["components"]) if "custom_id" in part]
        names = [attachment["filename"] for attachment in told["attachments"]]
        text = "\n".join((told["content"], *names, *ids))
        self.posted.append(Posted(channel=channel, nonce=nonce, text=text, at=now))
        return _answer(200, told)

    def _remembers(self, channel: str, posted_at: float, now: float) -> bool:
        return now - posted_at < self.window or self._looked_at.get(channel, now) < posted_at

    def _history(self, channel: str, query: Any) -> web.Response:
        if channel in self.blind:
            return _answer(200, [])
        self._looked_at[channel] = time.monotonic()
        after, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        numbers = sorted(number for number in self._messages[channel] if number > after)[:limit]
        return _answer(200, [self._messages[channel][number] for number in reversed(numbers)])

    def _number(self) -> int:
        now = (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last_id = max(now, self._last_id + 1)
        return self._last_id


def _answer(status: int, told: Any) -> web.Response:
    headers = {"Content-Type": "application/json"}
    return web.Response(status=status, body=json.dumps(told).encode(), headers=headers)


def _limited(seconds: float) -> web.Response:
    told = {"message": "You are being rate limited.", "retry_after": seconds, "global": True}
    headers = {"Content-Type": "application/json", "Via": "1.1 google", "Retry-After": "1"}
    return web.Response(status=429, body=json.dumps(told).encode(), headers=headers)


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
