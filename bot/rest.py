"""A pause that something new can end."""

from __future__ import annotations

import asyncio


class Rest:
    """For one task that works in turns. Under it lies a plain sleep, which a simulated clock understands."""

    def __init__(self) -> None:
        self._woken = False
        self._sleeping: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """End the pause, or leave out the next one."""
        self._woken = True
        if self._sleeping is not None:
            self._sleeping.cancel()

    async def until_woken(self, seconds: float) -> None:
        """Pause, at most for ``seconds``; not at all if ``wake`` was called since the last pause."""
        if not self._woken:
            self._sleeping = asyncio.create_task(asyncio.sleep(seconds), name="rest")
            try:
                await asyncio.wait({self._sleeping})
            finally:
                self._sleeping.cancel()
                self._sleeping = None
        self._woken = False
