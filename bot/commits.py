"""Small changes committed together: a disk confirms some dozens of commits a second, and many may end at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from storage.store import Db, Store

Work = Callable[[Db, Sequence[Any]], Awaitable[None]]


class Commits:
    """Each change is in the store when its ``do`` returns; those that come meanwhile share the next commit.

    What is wanted of the same ``work`` by then is handed to it at once: few statements for many changes.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._work: list[tuple[Work, Any, asyncio.Future[None]]] = []
        self._committing = asyncio.Lock()

    async def do(self, work: Work, what: Any = None) -> None:
        """Has ``work`` done with ``what``, which is among those it is called with.

        Raises what ``work`` raised, or RuntimeError if another's change undid the commit they shared.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work.append((work, what, done))
        async with self._committing:
            if not done.done():
                await self._commit()
        await done

    async def _commit(self) -> None:
        together, self._work = self._work, []
        try:
            wanted: dict[Work, list[Any]] = {}
            for work, what, _ in together:
                wanted.setdefault(work, []).append(what)
            async with self._store.write() as db:
                for work, of in wanted.items():
                    await work(db, of)
        except BaseException:
            for _, _, done in together:
                done.set_exception(RuntimeError("a shared commit was undone"))
                done.exception()  # seen, also where nobody waits for it any more
            raise
        for _, _, done in together:
            done.set_result(None)
