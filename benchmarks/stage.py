"""Bots as processes on a Discord of many servers, and what is seen of them from outside."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from storage import migrate, sample
from storage.store import Store
from tests.wire.gateway import Gateway
from tests.wire.loopback import Discord, Interaction
from tests.wire.payloads import GUILD, TOKEN, Body, Person
from tests.wire.process import Bot

ROOT: Final = Path(__file__).resolve().parents[1]
LEADLINE, WITH_PULSE, EMPTY = (
    ROOT / "tests/wire/program.py",
    ROOT / "benchmarks/program.py",
    ROOT / "benchmarks/empty.py",
)


class _ManyServers(Gateway):
    """``server`` is where the next question is asked."""

    server = GUILD

    async def dispatch(self, event: str, data: Body) -> None:
        if event == "INTERACTION_CREATE":
            data = data | {"guild_id": self.server, "guild": data["guild"] | {"id": self.server}}
        await super().dispatch(event, data)


class Servers(Discord):
    """A Discord in which every question is asked by somebody new, so that nobody's cool-down is in the way."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway: _ManyServers = _ManyServers()
        self.gateway.faults = self.faults
        self._people = itertools.count(500000000000000000)

    async def ask(self, command: str, *, server: int = 0, **options: str | bool) -> Interaction:
        self.gateway.server = str(int(GUILD) + server)
        number = next(self._people)
        return await self.slash(Person(id=str(number), name=f"member {number}"), command, **options)

    async def timed(self, command: str, *, server: int = 0, **options: str | bool) -> float:
        """Milliseconds until the whole answer is there."""
        loop = asyncio.get_running_loop()
        asked = await self.ask(command, server=server, **options)
        await asked.answer(within=60)
        return 1000 * (loop.time() - asked.asked)


async def store_with_sample(file: Path) -> None:
    url = f"sqlite+aiosqlite:///{file}"
    await migrate.upgrade(url)
    store = await Store.open(url)
    await sample.load(store)
    await store.close()


@asynccontextmanager
async def running(discord: Discord, program: Path, **variables: str) -> AsyncIterator[Bot]:
    """A bot as a process of its own, until the end of the block."""
    # Compiled, as `make install` leaves it: only the first start, which is not measured, may find it otherwise.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"PYTHONPATH": str(ROOT), "DISCORD_TOKEN": TOKEN, "FETCH": "false"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), discord.rest, discord.gateway.address, "run",
        env=inherited | own | variables,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=2**24, start_new_session=True,
    )  # fmt: skip
    bot = Bot(process)
    try:
        yield bot
    finally:
        # In order: three starts that ended badly, and the next would wait.
        bot.interrupt(signal.SIGTERM)
        await bot.ended(within=30)


class Stalls:
    """The longest stall of a loop since it was last asked for."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stalls"
        self.file.write_bytes(bytes(8))

    def longest_ms(self) -> float:
        [seconds] = struct.unpack("d", self.file.read_bytes())
        with self.file.open("r+b") as opened:
            opened.write(bytes(8))
        return 1000 * float(seconds)


def memory_mb(pid: int) -> float | None:
    """What a process and all below it need, pages they share counted once; None where that cannot be known."""
    total = 0
    try:
        for process in _family(pid):
            told = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
            found: Any = re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)
            total += int(found[1])
    except OSError:
        return None
    return total / 1024


def _family(pid: int) -> list[int]:
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            found += [int(child) for child in children.read_text(encoding="ascii").split()]
    return found
