"""What is kept about a person: all of it is declared, and forgotten to the last byte."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.errors import AlreadyDone
from analysis.levels import Level
from storage import backup, level_book, privacy, schema, servers, sqlite
from storage.servers import ServerSettings
from storage.store import Store

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
USER = 1_203_456_789_012_345_678
OTHER = 1_203_456_789_012_345_679


def test_every_column_that_holds_a_user_is_declared() -> None:
    """By its name: whoever adds one that is called otherwise adds its word here."""
    words = {"by", "user", "users", "member", "members", "owner", "author", "asker", "person"}
    found = {
        (table.name, column.name)
        for table in schema.metadata.tables.values()
        for column in table.columns
        # Last, as in added_by, or alone: tiers "by size" are by nobody.
        if words & {column.name, column.name.split("_")[-1], column.name.removesuffix("_id")}
    }
    assert found == {(place.table.name, place.column) for place in privacy.USER_COLUMNS}


async def fill(store: Store, chance: random.Random) -> None:
    """A year of two people's changes: levels come and go until pages split and empty again."""
    for step in range(150):
        server = chance.randrange(1, 8) * 10**17
        who = chance.choice([USER, USER, OTHER])
        async with store.write() as db:
            if chance.random() < 0.7:
                level = Level(
                    price=round(chance.uniform(1e4, 1e5), 6),
                    label="x" * chance.randrange(80),
                    source="s" * 80,
                )
                await level_book.add(db, server, level, added_by=who, now=NOW + timedelta(seconds=step))
            elif chance.random() < 0.5:
                await level_book.remove(db, server, chance.choice(await level_book.read(db, server)).price)
            elif chance.random() < 0.5:
                await servers.forget(db, server)
            else:
                await servers.keep(db, ServerSettings(server_id=server, changed_by=who, changed_at=step))


def traces(folder: Path, user_id: int) -> list[str]:
    """Files that hold the id, as SQLite writes an integer of this size or as text."""
    wanted = (struct.pack(">q", user_id), str(user_id).encode())
    return [
        path.name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(form in path.read_bytes() for form in wanted)
    ]


@pytest.mark.parametrize("wal", [False, True], ids=["truncate", "wal"])
@pytest.mark.parametrize("seed", range(4))
async def test_who_is_forgotten_is_in_no_byte_of_the_store(
    store: Store, tmp_path: Path, wal: bool, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.close()
    # With one connection both journals are safe, whatever SQLite this is.
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: wal)
    url = f"sqlite+aiosqlite:///{tmp_path / 'leadline.db'}"
    kept = await Store.open(url)
    try:
        await fill(kept, random.Random(seed))  # noqa: S311 -- repeatable, nothing secret
        assert traces(tmp_path, USER)
        async with kept.read() as db:
            before = {server: await level_book.read(db, server * 10**17) for server in range(1, 8)}
        await privacy.forget(kept, USER, interaction_id=1, now=NOW)
        assert traces(tmp_path, USER) == []
        assert traces(tmp_path, OTHER)
        async with kept.read() as db:
            assert not any((await privacy.held(db, USER)).values())
            # The levels are the server's and stay.
            assert {n: await level_book.read(db, n * 10**17) for n in range(1, 8)} == before
        await backup.make(url, tmp_path / "backups" / "after.db")
        assert traces(tmp_path, USER) == []
    finally:
        await kept.close()
    assert traces(tmp_path, USER) == []


async def test_without_overwriting_the_search_would_find_something(tmp_path: Path) -> None:
    """The search has teeth: what is merely deleted stays in the file."""
    file = tmp_path / "plain.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("CREATE TABLE levels (added_by BIGINT)")
        db.executemany("INSERT INTO levels VALUES (?)", [(USER,)] * 50)
        db.commit()
        db.execute("DELETE FROM levels")
    assert traces(tmp_path, USER) == ["plain.db"]


async def test_what_is_held_is_whole_and_only_ones_own(store: Store) -> None:
    async with store.write() as db:
        await level_book.add(
            db, 7, Level(price=61_500.0, label="mine", venue="Coinbase"), added_by=USER, now=NOW
        )
        await level_book.add(db, 7, Level(price=61_000.0, label="theirs"), added_by=OTHER, now=NOW)
        await servers.keep(db, ServerSettings(server_id=7, changed_by=USER, changed_at=5))
        await servers.keep(db, ServerSettings(server_id=8, changed_by=OTHER, changed_at=5))
        held = await privacy.held(db, USER)
    assert set(held) == {
        "levels_added",
        "settings_changed",
        "digests_added",
        "digests_changed",
        "alerts_owned",
        "alerts_added",
        "alerts_changed",
        "data_entered",
        "data_undone",
    }
    [level] = held["levels_added"]
    assert (level["server_id"], level["price"], level["label"], level["venue"], level["added_at"]) == (
        7, 61_500.0, "mine", "Coinbase", 1_770_314_400,
    )  # fmt: skip
    assert [row["server_id"] for row in held["settings_changed"]] == [7]


async def test_a_replay_forgets_once(store: Store) -> None:
    await privacy.forget(store, USER, interaction_id=1, now=NOW)
    with pytest.raises(AlreadyDone):
        await privacy.forget(store, USER, interaction_id=1, now=NOW)


async def test_a_reader_in_the_way_is_told_and_emptied_later(
    sample_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda version: True)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    file = tmp_path / "beside.db"
    shutil.copy(sample_file, file)
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    try:
        async with store.write() as db:
            await level_book.add(db, 7, Level(price=61_500.0, label=""), added_by=USER, now=NOW)
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM levels").fetchone()
            await privacy.forget(store, USER, interaction_id=1, now=NOW)
            assert not await store.empty_journal()
            reader.execute("COMMIT")
        assert await store.empty_journal()
        assert traces(tmp_path, USER) == []
    finally:
        await store.close()


DAY = timedelta(days=1)


async def test_a_server_left_thirty_days_ago_is_forgotten_and_no_other(store: Store) -> None:
    left = {7: NOW - 30 * DAY, 8: NOW - 30 * DAY + timedelta(seconds=1), 9: NOW - 90 * DAY}
    async with store.write() as db:
        for server in (7, 8, 9, 10):
            await servers.keep(db, ServerSettings(server_id=server))
            await level_book.add(db, server, Level(price=61_500.0, label=""), added_by=USER, now=NOW)
        for server, at in left.items():
            await db.exec_driver_sql(
                "INSERT INTO servers_left VALUES (?, ?)", [(server, int(at.timestamp()))]
            )
    assert await servers.purge(store, NOW) == 2
    async with store.read() as db:
        kept = [server for server in (7, 8, 9, 10) if await servers.settings(db, server) is not None]
        own = [server for server in (7, 8, 9, 10) if (await level_book.book(db, server)).is_own]
        still = [row[0] for row in await db.exec_driver_sql("SELECT server_id FROM servers_left", [()])]
        assert (await level_book.book(db, 7)).levels  # the default book
    assert (kept, own, still) == ([8, 10], [8, 10], [8])
    assert await servers.purge(store, NOW) == 0
