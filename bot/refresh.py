"""Kept results, made anew when the data they were made of has grown.

The one place that does so: it asks each of them for the stamp of its data, which costs
next to nothing, and works out in a process of its own what has another stamp than the one kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.apart import ApartError, apart
from bot.clock import Clock
from bot.reports.shapes import Derived
from storage import kept
from storage.kept import Kept
from storage.store import Store

log = structlog.get_logger(__name__)


class Refresh:
    """Looks after the kept results of one store."""

    def __init__(self, store: Store, clock: Clock, every: Sequence[Derived]) -> None:
        self._store = store
        self._clock = clock
        self._every = every
        self._looked_at = -1

    async def look(self) -> None:
        """Makes anew what there is new data for; nothing is asked while nothing was written."""
        version = self._store.version
        if version == self._looked_at:
            return
        for derived in self._every:
            try:
                await self._refresh(derived)
            except ApartError as error:
                # The others are still made; this one again with the next data.
                log.error("a kept result could not be made", name=derived.name, reason=str(error))  # noqa: TRY400 -- the traceback is the other process's
        self._looked_at = version

    async def _refresh(self, derived: Derived) -> None:
        now = self._clock.now()
        async with self._store.read() as db:
            wanted = await derived.stamps(db, now)
            held = await kept.stamps(db, derived.name)
        for key, stamp in wanted.items():
            if held.get(key) == stamp:
                continue
            async with self._store.read() as db:
                read = await derived.read(db, key, now)
            if read is None:
                continue
            payload = await apart(derived.derive, *read.given)
            async with self._store.write() as db:
                await kept.keep(
                    db,
                    Kept(
                        name=derived.name,
                        key=key,
                        stamp=stamp,
                        through=read.through,
                        made_at=now,
                        payload=payload,
                    ),
                )
            log.debug("a kept result was made", name=derived.name, key=key)
        for key in held.keys() - wanted.keys():
            async with self._store.write() as db:
                await kept.forget(db, derived.name, key)
