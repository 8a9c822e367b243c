"""Where the price stands that an alert waits for: asked as ``/levels`` asks, so that both say the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from analysis.freshness import Freshness, freshness
from analysis.levels import Interval, Levels
from bot.errors import UserError
from bot.reports.levels import REPORT, LevelsQuery

if TYPE_CHECKING:
    from bot.answers import Answers

_INTERVALS: Final = (Interval.M30, Interval.D1)
"""Some instruments are known by daily bars only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The last close of an instrument, the ATR14 of its days (null before there is one), and how fresh it is."""

    instrument: str
    price: float
    price_at: datetime
    atr_1d: float | None
    interval: Interval
    freshness: Freshness

    def distance_pct(self, level: float) -> float:
        """Of a level, negative where it lies below the price."""
        return 100 * (level / self.price - 1)

    def distance_atr(self, level: float) -> float | None:
        return None if not self.atr_1d else (level - self.price) / self.atr_1d


async def standing(answers: Answers, instrument: str, *, server_id: int) -> Standing | None:
    """None where no bar of the instrument has closed."""
    for interval in _INTERVALS:
        try:
            answered = await answers.answer(
                REPORT, LevelsQuery(instrument=instrument, interval=interval), server_id=server_id
            )
        except UserError:
            continue
        levels: Levels = answered.result
        if not (math.isfinite(levels.price) and levels.price > 0):
            return None
        now = answers.clock.now()
        return Standing(
            instrument=levels.instrument,
            price=levels.price,
            price_at=levels.price_at,
            atr_1d=levels.atr_1d,
            interval=levels.price_interval,
            freshness=freshness(levels.price_at, now, levels.rhythm),
        )
    return None


async def standings(answers: Answers, instruments: Iterable[str], *, server_id: int) -> dict[str, Standing]:
    """Of every instrument that has a price."""
    found = {
        instrument: await standing(answers, instrument, server_id=server_id)
        for instrument in dict.fromkeys(instruments)
    }
    return {instrument: each for instrument, each in found.items() if each is not None}
