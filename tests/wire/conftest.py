"""A Discord of one's own, or several, and bots that connect to them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.wire.loopback import Discord
from tests.wire.payloads import TOKEN
from tests.wire.process import Bot

Open = Callable[[], Awaitable[Discord]]
Launch = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens a Discord; at the end, nothing a bot sent there may have been wrong."""
    served: list[Discord] = []
    async with AsyncExitStack() as stack:

        async def serve() -> Discord:
            served.append(await stack.enter_async_context(Discord()))
            return served[-1]

        yield serve
    assert [fault for discord in served for fault in discord.faults] == []


@pytest.fixture
async def discord(opened: Open) -> Discord:
    return await opened()


@pytest.fixture
def database(sample_file: Path, tmp_path: Path) -> Path:
    """A store with the sample in it."""
    return Path(shutil.copy(sample_file, tmp_path / "leadline.db"))


@pytest.fixture
async def launch(opened: Open) -> AsyncIterator[Launch]:
    """Starts bots on a Discord and a store; none may tell its token or show a traceback."""
    bots: list[Bot] = []

    async def start(discord: Discord, database: Path, *arguments: str, **variables: str) -> Bot:
        bots.append(await Bot.start(discord, database, *arguments, **variables))
        return bots[-1]

    yield start
    for bot in bots:
        await bot.close()
    for bot in bots:
        told = "\n".join((*bot.out, *bot.err))
        print(told)
        assert TOKEN not in told
        # discord.py logs one of its own when it cannot connect.
        tracebacks = [line for line in bot.err if "Traceback" in line and "discord.client" not in line]
        assert tracebacks == []
