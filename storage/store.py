"""The one way in: short transactions on one connection, never nested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from analysis.errors import UserError
from storage import schema, sqlite
from storage.state import State, state_of

Db = AsyncConnection


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

    def __init__(self, engine: AsyncEngine, *, memory: sqlite.Memory | None, readonly: bool) -> None:
        self.engine = engine
        self.readonly = readonly
        self._memory = memory
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
            memory = sqlite.Memory()
            return cls(sqlite.engine(url, memory=memory), memory=memory, readonly=False)
        file = sqlite.file_of(url)
        match await asyncio.to_thread(state_of, file) if file is not None else State.CURRENT:
            case State.MISSING | State.EMPTY:
                raise UserError("There is no store at {path} yet.", path=str(file))
            case State.FOREIGN:
                raise UserError("{path} is not a store of this program.", path=str(file))
            case State.OLDER:
                raise UserError("The store at {path} needs: leadline db upgrade.", path=str(file))
            case State.NEWER:
                raise UserError("The store at {path} was written by a newer version.", path=str(file))
        store = cls(sqlite.engine(url, readonly=readonly), memory=None, readonly=readonly)
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
            if self._memory is not None:
                self._memory.close()

    @property
    def version(self) -> int:
        """Grows with every committed ``write()`` of this object: a key for caches."""
        return self._version

    def read(self) -> AbstractAsyncContextManager[Db]:
        """One short transaction that sees one state of the store throughout."""
        return self._transaction("BEGIN")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Db]:
        """One short transaction: committed at the end of the block, undone if it raises."""
        if self.readonly:
            raise RuntimeError("this store was opened for reading only")
        async with self._transaction("BEGIN IMMEDIATE") as db:
            yield db
        self._version += 1

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Db]:
        outer = _block.get()
        if outer is not None and outer.open:
            raise RuntimeError("nested store access: a block of this task is still open")
        async with self._turn:
            block = _Block()
            _block.set(block)
            try:
                async with self.engine.connect() as db:
                    await db.execution_options(begin=begin)
                    async with db.begin():
                        yield db
            finally:
                block.open = False
                _block.set(None)

    async def has_market_rows(self) -> bool:
        """Whether anything to report on is stored: bars, flows, margins or macro values."""
        tables = (schema.bars, schema.flow_versions, schema.margin_changes, schema.macro_observations)
        async with self.read() as db:
            return bool(await db.scalar(select(or_(*(exists(select(t)) for t in tables)))))
