"""The silver-margin report on the command line: what the sample must reproduce, accounts, refusals, as-of."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

Leadline = Callable[..., Result]
ON_5, ON_6, ON_7 = (f"2026-02-0{day}T12:00:00Z" for day in (5, 6, 7))
# The exchange's schedule, and what follows from it: (rule, value, hike in percent).
SILVER = [
    ("2025-12-12T22:00:00Z", "fixed", 22_000, 10.0),
    ("2025-12-29T22:00:00Z", "fixed", 25_000, 13.636),
    ("2025-12-31T22:00:00Z", "fixed", 32_500, 30.0),
    ("2026-01-13T22:00:00Z", "percent", 9, 18.907),
    ("2026-01-28T22:00:00Z", "percent", 11, 22.222),
    ("2026-02-02T22:00:00Z", "percent", 15, 36.364),
    ("2026-02-06T22:00:00Z", "percent", 18, 20.0),
]


@pytest.fixture
def leadline(command_line: Leadline, sample_file: Path) -> Leadline:
    """Runs the command line on the sample, which is made only once."""

    def run(*arguments: str, store: Path = sample_file) -> Result:
        return command_line("--database-url", str(store), "report", "silver-margin", *arguments)

    return run


def asked(leadline: Leadline, *options: str, **where: Path) -> dict[str, Any]:
    told = leadline("--json", *options, **where)
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert isinstance(answer, dict)
    return answer


def test_the_rule_of_5_february(leadline: Leadline) -> None:
    answer = asked(leadline, "--product", "SI", "--price", "76.53", "--at", ON_5)
    assert answer["as_of"] == ON_5
    assert answer["source"] == "sample"
    assert (answer["product"], answer["contract_oz"], answer["follows"]) == ("SI", 5000, None)
    assert (answer["price"], answer["price_date"]) == (76.53, None)
    assert (answer["rule"], answer["rate_pct"]) == ("percent", 15)
    assert (answer["initial_usd"], answer["maintenance_usd"]) == (57_397.50, 57_397.50)
    assert answer["hrp_initial_usd"] == 63_137.25
    assert answer["leverage"] == pytest.approx(100 / 15, abs=1e-4)
    assert (answer["next"], answer["account"], answer["compounding"]) == (None, None, None)
    assert answer["since"] == "2026-02-02T22:00:00Z"
    assert answer["crossover"] == {"fixed_usd": 32_500, "rate_pct": 15, "price": 43.3333}


def test_the_notice_of_5_february_is_known_on_the_6th_and_stands_from_its_close(leadline: Leadline) -> None:
    answer = asked(leadline, "--price", "76.53", "--at", ON_6)
    assert answer["initial_usd"] == 57_397.50
    assert answer["rate_pct"] == 15
    coming = answer["next"]
    assert (coming["effective"], coming["rule"], coming["value"]) == ("2026-02-06T22:00:00Z", "percent", 18)
    assert coming["initial_usd"] == 68_877.00

    after = asked(leadline, "--price", "76.53", "--at", ON_7)
    assert (after["initial_usd"], after["rate_pct"], after["next"]) == (68_877.00, 18, None)
    # 1.1 times maintenance, because the notice did not name it.
    assert after["hrp_initial_usd"] == pytest.approx(75_764.70)


def test_every_step_of_the_winter(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", ON_7)
    steps = answer["steps"]
    assert [(step["effective"], step["rule"], step["value"]) for step in steps] == [row[:3] for row in SILVER]
    assert [step["change_pct"] for step in steps] == pytest.approx([row[3] for row in SILVER], abs=5e-4)
    assert answer["before_first_step"] == {"rule": "fixed", "value": 20_000}
    # From fixed to percent at the close of 13 January.
    assert steps[3]["price"] == 85.877
    assert steps[5]["cut_pct"] == pytest.approx(26.667, abs=5e-4)
    # Each margin is the one before, plus what the price did, plus what the rate did.
    before = Decimal(20000)
    for step in steps:
        parts = Decimal(str(step["rate_part"]["usd"])) + Decimal(str(step["price_part"]["usd"]))
        assert abs(before + parts - Decimal(str(step["initial_usd"]))) <= Decimal("0.02")
        before = Decimal(str(step["initial_usd"]))


def test_the_last_close_is_the_price_if_none_is_given(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", ON_5)
    assert (answer["price"], answer["price_date"]) == (84.165, "2026-02-04")
    assert answer["initial_usd"] == 63_123.75
    assert answer["closed_at"] == "2026-02-04T22:00:00Z"
    assert (answer["age_s"], answer["freshness"]) == (14 * 3600, "fresh")
    stale = asked(leadline, "--at", "2026-02-13T00:00:00Z")
    assert (stale["price_date"], stale["freshness"]) == ("2026-02-06", "stale")
    told = leadline("--at", "2026-02-13T00:00:00Z").stdout
    assert "The last close known is 6 days old: give a newer price with the option price.\n" in told
    assert "The last close" not in leadline("--at", "2026-02-13T00:00:00Z", "--price", "80").stdout


@pytest.mark.parametrize(
    ("product", "ounces", "follows", "price"),
    [
        ("QI", 2500, "SI", 76.53),
        ("SIL", 1000, "SI", 76.53),
        ("SIC", 100, "SI", 76.53),
        ("MGC", 10, "GC", 4900.0),
    ],
)
def test_smaller_contracts_are_derived(
    leadline: Leadline, product: str, ounces: int, follows: str, price: float
) -> None:
    options = ("--price", str(price), "--at", ON_5)
    answer = asked(leadline, "--product", product.lower(), *options)
    leader = asked(leadline, "--product", follows, *options)
    assert (answer["product"], answer["contract_oz"], answer["follows"]) == (product, ounces, follows)
    share = ounces / leader["contract_oz"]
    assert answer["rate_pct"] == leader["rate_pct"]
    assert answer["initial_usd"] == pytest.approx(share * leader["initial_usd"], abs=0.006)
    fixed = [step["value"] for step in answer["steps"] if step["rule"] == "fixed"]
    assert fixed == pytest.approx(
        [share * step["value"] for step in leader["steps"] if step["rule"] == "fixed"]
    )
    told = leadline("--product", product, *options).stdout
    assert f"(derived from {follows})" in told.split("\n")[0]
    assert f"{product} follows {follows}: the same percent, fixed dollars by ounces" in told


def test_golds_undated_step_is_told_as_such(leadline: Leadline) -> None:
    answer = asked(leadline, "--product", "GC", "--at", "2026-01-31T12:00:00Z")
    assert [(step["value"], step["effective"]) for step in answer["steps"]] == [
        (24_000, "2025-12-31T22:00:00Z"),
        (5, "2026-01-13T22:00:00Z"),
        (6, None),
        (8, "2026-02-02T22:00:00Z"),
    ]
    # The notice of 30 January calls it current: it stood by that day's beginning in New York.
    assert answer["steps"][2]["effective_by"] == "2026-01-30T05:00:00Z"
    assert (answer["rate_pct"], answer["since"]) == (6, None)
    told = leadline("--product", "GC", "--at", "2026-01-31T12:00:00Z").stdout
    assert "date of the change unknown, by 30 Jan 05:00 UTC at the latest" in told.split("\n")[0]
    assert "\ndate unknown, by 30 Jan 2026 05:00 UTC at the latest · 5\N{NO-BREAK SPACE}% → 6" in told
    rows = table(leadline, "--product", "GC", "--at", "2026-01-31T12:00:00Z")
    assert [row["date_known"] for row in rows if row["kind"] == "change"] == ["yes", "yes", "no", "yes"]


# By hand: one contract entered at 115 with equity of a fifth of its notional.
@pytest.mark.parametrize(
    ("at", "side", "now", "later"),
    [
        ("2026-01-29T12:00:00Z", "long", 103.37, None),
        (ON_5, "long", 108.24, None),
        (ON_6, "long", 108.24, 112.20),
        (ON_7, "long", 112.20, None),
        ("2026-01-29T12:00:00Z", "short", 124.32, None),
        (ON_6, "short", 120.00, 116.95),  # (575,000 + 115,000) / (5,000 at 118 %)
        # Under 32,500 fixed: 115 - (115,000 - 32,500) / 5,000 and its mirror
        ("2026-01-05T12:00:00Z", "long", 98.5, None),
        ("2026-01-05T12:00:00Z", "short", 131.5, None),
    ],
)
def test_call_prices(leadline: Leadline, at: str, side: str, now: float, later: float | None) -> None:
    options = ("--price", "115", "--contracts", "1", "--equity", "115k", "--side", side, "--at", at)
    account = asked(leadline, *options)["account"]
    assert account["call_price"] == pytest.approx(now, abs=0.005)
    assert account["call_price_next"] == (later if later is None else pytest.approx(later, abs=0.005))
    assert (account["deposit_usd"], account["contracts_to_cut"], account["called"]) == (0, 0, False)


def test_a_call_its_deposit_and_the_ways_to_meet_it(leadline: Leadline) -> None:
    options = ("--price", "76.53", "--contracts", "3", "--equity", "15萬", "--at", ON_6)
    account = asked(leadline, *options)["account"]
    needed = 3 * Decimal("57397.50")
    assert account["called"]
    assert account["initial_usd"] == float(needed)
    assert account["deposit_usd"] == float(needed - 150_000) == 22_192.50
    assert account["contracts_to_cut"] == 3 - int(Decimal(150_000) / Decimal("57397.50")) == 1
    assert account["ways"] == [
        {"contracts": 0, "deposit_usd": 22_192.50},
        {"contracts": 1, "deposit_usd": 0.0},
    ]
    assert account["deposit_next_usd"] == float(3 * Decimal(68877) - 150_000)
    told = leadline(*options).stdout
    assert (
        "Ways to meet the call, in no order of merit\n- contracts to cut: 0, deposit: 22,192.50 USD\n" in told
    )
    assert "Options, not an answer." in told
    assert "house margin) is usually higher" in told
    assert "From 6 Feb 22:00 UTC on, at 18\N{NO-BREAK SPACE}%: initial 206,631.00 USD" in told


def test_an_account_with_a_heightened_risk_profile(leadline: Leadline) -> None:
    options = ("--price", "80", "--contracts", "2", "--equity", "119000", "--at", ON_5)
    account = asked(leadline, *options, "--hrp")["account"]
    # Called below maintenance of 120,000, up to 110 % of it.
    assert (account["hrp"], account["called"], account["deposit_usd"]) == (True, True, 13_000)
    plain = asked(leadline, *options)["account"]
    assert (plain["hrp"], plain["deposit_usd"]) == (False, 1_000)


def test_half_an_account(leadline: Leadline) -> None:
    held = asked(leadline, "--price", "80", "--contracts", "3", "--at", ON_5)["account"]
    assert (held["initial_usd"], held["call_price"], held["deposit_usd"]) == (180_000, None, None)
    owned = asked(leadline, "--price", "80", "--equity", "150k", "--at", ON_6)["account"]
    assert (owned["contracts_carried"], owned["contracts_carried_next"]) == (2, 2)
    assert owned["call_price"] is None
    told = leadline("--price", "80", "--equity", "150k", "--at", ON_6).stdout
    assert "Equity 150,000.00 USD · contracts it carries at initial margin: 2" in told
    assert "give contracts as well for a call price" in told


def test_the_hike_that_undid_the_fall(leadline: Leadline) -> None:
    options = ("--compare", "2026-01-29..2026-02-04", "--at", ON_5)
    found = asked(leadline, *options)["compounding"]
    assert (found["from"]["initial_usd"], found["to"]["initial_usd"]) == (62_720.35, 63_123.75)
    assert (found["from"]["value"], found["to"]["value"]) == (11, 15)
    assert found["price_change_pct"] == pytest.approx(-26.195, abs=5e-4)
    assert found["initial_change_pct"] == pytest.approx(0.643, abs=5e-4)
    assert found["price_part"]["usd"] + found["rate_part"]["usd"] == pytest.approx(403.40, abs=0.011)
    told = leadline(*options).stdout
    assert "29 Jan 2026 at 114.037 and 11\N{NO-BREAK SPACE}%: 62,720.35 USD; 4 Feb 2026 at 84.165" in told
    assert "the rise of the rate undid the whole relief of the fall" in told
    # Over a day without a change the rate has no part, and nothing is undone.
    quiet = leadline("--compare", "2/3..2/4", "--at", ON_5).stdout
    assert "rate part 0 USD" in quiet
    assert "undid" not in quiet


def test_before_the_first_change_the_rule_has_no_beginning(leadline: Leadline) -> None:
    answer = asked(leadline, "--at", "2025-12-05T12:00:00Z")
    assert (answer["rule"], answer["rate_pct"], answer["initial_usd"]) == ("fixed", None, 20_000)
    assert (answer["steps"], answer["since"]) == ([], None)
    assert (
        "SI: fixed at 20,000 USD, since when is not known" in leadline("--at", "2025-12-05T12:00:00Z").stdout
    )


def test_words_pictures_and_numbers(leadline: Leadline, tmp_path: Path) -> None:
    png = tmp_path / "margin.png"
    told = leadline(
        "--price", "76.53", "--at", ON_6, "--locale", "zh-TW", "--palette", "tw", "--png", str(png)
    )  # fmt: skip
    lines = told.stdout.split("\n")
    assert lines[0] == (
        "SI：契約價值的 15\N{NO-BREAK SPACE}%，2/2（一）22:00 UTC 起生效 · 每盎司 76.53 美元（所問價格）"
    )
    assert lines[2].startswith("下次調整：2/6（五）22:00 UTC（紐約 17:00）起 18")
    assert lines[-2].endswith("樣本資料，止於 2026-02-06")
    with Image.open(png) as picture:
        assert picture.size == (1280, 720)


def table(leadline: Leadline, *options: str) -> list[dict[str, str]]:
    file = Path("numbers.csv")
    told = leadline("--csv", str(file), *options)
    assert told.exit_code == 0, told.stderr
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))


def test_the_csv_holds_closes_changes_and_their_sources_but_no_account(leadline: Leadline) -> None:
    rows = table(leadline, "--at", ON_6, "--contracts", "3", "--equity", "123456")
    changes = [row for row in rows if row["kind"] == "change"]
    assert [(row["instant_utc"], float(row["value"])) for row in changes] == [
        (effective, value) for effective, _, value, _ in SILVER
    ]
    assert all(row["source"] for row in rows)
    assert [row["instant_utc"] for row in rows] == sorted(row["instant_utc"] for row in rows)
    last = [row for row in rows if row["kind"] == "close"][-1]
    assert (last["trade_date"], float(last["price_usd_oz"])) == ("2026-02-05", 76.529)
    assert float(last["initial_usd"]) == pytest.approx(57_396.75)
    # At the close of a change's own date the old rule still stands.
    day = next(row for row in rows if row["trade_date"] == "2026-01-13")
    assert (day["rule"], float(day["initial_usd"])) == ("fixed", 32_500)
    assert "123456" not in Path("numbers.csv").read_text("utf-8-sig")


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (
            ["--product", "XAG"],
            2,
            "“XAG” is not a choice for product: use one of SI, QI, SIL, SIC, GC, MGC.\n",
        ),
        (["--price", "cheap"], 2, "“cheap” is not a number: write 76.53, 57,397.50 or 57.4k.\n"),
        (["--price", "0"], 2, "“0” is out of range: it may be from 0.01 to 1,000,000.\n"),
        (["--contracts", "1.5"], 2, "“1.5” is not a whole number.\n"),
        (["--contracts", "0"], 2, "“0” is out of range: it may be from 1 to 100,000.\n"),
        (["--equity", "much"], 2, "“much” is not a number: write 76.53, 57,397.50 or 57.4k.\n"),
        (
            ["--side", "up", "--contracts", "1"],
            2,
            "“up” is not a choice for side: use one of long, short.\n",
        ),
        (["--hrp"], 2, "Side and HRP are about an account: give contracts or equity as well.\n"),
        (
            ["--compare", "1/29"],
            2,
            "“1/29” is not two past days, the earlier one first: write 1/29..2/4 or 2026-01-29..2026-02-04.\n",
        ),
        (
            ["--compare", "1/31..2/4"],
            1,
            "There is no close of SI with a known margin on 2026-01-31; the one before is of 2026-01-30.\n",
        ),
        (
            ["--at", "2020-01-01"],
            1,
            "No price of SI was known at that time: give one with the option price.\n",
        ),
        (
            ["--at", "2020-01-01", "--locale", "zh-TW"],
            1,
            "當時 SI 沒有已知價格：請用 price 選項給一個價格。\n",
        ),
    ],
)
def test_what_cannot_be_answered(leadline: Leadline, options: list[str], status: int, sentence: str) -> None:
    told = leadline(*(["--at", ON_5] if "--at" not in options else []), *options)
    assert (told.exit_code, told.stdout, told.stderr) == (status, "", sentence)


def without(sample_file: Path, tmp_path: Path, at: datetime, *, everything: str = "") -> Path:
    """A copy of the sample that holds only what was known ``at`` an instant, and nothing of one table."""
    copy = tmp_path / "less.db"
    shutil.copy(sample_file, copy)
    epoch = int(at.timestamp())
    with sqlite3.connect(copy) as db:
        db.execute("DELETE FROM margin_changes WHERE known_at > ?", (epoch,))
        db.execute("DELETE FROM bars WHERE closed_at > ?", (epoch,))
        if everything:
            db.execute(f"DELETE FROM {everything}")
    db.close()
    return copy


@pytest.mark.parametrize(
    "at",
    ["2025-12-12T04:59:59Z", "2025-12-29T21:59:59Z", "2026-01-14T12:00:00Z", "2026-01-30T12:00:00Z",
     "2026-01-31T05:00:00Z", "2026-02-02T22:00:00Z", "2026-02-06T04:59:59Z", "2026-02-06T05:00:00Z"],
)  # fmt: skip
@pytest.mark.parametrize("product", ["SI", "MGC"])
def test_nothing_known_later_leaks(
    leadline: Leadline, sample_file: Path, tmp_path: Path, at: str, product: str
) -> None:
    options = ("--product", product, "--contracts", "2", "--equity", "50k", "--at", at)
    less = without(sample_file, tmp_path, datetime.fromisoformat(at))
    assert asked(leadline, *options, store=less) == asked(leadline, *options)


def test_a_table_without_a_notice_for_a_month_is_stale_also_at_a_fresh_price(leadline: Leadline) -> None:
    """The newest notice is of 5 February, known when that day was over in New York: 6 February 05:00 UTC."""
    at, later = "2026-03-08T05:00:00Z", "2026-03-08T05:00:01Z"
    holds, old = (asked(leadline, "--price", "80", "--at", when) for when in (at, later))
    assert (holds["table_told_at"], holds["table_age_s"]) == ("2026-02-06T05:00:00Z", 30 * 86_400)
    assert (holds["table_is_old"], old["table_is_old"], old["freshness"]) == (False, True, "stale")
    told = leadline("--price", "80", "--at", later).stdout
    assert told.startswith(
        "SI: 18\N{NO-BREAK SPACE}% of notional, last known, in force since 6 Feb 22:00 UTC"
    )
    assert "Next change: not known.\n" in told
    assert (
        "The margin table is stale: its newest notice is 30 days old. What changed later is not in it" in told
    )
    assert "CME notices, from the press · newest notice 5 Feb 2026 · stale · " in told
    assert "stale: its" not in leadline("--price", "80", "--at", at).stdout
    chinese = leadline("--price", "80", "--at", later, "--locale", "zh-TW").stdout
    assert "保證金表已過時：最新公告為 30 天前。" in chinese
    assert "CME 公告（取自媒體報導） · 最新公告 2026/2/5 · 過時 · " in chinese


def test_without_rules_or_without_prices(leadline: Leadline, sample_file: Path, tmp_path: Path) -> None:
    at = datetime.fromisoformat(ON_5)
    told = leadline("--at", ON_5, store=without(sample_file, tmp_path, at, everything="margin_changes"))
    assert (told.exit_code, told.stderr) == (1, "No margin rule of SI was known at that time.\n")

    less = without(sample_file, tmp_path, at, everything="bars")
    told = leadline("--at", ON_5, store=less)
    assert told.exit_code == 1
    assert told.stderr == "No price of SI was known at that time: give one with the option price.\n"
    answer = asked(leadline, "--price", "76.53", "--at", ON_5, store=less)
    assert answer["initial_usd"] == 57_397.50
    assert (answer["age_s"], answer["freshness"], answer["price_source"]) == (None, "unknown", None)
    assert [step["change_pct"] for step in answer["steps"]][3:] == [None] * 3
    assert "no close known" in leadline("--price", "76.53", "--at", ON_5, store=less).stdout


def test_a_close_a_hair_off_its_tick_is_reckoned_to_the_cent(leadline: Leadline) -> None:
    """The source gives 4920.3999; 100 ounces at 4,920.40."""
    told = leadline("--product", "GC", "--at", "2026-02-05T18:00:00Z").stdout.replace("\xa0", " ")
    assert "492,040.00 USD" in told
    assert "39,363.20 USD" in told  # 8 % of it
