"""aiosqlite as SQLAlchemy asks for it, with one turn of the driver's thread for each statement.

SQLAlchemy makes a cursor, executes, fetches and closes. aiosqlite hands each of these four to its thread
and waits for it to wake; on a small machine the waking is most of what a short statement takes
(docs/decisions/0021-one-turn-a-statement.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Self

import aiosqlite

_CHUNK: Final = 64
"""Rows at a time of aiosqlite's own iteration, which nothing here uses."""


class OneTurn(aiosqlite.Connection):
    """A connection whose cursors have fetched every row by the time they have executed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, _CHUNK)
        # A process that ends by an error must not wait for a store that nobody closes any more.
        self._thread.daemon = True

    def cursor(self) -> Cursor:  # type: ignore[override]  # SQLAlchemy enters it as it enters aiosqlite's
        return Cursor(self)

    async def rollback(self) -> None:
        """Undo what is open; the pool asks for it after every commit, when nothing is.

        Nothing is under way here: the store waits for whatever has begun.
        """
        if self.in_transaction:
            await super().rollback()

    async def in_thread(self, work: Callable[[sqlite3.Connection], Cursor]) -> Cursor:
        # As SQLAlchemy's own adapter does: the driver has no public way to its thread.
        made: Cursor = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return made


class Cursor:
    """The part of the driver's cursor that SQLAlchemy uses where nothing is streamed; as sqlite3 documents it."""

    arraysize = 1

    def __init__(self, connection: OneTurn) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Sequence[Any] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> Cursor:
        return await self._connection.in_thread(
            partial(self._all_of, sqlite3.Connection.execute, statement, parameters)
        )

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> Cursor:
        return await self._connection.in_thread(
            partial(self._all_of, sqlite3.Connection.executemany, statement, parameters)
        )

    def _all_of(
        self, run: Callable[..., sqlite3.Cursor], statement: str, parameters: Any, on: sqlite3.Connection
    ) -> Cursor:
        found = run(on, statement, parameters)
        try:
            self.description = found.description
            self._rows = found.fetchall() if self.description else []
            self.rowcount, self.lastrowid = found.rowcount, found.lastrowid
        finally:
            found.close()
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []
