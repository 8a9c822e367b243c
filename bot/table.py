"""The numbers behind a picture, as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def csv_bytes(table: Sequence[Sequence[object]]) -> bytes:
    """UTF-8 with a byte-order mark (spreadsheets in Taiwan need it); no cell can be a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_harmless(cell) for cell in row] for row in table])
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: object) -> object:
    """Text a spreadsheet would run is quoted with an apostrophe; numbers stay numbers."""
    if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"}:
        return "'" + cell
    return "" if cell is None else cell
