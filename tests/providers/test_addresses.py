"""Where a name may lead: to the public internet, and to the very address that was looked at."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import httpx
import pytest

from providers.addresses import Address, PublicOnly, is_public, resolved
from providers.client import Client
from providers.errors import Refused, Unreachable
from providers.hosts import HostRules
from providers.shapes import Request
from tests.patience import PATIENCE

KRAKEN = Request(host="api.kraken.com", path="/0/public/OHLC")
HURRIED = {"api.kraken.com": HostRules(calls=9, per_s=1.0, total_s=PATIENCE, pause_s=0.001)}


def leading_to(*addresses: str) -> Callable[[str], Awaitable[list[Address]]]:
    async def resolve(_: str) -> list[Address]:
        return [ip_address(address) for address in addresses]

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3",
        "224.0.0.1", "255.255.255.255", "198.18.0.7", "192.0.2.9", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_what_is_not_of_the_public_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["104.16.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_is(address: str) -> None:
    assert is_public(ip_address(address))


async def test_a_name_that_leads_inside_is_not_called() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    inside = PublicOnly(httpx.MockTransport(answer), resolve=leading_to("192.168.1.1", "::1"))
    async with Client(hosts=HURRIED, transport=inside) as client:
        with pytest.raises(Refused, match=r"api\.kraken\.com leads to no address of the public internet"):
            await client.fetch(KRAKEN)
    assert asked == []
    # Of a name that leads both ways only the public address is called.
    mixed = PublicOnly(httpx.MockTransport(answer), resolve=leading_to("10.0.0.1", "104.16.1.1"))
    async with Client(hosts=HURRIED, transport=mixed) as client:
        assert (await client.fetch(KRAKEN)).body == b"{}"
    assert asked == ["104.16.1.1"]


async def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    asked: list[tuple[str, str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.headers["Host"], request.extensions.get("sni_hostname")))
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    transport = PublicOnly(httpx.MockTransport(answer), resolve=leading_to("2606:4700::1", "104.16.1.1"))
    async with Client(hosts=HURRIED, transport=transport) as client:
        await client.fetch(KRAKEN)
    assert asked == [
        (address, "api.kraken.com", "api.kraken.com") for address in ("2606:4700::1", "104.16.1.1")
    ]


async def test_a_certificate_is_asked_for_in_the_host_s_own_name() -> None:
    """Over TCP: the first thing a server hears names the host, not the address."""
    heard = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard.put(await reader.read(2_000))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        class ToOurPort(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                request.url = request.url.copy_with(port=port)
                return await super().handle_async_request(request)

        transport = PublicOnly(ToOurPort(), resolve=leading_to("127.0.0.1"), allows=lambda _: True)
        async with Client(hosts=HURRIED, transport=transport) as client:
            with pytest.raises(Unreachable):
                await client.fetch(KRAKEN)
        hello = await asyncio.wait_for(heard.get(), PATIENCE)
    assert hello[:1] == b"\x16"  # a handshake of TLS
    assert b"api.kraken.com" in hello


async def test_a_name_nobody_knows_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with Client(hosts=HURRIED) as client:
        with pytest.raises(Unreachable):
            await client.fetch(KRAKEN)


async def test_an_address_of_this_computer_is_resolved_as_it_is() -> None:
    assert ip_address("127.0.0.1") in await resolved("localhost")
