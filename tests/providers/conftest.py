"""A source on loopback, and a client whose every request ends there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest_asyncio

from providers.client import Client
from providers.hosts import HOSTS, HostRules
from tests.providers.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

HURRIED: Mapping[str, HostRules] = MappingProxyType(
    {
        host: HostRules(calls=1000, per_s=1.0, user_agent=rules.user_agent, total_s=0.6, pause_s=0.001)
        for host, rules in HOSTS.items()
    }
)
"""The true hosts without their budgets, and with less time."""


@pytest_asyncio.fixture
async def source() -> AsyncIterator[Loopback]:
    async with Loopback() as serving:
        yield serving


@pytest_asyncio.fixture
async def client(source: Loopback) -> AsyncIterator[Client]:
    async with Client(hosts=HURRIED, transport=source.transport) as entered:
        yield entered
