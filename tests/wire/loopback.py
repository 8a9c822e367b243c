"""A small Discord on loopback, over real HTTP and a real WebSocket.

It shows what a simulation inside the bot's own process cannot: many at once, lost
connections, signals, what leaves the process. One application, one server, one
channel. Every message is checked (``rules.py``); whatever was wrong is kept in
``faults`` and answered as Discord would.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from tests.patience import PATIENCE
from tests.wire import payloads, rules
from tests.wire.gateway import Gateway
from tests.wire.payloads import (
    APPLICATION,
    BOT,
    COMMAND,
    COMPONENT,
    DEFERRED,
    EDIT,
    GUILD,
    MESSAGE,
    TOKEN,
    Body,
    Person,
)
from tests.wire.posts import Posts

Answer = tuple[int, Any]
"""Status and JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, as it came over the wire; ``files`` are name and bytes by form field."""

    method: str
    path: str
    body: Any
    files: dict[str, tuple[str, bytes]]
    at: float


@dataclass(slots=True, eq=False)
class Interaction:
    """A question on its way: what the bot answered to it, and when."""

    id: str
    token: str
    by: Person
    asked: float
    on: Body | None = None
    message: Body = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    kind: int = 0
    """Kind of the first answer; 0 while there is none."""
    waited: float = float("inf")
    """Seconds until the first answer."""
    followups: int = 0
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ephemeral(self) -> bool:
        return bool(self.message.get("flags", 0) & rules.EPHEMERAL)

    @property
    def picture(self) -> bytes:
        """The one file of the card."""
        [png] = self.files.values()
        return png

    async def first_answer(self) -> None:
        """Once there is one, if only that the bot thinks."""
        await asyncio.wait_for(self.acknowledged.wait(), PATIENCE)

    async def answer(self, *, within: float = PATIENCE) -> Body:
        """The message that answers, once it is there."""
        await asyncio.wait_for(self.answered.wait(), within)
        return self.message


class Discord:
    """Serves while entered. What tests look at and change is public."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.rest = ""
        self.requests: list[Request] = []
        self.trouble: dict[tuple[str, str], Answer] = {}
        """Answers given instead of the usual one, by method and path."""
        self.silent: set[tuple[str, str]] = set()
        """Calls that are taken and not answered, by method and path."""
        self.channels: list[Body] = [payloads.channel("trading")]
        self.takes_answers_for = 60.0
        """Seconds until no first answer is taken any more; of Discord it is 3, which a busy machine may exceed."""
        self.sessions_left = 1000
        """How often bots may still IDENTIFY today."""
        self.date: str | None = None
        """What the header of answers says of the time, if not the truth."""
        self.commands: dict[str, list[Body]] = {}
        """Registered commands by the path they were put to."""
        self.faults: list[str] = self.gateway.faults
        self.posts = Posts(self.faults)
        self._interactions: dict[str, Interaction] = {}
        self._closing = asyncio.Event()
        self._more = asyncio.Event()
        self._numbers = itertools.count(900000000000000000)
        self._routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/users/@me", self._me),
            ("GET", r"/oauth2/applications/@me", self._application),
            ("GET", r"/gateway/bot", self._gateway),
            ("GET", r"/users/@me/guilds", lambda _: (200, [payloads.guild()])),
            ("GET", rf"/guilds/{GUILD}", lambda _: (200, payloads.guild())),
            ("GET", rf"/guilds/{GUILD}/channels", lambda _: (200, self.channels)),
            ("GET", rf"/guilds/{GUILD}/members/{APPLICATION}", lambda _: (200, payloads.bot_member())),
            ("PUT", rf"/applications/{APPLICATION}(?:/guilds/{GUILD})?/commands", self._put_commands),
            ("POST", r"/interactions/(\d+)/([\w-]+)/callback", self._callback),
            ("PATCH", rf"/webhooks/{APPLICATION}/([\w-]+)/messages/@original", self._edit_original),
            ("POST", rf"/webhooks/{APPLICATION}/([\w-]+)", self._follow_up),
        ]

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=25 * 1024 * 1024)
        application.router.add_get("/gateway/", self.gateway.serve)
        application.router.add_route("*", "/api/v10{path:/.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.rest = f"http://{host}:{port}/api/v10"
        self.gateway.address = f"ws://{host}:{port}/gateway/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        await self.gateway.hang_up(1001)
        await self._runner.cleanup()

    async def connected(self, *, within: float = PATIENCE) -> Body:
        """The next IDENTIFY or RESUME, once its session has been told all it missed."""
        return await self.gateway.connected(within=within)

    async def requested(self, method: str, path: str, *, within: float = PATIENCE) -> Request:
        """The first such call, as soon as it has come."""
        async with asyncio.timeout(within):
            while True:
                self._more.clear()
                for request in self.requests:
                    if (request.method, request.path) == (method, path):
                        return request
                await self._more.wait()

    # What people do

    async def slash(self, by: Person, name: str, **options: str | bool) -> Interaction:
        """Types a command, perhaps one of a group; its options are strings and flags."""
        known = itertools.chain.from_iterable(self.commands.values())
        name, *rest = name.split()
        command = next(command for command in known if command["name"] == name)
        given: list[Body] = [
            {"name": key, "type": 5 if isinstance(value, bool) else 3, "value": value}
            for key, value in options.items()
        ]
        for part in reversed(rest):
            given = [{"name": part, "type": 1, "options": given}]
        return await self._ask(COMMAND, by, {"id": command["id"], "name": name, "type": 1, "options": given})

    async def press(self, by: Person, card: Interaction, label: str) -> Interaction:
        """Presses a button on the card that answered ``card``."""
        custom_id = rules.buttons(card.message)[label]
        return await self._ask(
            COMPONENT, by, {"custom_id": custom_id, "component_type": rules.BUTTON}, on=card.message
        )

    async def _ask(self, kind: int, by: Person, data: Body, *, on: Body | None = None) -> Interaction:
        number = self._number()
        now = asyncio.get_running_loop().time()
        asked = Interaction(id=number, token=f"token-{number}", by=by, asked=now, on=on)
        self._interactions[asked.token] = asked
        told = payloads.interaction(asked.id, asked.token, kind, by, data)
        await self.gateway.dispatch("INTERACTION_CREATE", told | ({"message": on} if on else {}))
        return asked

    def _number(self) -> str:
        return str(next(self._numbers))

    # REST

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        body: Any = None
        files: dict[str, tuple[str, bytes]] = {}
        if request.content_type == "multipart/form-data":
            # Not request.post(): of an upload that is broken off it leaves a file open.
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                assert part.name is not None
                content = bytes(await part.read())
                if part.name == "payload_json":
                    body = json.loads(content)
                else:
                    files[part.name] = part.filename or "", content
        elif request.can_read_body:
            body = await request.json()
        now = asyncio.get_running_loop().time()
        came = Request(method=request.method, path=path, body=body, files=files, at=now)
        self.requests.append(came)
        self._more.set()
        if (came.method, came.path) in self.silent:
            await self._closing.wait()
        if (told_of := await self.posts.serve(request, path, body, files)) is not None:
            return told_of
        status, told = self._answer(came, request.headers.get("Authorization"))
        # Exactly this content type, or discord.py takes the answer for text.
        headers = {"Content-Type": "application/json"}
        if self.date is not None:
            headers["Date"] = self.date
        if status == 429:
            headers["Via"] = "1.1 google"  # without it, for a ban
        return web.Response(status=status, body=json.dumps(told).encode(), headers=headers)

    def _answer(self, came: Request, authorization: str | None) -> Answer:
        if (came.method, came.path) in self.trouble:
            return self.trouble[came.method, came.path]
        if came.path == "/gateway":  # open to everybody
            return 200, {"url": self.gateway.address}
        # An interaction's own token stands in the path.
        if not came.path.startswith(("/interactions/", "/webhooks/")) and authorization != f"Bot {TOKEN}":
            return 401, {"message": "401: Unauthorized", "code": 0}
        for method, pattern, handler in self._routes:
            if method == came.method and (match := re.fullmatch(pattern, came.path)):
                return handler(came, *match.groups())
        self.faults.append(f"no such call here: {came.method} {came.path}")
        return 404, {"message": "404: Not Found", "code": 0}

    def _me(self, _came: Request) -> Answer:
        return 200, BOT.user() | {"bot": True}

    def _application(self, _came: Request) -> Answer:
        return 200, payloads.application()

    def _gateway(self, _came: Request) -> Answer:
        limit = {
            "total": 1000,
            "remaining": self.sessions_left,
            "reset_after": 14_400_000,
            "max_concurrency": 1,
        }
        return 200, {"url": self.gateway.address, "shards": 1, "session_start_limit": limit}

    def _put_commands(self, came: Request) -> Answer:
        self.commands[came.path] = [
            {"default_member_permissions": None}
            | command
            | {"id": self._number(), "application_id": APPLICATION, "version": "1"}
            for command in came.body
        ]
        return 200, self.commands[came.path]

    def _callback(self, came: Request, number: str, token: str) -> Answer:
        asked = self._interactions.get(token)
        waited = came.at - asked.asked if asked else 0.0
        if asked is None or asked.id != number or waited > self.takes_answers_for:
            self.faults.append(f"acknowledged after {waited:.1f} s")
            return 404, {"message": "Unknown interaction", "code": 10062}
        if asked.kind:
            self.faults.append("acknowledged twice")
            return 400, {"message": "Interaction has already been acknowledged.", "code": 40060}
        kind, data = came.body["type"], came.body.get("data") or {}
        if kind in {MESSAGE, EDIT} and (wrong := rules.faults(data, came.files)):
            return self._invalid(wrong)
        asked.kind, asked.waited = kind, waited
        if kind in {MESSAGE, DEFERRED}:
            asked.message = payloads.message(self._number(), asked.id, asked.by)
            asked.message["flags"] = data.get("flags", 0)
        else:
            asked.message = asked.on or {}
        if kind in {MESSAGE, EDIT}:
            self._write(asked, data, came)
        asked.acknowledged.set()
        told = {"id": asked.id, "type": COMMAND, "response_message_id": asked.message["id"]}
        told |= {"response_message_loading": kind == DEFERRED, "response_message_ephemeral": asked.ephemeral}
        return 200, {"interaction": told, "resource": {"type": kind, "message": asked.message}}

    def _edit_original(self, came: Request, token: str) -> Answer:
        asked = self._interactions[token]
        if not asked.kind:
            self.faults.append("edited before it was acknowledged")
            return 404, {"message": "Unknown Webhook", "code": 10015}
        if wrong := rules.faults(came.body, came.files):
            return self._invalid(wrong)
        self._write(asked, came.body, came)
        return 200, asked.message

    def _follow_up(self, came: Request, token: str) -> Answer:
        asked = self._interactions[token]
        asked.followups += 1
        if wrong := rules.faults(came.body, came.files):
            return self._invalid(wrong)
        return 200, payloads.message(self._number(), asked.id, asked.by) | came.body

    def _invalid(self, wrong: list[str]) -> Answer:
        self.faults += wrong
        return 400, {"message": "Invalid Form Body", "code": 50035, "errors": {}}

    def _write(self, asked: Interaction, data: Body, came: Request) -> None:
        """Puts the words, buttons and files of ``data`` into the message."""
        asked.message |= {name: data[name] for name in ("content", "components") if name in data}
        asked.message["flags"] = asked.message["flags"] & rules.EPHEMERAL | data.get("flags", 0)
        asked.files = dict(came.files.values())
        asked.message["attachments"] = [
            {"id": self._number(), "filename": name, "size": len(content), "url": "", "proxy_url": ""}
            for name, content in came.files.values()
        ]
        asked.answered.set()
