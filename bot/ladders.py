"""Positions people are asking about just now: in memory, for a quarter of an hour at most, never stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from bot.reader import Reader
from bot.reports.ladder import LadderQuery

log = structlog.get_logger(__name__)

SECONDS: Final = 14 * 60
"""Discord lets us change an answer for fifteen minutes: its buttons end while that can still be said."""
MOST: Final = 1_000
"""Ladders kept at the same time; the oldest goes first."""


@dataclass(slots=True, kw_only=True, repr=False)
class Asking:
    """One person's ladder. ``words`` are the options of the command, for a further position.

    ``amounts`` is whether sizes and equity would be shared. It prints nothing of itself.
    """

    user_id: int
    words: Mapping[str, str]
    query: LadderQuery
    reader: Reader
    amounts: bool = False
    ending: asyncio.Task[None] | None = field(default=None)


class Ladders:
    """What is being asked, by token; one ladder a person: a new one takes the place of the old."""

    def __init__(self) -> None:
        self._asked: dict[str, Asking] = {}

    def get(self, token: str, user_id: int) -> Asking | None:
        """The ladder behind a button, for the person who asked and nobody else."""
        asking = self._asked.get(token)
        return asking if asking is not None and asking.user_id == user_id else None

    def of(self, user_id: int) -> Asking | None:
        """The ladder somebody is looking at."""
        return next((asking for asking in self._asked.values() if asking.user_id == user_id), None)

    def keep(self, token: str, asking: Asking, end: Callable[[], Awaitable[None]]) -> None:
        """Keeps a ladder until its time is over; then it is forgotten and ``end`` is called."""
        self.forget(token)
        for old in [name for name, one in self._asked.items() if one.user_id == asking.user_id]:
            self.forget(old)
        while len(self._asked) >= MOST:
            self.forget(next(iter(self._asked)))
        self._asked[token] = asking
        asking.ending = asyncio.create_task(self._end(token, end), name="a ladder's time")

    def forget(self, token: str) -> None:
        asking = self._asked.pop(token, None)
        if asking is not None and asking.ending is not None:
            asking.ending.cancel()

    def close(self) -> None:
        for token in list(self._asked):
            self.forget(token)

    async def _end(self, token: str, end: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(SECONDS)
        self._asked.pop(token, None)
        try:
            await end()
        except Exception as error:
            # The message may be gone; nothing of what it held is told.
            log.info("a ladder's buttons were not taken away", reason=type(error).__name__)
