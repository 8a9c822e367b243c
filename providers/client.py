"""Carries a Request to its host and brings the answer back, or says why not."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx
import stamina

from providers.addresses import PublicOnly
from providers.budget import PATIENCE_S, Budget
from providers.errors import Malformed, Refused, TooMany, Unreachable
from providers.hosts import HOSTS, HostRules
from providers.refusals import http_date, refusal
from providers.shapes import Answer, Request

TRIES: Final = 3
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer, unpacked."""


def _system_clock() -> datetime:
    return datetime.now(UTC)


def over_the_internet() -> httpx.AsyncBaseTransport:
    """The transport of a client that was given none."""
    return PublicOnly(httpx.AsyncHTTPTransport(trust_env=False))


class Client:
    """Enter it once and share it. Nothing is read from the environment, no redirect followed.

    ``hosts`` is the allow-list; of those only public addresses are connected to.
    ``transport`` is for tests: it is handed every request as it would go out, https and
    true host, and may carry it elsewhere. ``now`` counts
    only where a source names a date to wait for but shows no clock of its own. ``tick`` and
    ``sleep`` measure and wait for the hosts' budgets.
    """

    def __init__(
        self,
        *,
        hosts: Mapping[str, HostRules] = HOSTS,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = _system_clock,
        # Not time.monotonic: inside SimCord, that one stands still.
        tick: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hosts = hosts
        self._budgets = {host: Budget(rules, tick=tick, sleep=sleep) for host, rules in hosts.items()}
        self._now = now
        self._http = httpx.AsyncClient(
            transport=transport or over_the_internet(),
            timeout=httpx.Timeout(10.0),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        # It would log every try; who calls tells of a change of state, once.
        stamina.instrumentation.set_on_retry_hooks(())
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def fetch(self, request: Request) -> Answer:
        """The answer of a source that did not say no; whether it makes sense is for its parser.

        Waits for the host's budget first, which does not count against the time a call
        has. A GET is tried up to three times, none before a Retry-After; a POST once.
        Raises only what stands in ``providers/errors.py``.
        """
        if request.host not in self._hosts:
            raise Refused(f"{request.host} is not among the hosts that may be called")
        rules, budget = self._hosts[request.host], self._budgets[request.host]
        await budget.turn(request.cost)
        try:
            async with asyncio.timeout(rules.total_s):
                return await self._tried(request, rules, budget)
        except TimeoutError:
            too_slow = Unreachable(f"no whole answer within {rules.total_s:g} s")
        raise too_slow

    async def _tried(self, request: Request, rules: HostRules, budget: Budget) -> Answer:
        attempts = stamina.retry_context(
            on=_worth_another_try,
            attempts=TRIES if request.json is None else 1,
            timeout=None,
            wait_initial=rules.pause_s,
            wait_max=PATIENCE_S,
            wait_jitter=rules.pause_s,
        )
        async for attempt in attempts:
            with attempt:
                if attempt.num > 1:
                    await budget.turn(request.cost)
                return await self._once(request, rules, budget)
        raise AssertionError("stamina ends with an answer or an error")

    async def _once(self, request: Request, rules: HostRules, budget: Budget) -> Answer:
        outgoing = self._outgoing(request, rules)
        # What httpx says may hold the address or a header, and with them a key: only the
        # kind of its error is told, and the error itself is let go before ours is raised.
        try:
            response = await self._http.send(outgoing, stream=True)
            try:
                return await self._read(response, budget, _secrets(request))
            finally:
                await response.aclose()
        except httpx.TimeoutException as error:
            failed = f"too slow ({type(error).__name__})"
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            failed = f"no answer ({type(error).__name__})"
        raise Unreachable(failed)

    async def _read(self, response: httpx.Response, budget: Budget, secrets: list[str]) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        told = partial(refusal, response.status_code, headers, now=self._now(), secrets=secrets)
        # Whoever asks us to wait is not made to send the rest: it may break, or never end,
        # and the wait with it be lost.
        said_no, body = told(b""), b""
        if not isinstance(said_no, TooMany):
            body = await _body(response)
            said_no = told(body)
        if isinstance(said_no, TooMany) and said_no.retry_after_s is not None:
            budget.hold(said_no.retry_after_s)
        if said_no is not None:
            raise said_no
        return Answer(body, http_date(headers.get("date", "")))

    def _outgoing(self, request: Request, rules: HostRules) -> httpx.Request:
        for secret in _secrets(request):
            if not (secret.isascii() and secret.isprintable()):
                raise Refused("the key holds a character that no key has")
        secret_params = {name: value.get_secret_value() for name, value in request.secret_params.items()}
        secret_headers = {name: value.get_secret_value() for name, value in request.secret_headers.items()}
        return self._http.build_request(
            "GET" if request.json is None else "POST",
            httpx.URL(scheme="https", host=request.host, path=quote(request.path)),
            params={**request.params, **secret_params} or None,
            json=request.json,
            headers={
                "User-Agent": rules.user_agent,
                "Accept": "*/*",
                # The one we unpack ourselves, a bounded piece at a time.
                "Accept-Encoding": "gzip",
                **request.headers,
                **secret_headers,
            },
        )


def _secrets(request: Request) -> list[str]:
    hidden = (*request.secret_headers.values(), *request.secret_params.values())
    return [secret.get_secret_value() for secret in hidden]


def _worth_another_try(error: Exception) -> bool:
    if isinstance(error, TooMany):
        return error.retry_after_s is not None and error.retry_after_s <= PATIENCE_S
    return isinstance(error, Unreachable)


async def _body(response: httpx.Response) -> bytes:
    """The whole body, unpacked; never more of it in memory than ``LARGEST`` and one piece.

    Of an answer that says no anyway, whatever can be read of it.
    """
    try:
        return await _whole_body(response)
    except zlib.error:
        failed = Malformed("not the compression it names", body=b"")
    except Malformed as error:
        failed = error
    if response.status_code != httpx.codes.OK:
        return failed.body
    raise failed


async def _whole_body(response: httpx.Response) -> bytes:
    match response.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            pieces = response.aiter_raw()
        case "gzip" | "x-gzip":
            pieces = _unpacked(response.aiter_raw())
        case _:
            raise Malformed("compressed in a way that was not asked for", body=b"")
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > LARGEST:
            raise Malformed(f"larger than {LARGEST // 1024 // 1024} MiB", body=bytes(body[:1024]))
    return bytes(body)


async def _unpacked(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Undoes gzip in pieces of bounded size: 64 KiB can hold 64 MiB. Raises zlib.error."""
    gzip = zlib.decompressobj(wbits=31)
    async for piece in pieces:
        packed = piece
        while packed:
            yield gzip.decompress(packed, 1 << 20)
            packed = gzip.unconsumed_tail
        if gzip.unused_data:
            raise zlib.error("more behind its end")
    if not gzip.eof:
        raise zlib.error("cut short")
