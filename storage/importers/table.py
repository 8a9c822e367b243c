"""Read a CSV file that nobody vouches for: row by row, within limits, in plain ASCII numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol, TypeVar

from analysis.errors import UserError
from storage.importers import Progress

LINE_BYTES = 16_384
COLUMNS = 64
FIELD_CHARACTERS = 1_024

# float() also takes 1_000, full-width digits, nan and infinity, and 1e999 becomes infinity.
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,12})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?Z")

Moment = TypeVar("Moment", int, date)


class Bytes(Protocol):
    """An open file, or what unpacks one."""

    def readline(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    bytes: int
    rows: int


class Sheet:
    """A CSV file with a header, read once from front to back.

    Rows are lists of cells, as long as the header, with the spaces around each removed;
    ``line`` is the number of the line last read, the header being 1. Every problem is a
    UserError that names it.
    """

    def __init__(
        self, name: str, stream: Bytes, limits: Limits, *, size: int = 0, progress: Progress | None = None
    ) -> None:
        self.name = name
        self.line = 0
        self._stream = stream
        self._limits = limits
        self._size = size
        self._progress = progress
        self._read = 0
        self._reader = csv.reader(self._lines(), strict=True)
        self.header = [cell.lower() for cell in self._header()]
        self.columns = {cell: place for place, cell in enumerate(self.header)}

    def place(self, *names: str) -> int:
        """Where the first of these columns stands. Raises UserError if none is there."""
        found = self.find(*names)
        if found is None:
            raise UserError("{file}: the column {column} is missing.", file=self.name, column=names[0])
        return found

    def find(self, *names: str) -> int | None:
        return next((self.columns[name] for name in names if name in self.columns), None)

    def rows(self) -> Iterator[list[str]]:
        width = len(self.header)
        count = 0
        while (row := self._next()) is not None:
            if not row:
                continue
            count += 1
            if count > self._limits.rows:
                raise UserError("{file}: more than {limit} rows.", file=self.name, limit=self._limits.rows)
            if len(row) != width:
                raise UserError(
                    "{file}, row {row}: {value} cells where the header names {limit}.",
                    file=self.name,
                    row=self.line,
                    value=len(row),
                    limit=width,
                )
            yield row
        if count == 0:
            raise UserError("{file}: there are no rows.", file=self.name)

    def wrong(self, column: int, cell: str) -> UserError:
        """The error for a cell that is not what its column holds."""
        return UserError(
            "{file}, row {row}, column {column}: {value} cannot be used.",
            file=self.name,
            row=self.line,
            column=self.header[column],
            value=_shown(cell),
        )

    def number(self, row: list[str], column: int) -> float:
        value = plain_number(row[column])
        if value is None:
            raise self.wrong(column, row[column])
        return value

    def day(self, row: list[str], column: int) -> date:
        cell = row[column]
        if _DATE.fullmatch(cell) is None:
            raise self.wrong(column, cell)
        try:
            day = date.fromisoformat(cell)
        except ValueError:
            raise self.wrong(column, cell) from None
        if not 1970 < day.year < 2200:
            raise self.wrong(column, cell)
        return day

    def instant(self, row: list[str], column: int) -> int:
        """``2026-02-05T18:00:00Z``, or a date for 00:00 UTC of it, as epoch seconds."""
        cell = row[column]
        if _INSTANT.fullmatch(cell) is None:
            day = self.day(row, column)
            return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        try:
            at = datetime.fromisoformat(cell)
        except ValueError:
            raise self.wrong(column, cell) from None
        if not 1970 < at.year < 2200:
            raise self.wrong(column, cell)
        return int(at.timestamp())

    def in_order(self, row: list[str], column: int, moment: Moment, before: Moment) -> None:
        """Raise UserError unless ``moment``, from this row, comes after ``before``, from the last."""
        if before < moment:
            return
        if before == moment:
            raise UserError(
                "{file}, row {row}, column {column}: {value} is there twice.",
                file=self.name,
                row=self.line,
                column=self.header[column],
                value=_shown(row[column]),
            )
        raise UserError(
            "{file}, row {row}, column {column}: {value} comes after a later one.",
            file=self.name,
            row=self.line,
            column=self.header[column],
            value=_shown(row[column]),
        )

    def _header(self) -> list[str]:
        header = self._next()
        if not header or not any(header):
            raise UserError("{file}: the first row must name the columns.", file=self.name)
        if len(header) > COLUMNS:
            raise UserError("{file}: more than {limit} columns.", file=self.name, limit=COLUMNS)
        twice = next((cell for cell in header if header.count(cell) > 1), None)
        if twice is not None:
            raise UserError(
                "{file}: the column {column} is there twice.", file=self.name, column=_shown(twice)
            )
        return header

    def _next(self) -> list[str] | None:
        before = self.line
        try:
            row = next(self._reader, None)
        except csv.Error:
            raise UserError("{file}, row {row}: this is not CSV.", file=self.name, row=self.line) from None
        if row is None:
            return None
        if self.line - before > 1:
            raise UserError("{file}, row {row}: a line break inside a cell.", file=self.name, row=before + 1)
        row = [cell.strip() for cell in row]
        for cell in row:
            if len(cell) > FIELD_CHARACTERS:
                raise UserError(
                    "{file}, row {row}: a cell is longer than {limit} characters.",
                    file=self.name,
                    row=self.line,
                    limit=FIELD_CHARACTERS,
                )
        return row

    def _lines(self) -> Iterator[str]:
        while line := self._stream.readline(LINE_BYTES + 1):
            self.line += 1
            self._read += len(line)
            if len(line) > LINE_BYTES:
                raise UserError(
                    "{file}, row {row}: the line is longer than {limit} bytes.",
                    file=self.name,
                    row=self.line,
                    limit=LINE_BYTES,
                )
            if self._read > self._limits.bytes:
                raise UserError("{file}: more than {limit} bytes.", file=self.name, limit=self._limits.bytes)
            if self._progress is not None and self.line % 5_000 == 0:
                self._progress(self._read, self._size)
            try:
                text = line.decode("utf-8-sig" if self.line == 1 else "utf-8")
            except UnicodeDecodeError:
                raise UserError(
                    "{file}, row {row}: this is not UTF-8 text.", file=self.name, row=self.line
                ) from None
            if "\0" in text:
                raise UserError("{file}, row {row}: this is not CSV.", file=self.name, row=self.line)
            yield text


def plain_number(cell: str) -> float | None:
    """The number a cell holds in plain ASCII digits; None if it holds anything else."""
    return float(cell) if _NUMBER.fullmatch(cell) is not None else None


def _shown(cell: str) -> str:
    """A stranger's text as part of our sentence: short, on one line, never empty."""
    plain = "".join(character if character.isprintable() else "?" for character in cell[:40])
    return f"'{plain}{'…' if len(cell) > 40 else ''}'"
