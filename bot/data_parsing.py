"""A file somebody uploaded, read in a process of its own: little memory, little time, no secrets.

``python -m bot.data_parsing KIND TODAY NAME`` reads the file from standard input and
writes one JSON object: its rows, or the sentence that says what is wrong with it.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from analysis.errors import UserError
from storage.entered_flows import FIRST_DAY, MOST_MUSD
from storage.entries import Kind
from storage.importers.flows import reported
from storage.importers.margins import numbered
from storage.importers.table import Limits, Sheet

LIMITS: Final = Limits(bytes=2 * 2**20, rows=50_000)
MEMORY_BYTES: Final = 512 * 2**20
SECONDS: Final = 5
"""Of computing."""
WAIT_SECONDS: Final = 15
"""Of the clock, the start of a Python on a busy machine included."""


class BadFile(UserError):  # noqa: N818 -- reads as the answer it is
    """What the child says of a file; its sentence stands where the child raised it."""


def parse(kind: Kind, body: bytes, *, name: str, today: date) -> list[dict[str, Any]]:
    """The rows of a file as plain values. Blocks, at most ``WAIT_SECONDS``.

    Raises UserError with the sentence of whatever is wrong; with one of its own where reading
    took too long or too much memory.
    """
    # The interpreter alone: neither our environment, which may hold the token, nor our folder.
    command = [sys.executable, "-I", "-m", __spec__.name, kind, today.isoformat(), name]
    try:
        done = subprocess.run(  # noqa: S603 -- our own interpreter and module; the name is an argument
            command, input=body, capture_output=True, timeout=WAIT_SECONDS, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            "{file} could not be read within {seconds} seconds.", file=name, seconds=WAIT_SECONDS
        ) from None
    if done.returncode != 0:
        raise UserError("{file} could not be read: it asks for too much time or memory.", file=name)
    told = json.loads(done.stdout)
    if "msgid" in told:
        raise BadFile(str(told["msgid"]), **told["values"])
    rows: list[dict[str, Any]] = told["rows"]
    return rows


def read(kind: Kind, body: bytes, *, name: str, today: date) -> list[dict[str, Any]]:
    """What the child does. Raises UserError."""
    sheet = Sheet(name, io.BytesIO(body), LIMITS, size=len(body))
    if kind is Kind.MARGINS:
        return [asdict(row) | {"row": line} for line, row in numbered(sheet)]
    return _flow_rows(sheet, today)


def _flow_rows(sheet: Sheet, today: date) -> list[dict[str, Any]]:
    rows = []
    for row in reported(sheet, today):
        total = row.total_musd
        if total is None:
            flows = list(row.funds.values())
            known = [flow for flow in flows if flow is not None]
            # Part of a day is no total: who enters by hand enters whole days.
            if not known or len(known) < len(flows):
                raise UserError(
                    "{file}, row {row}: the total of {day} is missing, and not every fund has a figure.",
                    file=sheet.name,
                    row=sheet.line,
                    day=row.trade_date.isoformat(),
                )
            total = round(sum(known), 1)
        if abs(total) > MOST_MUSD or row.trade_date < FIRST_DAY:
            raise UserError(
                "{file}, row {row}: {value} US$ million on {day} is out of bounds.",
                file=sheet.name,
                row=sheet.line,
                value=total,
                day=row.trade_date.isoformat(),
            )
        rows.append({"row": sheet.line, "trade_date": row.trade_date, "total_musd": total})
    return rows


def main(arguments: list[str]) -> int:
    kind, today, name = arguments
    # After our own imports, before the first byte of a stranger's.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    body = sys.stdin.buffer.read(LIMITS.bytes + 1)
    try:
        told: dict[str, Any] = {"rows": read(Kind(kind), body, name=name, today=date.fromisoformat(today))}
    except UserError as error:
        told = {"msgid": error.msgid, "values": error.values}
    json.dump(told, sys.stdout, default=str)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
