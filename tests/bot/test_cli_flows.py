"""``leadline report flows``: the figures that are published, told apart from silence, with no look ahead."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import Result

import storage.sample
from bot.reports import flows
from bot.reports.shapes import Asked
from storage.store import Store

Leadline = Callable[..., Result]
AT = "2026-02-05T12:00:00Z"


@pytest.fixture
def leadline(command_line: Leadline, sample_file: Path) -> Leadline:
    """Runs the command line on a store with the sample in it."""

    def run(*arguments: str) -> Result:
        return command_line("--database-url", str(sample_file), *arguments)

    return run


def asked(leadline: Leadline, *options: str) -> dict[str, Any]:
    told = leadline("report", "flows", "--json", *options)
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture(scope="session")
def published() -> dict[str, dict[str, Decimal]]:
    """The shipped table of bitcoin flows, read without any of our code: day -> fund -> US$ million."""
    packed = Path(storage.sample.__file__).parent / "btc_flows.csv.gz"
    rows = csv.DictReader(io.StringIO(gzip.decompress(packed.read_bytes()).decode()))
    return {
        row["date"]: {name: Decimal(value) for name, value in row.items() if name != "date"} for row in rows
    }


def test_two_of_thirteen(leadline: Leadline) -> None:
    answer = asked(leadline, "--asset", "BTC", "--since", "2026-01-16", "--at", AT)
    assert {key: answer[key] for key in ("as_of", "asset", "since", "last_date", "source")} == {
        "as_of": AT,
        "asset": "BTC",
        "since": "2026-01-16",
        "last_date": "2026-02-04",
        "source": "sample",
    }
    assert (answer["final_days"], answer["positive_days"], answer["negative_days"]) == (13, 2, 11)
    assert (answer["sum_musd"], answer["streak"], answer["streak_since"]) == (-3461.6, -2, "2026-02-03")
    # By hand: p0 = 318/505, p = 0.0006.
    assert answer["p_value"] == pytest.approx(0.0006, abs=0.00005)
    assert (answer["base_days"], answer["base_share_pct"]) == (505, pytest.approx(62.97, abs=0.005))
    positive = [day["date"] for day in answer["days"] if (day["total_musd"] or 0) > 0]
    assert positive == ["2026-01-26", "2026-02-02"]
    assert [day["date"] for day in answer["days"] if day["state"] == "closed"] == ["2026-01-19"]
    assert answer["best"] == {"date": "2026-02-02", "total_musd": 561.8}
    assert answer["worst"] == {"date": "2026-01-29", "total_musd": -817.8}


def test_the_week_of_the_fall(leadline: Leadline) -> None:
    answer = asked(leadline, "--since", "2026-01-29", "--at", AT)
    assert (answer["sum_musd"], answer["final_days"]) == (-1582.6, 5)


def test_the_regime_of_4_february(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", AT)
    assert answer["regime"] == "DISTRIBUTION"
    assert (answer["rolling_5_musd"], answer["rolling_20_musd"]) == (-1582.6, -2785.2)
    assert (answer["hit_rate_20_pct"], answer["z5"]) == (30.0, pytest.approx(-1.43, abs=0.005))
    assert answer["cushion_musd"] == -8001.6
    assert answer["peak"] == {"date": "2025-10-09", "cumulative_musd": 62735.9}
    assert answer["final_days"] == 30
    assert (answer["freshness"], answer["age_s"]) == ("fresh", 15 * 3600)


def test_since_launch(leadline: Leadline) -> None:
    answer = asked(leadline, "--since", "2024-01-11", "--at", "2026-02-06T12:00:00Z")
    assert (answer["cumulative_musd"], answer["final_days"]) == (54300.2, 519)
    assert answer["p_value"] is None  # nothing before it to compare with
    months = {month["month"]: month["total_musd"] for month in answer["months"]}
    assert (months["2025-10"], months["2025-11"], months["2026-01"]) == (3424.9, -3466.7, -1604.8)


def test_every_figure_the_source_names(leadline: Leadline) -> None:
    answer = asked(leadline, "--since", "2025-10-01", "--at", AT)
    totals = {day["date"]: day["total_musd"] for day in answer["days"]}
    named = {
        "2025-10-01": 675.8, "2025-10-02": 627.2, "2025-10-03": 985.1, "2025-10-06": 1205.2,
        "2025-10-16": -530.9, "2025-10-29": -470.7, "2025-10-30": -488.4, "2025-11-20": -903.2,
        "2026-01-05": 697.2, "2026-01-06": -243.2, "2026-01-07": -486.1, "2026-01-29": -817.8,
        "2026-01-30": -509.7, "2026-02-02": 561.8, "2026-02-03": -272.0, "2026-02-04": -544.9,
    }  # fmt: skip
    assert {day: totals[day] for day in named} == named


@pytest.mark.parametrize("since", ["2024-02-01", "2025-03-10", "2025-12-25", "2026-02-04"])
def test_the_same_in_plain_decimals(
    leadline: Leadline, published: dict[str, dict[str, Decimal]], since: str
) -> None:
    answer = asked(leadline, "--since", since, "--at", AT)
    history = [(day, row["Total"]) for day, row in published.items() if day <= "2026-02-04"]
    window = [total for day, total in history if day >= since]
    before = [total for day, total in history if day < since]

    assert answer["sum_musd"] == float(sum(window))
    assert answer["final_days"] == len(window)
    assert answer["positive_days"] == sum(total > 0 for total in window)
    assert answer["rolling_5_musd"] == float(sum(total for _, total in history[-5:]))
    assert answer["rolling_20_musd"] == float(sum(total for _, total in history[-20:]))

    share = Decimal(sum(total > 0 for total in before)) / len(before)
    n, k = len(window), answer["positive_days"]
    p = sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1))
    assert answer["p_value"] == pytest.approx(float(p), rel=1e-3)

    piled, highest, cushion, streak = Decimal(0), Decimal(-(10**9)), Decimal(0), 0
    for _, total in history:
        piled += total
        highest = max(highest, piled)
        cushion = piled - highest
        sign = 1 if total > 0 else -1
        streak = streak + sign if streak * sign > 0 else sign
    assert (answer["cumulative_musd"], answer["cushion_musd"]) == (float(piled), float(cushion))
    assert answer["streak"] == streak

    for fund in answer["funds"]:
        flows_of = {day: row[fund["fund"]] for day, row in published.items() if day <= "2026-02-04"}
        assert fund["cumulative_musd"] == float(sum(flows_of.values()))
        assert fund["sum_musd"] == float(sum(flow for day, flow in flows_of.items() if day >= since))
        assert fund["last_musd"] == float(flows_of["2026-02-04"])


def test_the_shape_of_the_json(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", AT)
    assert {
        "as_of", "asset", "last_date", "final_days", "positive_days", "negative_days", "p_value", "sum_musd",
        "streak", "rolling_5_musd", "rolling_20_musd", "cumulative_musd", "cushion_musd", "regime", "days",
    } <= answer.keys()  # fmt: skip
    for day in answer["days"]:
        assert {"date", "total_musd", "state", "funds"} <= day.keys()
        assert day["state"] in {"final", "partial", "pending", "closed"}
        assert (day["state"] == "final") == (day["total_musd"] is not None)


@pytest.mark.parametrize(
    ("at", "latest", "freshness"),
    [
        ("2026-02-05T20:59:59Z", ("2026-02-04", "final"), "fresh"),
        # After the close nothing is known of the day until 09:00 of the next.
        ("2026-02-05T21:00:00Z", ("2026-02-05", "pending"), "pending"),
        ("2026-02-06T08:59:59Z", ("2026-02-05", "pending"), "pending"),
        ("2026-02-06T09:00:00Z", ("2026-02-05", "final"), "fresh"),
        ("2026-01-19T15:00:00Z", ("2026-01-19", "closed"), "closed"),
        ("2026-01-18T15:00:00Z", ("2026-01-16", "final"), "closed"),
        # The sample ends with the flows of 5 February: from then on days are overdue.
        ("2026-02-07T08:59:59Z", ("2026-02-06", "pending"), "pending"),
        ("2026-02-07T09:00:00Z", ("2026-02-06", "pending"), "late"),
        ("2026-02-10T09:00:00Z", ("2026-02-09", "pending"), "late"),
        ("2026-02-11T09:00:00Z", ("2026-02-10", "pending"), "stale"),
    ],
)
def test_the_last_day_and_its_state(
    leadline: Leadline, at: str, latest: tuple[str, str], freshness: str
) -> None:
    answer = asked(leadline, "--at", at)
    assert (answer["latest"]["date"], answer["latest"]["state"]) == latest
    assert answer["freshness"] == freshness
    if latest[1] == "pending":
        assert answer["last_date"] < latest[0]
        assert answer["days"][-1]["total_musd"] is None


def test_stale_figures_have_no_regime(leadline: Leadline) -> None:
    assert asked(leadline, "--at", "2026-02-07T12:00:00Z")["regime"] == "DISTRIBUTION"
    assert asked(leadline, "--at", "2026-02-10T12:00:00Z")["waiting"] == 2
    assert asked(leadline, "--at", "2026-02-10T12:00:00Z")["regime"] == "INSUFFICIENT"


def test_sessions_the_source_is_silent_about_are_not_zero(leadline: Leadline) -> None:
    answer = asked(leadline, "--asset", "eth", "--since", "2025-11-01", "--at", AT)
    silent = [day["date"] for day in answer["days"] if day["state"] == "pending"]
    assert silent == ["2025-11-10"]
    [november] = [month for month in answer["months"] if month["month"] == "2025-11"]
    assert (november["waiting"], november["complete"], november["final_days"]) == (1, False, 18)


def test_words(leadline: Leadline) -> None:
    told = leadline("report", "flows", "--since", "2026-01-16", "--at", AT).stdout.replace("\u00a0", " ")
    lines = told.split("\n")
    assert lines[:3] == [
        "BTC spot ETFs −544.9 US$ m · Wed 4 Feb · final",
        (
            "2 days of net outflow in a row since Tue 3 Feb · 2 of 13 days positive since Fri 16 Jan · "
            "cushion −8,001.6 US$ m (−12.8 %)"
        ),
        "DISTRIBUTION: 20-day sum −2,785.2 US$ m (below 0) and 30 % of the days positive (at most 35 %)",
    ]
    assert "13 final days: 2 positive, 11 negative, sum −3,461.6 US$ m" in lines
    assert "(63 % positive): p = 0.0006" in told
    assert "IBIT  −373.4      −1,641.0  +61,784.3" in lines
    assert "Jan 2026  −1,604.8      7/20" in lines
    assert "a redemption is not a sale of BTC on the same day" in told
    assert lines[-2] == (
        "Farside Investors · final to 4 Feb 2026 · 15 h old · fresh · sample, ends 2026-02-06"
    )
    assert "**" not in told
    assert "`" not in told


def test_words_in_chinese_are_in_hundred_millions(leadline: Leadline) -> None:
    told = leadline("report", "flows", "--since", "1/16", "--at", "2026-02-05T22:00:00Z", "--locale", "zh-TW")
    lines = told.stdout.replace("\u00a0", " ").split("\n")
    assert lines[:3] == [
        "BTC 現貨 ETF · 2/5（四）：尚未公布 · 最近已確認 2/4（三）：−5.45 億美元",
        "自 2/3（二）起連 2 日淨流出 · 自 1/16（五）起 13 日中 2 日淨流入 · 累計流入回落 −80.02 億美元（−12.8 %）",
        "持續流出：近 20 日合計 −27.85 億美元（小於 0），流入日占 30 %（至多 35 %）",
    ]
    assert "547.3 億美元；最高 627.4 億美元（2025/10/9）" in "\n".join(lines)


def test_a_holiday_is_said(leadline: Leadline) -> None:
    told = leadline("report", "flows", "--at", "2026-01-19T15:00:00Z").stdout
    assert told.startswith("BTC spot ETFs · Mon 19 Jan: market closed · last final day Fri 16 Jan: ")


def test_picture_and_numbers(leadline: Leadline, tmp_path: Path) -> None:
    png, numbers = tmp_path / "flows.png", tmp_path / "flows.csv"
    told = leadline(
        "report", "flows", "--since", "2026-01-16", "--at", "2026-02-05T22:00:00Z", "--theme", "light",
        "--palette", "cb", "--png", str(png), "--csv", str(numbers),
    )  # fmt: skip
    assert told.exit_code == 0
    with Image.open(png) as picture:
        assert picture.size == (1280, 720)
    rows = {row["date"]: row for row in csv.DictReader(io.StringIO(numbers.read_text("utf-8-sig")))}
    assert len(rows) == 15
    # A reported zero is 0.0; a holiday and a day not reported are empty, and their states differ.
    assert rows["2026-02-04"]["BITB_musd"] == "0.0"
    assert rows["2026-02-04"]["cumulative_musd"] == "54734.3"
    assert (rows["2026-01-19"]["state"], rows["2026-01-19"]["total_musd"]) == ("closed", "")
    assert (rows["2026-02-05"]["state"], rows["2026-02-05"]["total_musd"]) == ("pending", "")


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--asset", "SOL"], 2, "“SOL” is not a choice for asset: use one of BTC, ETH.\n"),
        (["--since", "soon"], 2, "“soon” is not a start date: write 7d, 1/28 or 2026-01-28.\n"),
        (
            ["--since", "2026-02-06", "--at", AT],
            2,
            "The start date 2026-02-06 lies in the future.\n",
        ),
        (["--at", "2024-01-12T08:59:59Z"], 1, "No final day of BTC ETF flows was known at that time.\n"),
        (
            ["--asset", "ETH", "--at", "2024-07-24T08:00:00Z", "--locale", "zh-TW"],
            1,
            "當時沒有任何一天已確認的 ETH ETF 資金流。\n",
        ),
    ],
)
def test_what_cannot_be_answered(leadline: Leadline, options: list[str], status: int, sentence: str) -> None:
    told = leadline("report", "flows", *options)
    assert (told.exit_code, told.stdout, told.stderr) == (status, "", sentence)


def test_the_first_day_known(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", "2024-01-12T09:00:00Z")
    assert (answer["last_date"], answer["final_days"], answer["regime"]) == ("2024-01-11", 1, "INSUFFICIENT")
    assert (answer["sum_musd"], answer["rolling_5_musd"], answer["cushion_musd"]) == (655.3, None, 0.0)


def test_a_window_in_which_nothing_is_final_yet(leadline: Leadline) -> None:
    answer = asked(leadline, "--since", "2026-02-05", "--at", "2026-02-05T22:00:00Z")
    assert (answer["final_days"], answer["sum_musd"], answer["p_value"]) == (0, 0.0, None)
    assert [day["state"] for day in answer["days"]] == ["pending"]
    told = leadline("report", "flows", "--since", "2026-02-05", "--at", "2026-02-05T22:00:00Z").stdout
    assert "no final day since Thu 5 Feb" in told


def test_a_day_fills_fund_by_fund(command_line: Leadline, sample_file: Path, tmp_path: Path) -> None:
    """Through the night of 6 February: nothing, a part, all of it; the sample's note stays until all of it."""
    store, table = tmp_path / "own.db", tmp_path / "night.csv"
    shutil.copy(sample_file, store)

    def run(*arguments: str) -> Result:
        return command_line("--database-url", str(store), *arguments)

    for row in ("68.2,-,68.2,2026-02-06T23:00:00Z", "68.2,239.3,307.5,2026-02-07T04:00:00Z"):
        table.write_text(f"date,IBIT,FBTC,Total,known_at\n2026-02-06,{row}\n")
        assert run("import", "flows", str(table), "--asset", "BTC").exit_code == 0
    seen = [
        asked(run, "--at", at)
        for at in ("2026-02-06T22:30:00Z", "2026-02-06T23:00:00Z", "2026-02-07T04:00:00Z")
    ]
    assert [answer["latest"]["state"] for answer in seen] == ["pending", "partial", "final"]
    assert [answer["last_date"] for answer in seen] == ["2026-02-05", "2026-02-05", "2026-02-06"]
    assert [answer["days"][-1]["total_musd"] for answer in seen] == [None, 68.2, 307.5]
    # A part of a day is in no figure: 54,300.2 until 307.5 is final.
    assert [answer["cumulative_musd"] for answer in seen] == [54300.2, 54300.2, 54607.7]
    assert [answer["streak"] for answer in seen] == [-3, -3, 1]
    assert [answer["source"] for answer in seen] == ["sample", "sample", "Farside Investors"]
    told = run("report", "flows", "--at", "2026-02-06T23:00:00Z").stdout.replace("\u00a0", " ")
    assert told.startswith(
        "BTC spot ETFs · Fri 6 Feb: partial, 1 of 2 funds, +68.2 US$ m so far · last final day Thu 5 Feb: "
    )


