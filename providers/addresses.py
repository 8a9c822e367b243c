"""Connects to the public internet only, whatever a name leads to.

A host of the allow-list whose name was made to lead into this computer's own network (a
resolver that lies, a name that was taken over) must not be called there. The name is
resolved here, and the connection goes to the very address that was looked at.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

import httpx

from providers.errors import Refused

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[Address]]]

MOST_TRIED: Final = 3
"""Addresses of one name that are tried after each other; each has the whole time to connect."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


async def resolved(host: str) -> list[Address]:
    """What the computer's resolver says, in its order. Raises httpx.ConnectError when it knows none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpx.ConnectError("name not found") from None
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet; IPv6 that only wraps IPv4 is what it wraps."""
    if isinstance(address, IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if wrapped is None and address in _NAT64:
            wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


class PublicOnly(httpx.AsyncBaseTransport):
    """Carries each request to an address of its host that ``allows`` lets pass; Refused where there is none."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        resolve: Resolve = resolved,
        allows: Callable[[Address], bool] = is_public,
    ) -> None:
        self._inner = inner
        self._resolve = resolve
        self._allows = allows

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        addresses = [address for address in await self._resolve(host) if self._allows(address)]
        if not addresses:
            raise Refused(f"{host} leads to no address of the public internet from here")
        *others, last = addresses[:MOST_TRIED]
        for address in others:
            try:
                return await self._inner.handle_async_request(_to(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_to(last, request))

    async def aclose(self) -> None:
        await self._inner.aclose()


def _to(address: Address, request: httpx.Request) -> httpx.Request:
    """The request, to be carried to that address; its certificate and its Host are still those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
