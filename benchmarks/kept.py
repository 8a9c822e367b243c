"""The store with a million bars: reads beside the bare driver, roll-ups beside pandas, an import beside its floor."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

import aiosqlite
import numpy as np
import pandas as pd

from analysis.levels import Interval
from benchmarks.figures import Figure, faster, near
from storage import bars, instruments, migrate, new_bars
from storage.bars import BarRow
from storage.instruments import Series
from storage.store import Store

SERIES: Final = 6
STEP: Final = 1800
EACH: Final = 175_200
"""Ten years of half hours."""
BEGIN: Final = int(datetime(2016, 1, 1, tzinfo=UTC).timestamp())
END: Final = datetime.fromtimestamp(BEGIN + EACH * STEP, UTC)
NOW: Final = END + timedelta(minutes=5)
ROUNDS: Final = 9
_READ: Final = (
    "SELECT opened_at, closed_at, open, high, low, close, volume FROM bars"
    " WHERE instrument_id = ? AND interval = '30m' AND opened_at >= ? AND opened_at < ? ORDER BY opened_at"
)


def made(count: int, seed: int, step: int = STEP) -> list[BarRow]:
    """A walk of bars, each closed where the next opens; ``step`` in seconds."""
    path = 30_000 * np.exp(np.random.default_rng(seed).normal(0, 0.004, count + 1).cumsum())
    opened = BEGIN + step * np.arange(count, dtype=np.int64)
    high, low = np.maximum(path[:-1], path[1:]) * 1.002, np.minimum(path[:-1], path[1:]) * 0.998
    columns = (opened, opened + step, path[:-1], high, low, path[1:], np.full(count, 100.0))
    return [BarRow._make(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


async def figures(folder: Path) -> AsyncIterator[Figure]:
    file = folder / "bars.db"
    url = f"sqlite+aiosqlite:///{file}"
    await migrate.upgrade(url)
    store = await Store.open(url)
    try:
        yield await _ingest(store, folder)
        kept = await _fill(store)
        async for figure in _reads(store, file, kept):
            yield figure
    finally:
        await store.close()


async def _ingest(store: Store, folder: Path) -> Figure:
    """A year of half hours into an empty series, by the rule that every source is stored by."""
    floor, product = [], []
    rows = made(17_520, 1)
    async with store.read() as db:
        filled = [
            await instruments.to_fill(db, code, Interval.M30) for code in ("CL", "DXY", "NQ", "ES", "GC")
        ]
    for number, one in enumerate(filled):
        floor.append(_executemany(folder / f"floor-{number}.db", rows))
        begun = time.perf_counter()
        async with store.write() as db:
            await new_bars.store(db, one, rows, source="made up", now=NOW)
        product.append(len(rows) / (time.perf_counter() - begun))
    # Rows a second: the ratio is the share of the floor.
    return near(
        "bulk ingest, beside executemany, rows a second",
        median(product),
        median(floor),
        required=">= 0.5",
        heading_for=">= 0.9",
    )


def _executemany(file: Path, rows: list[BarRow]) -> float:
    """Rows a second into a table of the same shape, on a disk that confirms as ours must."""
    with closing(sqlite3.connect(file)) as bare:
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute(
            "CREATE TABLE bars (instrument_id INTEGER, interval TEXT, opened_at INTEGER, closed_at INTEGER, open REAL,"
            " high REAL, low REAL, close REAL, volume REAL, PRIMARY KEY (instrument_id, interval, opened_at)) WITHOUT ROWID"
        )
        begun = time.perf_counter()
        bare.executemany("INSERT INTO bars VALUES (1, '30m', ?, ?, ?, ?, ?, ?, ?)", rows)
        bare.commit()
        return len(rows) / (time.perf_counter() - begun)


async def _fill(store: Store) -> list[Series]:
    filled = []
    for seed, code in enumerate(("BTC", "SI", "GC", "CL", "ES", "NQ")):
        async with store.write() as db:
            one = await instruments.to_fill(db, code, Interval.M30)
            await new_bars.store(db, one, made(EACH, seed), source="made up", now=NOW)
            filled.append(one)
            days = await instruments.to_fill(db, code, Interval.D1)
            await new_bars.store(db, days, made(EACH // 48, seed, 86_400), source="made up", now=NOW)
    return filled


async def _reads(store: Store, file: Path, kept: list[Series]) -> AsyncIterator[Figure]:
    btc, newest = kept[0], NOW - timedelta(seconds=400 * STEP)
    years = NOW - timedelta(days=730)
    bare = sqlite3.connect(file)
    beside = await aiosqlite.connect(file)
    wanted = (btc.id, int(newest.timestamp()), int(NOW.timestamp()))

    async def ours() -> None:
        async with store.read() as db:
            await bars.closed(db, btc, Interval.M30, at=NOW, since=newest)

    async with store.read() as db:
        days = [await instruments.to_fill(db, one.code, Interval.D1) for one in kept]

    async def daily() -> None:
        async with store.read() as db:
            await bars.closes(db, days, at=NOW, since=years)

    async def by_sqlite() -> None:
        bare.execute(_READ, wanted).fetchall()

    async def by_aiosqlite() -> None:
        await beside.execute_fetchall(_READ, wanted)

    async def resampled() -> None:
        for one in kept:
            rows = bare.execute(_READ, (one.id, int(years.timestamp()), int(NOW.timestamp()))).fetchall()
            frame = pd.DataFrame(rows, columns=list(BarRow._fields))
            frame.index = pd.to_datetime(frame.opened_at, unit="s")
            frame.close.resample("D").last()

    ways = {
        "ours": ours,
        "daily": daily,
        "sqlite3": by_sqlite,
        "aiosqlite": by_aiosqlite,
        "pandas": resampled,
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS + 1):
        for name, way in ways.items():
            ms = await _ms(way)
            if turn:
                took[name].append(ms)
    bare.close()
    await beside.close()
    mid = {name: median(times) for name, times in took.items()}
    yield near("last 400 bars of a million, beside sqlite3, ms", mid["ours"], mid["sqlite3"])
    yield near("last 400 bars of a million, beside aiosqlite, ms", mid["ours"], mid["aiosqlite"])
    yield faster(
        "daily closes as /stress reads them, 6 instruments, 2 years, beside pandas over raw bars, ms",
        mid["daily"],
        mid["pandas"],
        required=">= 50",
        heading_for=">= 100",
    )


async def _ms(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - begun)
