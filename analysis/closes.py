"""Daily closes: the plainest thing a market says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple


class Close(NamedTuple):
    """The last price of a trade date and the instant (UTC) from which it is known."""

    date: date
    closed_at: datetime
    price: float


def known(closes: Sequence[Close], as_of: datetime) -> Sequence[Close]:
    """Those of ``closes`` (oldest first) that had been made by ``as_of``."""
    return closes[: bisect_right(closes, as_of, key=lambda close: close.closed_at)]
