"""Whose turn it is at a host: within its budget, and never before it lets us come again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from providers.errors import TooMany
from providers.hosts import HostRules

PATIENCE_S: Final = 5.0
"""The longest a call itself waits out a Retry-After; a longer one goes to whoever asked."""


class Budget:
    """Of one host, for everybody who calls it. ``tick`` gives seconds that only run forward."""

    def __init__(self, rules: HostRules, *, tick: Callable[[], float]) -> None:
        self._rules = rules
        self._tick = tick
        self._spent: deque[tuple[float, int]] = deque()
        self._not_before = float("-inf")
        self._queue = asyncio.Lock()

    def hold(self, seconds: float) -> None:
        """Nobody calls for so long: the host said so."""
        self._not_before = max(self._not_before, self._tick() + seconds)

    async def turn(self, cost: int) -> None:
        """Waits until ``cost`` may be spent, and spends it; first come, first served.

        Raises TooMany, with nothing spent, when the host holds us off for longer than
        ``PATIENCE_S``.
        """
        if cost > self._rules.calls:
            raise ValueError(f"a call for {cost} never fits into {self._rules.calls}")
        async with self._queue:
            while True:
                wait = self._wait(cost)
                if not wait:
                    self._spent.append((self._tick(), cost))
                    return
                # And looked at anew: meanwhile the host may have held us off.
                await asyncio.sleep(wait)

    def _wait(self, cost: int) -> float:
        now = self._tick()
        held = self._not_before - now
        if held > PATIENCE_S:
            raise TooMany(f"asked to stay away for {held:.0f} s more", retry_after_s=held)
        while self._spent and self._spent[0][0] <= now - self._rules.per_s:
            self._spent.popleft()
        over = sum(spent for _, spent in self._spent) + cost - self._rules.calls
        free = now
        for at, spent in self._spent:
            if over <= 0:
                break
            over -= spent
            free = at + self._rules.per_s
        return max(held, free - now, 0.0)
