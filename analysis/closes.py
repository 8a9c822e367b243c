"""Daily closes: the plainest thing a market says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final, NamedTuple

from analysis.freshness import Freshness, Sessions, closes, freshness

ENOUGH: Final = 31
"""Prints that every market needs before they are compared: 30 returns, one window of correlations."""


class Close(NamedTuple):
    """The last price of a trade date and the instant (UTC) from which it is known."""

    date: date
    closed_at: datetime
    price: float


class Alignment(StrEnum):
    """Which price of a day stands for every market, so that all are of one instant.

    ``PRINT``: what each traded at, at 16:00 New York, the end of the session of shares and
    the hour of the funds. ``DAILY``: the daily close, and of bitcoin, which has none, 17:00.
    """

    PRINT = "16:00 New York"
    DAILY = "daily close"

    @property
    def hour(self) -> time:
        """On the wall in New York."""
        return time(16) if self is Alignment.PRINT else time(17)

    @property
    def rhythm(self) -> Sessions:
        return closes(self.hour)


def known(closes: Sequence[Close], as_of: datetime) -> Sequence[Close]:
    """Those of ``closes`` (oldest first) that had been made by ``as_of``."""
    return closes[: bisect_right(closes, as_of, key=lambda close: close.closed_at)]


def comparable(prints: Mapping[str, Sequence[Close]], markets: Collection[str], as_of: datetime) -> bool:
    """Whether every one of ``markets`` has enough prints, oldest first, and the newest is not overdue."""
    good = {Freshness.FRESH, Freshness.CLOSED}
    return all(
        len(made) >= ENOUGH and freshness(made[-1].closed_at, as_of, Alignment.PRINT.rhythm) in good
        for made in (prints.get(code, ()) for code in markets)
    )
