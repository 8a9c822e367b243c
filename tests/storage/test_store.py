from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.event import listen

from analysis.errors import UserError
from analysis.levels import Interval
from storage import bars, handled, instruments, marks, migrate, new_bars, schema, sqlite
from storage.store import Store
from tests.patience import PATIENCE
from tests.storage.conftest import opened, url_of


async def _count(store: Store) -> int:
    async with store.read() as db:
        return int(await db.scalar(select(func.count()).select_from(schema.sources)) or 0)


async def _add(store: Store, name: str) -> None:
    async with store.write() as db:
        await db.execute(insert(schema.sources).values(name=name, is_sample=False))


@pytest.mark.parametrize("outer", ["read", "write"])
@pytest.mark.parametrize("inner", ["read", "write"])
async def test_nested_access_fails_at_once(store: Store, outer: str, inner: str) -> None:
    async with asyncio.timeout(PATIENCE):
        async with getattr(store, outer)():
            with pytest.raises(RuntimeError, match="nested"):
                async with getattr(store, inner)():
                    pass
        await _add(store, "the store still works")
        assert await _count(store) == 1


async def test_nesting_through_a_task_or_a_second_store_fails_too(store: Store, sample_file: Path) -> None:
    async with asyncio.timeout(PATIENCE), opened(sample_file, readonly=True) as other, store.read():
        with pytest.raises(RuntimeError, match="nested"):
            await asyncio.create_task(_count(store))
        with pytest.raises(RuntimeError, match="nested"):
            await other.has_market_rows()


async def test_a_task_started_inside_may_read_when_the_block_has_ended(store: Store) -> None:
    ended = asyncio.Event()

    async def later() -> int:
        await ended.wait()
        return await _count(store)

    async with store.read():
        task = asyncio.create_task(later())
    ended.set()
    assert await asyncio.wait_for(task, PATIENCE) == 0


async def test_tasks_queue_and_each_sees_whole_writes(store: Store) -> None:
    seen: list[int] = []

    async def write(number: int) -> None:
        async with store.write() as db:
            await db.execute(insert(schema.sources).values(name=f"{number}a", is_sample=False))
            await asyncio.sleep(0.005)
            await db.execute(insert(schema.sources).values(name=f"{number}b", is_sample=False))

    async def read() -> None:
        seen.append(await _count(store))

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(task for number in range(10) for task in (write(number), read())))
    assert seen == [2 * n for n in range(1, 11)]
    assert store.version == 10


async def test_the_version_grows_only_with_what_answers_are_made_from(store: Store) -> None:
    now = datetime(2026, 2, 5, 18, tzinfo=UTC)
    async with store.write() as db:
        await marks.write(db, "a thing the bot remembers", "1")
        assert await handled.first_time(db, 7, now=now)
    async with store.write() as db:
        # Deleted where nothing is.
        await db.execute(delete(schema.levels).where(schema.levels.c.server_id == 7))
    assert store.version == 0

    async with store.write() as db:
        silver = await instruments.to_fill(db, "SI", Interval.D1)
    version = store.version
    bar = bars.BarRow(opened_at=0, closed_at=86_400, open=1.0, high=1.0, low=1.0, close=1.0, volume=None)
    for grown in (1, 0):
        # The same bar once more is no news.
        async with store.write() as db:
            await new_bars.store(db, silver, [bar], source="a test", now=now)
        version += grown
        assert store.version == version


