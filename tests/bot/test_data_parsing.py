"""A stranger's file, read by the child: whole or not at all, with one sentence, in little time and memory."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from analysis.errors import UserError
from bot import data_parsing
from bot.data_parsing import parse, read
from storage.entries import Kind
from tests.patience import PATIENCE

TODAY = date(2026, 2, 5)
FLOWS = b"date,IBIT,FBTC,Total\n2026-02-03,60.0,-148.7,-88.7\n2026-02-04,(373.4),-,-544.9\n"
MARGINS = (
    b"product,basis,notice_date,effective,non_hrp_initial,non_hrp_maintenance\n"
    b"SI,percent,2026-02-05,2026-02-06,18,18\n"
)


def test_flows_of_a_file() -> None:
    rows = parse(Kind.FLOWS, FLOWS, name="流量.csv", today=TODAY)
    assert [(row["row"], row["trade_date"], row["total_musd"]) for row in rows] == [
        (2, "2026-02-03", -88.7),
        (3, "2026-02-04", -544.9),
    ]


def test_a_total_that_is_not_given_is_that_of_all_funds() -> None:
    [row] = parse(Kind.FLOWS, b"date,IBIT,FBTC\n2026-02-03,60.0,-148.7\n", name="a.csv", today=TODAY)
    assert row["total_musd"] == -88.7


def test_margins_of_a_file() -> None:
    [row] = parse(Kind.MARGINS, MARGINS, name="m.csv", today=TODAY)
    assert (row["row"], row["product"], row["rule"], row["initial"]) == (2, "SI", "percent", 18)
    assert (row["notice_date"], row["effective_date"]) == ("2026-02-05", "2026-02-06")


BAD = [
    (b"", "a.csv: the first row must name the columns."),
    (b"date,IBIT,FBTC\n2026-02-03,60.0,-\n",
     "a.csv, row 2: the total of 2026-02-03 is missing, and not every fund has a figure."),
    (b"date,Total\n2026-02-02,1\n2026-02-03,1e999\n", "a.csv, row 3, column total: '1e999' cannot be used."),
    (b"date,Total\n2026-02-03,NaN\n", "a.csv, row 2, column total: 'NaN' cannot be used."),
    (b"date,Total\n2026-02-03,inf\n", "a.csv, row 2, column total: 'inf' cannot be used."),
    (b"date,Total\n2026-02-03,1_000\n", "a.csv, row 2, column total: '1_000' cannot be used."),
    ("date,Total\n2026-02-03,１２\n".encode(), "a.csv, row 2, column total: '１２' cannot be used."),  # noqa: RUF001
    (b"date,Total\n2026-02-03," + b"9" * 900 + b"\n", f"a.csv, row 2, column total: '{'9' * 40}…' cannot be used."),
    (b"date,Total\n2026-02-03,10000.1\n",
     "a.csv, row 2: 10000.1 US$ million on 2026-02-03 is out of bounds."),
    (b"date,Total\n2023-12-29,1\n", "a.csv, row 2: 1.0 US$ million on 2023-12-29 is out of bounds."),
    (b"date,Total\n2026-02-06,1\n", "a.csv, row 2, column date: '2026-02-06' cannot be used."),
    (b"date,Total\n2026-02-03,1\n2026-02-03,1\n", "a.csv, row 3, column date: '2026-02-03' is there twice."),
    (b"date,Total\n2026-02-03,1,2\n", "a.csv, row 2: 3 cells where the header names 2."),
    (b"date," + b",".join(b"F%d" % n for n in range(64)) + b"\n", "a.csv: more than 64 columns."),
    (b"date,Total\n2026-02-03," + b"x" * 1_025 + b"\n", "a.csv, row 2: a cell is longer than 1024 characters."),
    (b"date,Total\n" + b"\n" * 3 + b"2026-02-03,x\n", "a.csv, row 5, column total: 'x' cannot be used."),
    (b"\x1f\x8b\x08\x00" + b"\x00" * 40, "a.csv, row 1: this is not UTF-8 text."),
    (b'date,Total\n"2026-02-03\n","1"\n', "a.csv, row 2: a line break inside a cell."),
    (b"date,Total\n=HYPERLINK(1),1\n", "a.csv, row 2, column date: '=HYPERLINK(1)' cannot be used."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "sentence"), BAD)
def test_a_bad_file_gets_one_sentence_with_its_row(body: bytes, sentence: str) -> None:
    """In this process, as the child reads it; that the child tells the same is another test's."""
    with pytest.raises(UserError) as refused:
        read(Kind.FLOWS, body, name="a.csv", today=TODAY)
    assert str(refused.value) == sentence


def test_the_child_says_the_same() -> None:
    body, sentence = BAD[2]
    with pytest.raises(UserError) as refused:
        parse(Kind.FLOWS, body, name="a.csv", today=TODAY)
    assert str(refused.value) == sentence


def test_more_rows_than_allowed() -> None:
    assert data_parsing.LIMITS.rows == 50_000
    rows = MARGINS.splitlines(keepends=True)
    with pytest.raises(UserError) as refused:
        read(Kind.MARGINS, rows[0] + rows[1] * 50_001, name="m.csv", today=TODAY)
    # The second says the same as the first; a file that runs forward in time cannot be so long.
    assert str(refused.value) == "m.csv, row 3, column effective: '2026-02-06' is there twice."


def test_more_bytes_than_allowed_are_not_read() -> None:
    assert data_parsing.LIMITS.bytes == 2 * 1024 * 1024
    first = date(2025, 1, 1).toordinal()
    days = [date.fromordinal(first + n) for n in range(250)]
    wide = b" " * 15_000
    lines = [b"%s,1.0%s\n" % (day.isoformat().encode(), wide) for day in days if day.weekday() < 5]
    body = b"date,Total\n" + b"".join(lines)
    assert len(body) > data_parsing.LIMITS.bytes
    with pytest.raises(UserError, match=f"more than {data_parsing.LIMITS.bytes} bytes"):
        parse(Kind.FLOWS, body, name="a.csv", today=TODAY)


def test_a_child_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_parsing, "WAIT_SECONDS", 0.05)  # less than Python needs to start
    with pytest.raises(UserError, match="could not be read within"):
        parse(Kind.FLOWS, FLOWS, name="a.csv", today=TODAY)


PROGRAM = """
import resource, sys
import bot.data_parsing as child
def greedy(*args, **kwargs):
    {}
child.read = greedy
sys.exit(child.main(["flows", "2026-02-05", "a.csv"]))
"""


@pytest.mark.parametrize(
    "does", ["return [bytearray(2**30)]", "while True: pass"], ids=["a gibibyte", "for ever"]
)
def test_the_child_limits_itself(does: str) -> None:
    """Whatever reading might ask for, the kernel says no."""
    # Half a second of processor time is enough to see it end.
    program = PROGRAM.format(does).replace("child.read =", "child.SECONDS = 1; child.read =")
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], input=FLOWS, capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode != 0
    assert done.stdout == b""


def test_the_child_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started with an empty environment."""
    seen = {}
    started = subprocess.run

    def watched(*args: object, **options: object) -> object:
        seen.update(options)
        return started(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    parse(Kind.FLOWS, FLOWS, name="a.csv", today=TODAY)
    assert seen["env"] == {}
