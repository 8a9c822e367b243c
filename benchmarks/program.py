"""``leadline run`` against a loopback Discord, with a pulse: how long its event loop stood still at most.

LOOP_STALLS names a file of one double, which grows with the longest stall and is set back from outside.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import time
from pathlib import Path

BEAT = 0.002


async def pulse(file: Path) -> None:
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 8) as longest:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(BEAT)
            stood = time.perf_counter() - begun - BEAT
            if stood > struct.unpack("d", longest[:])[0]:
                longest[:] = struct.pack("d", stood)


def main() -> None:
    from bot.client import Leadline
    from tests.wire import program

    hook = Leadline.setup_hook

    async def with_pulse(self: Leadline) -> None:
        await hook(self)
        self.pulse = asyncio.create_task(pulse(Path(os.environ["LOOP_STALLS"])))  # type: ignore[attr-defined]

    Leadline.setup_hook = with_pulse  # type: ignore[method-assign]
    program.main()


if __name__ == "__main__":
    main()
