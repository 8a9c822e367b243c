"""The command line as a terminal sees it: words, JSON, files, exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

from bot.reports import REPORTS
from storage.lock import RunningLock
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
AT = "2026-02-05T18:00:00Z"
Leadline = Callable[..., Result]


@pytest.fixture
def leadline(command_line: Leadline) -> Leadline:
    """Runs the command line in this process; every test has an empty folder of its own."""
    return command_line


def as_a_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def asked(leadline: Leadline, *options: str) -> dict[str, Any]:
    told = leadline("report", "levels", "--json", *options)
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert isinstance(answer, dict)
    return answer


def test_what_the_sample_must_reproduce(leadline: Leadline) -> None:
    answer = asked(leadline, "--interval", "30m", "--since", "2026-01-28", "--at", AT)
    assert answer["as_of"] == AT
    assert answer["source"] == "sample"
    levels = {level["price"]: level for level in answer["levels"]}
    assert {price: level["first_close_below"] for price, level in levels.items()} == {
        83_500: "2026-01-29T18:30:00Z",
        77_000: "2026-02-01T15:00:00Z",
        73_600: "2026-02-03T18:30:00Z",
        56_100: None,
        40_000: None,
    }
    assert answer["price"] < 73_600
    assert answer["next_floor"]["price"] == 56_100
    assert answer["next_floor"]["distance_pct"] == pytest.approx(
        100 * (56_100 / answer["price"] - 1), abs=1e-4
    )
    assert [levels[price]["state"] for price in (83_500, 77_000, 73_600)] == ["broken"] * 3
    # The story tells one fall; the bars tell that 83,500 was reclaimed on 30 January and then lost for good.
    told = [
        (event["time"], event["to"]) for event in levels[83_500]["events"] if event["time"] > "2026-01-28"
    ]
    assert told == [
        ("2026-01-30T02:00:00Z", "breaking"),
        ("2026-01-30T02:30:00Z", "broken"),
        ("2026-01-30T19:00:00Z", "reclaiming"),
        ("2026-01-30T22:30:00Z", "reclaimed"),
        ("2026-01-31T08:30:00Z", "breaking"),
        ("2026-01-31T09:00:00Z", "broken"),
    ]
    assert levels[83_500]["since"] == "2026-01-31T09:00:00Z"


@pytest.mark.parametrize(
    ("price", "vector"),
    [
        (
            77_000,
            (
                "02-01 20:00 breaking, 02-01 21:30 broken, 02-01 22:30 reclaiming, 02-01 23:00 broken, "
                "02-02 00:00 reclaiming, 02-02 02:30 broken, 02-02 09:00 reclaiming, 02-02 12:30 reclaimed, "
                "02-03 16:00 breaking, 02-03 16:30 broken"
            ),
        ),
        (
            73_600,
            (
                "02-03 18:30 breaking, 02-03 19:00 above, 02-04 17:00 breaking, 02-04 17:30 broken, "
                "02-04 19:30 reclaiming, 02-04 21:00 broken"
            ),
        ),
    ],
)
def test_every_event_of_the_fall_judged_over_all_stored_bars(
    leadline: Leadline, sample_file: Path, price: float, vector: str
) -> None:
    """Listed by hand with the opening of the deciding bar; an event is told at its close, half an hour later."""
    told = leadline("--database-url", str(sample_file), "report", "levels", "--json", "--at", AT)
    [level] = [item for item in json.loads(told.stdout)["levels"] if item["price"] == price]
    events = [event for event in level["events"] if event["time"] > "2026-01-28"]
    opened = [datetime.fromisoformat(event["time"]) - timedelta(minutes=30) for event in events]
    shown = [f"{at:%m-%d %H:%M} {event['to']}" for at, event in zip(opened, events, strict=True)]
    assert ", ".join(shown) == vector


def test_the_shape_of_the_json(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", AT)
    assert {"as_of", "instrument", "interval", "price", "source", "levels", "next_floor"} <= answer.keys()
    for level in answer["levels"]:
        assert {
            "price", "label", "state", "since", "first_close_below", "distance_pct", "distance_atr",
            "bars_held", "bars_needed", "invalidation", "events",
        } <= level.keys()  # fmt: skip
        for event in level["events"]:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])


def test_the_low_and_56100_at_the_end_of_the_sample(leadline: Leadline) -> None:
    answer = asked(leadline, "--since", "2026-01-28", "--at", "2026-02-07T00:00:00Z")
    assert answer["low"] == {"price": 59_800.0, "opened_at": "2026-02-06T00:00:00Z"}
    assert next(level for level in answer["levels"] if level["price"] == 56_100)["first_close_below"] is None


def test_long_after_the_sample_its_age_is_told(leadline: Leadline) -> None:
    answer = asked(leadline)
    assert answer["price_at"] == "2026-02-07T00:00:00Z"
    assert answer["freshness"] == "stale"
    assert answer["age_s"] > 24 * 3600


def test_every_interval_answers_with_the_same_price(leadline: Leadline) -> None:
    prices = {
        interval: asked(leadline, "--interval", interval, "--at", AT)["price"]
        for interval in ("30m", "1h", "4h", "1d")
    }
    assert set(prices.values()) == {66_153.9}


def test_words_pictures_and_numbers(leadline: Leadline, tmp_path: Path) -> None:
    png, numbers = tmp_path / "levels.png", tmp_path / "levels.csv"
    told = leadline(
        "report", "levels", "--at", AT, "--locale", "zh-TW", "--palette", "tw",
        "--png", str(png), "--csv", str(numbers),
    )  # fmt: skip
    assert told.exit_code == 0
    assert "73,600 自 2/4（三）18:00 UTC 已跌破" in told.stdout
    assert "**" not in told.stdout
    with Image.open(png) as picture:
        assert picture.size == (1280, 720)
    rows = list(csv.reader(io.StringIO(numbers.read_text("utf-8-sig"))))
    assert rows[0][:2] == ["opened_at_utc", "open_USDT"]
    assert len(rows) == 1 + 7 * 48


def test_json_is_one_object_and_nothing_else_on_standard_output() -> None:
    told = as_a_process("report", "levels", "--json", "--at", AT)
    assert told.returncode == 0
    assert json.loads(told.stdout)["interval"] == "30m"
    assert "source: sample" in told.stderr


def test_version() -> None:
    told = as_a_process("--version")
    assert re.fullmatch(r"leadline \d+\.\d+\.\d+\n", told.stdout)


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--interval", "5m"], 2, "“5m” is not a choice for interval: use one of 30m, 1h, 4h, 1d.\n"),
        (["--since", "soon"], 2, "“soon” is not a start date: write 7d, 1/28 or 2026-01-28.\n"),
        (["--bars", "0"], 2, "The number of bars is a whole number from 1 to 2000.\n"),
        (["--bars", "1e3"], 2, "The number of bars is a whole number from 1 to 2000.\n"),
        (["--bars", "0000012999"], 2, "The number of bars is a whole number from 1 to 2000.\n"),
        (["--bars", "000001" + "9" * 5000], 2, "The number of bars is a whole number from 1 to 2000.\n"),
        (
            ["--at", "0001-01-01T00:00:00+05:00"],
            2,
            "“0001-01-01T00:00:00+05:00” is not an instant: write it like 2026-02-05T18:00:00Z.\n",
        ),
        (
            ["--at", "0001-01-01"],
            2,
            "“0001-01-01” is too early: nothing is known from before 1900.\n",
        ),
        (["--at", "yesterday"], 2, "“yesterday” is not an instant: write it like 2026-02-05T18:00:00Z.\n"),
        (["--locale", "de"], 2, "--locale takes one of en, zh-TW.\n"),
        (["--palette", "red"], 2, "--palette takes one of intl, tw, cb.\n"),
        (["--json", "--text"], 2, "Give either --json or --text, not both.\n"),
        (["--at", "2099-01-01T00:00:00Z"], 1, "The instant asked about lies in the future.\n"),
        (["--at", "2099-01-01", "--locale", "zh-TW"], 1, "所問的時間在未來。\n"),
        (["--at", "2020-01-01"], 1, "No bar of BTC had closed by then.\n"),
        (
            ["--instrument", "DOGE"],
            1,
            "There are no candles of “DOGE” here; there are of BTC, SI, GC, CL, ES, NQ.\n",
        ),
        (
            ["--instrument", "DXY", "--interval", "1d"],
            1,
            "There are no candles of “DXY” here; there are of BTC, SI, GC, CL, ES, NQ.\n",
        ),
        (
            ["--png", "no/such/folder/x.png", "--at", AT],
            1,
            "no/such/folder/x.png cannot be written: No such file or directory.\n",
        ),
    ],
)
def test_what_cannot_be_answered(
    leadline: Leadline, sample_file: Path, options: list[str], status: int, sentence: str
) -> None:
    told = leadline("--database-url", str(sample_file), "report", "levels", *options)
    assert (told.exit_code, told.stdout, told.stderr) == (status, "", sentence)


def test_unknown_options_and_reports_are_wrong_usage(leadline: Leadline) -> None:
    assert leadline("report", "levels", "--sinse", "7d").exit_code == 2
    assert leadline("report", "horoscope").exit_code == 2


def test_a_store_named_explicitly_is_never_mixed_with_the_sample(leadline: Leadline, tmp_path: Path) -> None:
    path = str(tmp_path / "own.db")
    missing = leadline("--database-url", path, "report", "levels")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr == f"There is no store at {path} yet: leadline sample, fetch or import makes one.\n"

    assert leadline("--database-url", path, "db", "upgrade").exit_code == 0
    empty = leadline("--database-url", path, "report", "levels")
    assert (empty.exit_code, empty.stderr) == (1, "The store holds no market data yet.\n")


def test_the_default_store_answers_from_the_sample_until_it_has_rows(leadline: Leadline) -> None:
    assert leadline("db", "upgrade").exit_code == 0
    assert asked(leadline, "--at", AT)["source"] == "sample"
    before = Path("var/leadline.db").read_bytes()
    assert asked(leadline, "--at", AT)["source"] == "sample"
    assert Path("var/leadline.db").read_bytes() == before

    rows = ["open_time,open,high,low,close,volume"]
    rows += [
        f"2026-02-0{day}T{hour:02}:{half}:00Z,100,101,99,100,1"
        for day in (1, 2)
        for hour in range(24)
        for half in ("00", "30")
    ]
    Path("own.csv").write_text("\n".join(rows) + "\n")
    told = leadline(
        "import", "bars", "own.csv", "--instrument", "BTC", "--interval", "30m", "--source", "my notes"
    )
    assert told.exit_code == 0, told.stderr
    assert told.stdout == "own.csv: 96 added, 0 unchanged, 0 revised\n"
    answer = asked(leadline, "--at", "2026-02-03")
    assert answer["source"] == "my notes"
    assert answer["price"] == 100
    again = leadline("import", "bars", "own.csv", "--instrument", "BTC", "--interval", "30m")
    assert again.stdout == "own.csv: 0 added, 96 unchanged, 0 revised\n"


def test_an_import_tells_what_it_skipped(leadline: Leadline, tmp_path: Path) -> None:
    file = tmp_path / "t10yie.csv"
    file.write_text("observation_date,T10YIE\n2026-01-01,.\n2026-01-02,2.25\n")
    told = leadline("--database-url", str(tmp_path / "own.db"), "import", "macro", str(file))
    assert told.stdout == f"{file}: 1 added, 0 unchanged, 0 revised, 1 skipped\n"


def test_as_of_an_instant_only_closed_bars_count(leadline: Leadline) -> None:
    before = asked(leadline, "--at", "2026-02-05T17:59:59Z")
    assert before["price_at"] == "2026-02-05T17:30:00Z"
    assert asked(leadline, "--at", AT)["price_at"] == AT


GOOD = "open_time,open,high,low,close,volume\n2026-02-01T00:00:00Z,100,101,99,100,1\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GOOD + "2026-02-01T00:30:00Z,100,101,99,NaN,1\n", r"row 3, column close"),
        (GOOD + "2026-02-01T00:30:00Z,100,inf,99,100,1\n", r"row 3, column high"),
        (GOOD + "2026-02-01T00:30:00Z,100,101,99,1_00,1\n", r"row 3, column close"),
        (GOOD + "2026-02-01T00:30:00Z,100,101,99,100," + "1" * (1 << 20) + "\n", r"row 3"),
        (GOOD + "2026-02-01T00:00:00Z,100,101,99,100,1\n", r"row 3, column open_time.*twice"),
        (GOOD + "2026-01-31T23:30:00Z,100,101,99,100,1\n", r"row 3, column open_time.*later"),
        (GOOD + "2026-02-01T00:30:00Z,100,98,99,100,1\n", r"row 3"),
        (GOOD + "2026-02-01T00:30:00Z,100\n", r"row 3"),
        ("open_time,open,high,low,volume\n2026-02-01T00:00:00Z,100,101,99,1\n", r"column close is missing"),
        ("", r"columns"),
    ],
)
def test_a_bad_file_changes_nothing_and_says_where(
    leadline: Leadline, sample_file: Path, content: str, told: str
) -> None:
    Path("var").mkdir()
    shutil.copy(sample_file, "var/leadline.db")
    before = asked(leadline, "--at", AT)
    Path("bad.csv").write_text(content)
    refused = leadline("import", "bars", "bad.csv", "--instrument", "BTC", "--interval", "30m")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert re.search(told, refused.stderr), refused.stderr
    assert refused.stderr.startswith("bad.csv")
    assert refused.stderr.count("\n") == 1
    assert asked(leadline, "--at", AT) == before
    assert leadline("db", "check").exit_code == 0


KILLED = """
import os, signal, sqlite3
db = sqlite3.connect("var/leadline.db", isolation_level=None)
db.execute("PRAGMA cache_size=1")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE bars SET close = 1")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("first", [("db", "check"), ("report", "levels", "--at", AT)])
def test_after_a_killed_writer_whoever_reads_first_undoes_the_half(
    leadline: Leadline, first: tuple[str, ...]
) -> None:
    assert leadline("sample").exit_code == 0
    store = Path("var/leadline.db")
    before = store.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED], check=False, timeout=PATIENCE)
    assert store.read_bytes() != before, "nothing was half written"
    assert leadline(*first).exit_code == 0
    assert store.read_bytes() == before
    assert asked(leadline, "--at", AT)["price"] == 66_153.9


