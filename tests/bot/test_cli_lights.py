"""``leadline report lights`` on the sample: four colours, each with its rule, since when and what would turn it."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

AT = "2026-02-05T18:00:00Z"
Leadline = Callable[..., Result]
Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def asked(command_line: Leadline, sample_file: Path) -> Asked:
    def ask(at: str = AT, file: Path = sample_file) -> dict[str, Any]:
        told = command_line("--database-url", str(file), "report", "lights", "--json", "--at", at)
        assert told.exit_code == 0, told.stderr
        answer = json.loads(told.stdout)
        assert isinstance(answer, dict)
        return answer

    return ask


def colours(answer: dict[str, Any]) -> dict[str, str]:
    return {light["name"]: light["state"] for light in answer["lights"]}


def light(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in answer["lights"] if one["name"] == name)


def test_the_evening_of_the_sell_off(asked: Asked) -> None:
    answer = asked()
    assert colours(answer) == {"line": "red", "flows": "red", "macro": "green", "silver": "red"}
    assert [list(one) for one in answer["lights"]] == [
        ["name", "state", "since", "why_unknown", "rule", "reading", "flips_when", "inputs"]
    ] * 4
    assert all(one["rule"] and one["flips_when"] for one in answer["lights"])
    assert (answer["source"], answer["thresholds"]["line"], answer["thresholds"]["own"]) == (
        "sample", 73_600, False,
    )  # fmt: skip


def test_the_line_is_lost_since_the_bar_that_closed_at_18_00_on_4_february(
    asked: Asked, command_line: Leadline, sample_file: Path
) -> None:
    """The second close below came with the bar opened at 17:30; the reclaim of 19:30 failed and turned nothing."""
    for at in ("2026-02-04T18:00:00Z", "2026-02-04T20:30:00Z", AT):
        assert (light(asked(at), "line")["state"], light(asked(at), "line")["since"]) == (
            "red",
            "2026-02-04T18:00:00Z",
        )
    told = command_line(
        "--database-url", str(sample_file), "report", "levels", "--bars", "200", "--json", "--at", AT
    )
    [level] = [one for one in json.loads(told.stdout)["levels"] if one["price"] == 73_600]
    # Its last event is that failed reclaim; since when it is lost is the same in both reports.
    assert (level["since"], level["turned_at"]) == ("2026-02-04T21:30:00Z", "2026-02-04T18:00:00Z")
    before = light(asked("2026-02-04T17:59:59Z"), "line")
    assert (before["state"], before["inputs"][0]["state"]) == ("green", "breaking")
    assert before["flips_when"] == "more closes below 73,600 until off: 1"


def test_flows_by_the_sum_of_five_final_days(asked: Asked) -> None:
    found = light(asked(), "flows")
    # -817.8 - 509.7 + 561.8 - 272.0 - 544.9; without the first of them -764.8 stand.
    assert found["inputs"][0]["musd"] == -1_582.6
    assert found["inputs"][0]["next_needed_musd"] == 764.8
    assert found["flips_when"] == "on if the next day brings +764.8 US$ m or more"
    # Since 21 January the five days have summed to less than nought: by the published totals, added here.
    assert found["since"] == "2026-01-21T21:00:00Z"


def test_since_by_adding_up_the_published_days(asked: Asked, sample_file: Path) -> None:
    with closing(sqlite3.connect(sample_file)) as db:
        rows = db.execute(
            "SELECT trade_date, total_musd FROM flow_versions WHERE asset = 'BTC' AND trade_date <= '2026-02-04'"
            " ORDER BY trade_date"
        ).fetchall()
    sums = [(rows[n][0], sum(total for _, total in rows[n - 4 : n + 1])) for n in range(4, len(rows))]
    first = next(
        after
        for (_, total), (after, _) in zip(reversed(sums[:-1]), reversed(sums), strict=True)
        if total >= 0
    )
    assert light(asked(), "flows")["since"] == f"{first}T21:00:00Z"


def test_silver_is_not_quiet_from_the_notice_to_a_week_after_it_took_effect(asked: Asked) -> None:
    found = light(asked(), "silver")
    move, rise = found["inputs"]
    # 11 to 15 % (36.4 %), told on Friday, 30 January, in force from the close of 2 February.
    assert rise == {
        "what": "margin rise", "pct": 36.3636, "known_at": "2026-01-31T05:00:00Z",
        "effective": "2026-02-02T22:00:00Z", "ends": "2026-02-09T22:00:00Z",
    }  # fmt: skip
    assert abs(move["z5"]) < 1.5
    # The notice of 27 January (9 to 11 %) counts from the end of its day in New York.
    assert found["since"] == "2026-01-28T05:00:00Z"


def test_macro_and_what_is_due(asked: Asked) -> None:
    decision = light(asked("2026-01-28T12:00:00Z"), "macro")
    assert decision["state"] == "red"
    assert decision["inputs"][2] == {"what": "Fed decision", "at": "2026-01-28T19:00:00Z"}
    assert decision["since"] <= "2026-01-27T19:00:00Z"
    dollar, breakeven, due = light(asked(), "macro")["inputs"]
    assert (dollar["date"], breakeven["date"]) == ("2026-02-04", "2026-02-04")
    assert abs(dollar["z5"]) < 1.5
    assert dollar["quiet_between"][0] < 97.62
    assert due == {"what": "CPI release", "at": "2026-02-13T13:30:00Z"}


def test_a_fortnight_after_the_sample_every_light_is_unknown(asked: Asked) -> None:
    answer = asked("2026-02-20T12:00:00Z")
    assert set(colours(answer).values()) == {"unknown"}
    assert {one["why_unknown"] for one in answer["lights"]} == {"stale"}
    assert (answer["green"], answer["freshness"]) == (0, "stale")
    assert light(answer, "line")["since"] == "2026-02-07T00:00:00Z"  # its last bar


def test_without_the_breakeven_macro_alone_is_unknown(
    asked: Asked, sample_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "without.db"
    shutil.copy(sample_file, file)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM macro_observations WHERE series = 'T10YIE'")
    answer = asked(AT, file)
    assert colours(answer) == {"line": "red", "flows": "red", "macro": "unknown", "silver": "red"}
    assert light(answer, "macro")["why_unknown"] == "missing"


def test_forgetting_all_that_came_later_changes_nothing(
    asked: Asked, sample_file: Path, tmp_path: Path
) -> None:
    chance = random.Random(4)  # noqa: S311 -- repeatable instants, nothing secret
    first = datetime(2025, 9, 3, tzinfo=UTC)
    span = (datetime(2026, 2, 7, tzinfo=UTC) - first).total_seconds()
    instants = [first + timedelta(seconds=int(chance.uniform(0, span))) for _ in range(4)]
    for at in [*instants, datetime(2026, 2, 4, 18, tzinfo=UTC)]:
        file = tmp_path / "then.db"
        shutil.copy(sample_file, file)
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("DELETE FROM bars WHERE closed_at > ?", [at.timestamp()])
            for table in ("macro_observations", "margin_changes", "flow_versions"):
                db.execute(f"DELETE FROM {table} WHERE known_at > ?", [at.timestamp()])
        text = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        assert asked(text) == asked(text, file)


def test_words_pictures_and_numbers(command_line: Leadline, sample_file: Path, tmp_path: Path) -> None:
    png, numbers = tmp_path / "lights.png", tmp_path / "lights.csv"
    told = command_line(
        "--database-url", str(sample_file), "report", "lights", "--at", AT, "--locale", "zh-TW",
        "--png", str(png), "--csv", str(numbers),
    )  # fmt: skip
    assert told.exit_code == 0
    lines = told.stdout.split("\n")
    assert lines[0] == "四燈：4 盞亮 1 盞"
    assert "轉變條件：至 2/9（一）22:00 UTC 前不再調升，就亮燈" in lines
    assert lines[1].startswith("🔺 關鍵線 73,600：未守住 · 自 2/4（三）18:00 UTC 起 · 價格 66,154 · 已跌破")
    with Image.open(png) as picture:
        assert picture.size == (1280, 720)
    rows = list(csv.DictReader(io.StringIO(numbers.read_text("utf-8-sig"))))
    assert [row["light"] for row in rows] == ["line", "flows", "macro", "silver"]
    assert [row["state"] for row in rows] == ["red", "red", "green", "red"]


def test_before_anything_was_known(command_line: Leadline, sample_file: Path) -> None:
    told = command_line("--database-url", str(sample_file), "report", "lights", "--at", "2019-01-01")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "Nothing that the four lights go by was known at that time.\n"


def test_a_last_value_outside_the_range_for_the_next_is_told(
    command_line: Leadline, sample_file: Path
) -> None:
    told = command_line("--database-url", str(sample_file), "report", "lights", "--at", AT).stdout
    assert "beyond 94.97–97.61 (last 97.62) or the breakeven beyond 2.30–2.40" in told
