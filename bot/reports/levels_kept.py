"""What arbitrary levels gave in all bars behind ``levels``: kept, and counted anew when a bar has come.

Counting takes half a second on ten years of 30-minute bars. A question as of an earlier
instant has other bars than those that were counted, and counts its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from analysis import level_pool
from analysis.errors import UserError
from analysis.levels import Interval
from bot.reports import level_series
from bot.reports.level_series import BOOK_INSTRUMENT
from bot.reports.shapes import Derived, Read
from storage import bars, kept
from storage.instants import utc
from storage.store import Db

NAME: Final = "arbitrary levels"


async def read(db: Db, interval: Interval) -> Mapping[str, Any] | None:
    """What is kept, of whatever bars; null while nothing is."""
    found = await kept.read(db, NAME, interval.value)
    return None if found is None else found.payload


async def _stamps(db: Db, at: datetime) -> Mapping[str, str]:
    found = {}
    for interval in Interval:
        try:
            series = await level_series.find(db, BOOK_INSTRUMENT, interval, at=at)
        except UserError:
            continue  # there are no bars to count in, which is for a reader to be told
        stamps = [f"method={level_pool.METHOD}", await bars.stamp(db, series, at=at)]
        if interval is Interval.D1:
            # Days that the roll-up lacks come from daily bars.
            stamps.append(await bars.stamp(db, replace(series, interval=Interval.D1), at=at))
        found[interval.value] = " ".join(stamps)
    return found


async def _read(db: Db, key: str, at: datetime) -> Read | None:
    interval = Interval(key)
    series = await level_series.find(db, BOOK_INSTRUMENT, interval, at=at)
    if interval is Interval.D1:
        rows = await bars.daily(db, series, at=at)
    else:
        rows = await bars.closed(db, series, series.interval, at=at)
    if not rows:
        return None
    return Read(given=(rows, interval, not series.rests), through=utc(rows[-1].closed_at))


DERIVED: Final = Derived(name=NAME, stamps=_stamps, read=_read, derive=level_pool.made)
