"""The closes of the seven markets, from the store: of one instant of the day, or of the day's end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analysis import absorption
from analysis.closes import Alignment, Close
from analysis.levels import Interval
from analysis.sessions import INSTRUMENTS
from storage import bars, instruments
from storage.bars import CloseRow
from storage.instants import utc
from storage.instruments import Series
from storage.store import Db

HISTORY: Final = timedelta(days=180)
"""How far back bitcoin should be known: windows of 90 sessions and what they are compared with."""
LONG: Final = timedelta(days=366 * (absorption.WINDOW + absorption.LONG) // 250)
"""How far back it is better known: until each ratio of a year of the one factor is made of its whole window.
A year has some 250 closes of all its markets."""
PRINTS: Final = timedelta(days=50)
"""The same for prices within the day, of which some sources tell no more than the last sixty days."""
_BEHIND: Final = (4, 5)
"""Hours from New York to UTC, in summer and in winter."""
_NEW_YORK: Final = ZoneInfo("America/New_York")


async def within_the_day(db: Db, at: datetime) -> dict[str, Series]:
    """Live series that tell what a market traded at, at any full hour; empty unless all seven have one."""
    found = {}
    for code in INSTRUMENTS:
        series = await _first(db, code, (Interval.H1, Interval.M30), at, PRINTS)
        if series is None or series.is_sample:
            return {}
        found[code] = series
    return found


async def daily(db: Db, at: datetime) -> dict[str, Series]:
    """Bitcoin never closes: its bar that ends with the New York day stands for its close."""
    found = {}
    for code in INSTRUMENTS:
        intervals = (Interval.H1, Interval.M30) if code == "BTC" else (Interval.D1,)
        series = await _first(db, code, intervals, at, HISTORY, better=LONG)
        if series is not None:
            found[code] = series
    return found


async def _first(
    db: Db,
    code: str,
    intervals: Sequence[Interval],
    at: datetime,
    reach: timedelta,
    *,
    better: timedelta = timedelta(0),
) -> Series | None:
    for interval in intervals:
        series = await instruments.find(db, code, interval, at=at, reach=reach, better=better)
        if series is not None:
            return series
    return None


async def closes_of(
    db: Db,
    series: Mapping[str, Series],
    alignment: Alignment,
    at: datetime,
    *,
    since: datetime | None = None,
) -> dict[str, list[CloseRow]]:
    """By instrument code, oldest first, when and at what the bars closed that may end at the hour of ``alignment``."""
    hours = [alignment.hour.hour + behind for behind in _BEHIND]
    made = await bars.closes(db, series.values(), at=at, since=since, hours=hours)
    return {code: made[one] for code, one in series.items()}


def dated(made: Sequence[CloseRow], alignment: Alignment) -> list[Close]:
    """Those that were made at the hour of ``alignment`` in New York, by their dates there; of years, in a thread."""
    return [
        Close(local.date(), instant, close)
        for closed_at, close, _ in made
        if (local := (instant := utc(closed_at)).astimezone(_NEW_YORK)).time() == alignment.hour
    ]
