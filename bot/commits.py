"""Small changes committed together: a disk confirms some dozens of commits a second, and many may end at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from storage.store import Db, Store

Work = Callable[[Db], Awaitable[None]]


class Commits:
    """Each change is in the store when its ``do`` returns; those that come meanwhile share the next commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._work: list[tuple[Work, asyncio.Future[None]]] = []
        self._committing = asyncio.Lock()

    async def do(self, work: Work) -> None:
        """Raises what ``work`` raised, or RuntimeError if another's change undid the commit they shared."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work.append((work, done))
        async with self._committing:
            if not done.done():
                await self._commit()
        await done

    async def _commit(self) -> None:
        together, self._work = self._work, []
        try:
            async with self._store.write() as db:
                for work, _ in together:
                    await work(db)
        except BaseException:
            for _, done in together:
                done.set_exception(RuntimeError("a shared commit was undone"))
                done.exception()  # seen, also where nobody waits for it any more
            raise
        for _, done in together:
            done.set_result(None)
