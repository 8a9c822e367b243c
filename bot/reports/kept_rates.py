"""What arbitrary levels gave in all bars of a series: kept, and counted anew when a bar is added.

Counting takes half a second on ten years of 30-minute bars, so it is done when bars arrive
and not when somebody asks. A question as of an earlier instant has other bars than those that
were counted, which the stamp tells, and counts its own.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from analysis import level_rates, levels
from analysis.errors import UserError
from analysis.level_rates import Counts
from analysis.levels import Interval
from bot.reports import level_series
from bot.reports.level_series import BOOK_INSTRUMENT
from storage import bars, kept
from storage.instants import utc
from storage.instruments import Series
from storage.kept import Kept
from storage.store import Db, Store

if TYPE_CHECKING:
    import pandas as pd

NAME: Final = "arbitrary levels"
_METHOD: Final = 1
"""Grows when the same bars would give other counts."""


async def read(db: Db, series: Series, interval: Interval) -> Kept | None:
    return await kept.read(db, NAME, _key(series, interval))


def counts(found: Kept | None, frame: pd.DataFrame) -> Counts | None:
    """What was kept, if it was counted in just these bars."""
    if found is None or found.stamp != _stamp(frame):
        return None
    return level_rates.from_plain(found.payload)


async def refresh(store: Store, *, now: datetime) -> int:
    """Count what is kept of other bars than there are now, or not at all; how many were counted."""
    made = [await _refreshed(store, interval, now) for interval in Interval]
    return sum(made)


async def _refreshed(store: Store, interval: Interval, now: datetime) -> bool:
    async with store.read() as db:
        try:
            series = await level_series.find(db, BOOK_INSTRUMENT, interval, at=now)
        except UserError:
            return False
        stamps = await kept.stamps(db, NAME)
        rows = [] if interval is Interval.D1 else await bars.closed(db, series, series.interval, at=now)
        days = await bars.daily(db, series, at=now) if interval is Interval.D1 else []

    def counted() -> Kept | None:
        from analysis import frames  # pandas: a second to load

        frame = frames.bars_frame(days) if days else frames.resample(frames.bars_frame(rows), interval)
        if frame.empty or stamps.get(_key(series, interval)) == _stamp(frame):
            return None
        past = levels.history(frame, interval, weekends=not series.rests)
        return Kept(
            name=NAME,
            key=_key(series, interval),
            stamp=_stamp(frame),
            through=utc(int(frame["closed_at"].iloc[-1])),
            made_at=now,
            payload=level_rates.as_plain(level_rates.arbitrary(past)),
        )

    result = await asyncio.to_thread(counted)
    if result is None:
        return False
    async with store.write(derived=True) as db:
        await kept.keep(db, result)
    return True


def _key(series: Series, interval: Interval) -> str:
    return f"{series.id}:{series.interval}:{interval}"


def _stamp(frame: pd.DataFrame) -> str:
    """Bars once stored do not change: their number, the first and the last tell them from any others."""
    first, last = int(frame.index[0]), int(frame["closed_at"].iloc[-1])
    return f"{_METHOD}:{len(frame)}:{first}:{last}"
