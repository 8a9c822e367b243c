"""What an answer and a new bar cost as the store grows: at 100 times, ten years of half hours and 5,000 servers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from analysis.levels import Interval
from benchmarks.figures import Figure, near
from benchmarks.kept import BEGIN, EACH, STEP, made
from bot.reports import REPORTS
from bot.reports.shapes import Asked, Report
from storage import instruments, migrate, new_bars, servers
from storage.instruments import Series
from storage.servers import ServerSettings
from storage.store import Store

TIMES: Final = (1, 10, 100)
CODES: Final = ("BTC", "ETH", "SI", "GC", "CL", "ES", "NQ", "DXY")
SERVERS: Final = 50
"""At once; of bars it is five weeks."""
ROUNDS: Final = 5


async def figures(folder: Path) -> AsyncIterator[Figure]:
    first: dict[str, float] = {}
    for times in TIMES:
        for name, ms in (await _measured(folder / f"growth-{times}.db", times)).items():
            first.setdefault(name, ms)
            yield near(f"{name}, {times} x the data, beside 1 x, ms", ms, first[name])


async def _measured(file: Path, times: int) -> dict[str, float]:
    url = f"sqlite+aiosqlite:///{file}"
    await migrate.upgrade(url)
    store = await Store.open(url)
    try:
        count = EACH * times // TIMES[-1]
        end = datetime.fromtimestamp(BEGIN + count * STEP, UTC)
        filled = await _fill(store, count, end, SERVERS * times)
        return await _work(store, filled, end)
    finally:
        await store.close()


async def _fill(store: Store, count: int, end: datetime, many: int) -> list[Series]:
    filled = []
    for seed, code in enumerate(CODES):
        async with store.write() as db:
            one = await instruments.to_fill(db, code, Interval.M30)
            await new_bars.store(db, one, made(count, seed), source="made up", now=end)
            days = await instruments.to_fill(db, code, Interval.D1)
            await new_bars.store(
                db, days, made(max(40, count // 48), seed, 86_400), source="made up", now=end
            )
            filled.append(one)
    async with store.write() as db:
        for number in range(many):
            await servers.keep(db, ServerSettings(server_id=number + 1, language="zh-TW", zone="Asia/Taipei"))
    return filled


async def _work(store: Store, filled: list[Series], end: datetime) -> dict[str, float]:
    asked = Asked(store=store, at=end + timedelta(minutes=1))
    levels, stress = REPORTS["levels"], REPORTS["stress"]
    opened = int(end.timestamp())

    async def new_bar() -> None:
        nonlocal opened
        [row] = made(1, 5)
        now = datetime.fromtimestamp(opened + STEP, UTC)
        one = row._replace(opened_at=opened, closed_at=opened + STEP)
        for series in filled:
            async with store.write() as db:
                await new_bars.store(db, series, [one], source="made up", now=now)
        opened += STEP

    async def after_a_bar() -> None:
        await new_bar()
        now = replace(asked, at=datetime.fromtimestamp(opened + 60, UTC))
        for report, took in first.items():
            begun = time.perf_counter()
            await report.answer(report.read({}, asked.at), now)
            took.append(1000 * (time.perf_counter() - begun))

    async def settings() -> None:
        async with store.read() as db:
            await servers.settings(db, 7)

    first: dict[Report[Any, Any], list[float]] = {levels: [], stress: []}
    found = {
        "levels": await _ms(lambda: levels.answer(levels.read({}, asked.at), asked)),
        "stress": await _ms(lambda: stress.answer(stress.read({}, asked.at), asked)),
        "a server's settings": await _ms(settings),
        "a new bar of each of 8 instruments stored": await _ms(new_bar),
    }
    await _ms(after_a_bar)
    # Without the very first, which also begins what is kept.
    return found | {
        f"{report.name}, the first after a new bar": median(took[1:]) for report, took in first.items()
    }


async def _ms(work: Callable[[], Awaitable[object]]) -> float:
    took = []
    for turn in range(ROUNDS + 1):
        begun = time.perf_counter()
        await work()
        if turn:
            took.append(1000 * (time.perf_counter() - begun))
    return median(took)
