"""The gateway of the small Discord: sessions over a WebSocket, lost and resumed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from aiohttp import WSMsgType, web

from tests.patience import PATIENCE
from tests.wire import payloads
from tests.wire.payloads import TOKEN, Body

HEARTBEAT_MS: Final = 41250
REFUSED_TOKEN: Final = 4004


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Connection:
    """One WebSocket, compressed as a whole where that was asked for."""

    def __init__(self, socket: web.WebSocketResponse, compress: str | None) -> None:
        self.socket = socket
        self._zlib = None if compress is None else zlib.compressobj()

    async def send(self, op: Op, data: object = None, **more: object) -> None:
        """Says it, unless the other end is gone."""
        text = json.dumps({"op": op, "d": data} | more)
        with contextlib.suppress(ConnectionError):
            if self._zlib is None:
                await self.socket.send_str(text)
            else:
                packed = self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH)
                await self.socket.send_bytes(packed)


@dataclass(slots=True, eq=False)
class Session:
    """What a bot has been told, event and data, so that it can be told again."""

    id: str
    told: list[tuple[str, Body]] = field(default_factory=list)
    connection: Connection | None = None

    async def tell(self, number: int) -> None:
        if self.connection is not None:
            event, data = self.told[number - 1]
            await self.connection.send(Op.DISPATCH, data, t=event, s=number)


class Gateway:
    """One bot at a time: what happens is told to the session begun last."""

    def __init__(self) -> None:
        self.address = ""
        self.faults: list[str] = []
        self.guild = payloads.guild(payloads.CHANNEL)
        """The server, as a bot is told of it when it connects."""
        self._began: asyncio.Queue[Body] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._sessions: dict[str, Session] = {}
        self._newest: Session | None = None

    async def connected(self, *, within: float = PATIENCE) -> Body:
        """The next IDENTIFY or RESUME, once its session has been told all it missed."""
        return await asyncio.wait_for(self._began.get(), within)

    async def dispatch(self, event: str, data: Body) -> None:
        """Tells the bot; what is lost on the way is told again when it resumes."""
        if self._newest is None:
            raise AssertionError("no bot has connected")
        self._newest.told.append((event, data))
        await self._newest.tell(len(self._newest.told))

    async def hang_up(self, code: int) -> None:
        """Closes the bot's connection; its session can be resumed."""
        if self._newest is not None and self._newest.connection is not None:
            lost, self._newest.connection = self._newest.connection, None
            await lost.socket.close(code=code)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """A connection, from HELLO to its end."""
        compress = request.query.get("compress")
        if compress not in {None, "zlib-stream"}:
            self.faults.append(f"a compression that is not served here: {compress}")
            raise web.HTTPBadRequest
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket, compress)
        await connection.send(Op.HELLO, {"heartbeat_interval": HEARTBEAT_MS})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            await self._said(connection, json.loads(message.data))
        if self._newest is not None and self._newest.connection is connection:
            self._newest.connection = None
        return socket

    async def _said(self, connection: Connection, said: Body) -> None:
        match said["op"]:
            case Op.HEARTBEAT:
                await connection.send(Op.HEARTBEAT_ACK)
            case Op.IDENTIFY | Op.RESUME if said["d"]["token"] != TOKEN:
                await connection.socket.close(code=REFUSED_TOKEN)
            case Op.IDENTIFY:
                self._newest = Session(id=f"session-{next(self._numbers)}", connection=connection)
                self._sessions[self._newest.id] = self._newest
                await self.dispatch("READY", payloads.ready(self._newest.id, self.address))
                await self.dispatch("GUILD_CREATE", self.guild)
                self._began.put_nowait(said)
            case Op.RESUME if (session := self._sessions.get(said["d"]["session_id"])) is not None:
                session.connection = connection
                missed = range(said["d"]["seq"] + 1, len(session.told) + 1)
                for number in missed:
                    await session.tell(number)
                await self.dispatch("RESUMED", {})
                self._began.put_nowait(said)
            case Op.RESUME:
                await connection.send(Op.INVALID_SESSION, data=False)
            case _:
                self.faults.append(f"unexpected on the gateway: {said}")
