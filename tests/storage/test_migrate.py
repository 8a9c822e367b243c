from __future__ import annotations

import importlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from analysis.errors import UserError
from storage import lock, migrate, schema
from storage.state import State, state_of
from storage.store import Store
from tests.storage.conftest import dump, opened, url_of

LAST = schema.REVISIONS[-1]
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "LAST"


def upgrade():
    op.add_column("sources", sa.Column("terms", sa.Text))
    with op.batch_alter_table("instruments", recreate="always") as batch:
        batch.add_column(sa.Column("tick", sa.Float))
""".replace("LAST", LAST)


@pytest.fixture
def with_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped migrations and one more, in a folder of their own."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate._MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    revision = folder / "versions" / "r9999.py"
    revision.write_text(NEXT)
    monkeypatch.setattr(migrate, "_MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    return revision


def test_the_revisions_are_those_shipped() -> None:
    script = ScriptDirectory(migrate._MIGRATIONS)
    assert tuple(reversed([each.revision for each in script.walk_revisions()])) == schema.REVISIONS


async def test_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))

    async with store.read() as db:
        assert await db.run_sync(compare) == []


def test_bars_are_stored_by_their_key(migrated_file: Path) -> None:
    with closing(sqlite3.connect(migrated_file)) as db:
        sql = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for table in ("bars", "daily_rollups"):
        assert "WITHOUT ROWID" in sql[table]
        assert "PRIMARY KEY (instrument_id, interval, opened_at)" in sql[table]


async def test_upgrade_makes_folder_and_store_once(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "leadline.db"
    assert await migrate.upgrade(url_of(file)) is None
    assert state_of(file) is State.CURRENT
    before = file.read_bytes()
    assert await migrate.upgrade(url_of(file)) is None
    assert file.read_bytes() == before


async def test_a_file_of_zero_bytes_becomes_a_store(tmp_path: Path) -> None:
    file = tmp_path / "leadline.db"
    file.touch()
    assert (await migrate.check(url_of(file))).state is State.EMPTY
    await migrate.upgrade(url_of(file))
    assert (await migrate.check(url_of(file))).ok


async def test_a_newer_schema_is_refused(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE alembic_version SET version_num = '0999'")
        db.commit()
    before = file.read_bytes()
    for refused in (
        migrate.upgrade(url_of(file)),
        Store.open(url_of(file)),
        Store.open(url_of(file), readonly=True),
    ):
        with pytest.raises(UserError, match="newer version"):
            await refused
    assert file.read_bytes() == before


async def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE alembic_version (version_num)")
        db.execute("INSERT INTO alembic_version VALUES ('0001')")
        db.commit()
    before = file.read_bytes()
    with pytest.raises(UserError, match="is not a store"):
        await migrate.upgrade(url_of(file))
    assert file.read_bytes() == before
    assert (await migrate.check(url_of(file))).state is State.FOREIGN


async def test_an_older_store_is_copied_then_migrated(
    tmp_path: Path, sample_file: Path, with_next: Path
) -> None:
    file = tmp_path / "leadline.db"
    file.write_bytes(sample_file.read_bytes())
    before = dump(file)
    with pytest.raises(UserError, match="leadline db upgrade"):
        await Store.open(url_of(file))
    copied = await migrate.upgrade(url_of(file))
    assert copied is not None
    assert dump(copied) == before
    with closing(sqlite3.connect(file)) as db:
        # Re-creating the parent with keys enforced would have taken these with it.
        assert db.execute("SELECT count(*) FROM series").fetchone() == (12,)
        assert db.execute("SELECT count(*) FROM bars").fetchone()[0] > 13_000
        assert db.execute("SELECT count(tick), count(*) FROM instruments").fetchone() == (0, 23)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert state_of(file) is State.CURRENT


async def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(
    file: Path, with_next: Path
) -> None:
    with_next.write_text(NEXT + "    op.execute('SELECT * FROM no_such_table')\n")
    before = dump(file)
    with pytest.raises(Exception, match="no_such_table"):
        await migrate.upgrade(url_of(file))
    assert dump(file) == before


async def test_check_finds_what_is_wrong(tmp_path: Path, sample_file: Path) -> None:
    whole = await migrate.check(url_of(sample_file))
    assert whole.ok
    assert (whole.revision, whole.expected_revision) == (LAST, LAST)

    torn = tmp_path / "torn.db"
    content = bytearray(sample_file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = bytes(20_000)
    torn.write_bytes(content)
    found = await migrate.check(url_of(torn))
    assert found.damage
    assert not found.ok

    lacking = tmp_path / "lacking.db"
    lacking.write_bytes(sample_file.read_bytes())
    with closing(sqlite3.connect(lacking)) as db:
        db.execute("DROP TABLE daily_rollups")
        db.execute("DELETE FROM series WHERE interval = '30m'")
        db.commit()
    found = await migrate.check(url_of(lacking))
    assert found.missing == ("daily_rollups",)
    assert found.orphans == 7_662
    assert not found.ok

    assert (await migrate.check(url_of(tmp_path / "none.db"))).state is State.MISSING


async def test_nothing_is_seeded_twice(file: Path) -> None:
    async with opened(file) as store:
        await migrate.prepare(store)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT count(*) FROM levels WHERE server_id = 0").fetchone() == (5,)


KILLED = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode=TRUNCATE")
db.execute("PRAGMA cache_size=1")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE bars SET close = 1")
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_what_a_killed_writer_left_is_rolled_back(tmp_path: Path, sample_file: Path) -> None:
    file = tmp_path / "leadline.db"
    file.write_bytes(sample_file.read_bytes())
    subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False, timeout=600)
    assert file.read_bytes() != sample_file.read_bytes(), "nothing was half written"
    torn = tmp_path / "torn.db"
    for suffix in ("", "-journal"):
        shutil.copy(f"{file}{suffix}", f"{torn}{suffix}")

    # While a bot holds the lock, what lies there may be its own.
    with lock.RunningLock(lock.beside(file)):
        half_written = file.read_bytes()
        with pytest.raises(UserError, match="The bot is writing"):
            await Store.open(url_of(file), readonly=True)
        with pytest.raises(UserError, match="The bot is writing"):
            await migrate.check(url_of(file))
        assert file.read_bytes() == half_written

    # Else whoever reads first puts it in order.
    async with opened(file, readonly=True) as store:
        assert await store.has_market_rows()
    assert dump(file) == dump(sample_file)
    assert not lock.held(lock.beside(file))
    assert (await migrate.check(url_of(torn))).ok
    assert dump(torn) == dump(sample_file)


def test_a_current_store_is_opened_without_alembic() -> None:
    unwanted = "{'alembic', 'pandas'}"
    program = f"import sys, storage.sample, storage.lock; print(sorted({unwanted} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_current_is_opened_without_alembic(file: Path) -> None:
    told = """
import asyncio, sys
from pathlib import Path

from storage import migrate

asyncio.run(migrate.upgrade(sys.argv[1]))
print("alembic" in sys.modules)
"""
    first, again = (
        subprocess.run(
            [sys.executable, "-c", told, url],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for url in (url_of(file.with_name("new.db")), url_of(file))
    )
    assert (first, again) == ("True\n", "False\n")


async def test_a_loop_that_serves_goes_on_while_alembic_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[int] = []
    load = importlib.import_module

    def from_where(name: str) -> ModuleType:
        loads.append(threading.get_ident())
        return load(name)

    monkeypatch.setattr(migrate, "import_module", from_where)
    await migrate.upgrade(url_of(tmp_path / "leadline.db"))
    assert loads
    assert threading.get_ident() not in loads
