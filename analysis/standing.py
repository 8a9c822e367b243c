"""Where the last value of a history stands among all before it."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``percentile`` = 100 rank / (n + 1): of ``n`` values, its own among them, so many were no higher."""

    percentile: float
    n: int


def standing(values: Sequence[float]) -> Standing:
    """Of the last of ``values``, of which there is at least one."""
    rank = sum(value <= values[-1] for value in values)
    return Standing(percentile=100 * rank / (len(values) + 1), n=len(values))


def shares(values: Sequence[float | None], *, least: int) -> list[float | None]:
    """The empirical distribution function of each value among itself and those before it.

    r / n, r = how many of the n known so far are no larger: in (0, 1], and nothing later can
    change it. Null where the value is, and while n < ``least``.
    """
    seen: list[float] = []
    found: list[float | None] = []
    for value in values:
        if value is None:
            found.append(None)
            continue
        insort(seen, value)
        found.append(bisect_right(seen, value) / len(seen) if len(seen) >= least else None)
    return found
