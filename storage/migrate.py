"""Bring a store to this version's schema, and say in what state it is. The only user of Alembic."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from analysis.errors import UserError
from storage import backup, schema, sqlite
from storage.state import State, revision_in, settled_state, state_of
from storage.store import Store

_MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(url: str) -> Path | None:
    """Make or migrate the store at ``url``; nothing is done to one that is current.

    An older store that exists is copied first; returns the copy's path. A store written
    by a newer version, and a file that is no store, are refused with UserError.
    """
    file = sqlite.file_of(url)
    if file is None:
        engine = sqlite.engine(url)
        try:
            await _upgrade(engine)
        finally:
            await engine.dispose()
        return None
    state = await asyncio.to_thread(state_of, file, recover=True)
    match state:
        case State.CURRENT:
            return None
        case State.FOREIGN:
            raise UserError("{path} is not a store of this program.", path=str(file))
        case State.NEWER:
            raise UserError("The store at {path} was written by a newer version.", path=str(file))
        case State.UNREADABLE:
            raise UserError("The store at {path} cannot be read.", path=str(file))
    copied = None
    if state is State.OLDER:
        copied = file.with_name(f"{file.name}.before-{schema.REVISIONS[-1]}.bak")
        await asyncio.to_thread(backup.copy, file, copied)
    else:
        await asyncio.to_thread(_make_folder, file)
    engine = sqlite.engine(url)
    try:
        await _upgrade(engine)
    finally:
        await engine.dispose()
    return copied


async def prepare(store: Store) -> None:
    """Give an in-memory store its tables."""
    await _upgrade(store.engine)


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise UserError("The folder of {path} cannot be made.", path=str(file)) from None


async def _upgrade(engine: AsyncEngine) -> None:
    # A tenth of a second to import, and not needed by a current store; in a thread, so that a loop that serves goes on.
    await asyncio.to_thread(import_module, "alembic.command")
    async with engine.connect() as opened:
        connection = await opened.execution_options(begin="BEGIN IMMEDIATE")
        # Outside any transaction, or SQLite ignores it: a batch migration re-creates
        # tables, and dropping a parent with keys enforced deletes its children.
        await _pragma(connection, "foreign_keys=OFF")
        try:
            with sqlite.told_when_refused():
                await connection.run_sync(_run)
        finally:
            await connection.rollback()
            await _pragma(connection, "foreign_keys=ON")


async def _pragma(connection: AsyncConnection, pragma: str) -> None:
    if connection.dialect.name == "sqlite":
        raw = await connection.get_raw_connection()
        if raw.driver_connection is not None:
            await (await raw.driver_connection.execute(f"PRAGMA {pragma}")).close()


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with connection.begin():
        command.upgrade(config, "head")
        if connection.dialect.name == "sqlite":
            connection.execute(text(f"PRAGMA application_id = {schema.APPLICATION_ID}"))
            if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                raise UserError("The migration would leave rows without their parent; nothing was changed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What ``db check`` found.

    ``damage`` are SQLite's own words, for the log and not for readers; ``missing`` are
    tables; ``orphans`` is the number of rows whose parent is gone.
    """

    state: State
    revision: str | None
    expected_revision: str
    sqlite_version: str
    journal_mode: str | None = None
    damage: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    orphans: int = 0

    @property
    def ok(self) -> bool:
        return self.state is State.CURRENT and not (self.damage or self.missing or self.orphans)


async def check(url: str) -> Check:
    """Look at the whole file, for reading only. Raises UserError where there is no file to look at."""
    file = sqlite.file_of(url)
    if file is None:
        raise UserError("Only a store in a file can be checked.")
    return await asyncio.to_thread(_check, file)


def _check(file: Path) -> Check:
    state = settled_state(file)
    blank = Check(
        state=state,
        revision=None,
        expected_revision=schema.REVISIONS[-1],
        sqlite_version=sqlite3.sqlite_version,
    )
    if state in {State.MISSING, State.EMPTY, State.FOREIGN, State.UNREADABLE}:
        return blank
    try:
        with closing(
            sqlite3.connect(sqlite.file_uri(file, "ro"), uri=True, timeout=sqlite.BUSY_SECONDS)
        ) as db:
            verdict = tuple(str(row[0]) for row in db.execute("PRAGMA integrity_check(20)"))
            tables = {
                str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            (journal_mode,) = db.execute("PRAGMA journal_mode").fetchone()
            orphans = sum(1 for _ in db.execute("PRAGMA foreign_key_check"))
            revision = revision_in(db)
    except sqlite3.DatabaseError as error:
        verdict, tables, journal_mode, orphans = (str(error),), set(schema.metadata.tables), None, 0
        revision = None
    return Check(
        state=state,
        revision=revision,
        expected_revision=schema.REVISIONS[-1],
        sqlite_version=sqlite3.sqlite_version,
        journal_mode=journal_mode,
        damage=() if verdict == ("ok",) else verdict,
        missing=tuple(sorted(set(schema.metadata.tables) - tables)) if state is State.CURRENT else (),
        orphans=orphans,
    )
