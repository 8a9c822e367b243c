"""Margin changes from CSV, in the layout of ``cme_margins.csv``."""

from __future__ import annotations

import asyncio
import re
from datetime import date, datetime
from pathlib import Path
from typing import Final

from analysis.errors import UserError
from storage import margins
from storage.importers import Imported, Progress
from storage.importers.files import opened
from storage.importers.table import Bytes, Limits, Sheet, plain_number
from storage.margins import Announced, MarginRule
from storage.store import Store

LIMITS: Final = Limits(bytes=4 * 2**20, rows=5_000)

_PRODUCT = re.compile(r"[A-Z0-9]{1,16}")
_UNITS: Final[dict[str, MarginRule]] = {"USD": "fixed", "USD/contract": "fixed", "%": "percent"}


async def load(
    store: Store,
    path: Path,
    *,
    source: str | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Import a table of margin changes. A step whose figures changed becomes a new version.

    Raises UserError, with the store as it was, for a file that breaks a rule of
    ``docs/csv.md``.
    """
    with opened(path) as (stream, size):
        return await read(
            store,
            path.name,
            stream,
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
    source: str,
    now: datetime,
    is_sample: bool,
    size: int = 0,
    progress: Progress | None = None,
) -> Imported:
    """``load`` from an open stream. The file is checked whole before anything is written."""
    sheet = Sheet(name, stream, LIMITS, size=size, progress=progress)
    rows = await asyncio.to_thread(announced, sheet)
    async with store.write() as db:
        done = await margins.store(db, rows, source=source, now=now, is_sample=is_sample)
    return Imported(added=done.added, unchanged=done.unchanged, revised=done.revised)


def announced(sheet: Sheet) -> list[Announced]:
    """The changes of a sheet. Raises UserError for a bad one."""
    return [row for _, row in numbered(sheet)]


def numbered(sheet: Sheet) -> list[tuple[int, Announced]]:
    """The same, each with its row of the sheet."""
    return _Reading(sheet).rows()


class _Reading:
    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._product = sheet.place("product")
        self._basis = sheet.place("basis")
        self._notice = sheet.place("notice_date")
        self._effective = sheet.place("effective")
        self._initial = sheet.place("non_hrp_initial")
        self._maintenance = sheet.place("non_hrp_maintenance")
        self._hrp_initial = sheet.find("hrp_initial")
        self._hrp_maintenance = sheet.find("hrp_maintenance")
        self._previous = sheet.find("prev_non_hrp")
        self._note = sheet.find("effective_basis")
        self._number = sheet.find("notice_number")
        self._confidence = sheet.find("confidence")
        self._citation = sheet.find("source")

    def rows(self) -> list[tuple[int, Announced]]:
        sheet = self._sheet
        found: list[tuple[int, Announced]] = []
        last: dict[str, date] = {}
        undated: dict[str, int] = {}
        for cells in sheet.rows():
            row = self._row(cells)
            found.append((sheet.line, row))
            if row.effective_date is None:
                if row.product in undated:
                    raise sheet.wrong(self._effective, cells[self._effective])
                undated[row.product] = sheet.line
                continue
            undated.pop(row.product, None)
            if row.product in last:
                sheet.in_order(cells, self._effective, row.effective_date, last[row.product])
            last[row.product] = row.effective_date
        for line in undated.values():
            raise UserError(
                "{file}, row {row}: a change without a date needs a later one of its product.",
                file=sheet.name,
                row=line,
            )
        return found

    def _row(self, cells: list[str]) -> Announced:
        sheet = self._sheet
        product, basis = cells[self._product].upper(), cells[self._basis]
        if _PRODUCT.fullmatch(product) is None:
            raise sheet.wrong(self._product, cells[self._product])
        rule: MarginRule
        if basis == "fixed":
            rule = "fixed"
        elif basis == "percent":
            rule = "percent"
        else:
            raise sheet.wrong(self._basis, basis)
        notice, effective = self._dates(cells)
        previous, previous_rule = self._replaced(cells, rule)
        return Announced(
            product=product,
            effective_date=effective,
            effective_note=self._text(cells, self._note),
            notice_date=notice,
            notice_number=self._text(cells, self._number),
            rule=rule,
            initial=self._amount(cells, self._initial, rule),
            maintenance=self._amount(cells, self._maintenance, rule),
            hrp_initial=self._known_amount(cells, self._hrp_initial, rule),
            hrp_maintenance=self._known_amount(cells, self._hrp_maintenance, rule),
            previous=previous,
            previous_rule=previous_rule,
            confidence=self._text(cells, self._confidence),
            citation=self._text(cells, self._citation),
        )

    def _dates(self, cells: list[str]) -> tuple[date | None, date | None]:
        """Both dates or none: with one alone it is not known when the change was known, or from when."""
        if not cells[self._notice] and not cells[self._effective]:
            return None, None
        notice = self._sheet.day(cells, self._notice)
        effective = self._sheet.day(cells, self._effective)
        if effective < notice:
            raise self._sheet.wrong(self._effective, cells[self._effective])
        return notice, effective

    def _amount(self, cells: list[str], place: int, rule: MarginRule) -> float:
        amount = self._sheet.number(cells, place)
        if amount <= 0 or (rule == "percent" and amount > 100):
            raise self._sheet.wrong(place, cells[place])
        return amount

    def _known_amount(self, cells: list[str], place: int | None, rule: MarginRule) -> float | None:
        return self._amount(cells, place, rule) if place is not None and cells[place] else None

    def _replaced(self, cells: list[str], rule: MarginRule) -> tuple[float | None, MarginRule | None]:
        """The value before, in the unit it names or else in this row's."""
        if self._previous is None or not cells[self._previous]:
            return None, None
        number, _, unit = cells[self._previous].partition(" ")
        replaced = _UNITS.get(unit, None) if unit else rule
        amount = plain_number(number)
        if amount is None or amount <= 0 or replaced is None:
            raise self._sheet.wrong(self._previous, cells[self._previous])
        return amount, replaced

    def _text(self, cells: list[str], place: int | None) -> str | None:
        return (cells[place] or None) if place is not None else None