def test_two_publishers_never_meet_in_one_sum(
    command_line: Leadline, sample_file: Path, tmp_path: Path
) -> None:
    """The one that reaches furthest answers, once it has twenty days; every figure is then its own."""
    store, table = tmp_path / "own.db", tmp_path / "other.csv"
    shutil.copy(sample_file, store)

    def run(*arguments: str) -> Result:
        return command_line("--database-url", str(store), *arguments)

    def of_another(*totals: str) -> dict[str, Any]:
        table.write_text("date,TOTAL\n" + "\n".join(totals) + "\n")
        told = run("import", "flows", str(table), "--asset", "BTC", "--source", "SoSoValue")
        assert told.exit_code == 0, told.stderr
        return asked(run, "--at", "2026-02-07T10:00:00Z")

    days = [date(2026, 1, 12) + timedelta(days=n) for n in range(26)]
    nineteen = [f"{day},10.0" for day in days if day.weekday() < 5 and day != date(2026, 1, 19)]
    assert len(nineteen) == 19
    assert of_another(*nineteen)["data_source"] == "Farside Investors"
    answer = of_another("2026-01-09,10.0", *nineteen)
    assert (answer["data_source"], answer["source"]) == ("SoSoValue", "SoSoValue")
    assert (answer["cumulative_musd"], answer["streak"], answer["last_date"]) == (200.0, 20, "2026-02-06")
    assert asked(run, "--at", "2026-02-06T10:00:00Z")["cumulative_musd"] == 54300.2


