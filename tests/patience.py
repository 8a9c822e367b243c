"""How long tests wait for what is not to be slow: machines are shared, and stall for seconds on end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 300.0
"""Seconds after which something will not happen any more."""
SETTLED_WITHIN: Final = 45.0
"""The same for a bot in SimCord, where a pause that is shorter than this counts as work."""


async def until(reached: Callable[[], object]) -> None:
    """Wait for what has no event of its own; TimeoutError when it does not come."""
    async with asyncio.timeout(PATIENCE):
        while not reached():  # noqa: ASYNC110 -- there is none
            await asyncio.sleep(0.005)
