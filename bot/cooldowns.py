"""How often one person, and one server, may ask: generous to people, slow for a flood.

A bucket starts full and fills up again evenly. It is kept as one number, the
instant at which it will be full (the generic cell rate algorithm), so that one
that is full need not be kept at all.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.errors import UserError

MOST_BUCKETS: Final = 10_000
"""How many people, and how many servers, are remembered; those who asked last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``burst`` at once, then one every ``seconds``."""

    burst: int
    seconds: float


PERSON: Final = Rate(burst=10, seconds=3.0)
"""Ten presses in a row are somebody who looks at a card; one every three seconds is as fast as one reads."""
SERVER: Final = Rate(burst=60, seconds=0.5)


class Cooldowns:
    """Who has asked how often. ``clock`` counts seconds and never goes back."""

    def __init__(
        self,
        *,
        person: Rate = PERSON,
        server: Rate = SERVER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._people = _Buckets(person)
        self._servers = _Buckets(server)
        self._clock = clock

    def take(self, user_id: int, server_id: int | None) -> None:
        """Counts one question. Raises UserError, which counts nothing, when it comes too early.

        A person's own bucket is asked first: whoever is over it takes nothing from the
        server's, and so slows nobody else.
        """
        now = self._clock()
        wait = self._people.wait(user_id, now)
        if wait <= 0 and server_id is not None:
            wait = self._servers.wait(server_id, now)
        if wait > 0:
            raise UserError("That was a lot at once. Try again in {seconds} s.", seconds=math.ceil(wait))
        self._people.take(user_id, now)
        if server_id is not None:
            self._servers.take(server_id, now)


class _Buckets:
    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._full_at: OrderedDict[int, float] = OrderedDict()

    def wait(self, key: int, now: float) -> float:
        """Seconds until there is something in the bucket; 0 or less when there is."""
        full_at = self._full_at.get(key, now)
        return full_at - now - (self._rate.burst - 1) * self._rate.seconds

    def take(self, key: int, now: float) -> None:
        self._full_at[key] = max(self._full_at.get(key, now), now) + self._rate.seconds
        self._full_at.move_to_end(key)
        while len(self._full_at) > MOST_BUCKETS:
            self._full_at.popitem(last=False)
