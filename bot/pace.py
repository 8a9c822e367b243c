"""Requests at a pace: so many in any second, and never a burst."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class Pace:
    """Lets callers through one by one: at most ``per_second`` in any second.

    They come evenly: what was missed while the whole program stood still is not made up
    for, because on its way to Discord a burst only grows.
    """

    def __init__(self, per_second: int) -> None:
        self._let: deque[float] = deque(maxlen=per_second)
        self._gap = 0.98 / per_second
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Return when it is this caller's turn."""
        async with self._turn:
            # Not time.monotonic: inside SimCord, that one can stand still.
            wait = self._until_next(time.perf_counter())
            if wait > 0:
                await asyncio.sleep(wait)
            self._let.append(time.perf_counter())

    def _until_next(self, now: float) -> float:
        if not self._let:
            return 0.0
        wait = self._let[-1] + self._gap - now
        if len(self._let) == self._let.maxlen:
            wait = max(wait, self._let[0] + 1.0 - now)
        return wait
