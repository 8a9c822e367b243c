"""Bars from CSV: a time, a close, and where they are known open, high, low and volume."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from analysis.errors import UserError
from analysis.levels import Interval
from storage import instruments, new_bars
from storage.bars import BarRow
from storage.importers import Imported, Progress
from storage.importers.files import opened
from storage.importers.table import Bytes, Limits, Sheet
from storage.instants import day_closes, epoch, utc
from storage.instruments import Series
from storage.store import Store

LIMITS: Final = Limits(bytes=256 * 2**20, rows=3_000_000)
CHUNK: Final = 5_000


async def load(
    store: Store,
    path: Path,
    *,
    instrument: str,
    interval: Interval,
    source: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Import a file of bars. Bars not closed by ``now`` are skipped.

    The first stored copy of a bar stands; a differing one becomes a revision. Raises
    UserError, with the store as it was, for an unknown instrument or a file that breaks
    a rule of ``docs/csv.md``.
    """
    with opened(path) as (stream, size):
        return await read(
            store,
            path.name,
            stream,
            instrument=instrument,
            interval=interval,
            source=source or path.name,
            now=now,
            is_sample=False,
            size=size,
            progress=progress,
        )


async def read(
    store: Store,
    name: str,
    stream: Bytes,
    *,
    instrument: str,
    interval: Interval,
    source: str,
    now: datetime,
    is_sample: bool,
    size: int = 0,
    progress: Progress | None = None,
) -> Imported:
    """``load`` from an open stream.

    Chunks are staged in transactions of their own, so that other tasks get their turn,
    and moved into place in one.
    """
    async with store.read() as db:
        series = await instruments.to_fill(db, instrument, interval)
    sheet = Sheet(name, stream, LIMITS, size=size, progress=progress)
    reading = _Reading(sheet, series, epoch(now))
    rows = reading.rows()
    batch = new_bars.new_batch()
    staged = 0
    async with store.write() as db:
        # What a killed import left; one that is running finds its rows gone and says so.
        await new_bars.discard(db)
    try:
        while chunk := await asyncio.to_thread(lambda: list(islice(rows, CHUNK))):
            async with store.write() as db:
                staged += await new_bars.stage(db, batch, chunk)
        async with store.write() as db:
            done = await new_bars.settle(db, series, batch, source=source, now=now, is_sample=is_sample)
            if done.added + done.unchanged + done.revised != staged:
                raise UserError("Another import ran at the same time; nothing was changed.")
    except BaseException:
        async with store.write() as db:
            await new_bars.discard(db, batch)
        raise
    return Imported(
        added=done.added, unchanged=done.unchanged, revised=done.revised, skipped=reading.not_closed
    )


class _Reading:
    """The rows of one sheet as bars, checked one by one."""

    def __init__(self, sheet: Sheet, series: Series, now: int) -> None:
        self.not_closed = 0
        self._sheet = sheet
        self._series = series
        self._now = now
        self._time = sheet.place("open_time", "date", "opened_at")
        self._close = sheet.place("close")
        self._volume = sheet.find("volume")
        found = [sheet.find(name) for name in ("open", "high", "low")]
        self._ohl = [] if found == [None] * 3 else [sheet.place(name) for name in ("open", "high", "low")]

    def rows(self) -> Iterator[BarRow]:
        sheet, series, volume_at = self._sheet, self._series, self._volume
        daily = series.interval is Interval.D1
        step = int(series.interval.length.total_seconds())
        before = None
        for cells in sheet.rows():
            opened_at = sheet.instant(cells, self._time)
            if opened_at % step:
                raise sheet.wrong(self._time, cells[self._time])
            if before is not None:
                sheet.in_order(cells, self._time, opened_at, before)
            before = opened_at
            close = self._price(cells, self._close)
            open_ = high = low = None
            if self._ohl:
                open_, high, low = (self._price(cells, place) for place in self._ohl)
                if high < max(open_, close, low):
                    raise sheet.wrong(self._ohl[1], cells[self._ohl[1]])
                if low > min(open_, close):
                    raise sheet.wrong(self._ohl[2], cells[self._ohl[2]])
            volume = None
            if volume_at is not None and cells[volume_at]:
                volume = sheet.number(cells, volume_at)
                if volume < 0:
                    raise sheet.wrong(volume_at, cells[volume_at])
            closed_at = day_closes(utc(opened_at).date(), series.close_rule) if daily else opened_at + step
            if closed_at > self._now:
                self.not_closed += 1
                continue
            yield BarRow(opened_at, closed_at, open_, high, low, close, volume)

    def _price(self, cells: list[str], place: int) -> float:
        price = self._sheet.number(cells, place)
        if price <= 0:
            raise self._sheet.wrong(place, cells[place])
        return price