def test_beside_a_running_bot_reading_works_and_writing_is_refused(leadline: Leadline) -> None:
    assert leadline("sample").exit_code == 0
    Path("own.csv").write_text(GOOD)
    with RunningLock(Path("var/leadline.db.lock")):
        for writing in (
            ["sample"],
            ["import", "bars", "own.csv", "--instrument", "BTC", "--interval", "30m"],
            ["db", "upgrade"],
        ):
            refused = leadline(*writing)
            assert refused.exit_code == 1
            assert refused.stderr.startswith("A bot is already running on this store")
        assert asked(leadline, "--at", AT)["price"] == 66_153.9
        assert leadline("db", "check").exit_code == 0
        assert leadline("db", "backup", "copy.db").exit_code == 0
    assert leadline("--database-url", "copy.db", "report", "levels", "--at", AT).exit_code == 0


def test_without_a_token_run_says_so_and_shows_the_preview(tmp_path: Path) -> None:
    """The whole program as ``make run`` starts it, ended as Ctrl-C does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PORT": "0"},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    process.send_signal(2)
    _, errors = process.communicate(timeout=PATIENCE)
    assert lines[0] == "No DISCORD_TOKEN in .env: showing the preview instead of connecting to Discord.\n"
    assert "2026-02-05 18:00 UTC" in lines[1]
    assert re.fullmatch(r"READY http://127\.0\.0\.1:\d+/#\S+\n", lines[2])
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert lines[3].endswith("Ctrl-C ends it.\n")
    assert not (tmp_path / "var").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = as_a_process("preview", "--port", str(port))
    assert told.returncode == 1
    assert told.stderr == (
        f"Port {port} is taken by another program. Choose another one, for example PORT={port + 1}.\n"
    )


def test_a_port_that_is_none_is_wrong_usage() -> None:
    told = as_a_process("preview", "--port", "99999")
    assert told.returncode == 2
    assert "65535" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_setting_that_cannot_be_used_is_named() -> None:
    told = as_a_process("report", "levels", PORT="many")
    assert told.returncode == 2
    assert told.stderr == "These settings cannot be used: PORT. See .env.example.\n"


def test_ctrl_c_before_anything_has_begun_is_no_traceback() -> None:
    interrupted = """
