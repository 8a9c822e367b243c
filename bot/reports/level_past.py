"""The bars behind an answer about levels: read once, and then only what came since.

What is kept (``storage/past.py``) answers questions of now. One as of an instant before the last
bar kept reads for itself: nothing here can be turned back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import numpy as np

from analysis import columns
from analysis.columns import Bars, Growing
from analysis.level_past import Past, past_of
from analysis.levels import Interval
from storage import bars
from storage.instants import epoch, utc
from storage.instruments import Series
from storage.past import Held
from storage.store import Db, Store

_Beside = TypeVar("_Beside")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """Rows that have come since; ``settled`` opens the last day that more bars at the end leave as it is."""

    base: Sequence[tuple[Any, ...]]
    days: Sequence[tuple[Any, ...]]
    settled: int | None


@dataclass(slots=True)
class SeriesPast:
    """The closed bars of one series, and of the longer intervals that were asked for."""

    series: Series
    _base: Growing = field(default_factory=Growing)
    _days: Growing = field(default_factory=Growing)
    """Those that nothing can change any more."""
    _last_days: Bars = field(default_factory=lambda: columns.of_rows([]))
    _pasts: dict[Interval, Past] = field(default_factory=dict)
    _grouped: dict[Interval, int] = field(default_factory=dict)
    """From which bar on longer ones are still to be made."""

    @property
    def base(self) -> Bars:
        return self._base.bars

    @property
    def days(self) -> Bars:
        return columns.joined(self._days.bars, self._last_days)

    @property
    def through(self) -> int:
        """When the last bar kept here closed."""
        ends = (part.closed_at[-1:] for part in (self._base.bars, self._days.bars))
        return max((int(end[0]) for end in ends if len(end)), default=0)

    async def read(self, db: Db, at: datetime) -> _New:
        """What has closed since, by ``at``."""
        one = self.series
        return _New(
            base=await bars.closed_rows(db, one, at=at, since=_after(self._base.bars)),
            days=await bars.daily(db, one, at=at, since=_after(self._days.bars)),
            settled=await bars.last_settled_day(db, one),
        )

    def add(self, new: _New) -> None:
        self._base.add(columns.of_rows(new.base))
        days = columns.of_rows(new.days)
        last = -1 if new.settled is None else new.settled
        certain = int(np.searchsorted(days.opened_at, last, side="right"))
        self._days.add(days.part(0, certain))
        self._last_days = days.part(certain)

    def past(self, interval: Interval) -> Past:
        """All bars of ``interval``, to be judged; some milliseconds where many are new."""
        weekends = not self.series.rests
        if interval is Interval.D1:
            # The last days may yet change, and there are few of them.
            return past_of(self.days, interval, weekends=weekends)
        past = self._pasts.setdefault(interval, Past(interval, weekends=weekends))
        base = self._base.bars
        if interval is self.series.interval:
            past.add(base.part(len(past.bars)))
        elif len(base):
            past.add(self._longer(base, interval, past.bars))
        return past

    def _longer(self, base: Bars, interval: Interval, there: Bars) -> Bars:
        from analysis import frames  # pandas: a second to load, and only an answer needs it

        rest = frames.frame_of(base.part(self._grouped.get(interval, 0)))
        made = columns.of_frame(frames.resample(rest, interval))
        last = int(base.opened_at[-1])
        edge = last - last % int(interval.length.total_seconds())
        self._grouped[interval] = int(np.searchsorted(base.opened_at, edge))
        if not len(there):
            return made
        return made.part(int(np.searchsorted(made.opened_at, there.opened_at[-1], side="right")))


def _after(there: Bars) -> datetime | None:
    return utc(int(there.opened_at[-1]) + 1) if len(there) else None


async def judged(
    store: Store,
    series: Series,
    beside: Callable[[Db], Awaitable[_Beside]],
    judge: Callable[[SeriesPast, _Beside], _Result],
    *,
    at: datetime,
) -> _Result:
    """What ``judge`` makes, in a thread, of the bars closed by ``at`` and of what ``beside`` reads with them."""
    key = SeriesPast.__name__, series.id, series.interval
    # Beside a running bot, nobody tells this process that an older bar came in.
    kept = not store.readonly
    while True:
        held = store.past.hold(key, partial(SeriesPast, series)) if kept else Held(SeriesPast(series))
        async with held.turn:
            if held.what.through > epoch(at):
                kept = False
                continue
            async with store.read() as db:
                if kept and not store.past.holds(key, held):
                    continue
                new = await held.what.read(db, at)
                rest = await beside(db)
            return await _in_a_thread(partial(_judge, held.what, new, rest, judge))


def _judge(
    past: SeriesPast, new: _New, rest: _Beside, judge: Callable[[SeriesPast, _Beside], _Result]
) -> _Result:
    past.add(new)
    return judge(past, rest)


async def _in_a_thread(work: Callable[[], _Result]) -> _Result:
    """To its end, whatever becomes of who waits: nobody else may work on the same bars meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
