"""The one way in: short transactions on one connection, never nested."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Executable,
    FromClause,
    Select,
    Table,
    UpdateBase,
    exists,
    or_,
    select,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from analysis.errors import UserError
from storage import schema, sqlite
from storage.past import PastKept
from storage.state import State, settled_state, state_of

# A plain BEGIN that writes after it has read can fail where no waiting helps.
_READ, _WRITE = "BEGIN", "BEGIN IMMEDIATE"

_T = TypeVar("_T")
_Result = CursorResult[*tuple[Any, ...]]


class Db:
    """The connection inside one ``read()`` or ``write()``; made for the query modules of this package.

    A statement that has begun is always waited for, also by a cancelled task. The
    connection would otherwise be thrown away while the statement still runs on it: a file
    would stay locked, and a store in memory would be gone.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.changed = False
        """Whether anything that a report reads was written here, as far as can be known."""
        self.rewrote = False
        """Whether bars may have changed otherwise than by more of them at the end."""
        self._adding = False

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None,
    ) -> _Result:
        result = await _whole(self._connection.execute(statement, parameters))
        # Many rows at once may have no count (-1): then they count as changed.
        if not statement.is_select and result.rowcount != 0:
            self._wrote(statement.table if isinstance(statement, UpdateBase) else None)
        return result

    async def rows(
        self, statement: Select[*tuple[Any, ...]], parameters: Mapping[str, object] | None = None
    ) -> list[Any]:
        """Many rows of numbers and text, as the tuples the driver gives.

        Made into SQLAlchemy's rows on the event loop, some ten thousand of them would hold everybody
        up for longer than a picture takes; the driver fetched them in its own thread.
        """
        result = await self.execute(statement, parameters)
        if result.cursor is None:
            raise RuntimeError("only a SELECT has rows")
        found = result.cursor.fetchall()
        result.close()
        return list(found)

    async def scalar(self, statement: Executable) -> Any:
        """The first value of the first row; None without rows."""
        return (await self.execute(statement)).scalar()

    async def exec_driver_sql(
        self, statement: str, parameters: list[tuple[Any, ...]], *, table: Table | None = None
    ) -> _Result:
        """A statement as the driver takes it; ``table`` is the one it writes, if that is known."""
        result = await _whole(self._connection.exec_driver_sql(statement, parameters))
        self._wrote(table)
        return result

    async def run_sync(self, work: Callable[[Connection], _T]) -> _T:
        """Call ``work`` with the connection as SQLAlchemy's blocking functions want it."""
        try:
            return await _whole(self._connection.run_sync(work))
        finally:
            self._wrote(None)

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """Whoever writes bars inside knows that they come after all of their series."""
        self._adding = True
        try:
            yield
        finally:
            self._adding = False

    def _wrote(self, table: FromClause | None) -> None:
        self.changed = self.changed or table not in schema.BOOKKEEPING
        self.rewrote = self.rewrote or table is None or (table in schema.BARS and not self._adding)


