"""A source on loopback, over real HTTP: answers as told, faults and all, and remembers who asked when."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self

import httpx
from aiohttp import web

from providers.hosts import HOSTS

JSON = "application/json"
HTML = "text/html; charset=utf-8"


DATED: Final = web.RequestKey("dated", bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. ``cut`` breaks the connection: before the status line, or halfway through the body.

    It shows no clock of its own unless ``headers`` have a Date. ``drip_s`` is the wait before each single byte of the body.
    """

    body: bytes = b""
    status: int = 200
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: Literal["before", "halfway"] | None = None
    drip_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came over the wire; ``at`` by ``time.perf_counter``, ``url`` as it was meant."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    body: bytes
    at: float


class Loopback:
    """Serves while entered: what is in ``replies``, one each, then ``always``; by host where named."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.always = Reply(status=404)
        self.hosts: dict[str, Reply] = {}
        self.asked: list[Asked] = []
        self.port = 0

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """For ``Client(transport=...)``; of its own for each client, which closes it."""
        return Diverted(lambda: self.port)

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", r"/{path:[\s\S]*}", self._serve)
        application.on_response_prepare.append(_undated)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        host = request.headers["Host"]
        self.asked.append(
            Asked(
                method=request.method,
                url=httpx.URL(f"https://{host}{request.raw_path}"),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                at=time.perf_counter(),
            )
        )
        reply = self.hosts.get(host) or (self.replies.popleft() if self.replies else self.always)
        request[DATED] = "Date" in reply.headers
        transport = request.transport
        assert transport is not None
        if reply.cut == "before":
            transport.abort()
            return web.Response()
        response = web.StreamResponse(
            status=reply.status, headers={"Content-Type": reply.kind, **reply.headers}
        )
        response.content_length = len(reply.body)
        try:
            await response.prepare(request)
            if reply.cut == "halfway":
                await response.write(reply.body[: len(reply.body) // 2])
                transport.abort()
            elif reply.drip_s:
                for place in range(len(reply.body)):
                    await asyncio.sleep(reply.drip_s)
                    await response.write(reply.body[place : place + 1])
            else:
                await response.write(reply.body)
        except ConnectionError:
            pass  # the client had enough of it
        return response


async def _undated(request: web.Request, response: web.StreamResponse) -> None:
    """The server would show this computer's clock, which is not that of the test."""
    if not request[DATED]:
        del response.headers["Date"]


class Diverted(httpx.AsyncBaseTransport):
    """Carries to a server on loopback what was on its way to a true host over https."""

    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port
        # Nothing is encrypted on loopback; to read the world's certificates takes a tenth of a second.
        self._inner = httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        assert request.url.host in HOSTS
        # The Host header is already that of the true one.
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port())
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