async def test_a_block_that_raises_changes_nothing(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as db:
            await db.execute(insert(schema.sources).values(name="undone", is_sample=False))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await _count(store) == 0
    assert store.version == 0


async def test_a_cancelled_statement_harms_neither_file_nor_memory(store: Store) -> None:
    endless = text(
        "with recursive n(i) as (select 1 union all select i+1 from n limit 700000) select max(i) from n"
    )
    memory = await Store.open("sqlite+aiosqlite://")
    await migrate.prepare(memory)
    for each in (store, memory):
        await _add(each, "before")

        async def long(target: Store = each) -> None:
            async with target.write() as db:
                await db.execute(insert(schema.sources).values(name="cancelled", is_sample=False))
                await db.execute(endless)

        begun = asyncio.Event()

        def note(*event: Any, begun: asyncio.Event = begun) -> None:
            if event[2] == endless.text:
                begun.set()

        listen(each.engine.sync_engine, "before_cursor_execute", note)
        task = asyncio.create_task(long())
        await asyncio.wait_for(begun.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _add(each, "after")
        assert await _count(each) == 2
    await memory.close()


async def test_reading_beside_a_writer(store: Store, file: Path) -> None:
    await _add(store, "first")
    async with opened(file, readonly=True) as reader:
        async with store.write() as db:
            await db.execute(insert(schema.sources).values(name="second", is_sample=False))
            assert await asyncio.to_thread(_count_as_a_stranger, file) == 1
        assert await _count(reader) == 2
        with pytest.raises(RuntimeError, match="reading only"):
            async with reader.write():
                pass


def _count_as_a_stranger(file: Path) -> int:
    with closing(sqlite3.connect(sqlite.file_uri(file, "ro"), uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM sources").fetchone()[0])


async def test_a_reader_cannot_write_even_by_force(file: Path) -> None:
    async with opened(file, readonly=True) as reader, reader.read() as db:
        with pytest.raises(Exception, match="readonly"):
            await db.execute(insert(schema.sources).values(name="x", is_sample=False))


async def test_how_the_connection_is_set_up(store: Store) -> None:
    async with store.read() as db:
        found = {
            name: await db.scalar(text(f"PRAGMA {name}"))
            for name in ("foreign_keys", "synchronous", "secure_delete", "journal_mode", "busy_timeout")
        }
    assert found == {
        "foreign_keys": 1,
        "synchronous": 2,
        "secure_delete": 1,
        "journal_mode": "wal" if sqlite.wal_is_safe(sqlite3.sqlite_version_info) else "truncate",
        "busy_timeout": 10_000,
    }


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
    ],
)
def test_wal_only_where_it_cannot_corrupt(version: tuple[int, int, int], safe: bool) -> None:
    assert sqlite.wal_is_safe(version) is safe


async def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing.db", tmp_path / "empty.db"
    text_file, foreign = tmp_path / "text.db", tmp_path / "foreign.db"
    empty.touch()
    text_file.write_text("open,close\n" * 500)
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE sources (id)")
    for file in (missing, empty):
        with pytest.raises(UserError, match="There is no store at"):
            await Store.open(url_of(file), readonly=True)
    for file in (text_file, foreign, tmp_path):
        with pytest.raises(UserError, match="is not a store of this program"):
            await Store.open(url_of(file), readonly=True)
    assert not missing.exists()
    assert empty.stat().st_size == 0


async def test_a_path_with_url_characters(tmp_path: Path, file: Path) -> None:
    odd = tmp_path / "100% #1 ä&b=c.db"
    odd.write_bytes(file.read_bytes())
    async with opened(odd) as store:
        await _add(store, "here")
    async with opened(odd, readonly=True) as store:
        assert await _count(store) == 1
    assert {each.name.removesuffix("-journal") for each in tmp_path.iterdir()} == {odd.name, file.name}


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///x.db"])
async def test_an_address_that_cannot_be_used(url: str) -> None:
    with pytest.raises(UserError, match="database address"):
        await Store.open(url)


async def test_whether_there_is_anything_to_report_on(store: Store, sampled: Store) -> None:
    assert await store.has_market_rows() is False
    assert await sampled.has_market_rows() is True


async def test_a_full_disk_is_told_and_the_write_undone(file: Path) -> None:
    rows = [{"name": f"{number:0500}", "is_sample": False} for number in range(2_000)]
    async with opened(file) as store:
        async with store.read() as db:
            # As large as it is, on the one connection there is: the next page does not fit.
            pages = int(await db.scalar(text("PRAGMA page_count")))
            await db.scalar(text(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(UserError, match="disk of the store is full"):
            async with store.write() as db:
                await db.execute(insert(schema.sources), rows)
        assert await _count(store) == 0
    assert (await migrate.check(url_of(file))).ok


async def test_a_store_that_takes_no_writes_says_so(file: Path) -> None:
    async with opened(file) as store:
        async with store.read() as db:
            await db.execute(text("PRAGMA query_only=ON"))
        with pytest.raises(UserError, match="cannot be written"):
            await _add(store, "never")
        assert await _count(store) == 0
