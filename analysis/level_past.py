"""All closed bars of one interval as levels are judged by them: kept, and judged further with each bar.

What closed bars have done to a level depends on all of them, and so do the base rates. Both are
a walk from the first bar to the last, so that what was found after one bar is all that the next
one is judged from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis import level_rates
from analysis.atr import atr_after
from analysis.breaks import Rule, Standing, Tape, Verdict, further, verdict
from analysis.columns import Bars, Column, Growing
from analysis.level_rates import Counts, History, LevelRates, Place, Tally
from analysis.level_types import Interval

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

MOST_KEPT: Final = 256
"""Levels whose state is kept: those of the books and the four lights that were asked for last."""


class Past:
    """The closed bars of one series at one interval; one owner, and one caller at a time."""

    def __init__(self, interval: Interval, *, weekends: bool) -> None:
        self.interval = interval
        self._weekends = weekends
        self._bars = Growing()
        self._atr = Column(np.float64)
        self._after_gap = Column(np.bool_)
        self._standings: OrderedDict[tuple[float, Rule], Standing] = OrderedDict()
        self._tallies: OrderedDict[Place, Tally] = OrderedDict()
        self._drawn: tuple[tuple[float, float], Tally] | None = None
        self.judged = 0
        """How many bars were judged for how many levels so far."""

    @property
    def bars(self) -> Bars:
        return self._bars.bars

    @property
    def history(self) -> History:
        """Bars as the rule and the base rates read them."""
        bars = self.bars
        tape = Tape(
            opened_at=bars.opened_at,
            closed_at=bars.closed_at,
            low=bars.low,
            close=bars.close,
            atr=self._atr.filled,
            after_gap=self._after_gap.filled,
        )
        return History(tape=tape, high=bars.high, horizon=self.interval.horizon // self.interval.length)

    def add(self, more: Bars) -> None:
        """Bars that closed after all that are there."""
        if not len(more):
            return
        self._bars.add(more)
        bars, known = self.bars, len(self._after_gap.filled)
        self._atr.add(atr_after(self._atr.filled, bars.high, bars.low, bars.close))
        # With the bar before, after which there may be a gap.
        edge = max(0, known - 1)
        gaps = after_gap(bars.opened_at[edge:], bars.closed_at[edge:], self.interval, weekends=self._weekends)
        self._after_gap.add(gaps[known - edge :])

    def verdict(self, price: float, rule: Rule) -> Verdict:
        """What all bars have done to a price."""
        tape = self.history.tape
        standing = self._standings.get((price, rule), Standing())
        self.judged += len(tape.close) - standing.bars
        standing = further(standing, price, rule, tape)
        _keep(self._standings, (price, rule), standing)
        return verdict(standing, price, rule, tape)

    def rates(self, places: Iterable[Place], drawn: Counts | None) -> LevelRates:
        """The base rates of a book; ``drawn`` what arbitrary levels gave in just these bars, null to count it."""
        history = self.history
        rows = [self._tally(place).upto(history) for place in level_rates.within(places, history)]
        own = level_rates.joined(rows)
        return level_rates.level_rates(own, history, drawn or self.arbitrary(), horizon=self.interval.horizon)

    def arbitrary(self) -> Counts:
        """``level_rates.arbitrary`` of all bars. A bar beyond all before it means other levels, and a new count."""
        history = self.history
        extremes = level_rates.extremes(history)
        if self._drawn is None or self._drawn[0] != extremes:
            self._drawn = extremes, Tally(level_rates.drawn(*extremes))
        return self._drawn[1].upto(history)

    def _tally(self, place: Place) -> Tally:
        tally = self._tallies.get(place) or Tally([place])
        _keep(self._tallies, place, tally)
        return tally


def _keep(kept: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def past_of(bars: Bars, interval: Interval, *, weekends: bool) -> Past:
    past = Past(interval, weekends=weekends)
    past.add(bars)
    return past


def after_gap(
    opened_at: NDArray[np.int64], closed_at: NDArray[np.int64], interval: Interval, *, weekends: bool
) -> NDArray[np.bool_]:
    """Before which bars more than one is missing; instants in epoch seconds, ``weekends`` as for ``assess``."""
    if weekends:
        far = np.diff(opened_at) > 2 * interval.length.total_seconds()
    else:
        # A second before its close a bar is still in its own trade date, be it one
        # that ends in New York or one that ends at midnight UTC.
        dates = (closed_at - 1).astype("datetime64[s]").astype("datetime64[D]")
        far = np.busday_count(dates[:-1], dates[1:]) > 2
    return np.concatenate(([False], far))
