"""``leadline run`` as a process of its own, and what is to be seen of it from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from tests.patience import PATIENCE
from tests.wire.loopback import Discord
from tests.wire.payloads import TOKEN

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = Path(__file__).with_name("program.py")


class Bot:
    """A running bot; its output is collected until the last of its processes has ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self.out)),
            asyncio.create_task(self._read(process.stderr, self.err)),
        ]
        self._more = asyncio.Event()

    @classmethod
    async def start(cls, discord: Discord, database: Path, *arguments: str, **variables: str) -> Self:
        """``leadline run``, or with other ``arguments``; every warning is shown, to be seen in the output."""
        mine = {
            "PYTHONPATH": str(ROOT),
            # discord.py imports it for voice.
            "PYTHONWARNINGS": "default,ignore:'audioop' is deprecated:DeprecationWarning",
            "DISCORD_TOKEN": TOKEN,
            "DATABASE_URL": str(database),
            # Nothing but the loopback is called.
            "FETCH": "false",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            discord.rest,
            discord.gateway.address,
            *(arguments or ("run",)),
            env=os.environ | mine | variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,
            # A process group of its own, as a shell gives it: Ctrl-C reaches all of the group.
            start_new_session=True,
        )
        return cls(process)

    async def _read(self, pipe: asyncio.StreamReader, into: list[str]) -> None:
        async for line in pipe:
            into.append(line.decode().rstrip("\n"))
            self._more.set()

    def log(self) -> list[dict[str, Any]]:
        """The log; fails on a line that is not of it, such as a warning or a traceback."""
        return [json.loads(line) for line in self.err]

    def events(self) -> list[str]:
        """What the log says, but for how long a busy machine held the bot up."""
        return [line["event"] for line in self.log() if line["logger"] != "bot.pulse"]

    async def logged(self, event: str, *, within: float = PATIENCE, **more: object) -> dict[str, Any]:
        """The first line of the log that says ``event``, and ``more`` as told, as soon as it is there."""
        async with asyncio.timeout(within):
            while True:
                self._more.clear()
                for line in self.log():
                    if line["event"].startswith(event) and more.items() <= line.items():
                        return line
                await self._more.wait()

    def interrupt(self, signum: signal.Signals) -> None:
        os.killpg(self.process.pid, signum)

    async def ended(self, *, within: float = PATIENCE) -> int:
        """Exit status, once no process of the bot is left: each holds the other end of our pipes."""
        async with asyncio.timeout(within):
            await asyncio.wait(self._readers)
            return await self.process.wait()

    async def close(self) -> None:
        """Whatever a test left behind."""
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()


async def until(holds: Callable[[], bool], *, within: float = PATIENCE) -> None:
    """Wait for what another process writes into a file; TimeoutError when it does not come ``within`` seconds."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 -- a file of another process has no event
            await asyncio.sleep(0.2)
