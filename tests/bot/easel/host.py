"""A program with pictures, to be killed: ``python host.py {drawing | deaf | closed}``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))


async def main(until: str) -> None:
    from analysis.charts.look import Look
    from bot.pictures import Pictures
    from easel import Card

    pictures = Pictures(charts=("plain", "slow"), charts_package="easel", language_module="easel.words")
    await pictures.start()
    now = datetime.now(UTC)
    await pictures.draw("plain", Card(as_of=now, text="first"), Look())
    if until == "closed":
        await pictures.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
            print("a child is left", flush=True)
        print("closed", flush=True)
        return
    seconds = 2 if until == "deaf" else 600
    drawing = asyncio.create_task(
        pictures.draw("slow", Card(as_of=now, text="second", seconds=seconds), Look())
    )
    await asyncio.sleep(0.2)
    if until == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(until, flush=True)
    picture = await drawing
    print("drawn", picture.png.decode(), flush=True)
    await pictures.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1]))