import sys

from bot import cli

def interrupted():
    raise KeyboardInterrupt

cli.add_report_commands = interrupted
sys.argv = ["leadline", "report"]
cli.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", interrupted],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


@pytest.mark.parametrize(
    ("wrong", "english", "chinese"),
    [
        (
            ["--at", "nope"],
            "“nope” is not an instant: write it like 2026-02-05T18:00:00Z.",
            "「nope」不是時點：請寫成 2026-02-05T18:00:00Z。",
        ),
        (
            ["--at", "1800-01-01"],
            "“1800-01-01” is too early: nothing is known from before 1900.",
            "「1800-01-01」太早：1900 年以前沒有任何資料。",
        ),
        (
            ["--palette", "x"],
            "--palette takes one of intl, tw, cb.",
            "--palette 須為下列之一：intl、tw、cb。",
        ),
        (["--json", "--text"], "Give either --json or --text, not both.", "--json 與 --text 請擇一。"),
    ],
)
def test_wrong_usage_is_said_in_the_language_asked_for(
    leadline: Leadline, wrong: list[str], english: str, chinese: str
) -> None:
    for locale, said in (("en", english), ("zh-TW", chinese)):
        told = leadline("report", "levels", *wrong, "--locale", locale)
        assert (told.exit_code, told.stderr) == (2, said + "\n")


def test_help_says_what_a_report_answers_and_what_its_options_take(leadline: Leadline) -> None:
    def words(*arguments: str) -> str:
        text = leadline(*arguments, "--help").stdout
        return " ".join(text.replace("│", " ").split())

    for name, report in REPORTS.items():
        told = words("report", name)
        assert report.about + "." in told
        for option in report.options:
            for choice in option.choices if not option.flag else ():
                assert choice in told
    assert "One of: 30m, 1h, 4h, 1d." in words("report", "levels")


@pytest.mark.parametrize(
    "asked", [["--help"], ["--version"], ["report"], ["doctor", "--health"]], ids=" ".join
)
def test_reports_are_loaded_only_where_they_are_asked_for(asked: list[str], tmp_path: Path) -> None:
    """A health check comes every half minute: it must not cost a second of a core."""
    told = """
import sys

from bot import cli

try:
    cli.main()
except SystemExit:
    print("numpy" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", told, *asked],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.stdout.splitlines()[-1] == str(asked == ["report"])
