"""A source on loopback, and a client whose every request ends there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

from providers.client import Client
from providers.hosts import HOSTS, HostRules
from tests.patience import PATIENCE
from tests.providers.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Mapping


def hurried(*, total_s: float = PATIENCE) -> Mapping[str, HostRules]:
    """The true hosts without their budgets and pauses."""
    return {
        host: HostRules(calls=1000, per_s=1.0, user_agent=rules.user_agent, total_s=total_s, pause_s=0.001)
        for host, rules in HOSTS.items()
    }


HURRIED = hurried()


@pytest_asyncio.fixture
async def source() -> AsyncIterator[Loopback]:
    async with Loopback() as serving:
        yield serving


@pytest_asyncio.fixture
async def client(source: Loopback) -> AsyncIterator[Client]:
    async with Client(hosts=hurried(), transport=source.transport) as entered:
        yield entered
