"""Kept results: made once, made anew with new data only, elsewhere, and never in the way of an answer."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from far_work import dies, doubled, fails

from analysis import depth_plain
from analysis.depth import History, known_history
from analysis.stress import View
from bot.apart import ApartError, apart
from bot.clock import FixedClock
from bot.refresh import Refresh
from bot.reports import stress, stress_kept
from bot.reports.shapes import Asked, Derived, Read
from bot.reports.stress import StressQuery
from storage import kept, marks, sources
from storage.store import Db, Store
from tests.patience import PATIENCE

AT = datetime(2026, 2, 6, 12, tzinfo=UTC)


class Counting:
    """A result derived from one mark of the store; counts how often it was read."""

    def __init__(self, derive: Any = doubled, name: str = "counted") -> None:
        self.read_often = 0
        self.derived = Derived(name=name, stamps=self._stamps, read=self._read, derive=derive)

    async def _stamps(self, db: Db, at: datetime) -> Mapping[str, str]:
        number = await marks.read(db, "number")
        return {} if number is None else {"all": number}

    async def _read(self, db: Db, key: str, at: datetime) -> Read | None:
        self.read_often += 1
        return Read(given=(int(await marks.read(db, "number") or 0),), through=at)


async def write(store: Store, number: str | None) -> None:
    async with store.write() as db:
        if number is None:
            await marks.remove(db, "number")
        else:
            await marks.write(db, "number", number)
        # A mark is no data; a source nobody had heard of is.
        await sources.keep(db, f"number {number}", is_sample=False)


async def payload(store: Store, name: str = "counted") -> Any:
    async with store.read() as db:
        found = await kept.read(db, name, "all")
    return None if found is None else found.payload


async def test_made_anew_with_new_data_and_only_then(store: Store) -> None:
    counted = Counting()
    refresh = Refresh(store, FixedClock(AT), [counted.derived])
    await refresh.look()
    assert await payload(store) is None
    await write(store, "4")
    version = store.version
    await refresh.look()
    made = await payload(store)
    assert (made["doubled"], counted.read_often) == (8, 1)
    assert made["pid"] != os.getpid()
    assert store.version == version
    # Nothing was written, then something else was, then a process that begins finds it made.
    await refresh.look()
    async with store.write() as db:
        await marks.write(db, "other", "1")
    await refresh.look()
    await Refresh(store, FixedClock(AT), [counted.derived]).look()
    assert counted.read_often == 1
    await write(store, "5")
    await refresh.look()
    assert ((await payload(store))["doubled"], counted.read_often) == (10, 2)
    await write(store, None)
    await refresh.look()
    assert await payload(store) is None


async def test_what_cannot_be_made_does_not_stop_the_others(store: Store) -> None:
    broken, counted = Counting(fails, "broken"), Counting()
    await write(store, "4")
    with structlog.testing.capture_logs() as logged:
        await Refresh(store, FixedClock(AT), [broken.derived, counted.derived]).look()
    assert (await payload(store))["doubled"] == 8
    assert await payload(store, "broken") is None
    [line] = [one for one in logged if one["log_level"] == "error"]
    assert line["name"] == "broken"
    assert "ZeroDivisionError: of 4" in line["reason"]


async def test_a_process_that_dies_or_takes_too_long_is_told() -> None:
    with pytest.raises(ApartError, match="died"):
        await apart(dies)
    with pytest.raises(ApartError, match=r"no answer within 0\.2 s"):
        await apart(time.sleep, PATIENCE, limit=0.2)
    assert (await apart(doubled, 3))["doubled"] == 6


async def test_who_is_cancelled_takes_the_process_along() -> None:
    working = asyncio.create_task(apart(time.sleep, 2 * PATIENCE))
    await asyncio.sleep(0.3)
    working.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(asyncio.CancelledError):
            await working


async def history(store: Store) -> History | None:
    async with store.read() as db:
        return stress_kept.history_of(await stress_kept.read(db))


async def test_the_kept_history_is_the_one_that_a_question_would_make(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = await stress.answer(StressQuery(view=View.HISTORY), Asked(store=store, at=AT))
    assert fresh.depth is not None
    assert await history(store) is None
    earlier = datetime(2025, 11, 20, 12, tzinfo=UTC)
    then = await stress.answer(StressQuery(), Asked(store=store, at=earlier))
    await Refresh(store, FixedClock(AT), [stress_kept.DERIVED]).look()
    found = await history(store)
    assert found == fresh.depth.history  # to the last digit
    async with store.read() as db:
        row = await kept.read(db, stress_kept.NAME, stress_kept.KEY)
    assert row is not None
    assert row.through == datetime(2026, 2, 5, 22, tzinfo=UTC)

    # From now on a question reckons nothing, now or as of any earlier instant.
    def never(*given: object) -> History:
        raise AssertionError("a question made the history anew")

    monkeypatch.setattr("analysis.depth.history", never)
    again = await stress.answer(StressQuery(view=View.HISTORY), Asked(store=store, at=AT))
    assert again == fresh
    assert await stress.answer(StressQuery(), Asked(store=store, at=earlier)) == then


async def test_what_was_kept_of_other_closes_is_not_used(store: Store) -> None:
    async with store.read() as db:
        read = await stress_kept.DERIVED.read(db, stress_kept.KEY, AT)
    assert read is not None
    closes, _ = read.given
    right = depth_plain.from_plain(depth_plain.made(closes, AT))
    assert right is not None
    # One close long ago was another when the history was kept.
    first = closes["GC"][5]
    wrong = {**closes, "GC": [*closes["GC"]]}
    wrong["GC"][5] = first._replace(price=first.price * 1.01)
    other = depth_plain.from_plain(depth_plain.made(wrong, AT))
    assert other != right
    assert known_history(closes, AT, other) == right
    assert known_history(closes, AT, None) == right
    assert depth_plain.from_plain(depth_plain.made(closes, AT) | {"method": 0}) is None


def test_work_apart_ends_with_the_bot_that_was_killed() -> None:
    """Else it would hold a core for minutes, and the log of a bot that is gone."""
    told = """
import asyncio

from bot.apart import apart
from far_work import lasts

if __name__ == "__main__":
    asyncio.run(apart(lasts))
"""
    here = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", told],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(here), str(here.parents[1])))},
    ) as host:
        assert host.stderr is not None
        assert host.stderr.readline() == b"begun\n"
        host.kill()
        _, rest = host.communicate(timeout=PATIENCE)  # the pipe is closed once the last of them has gone
    assert rest == b""