async def _whole(work: Coroutine[Any, Any, _T]) -> _T:
    """Await ``work`` to its end, then let a cancellation through that came meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
        raise


class _Block:
    """One open read() or write(); tasks started inside inherit it and see when it has ended."""

    open = True


_block: ContextVar[_Block | None] = ContextVar("leadline_store_block", default=None)


class Store:
    """A store. Get one from ``Store.open``; close it when done.

    Different tasks queue for the one connection in the order they asked. A task that is
    already inside a ``read()`` or ``write()``, of this store or another, gets
    RuntimeError at once instead of waiting for itself for ever; so does a task started
    inside such a block while the block is open.
    """

    def __init__(self, engine: AsyncEngine, *, readonly: bool) -> None:
        self.engine = engine
        self.readonly = readonly
        self.past = PastKept()
        self._turn = asyncio.Lock()
        self._version = 0

    @classmethod
    async def open(cls, url: str, *, readonly: bool = False) -> Store:
        """Open a migrated store; ``sqlite+aiosqlite://`` is an empty one in memory, not migrated.

        ``readonly`` opens the file for reading only, beside whoever writes it. Raises
        UserError when there is no store at ``url``, when it is not one of ours, or when its
        schema is older or newer than this version's.
        """
        if sqlite.is_memory(url):
            return cls(sqlite.engine(url), readonly=False)
        file = sqlite.file_of(url)
        state = State.CURRENT
        if file is not None:
            if readonly:
                state = await asyncio.to_thread(settled_state, file)
            else:
                state = await asyncio.to_thread(state_of, file, recover=True)
        match state:
            case State.MISSING | State.EMPTY:
                raise UserError(
                    "There is no store at {path} yet: leadline sample, fetch or import makes one.",
                    path=str(file),
                )
            case State.FOREIGN:
                raise UserError("{path} is not a store of this program.", path=str(file))
            case State.OLDER:
                raise UserError("The store at {path} needs: leadline db upgrade.", path=str(file))
            case State.NEWER:
                raise UserError("The store at {path} was written by a newer version.", path=str(file))
            case State.UNREADABLE:
                raise UserError("The store at {path} cannot be read.", path=str(file))
        store = cls(sqlite.engine(url, readonly=readonly), readonly=readonly)
        try:
            await store.has_market_rows()
        except DatabaseError:
            await store.close()
            raise UserError("The store at {path} cannot be read.", path=str(file)) from None
        return store

    async def close(self) -> None:
        """Wait for the running transaction, then let go of the connection."""
        async with self._turn:
            await self.engine.dispose()

    @property
    def version(self) -> int:
        """Grows with every ``write()`` of this object that changed what reports read: a key for caches."""
        return self._version

    def read(self) -> AbstractAsyncContextManager[Db]:
        """One short transaction that sees one state of the store throughout."""
        return self._transaction(_READ)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Db]:
        """One short transaction: committed at the end of the block, undone if it raises.

        Raises UserError when the disk is full or takes no more.
        """
        if self.readonly:
            raise RuntimeError("this store was opened for reading only")
        with sqlite.told_when_refused():
            async with self._transaction(_WRITE) as db:
                yield db

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Db]:
        outer = _block.get()
        if outer is not None and outer.open:
            raise RuntimeError("nested store access: a block of this task is still open")
        async with self._turn:
            block = _Block()
            _block.set(block)
            connection = self.engine.connect()
            try:
                await _whole(_begun(connection, begin))
                db = Db(connection)
                try:
                    yield db
                except BaseException:
                    await _whole(connection.rollback())
                    raise
                await _whole(self._commit(connection, db if begin == _WRITE else None))
            finally:
                block.open = False
                _block.set(None)
                if connection.sync_connection is not None:
                    await _whole(connection.close())

    async def _commit(self, connection: AsyncConnection, written: Db | None) -> None:
        await connection.commit()
        if written is not None and written.changed:
            self._version += 1
        if written is not None and written.rewrote:
            self.past.forget()

    async def empty_journal(self) -> bool:
        """Write what the journal holds into the file and empty it; False while a reader beside us needs it.

        In WAL mode the journal keeps old pages until then; otherwise it is empty after every commit.
        """
        if self.engine.dialect.name != "sqlite":
            return True
        async with self._turn:
            connection = self.engine.connect()
            try:
                await _whole(_started(connection))
                # Not through SQLAlchemy: it would begin a transaction, in which this cannot be done.
                raw = await connection.get_raw_connection()
                [(busy, _, _)] = await _whole(_fetched(raw.driver_connection))
            finally:
                if connection.sync_connection is not None:
                    await _whole(connection.close())
        return not busy

    async def has_market_rows(self) -> bool:
        """Whether anything to report on is stored: bars, flows, margins or macro values."""
        tables = (schema.bars, schema.flow_versions, schema.margin_changes, schema.macro_observations)
        async with self.read() as db:
            return bool(await db.scalar(select(or_(*(exists(select(t)) for t in tables)))))


async def _begun(connection: AsyncConnection, begin: str) -> None:
    connection = await connection.start()
    connection = await connection.execution_options(begin=begin)
    # The connection carries the transaction; nothing is done with the object itself.
    _ = await connection.begin()


async def _started(connection: AsyncConnection) -> None:
    _ = await connection.start()


async def _fetched(driver: Any) -> Any:
    return await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
