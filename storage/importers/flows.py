"""Fund flows from CSV: ``date``, one column a fund, optionally ``Total`` and ``known_at``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

from analysis.errors import UserError
from storage import flows
from storage.flows import Reported
from storage.importers import Imported, Progress
from storage.importers.files import opened
from storage.importers.table import Bytes, Limits, Sheet, plain_number
from storage.store import Store

LIMITS: Final = Limits(bytes=16 * 2**20, rows=20_000)
ASSETS: Final = ("BTC", "ETH")

# Columns of the other files: a fund so named would be a file of prices read as flows.
_NO_FUNDS: Final = frozenset(
    {"OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "VALUE", "PRODUCT", "BASIS", "SERIES"}
)
_TICKER = re.compile(r"[A-Z0-9][A-Z0-9.]{0,15}")
_BRACKETED = re.compile(r"\(([0-9][0-9,.]*)\)")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")


async def load(
    store: Store,
    path: Path,
    *,
    asset: str,
    source: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Import a table of net flows in US$ million. A day that changed becomes a new version.

    Without ``source`` the rows continue what was stored last; in an empty store they are
    named after the file.

    Raises UserError, with the store as it was, for an unknown asset or a file that breaks
    a rule of ``docs/csv.md``.
    """
    with opened(path) as (stream, size):
        return await read(
            store,
            path.name,
            stream,
            asset=asset,
            source=source or await _continued(store, asset.upper()) or path.name,
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
    asset: str,
    source: str,
    now: datetime,
    is_sample: bool,
    size: int = 0,
    progress: Progress | None = None,
) -> Imported:
    """``load`` from an open stream. The file is checked whole before anything is written."""
    code = asset.upper()
    if code not in ASSETS:
        raise UserError("{asset} is not known; known are {known}.", asset=asset, known=tuple(ASSETS))
    sheet = Sheet(name, stream, LIMITS, size=size, progress=progress)
    rows = await asyncio.to_thread(lambda: list(reported(sheet, now.date())))
    async with store.write() as db:
        done = await flows.store(db, code, rows, source=source, now=now, is_sample=is_sample)
    return Imported(added=done.added, unchanged=done.unchanged, revised=done.revised)


async def _continued(store: Store, asset: str) -> str | None:
    async with store.read() as db:
        return await flows.last_source(db, asset)


def reported(sheet: Sheet, today: date) -> Iterator[Reported]:
    """The days of a sheet, each while ``sheet`` stands at its row. Raises UserError for a bad one."""
    date_at, known_at = sheet.place("date"), sheet.find("known_at")
    # The publisher's page leaves the heading of its last column, the total, empty.
    total_at = sheet.find("total")
    if total_at is None and sheet.header[-1] == "":
        total_at = len(sheet.header) - 1
    funds = {
        heading.upper(): place
        for place, heading in enumerate(sheet.header)
        if place not in {date_at, known_at, total_at}
    }
    for ticker, place in funds.items():
        if ticker in _NO_FUNDS or _TICKER.fullmatch(ticker) is None:
            raise UserError(
                "{file}: the column {column} is no fund's ticker.", file=sheet.name, column=place + 1
            )
    if not funds and total_at is None:
        raise UserError("{file}: the column {column} is missing.", file=sheet.name, column="Total")
    last: date | None = None
    for cells in sheet.rows():
        day = sheet.day(cells, date_at)
        if day.weekday() >= 5 or day > today:
            raise sheet.wrong(date_at, cells[date_at])
        if last is not None:
            sheet.in_order(cells, date_at, day, last)
        last = day
        yield Reported(
            trade_date=day,
            funds={ticker: _flow(sheet, cells, place) for ticker, place in funds.items()},
            total_musd=_flow(sheet, cells, total_at) if total_at is not None else None,
            known_at=sheet.instant(cells, known_at) if known_at is not None and cells[known_at] else None,
        )


def _flow(sheet: Sheet, cells: list[str], place: int) -> float | None:
    """``-`` and nothing are not reported; ``(95.1)`` is negative; ``1,205.2`` is grouped."""
    cell = cells[place]
    if cell in {"", "-"}:
        return None
    bracketed = _BRACKETED.fullmatch(cell)
    amount = bracketed[1] if bracketed else cell
    if _GROUPED.fullmatch(amount):
        amount = amount.replace(",", "")
    value = plain_number(amount)
    if value is None:
        raise sheet.wrong(place, cell)
    return -value if bracketed else value
