"""What was made of a series' bars, kept in memory as long as bars are only added at the end.

Answers walk from the first bar to the last. Whoever keeps where such a walk stands goes on from there
with the bars that came since; this is where it is kept, because only the store knows when an older
bar came in, or one went, after which every walk must begin anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar, cast

MOST_KEPT: Final = 8
"""Ten years of half hours are some 15 MB."""

_T = TypeVar("_T")


@dataclass(slots=True)
class Held(Generic[_T]):
    """One thing that is kept; who works on it holds ``turn``."""

    what: _T
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class PastKept:
    """What is kept for one store, under any name."""

    def __init__(self) -> None:
        self._held: OrderedDict[Hashable, Held[Any]] = OrderedDict()

    def hold(self, key: Hashable, make: Callable[[], _T]) -> Held[_T]:
        """What is kept under ``key``, made now if nothing is."""
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Held(make())
        self._held.move_to_end(key)
        while len(self._held) > MOST_KEPT:
            self._held.popitem(last=False)
        return cast("Held[_T]", held)

    def holds(self, key: Hashable, held: Held[Any]) -> bool:
        """Whether it is still what is kept: to be asked within the ``read()`` that reads the bars to go on with."""
        return self._held.get(key) is held

    def forget(self) -> None:
        self._held.clear()
