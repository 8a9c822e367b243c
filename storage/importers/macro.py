"""Macro values from CSV: ``date``, ``value``, optionally ``series``, ``released`` and ``known_at``."""

from __future__ import annotations

import asyncio
import re
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Final

from analysis.errors import UserError
from storage import macro
from storage.importers import Imported, Progress
from storage.importers.files import opened
from storage.importers.table import Bytes, Limits, Sheet
from storage.macro import Published
from storage.store import Store

LIMITS: Final = Limits(bytes=16 * 2**20, rows=200_000)

_SERIES = re.compile(r"[A-Z][A-Z0-9]{1,31}")


async def load(
    store: Store,
    path: Path,
    *,
    series: str | None = None,
    source: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Import observations. A value that changed becomes a new version.

    The series is ``series``, else the column of that name, else the heading of the value
    (as FRED writes it), else the file's name: ``fred_cpiaucsl.csv`` is CPIAUCSL. Raises
    UserError, with the store as it was, for a file that breaks a rule of ``docs/csv.md``.
    """
    with opened(path) as (stream, size):
        return await read(
            store,
            path.name,
            stream,
            series=series,
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
    series: str | None,
    source: str,
    now: datetime,
    is_sample: bool,
    size: int = 0,
    progress: Progress | None = None,
) -> Imported:
    """``load`` from an open stream. The file is checked whole before anything is written."""
    sheet = Sheet(name, stream, LIMITS, size=size, progress=progress)
    found, blank = await asyncio.to_thread(_rows, sheet, series)
    done = []
    async with store.write() as db:
        for code, rows in found.items():
            done.append(await macro.store(db, code, rows, source=source, now=now, is_sample=is_sample))
    return Imported(
        added=sum(part.added for part in done),
        unchanged=sum(part.unchanged for part in done),
        revised=sum(part.revised for part in done),
        skipped=blank,
    )


def _rows(sheet: Sheet, series: str | None) -> tuple[dict[str, list[Published]], int]:
    """The rows by series, and how many had no value."""
    date_at = sheet.place("date", "observation_date")
    series_at, released_at, known_at = (sheet.find(name) for name in ("series", "released", "known_at"))
    value_at = sheet.find("value")
    if value_at is None:
        others = set(range(len(sheet.header))) - {date_at, series_at, released_at, known_at}
        if len(others) != 1:
            raise UserError("{file}: the column {column} is missing.", file=sheet.name, column="value")
        value_at = others.pop()
    whole_file = None
    if series_at is None or series is not None:
        heading = sheet.header[value_at]
        stem = PurePath(sheet.name).stem.lower().removeprefix("fred_")
        whole_file = (series or (heading if heading != "value" else stem)).upper()
        if _SERIES.fullmatch(whole_file) is None:
            raise UserError("{file}: which series is this?", file=sheet.name)
    found: dict[str, list[Published]] = {}
    last: dict[str, date] = {}
    blank = 0
    for cells in sheet.rows():
        code = whole_file
        if code is None and series_at is not None:
            code = cells[series_at].upper()
            if _SERIES.fullmatch(code) is None:
                raise sheet.wrong(series_at, cells[series_at])
        day = sheet.day(cells, date_at)
        rows = found.setdefault(str(code), [])
        if code in last:
            sheet.in_order(cells, date_at, day, last[code])
        last[str(code)] = day
        if cells[value_at] in {"", "."}:
            blank += 1
            continue
        released = sheet.day(cells, released_at) if released_at is not None and cells[released_at] else None
        if released_at is not None and released is not None and released < day:
            raise sheet.wrong(released_at, cells[released_at])
        rows.append(
            Published(
                dated=day,
                value=sheet.number(cells, value_at),
                released=released,
                known_at=sheet.instant(cells, known_at) if known_at is not None and cells[known_at] else None,
            )
        )
    return found, blank
