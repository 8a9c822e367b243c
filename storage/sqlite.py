"""What is SQLite's own: where the file is, how a connection is set up, which journal is safe."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL, AsyncAdaptedQueuePool, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from analysis.errors import UserError
from storage import driver

BUSY_SECONDS = 10

# https://sqlite.org/wal.html#walresetbug: before these, two connections in WAL mode can corrupt the file.
_WAL_SAFE_FROM = (3, 51, 3)
_WAL_BACKPORTS = ((3, 44, 6), (3, 50, 7))


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite may run in WAL mode with a second connection beside it."""
    if version >= _WAL_SAFE_FROM:
        return True
    return any(version[:2] == fixed[:2] and version >= fixed for fixed in _WAL_BACKPORTS)


def parse(url: str) -> URL:
    """The address of a store. Raises UserError for one this store cannot open."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UserError("The database address cannot be read.") from None
    if parsed.get_backend_name() == "sqlite" and parsed.get_driver_name() != "aiosqlite":
        raise UserError("The database address must begin with sqlite+aiosqlite://.")
    return parsed


def file_of(url: str) -> Path | None:
    """The file of a SQLite store, as written in the address; None for memory and other databases."""
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def is_memory(url: str) -> bool:
    return parse(url).get_backend_name() == "sqlite" and file_of(url) is None


def file_uri(file: Path, mode: str) -> str:
    return f"file:{quote(str(file.absolute()))}?mode={mode}"


@contextmanager
def told_when_refused() -> Iterator[None]:
    """What the disk refuses, as a sentence; any other failure is a defect and passes."""
    try:
        yield
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # without SQLite's finer reasons
        if code == sqlite3.SQLITE_FULL:
            raise UserError("The disk of the store is full. What was being written was undone.") from error
        if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
            raise UserError("The store cannot be written. What was being written was undone.") from error
        raise


def engine(url: str, *, readonly: bool = False) -> AsyncEngine:
    """An engine with one pooled connection that begins each transaction as its caller asks.

    The execution option ``begin`` holds the statement (``BEGIN`` where it is missing).
    """
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed)
    file = file_of(url)
    name = ":memory:" if file is None else file_uri(file, "ro" if readonly else "rwc")

    async def connected() -> aiosqlite.Connection:
        return await driver.OneTurn(partial(sqlite3.connect, name, uri=True, timeout=BUSY_SECONDS))

    made = create_async_engine(
        parsed, async_creator=connected, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0
    )

    @event.listens_for(made.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # The driver must not open transactions of its own: "begin" below does.
        connection.isolation_level = None
        pragmas = [f"busy_timeout={BUSY_SECONDS * 1000}", "foreign_keys=ON"]
        if not readonly:
            if file is not None:
                journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"
                pragmas.append(f"journal_mode={journal}")
            pragmas += ["synchronous=FULL", "secure_delete=ON"]
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(made.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return made
