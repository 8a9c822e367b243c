"""Which bars answer a question about levels."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from analysis.errors import NoData, UserError
from analysis.levels import Interval
from storage import instruments
from storage.instruments import Series
from storage.store import Db

BOOK_INSTRUMENT: Final = "BTC"
"""The level book is a book of bitcoin prices; other instruments are shown without levels."""
DEFAULT_DAYS: Final = {Interval.M30: 7, Interval.H1: 14, Interval.H4: 60, Interval.D1: 365}


async def find(db: Db, instrument: str, interval: Interval | None, *, at: datetime) -> Series:
    """The series that answers: one with 30-minute bars, else daily candles unless shorter bars were asked for."""
    # Days come from daily bars, of which every venue has enough; the others are made from 30 minutes.
    days = 0 if interval is Interval.D1 else DEFAULT_DAYS[interval or Interval.M30]
    series = await instruments.find(db, instrument, Interval.M30, at=at, reach=timedelta(days=days))
    if series is not None:
        return series
    series = await instruments.find(db, instrument, Interval.D1, at=at)
    if series is None or not series.ohlc:
        known = [item.code for item in await instruments.with_candles(db)]
        if not known:
            raise NoData(
                "The store holds no prices yet, none of “{instrument}” either.", instrument=instrument
            )
        raise NoData(
            "There are no candles of “{instrument}” here; there are of {known}.",
            instrument=instrument,
            known=tuple(known),
        )
    if interval not in {None, Interval.D1}:
        raise UserError(
            "{instrument} is known by daily bars only: ask with interval 1d.", instrument=series.code
        )
    return series