INSTANTS = st.datetimes(datetime(2024, 7, 25), datetime(2026, 2, 8))  # noqa: DTZ001 - made aware below


@settings(max_examples=8)
@given(moment=INSTANTS, asset=st.sampled_from(["BTC", "ETH"]))
async def test_nothing_known_later_changes_an_answer(
    sample_file: Path, tmp_path_factory: pytest.TempPathFactory, moment: datetime, asset: str
) -> None:
    """Asked of a store from which everything later was taken, the answer is the same."""
    at = moment.replace(tzinfo=UTC)
    file = tmp_path_factory.mktemp("earlier") / "leadline.db"
    shutil.copy(sample_file, file)
    with closing(sqlite3.connect(file)) as db, db:
        later = "SELECT id FROM flow_versions WHERE known_at > ?"
        db.execute(f"DELETE FROM fund_flows WHERE version_id IN ({later})", [at.timestamp()])
        gone = db.execute("DELETE FROM flow_versions WHERE known_at > ?", [at.timestamp()]).rowcount
    assert gone or moment > datetime(2026, 2, 6, 9)  # noqa: DTZ001
    answers = []
    for path in (sample_file, file):
        store = await Store.open(f"sqlite+aiosqlite:///{path}", readonly=True)
        answers.append(await flows.answer(flows.FlowsQuery(asset=asset), Asked(store=store, at=at)))
        await store.close()
    assert answers[0] == answers[1]
