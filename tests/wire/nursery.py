"""Bots born quickly: a process that has loaded everything once and forks a bot whenever it is asked.

Each line on standard input is JSON: the two addresses, the store, and where the bot is to
kill itself (``point``, the ``nth`` time it comes there). The answer is the bot's process id.
Such a bot differs from ``leadline run`` in its drawing, which is a stand-in, and in its
times, which are short.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord.gateway
import discord.http
import yarl

from analysis.charts import CHARTS
from analysis.charts.look import Look, Picture
from bot import digest_words, running
from bot.answers import Answers
from bot.channels import Channels
from bot.client import COGS, Leadline
from bot.clock import SystemClock
from bot.digest_words import Asking
from bot.outbox import Outbox, Timing
from bot.pace import Pace
from bot.pictures import Pictures
from bot.reports import REPORTS
from storage import sample
from storage.digests import Part, Schedule
from tests.wire.payloads import TOKEN

SEND_SECONDS = 0.7
TIMING = Timing(
    retry=timedelta(seconds=1),
    longest_retry=timedelta(seconds=1),
    nonce=timedelta(seconds=1),
    doubles=(timedelta(seconds=1), timedelta(seconds=2)),
)


class Drawn(Pictures):
    async def draw(self, chart: str, result: Any, look: Look, *, key: bytes | None = None) -> Picture:
        del result, key
        return Picture(png=b"\x89PNG " + chart.encode() + look.locale.encode(), alt=chart)


def dying_at(point: str, nth: int) -> Callable[[str], None]:
    left = nth

    def reached(where: str) -> None:
        nonlocal left
        if where == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached


async def live(born: dict[str, Any]) -> None:
    async with running.writing_store(f"sqlite+aiosqlite:///{born['store']}") as store:
        bot = Leadline(Answers(store, Drawn(charts=CHARTS), SystemClock()))
        # Else discord.py waits two seconds for more servers before it is ready.
        bot._connection.guild_ready_timeout = 0.01
        bot.outbox = Outbox(
            store,
            Channels(bot, Pace(48), seconds=SEND_SECONDS),
            SystemClock(),
            bot.outbox._writers,
            timing=TIMING,
            checkpoint=dying_at(born["point"], born["nth"]),
        )
        await bot.start(TOKEN)


async def warm() -> None:
    """Whatever is loaded or worked out only when it is first needed."""
    for name in COGS:
        importlib.import_module(name)
    store = await sample.open_in_memory()
    answers = Answers(store, Drawn(charts=CHARTS), SystemClock())
    asking = Asking(answers, SystemClock().now())
    for report in REPORTS:
        now = SystemClock().now()
        schedule = Schedule(
            server_id=1,
            channel_id=1,
            parts=(Part(report=report),),
            local_time=now.time(),
            zone="UTC",
            language="both",
            since=now,
            created_by=1,
            created_at=now,
        )
        parts = await asking.parts(schedule, server_id=0)
        await digest_words.written(schedule, parts, asking, settings=None, marker="A" * 12, due=now)
    await store.close()


def main() -> None:
    asyncio.run(warm())
    gc.freeze()
    # The bots are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("warm", flush=True)
    for line in sys.stdin:
        born = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            discord.http.Route.BASE = born["rest"]
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(born["gateway"])
            with Path(born["log"]).open("a", encoding="utf-8") as log:
                os.dup2(log.fileno(), 2)
                os.dup2(log.fileno(), 1)
                asyncio.run(live(born))
        finally:
            os._exit(1)


if __name__ == "__main__":
    main()
