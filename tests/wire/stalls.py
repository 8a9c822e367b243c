"""Whether the machine lets us run: what is asked to be quick can be held to it only then."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final, Self

BEAT: Final = 0.01
STALLED: Final = 0.1
"""Seconds too late by which a beat shows that the machine was slow: thrice what fifty answers at once take."""


class Stalls:
    """Watches the event loop while entered; ``longest`` is what it was kept waiting at the most, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    @property
    def seen(self) -> bool:
        return self.longest > STALLED

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beating.cancel()
        await asyncio.wait({self._beating})

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self.longest = max(self.longest, loop.time() - due)
