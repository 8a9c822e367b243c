"""The ladder on the command line: published vectors, every convention, files, refusals in both languages."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

Leadline = Callable[..., Result]
ON_5, ON_6 = "2026-02-05T18:00:00Z", "2026-02-06T12:00:00Z"
ARTICLE = ("--side", "long", "--kind", "linear", "--entry", "90076", "--size", "1", "--mmr", "0.4")


@pytest.fixture
def leadline(command_line: Leadline, sample_file: Path) -> Leadline:
    """Runs the command line on the sample, which is made only once."""

    def run(*arguments: str) -> Result:
        return command_line("--database-url", str(sample_file), "report", "ladder", *arguments)

    return run


def asked(leadline: Leadline, *options: str) -> dict[str, Any]:
    told = leadline("--json", *options)
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(("leverage", "price"), [("10", 81_393.98), ("5", 72_350.20), ("3", 60_291.83)])
def test_the_longs_of_the_article(leadline: Leadline, leverage: str, price: float) -> None:
    [found] = asked(leadline, *ARTICLE, "--leverage", leverage)["positions"]
    assert found["liquidation_price"] == pytest.approx(price, abs=0.005)
    assert found["bankruptcy_price"] == pytest.approx(90_076 * (1 - 1 / float(leverage)), abs=0.005)
    assert found["distance_pct"] == pytest.approx(100 * (price / 90_076 - 1), abs=1e-4)
    assert found["margin"] == pytest.approx(90_076 / float(leverage), abs=0.005)
    assert (found["mark"], found["fee_pct"], found["extra_margin"], found["mmr_pct"]) == (90_076, 0, 0, 0.4)


@pytest.mark.parametrize(
    ("options", "price"),
    [
        (("--convention", "entry"), 19_700.00),
        (("--convention", "entry", "--side", "short"), 20_300.00),
        ((), 19_698.49),
    ],
)
def test_bybits_example_by_convention(leadline: Leadline, options: tuple[str, ...], price: float) -> None:
    [found] = asked(
        leadline, "--entry", "20000", "--size", "1", "--leverage", "50", "--mmr", "0.5", *options
    )["positions"]
    assert found["liquidation_price"] == pytest.approx(price, abs=0.005)


@pytest.mark.parametrize(
    ("convention", "price"), [("mark", 45_681.82), ("entry", 45_662.10), ("bybit2026", 45_681.82)]
)
def test_an_inverse_long_by_convention(leadline: Leadline, convention: str, price: float) -> None:
    options = ("--kind", "inverse", "--entry", "50000", "--size", "60000", "--leverage", "10", "--mmr", "0.5")
    [found] = asked(leadline, *options, "--convention", convention)["positions"]
    assert found["liquidation_price"] == pytest.approx(price, abs=0.005)
    assert found["currency"] == "BTC"
    assert found["margin"] == pytest.approx(0.12)


def test_what_to_add_or_cut_and_what_is_left(leadline: Leadline) -> None:
    options = ("--leverage", "10", "--mark", "85000", "--hold", "75000", "--shock", "-20%", "--at", ON_5)
    [found] = asked(leadline, *ARTICLE, *options)["positions"]
    assert found["hold"]["add"] == pytest.approx(6_368.40, abs=0.005)
    assert found["hold"]["cut"] == pytest.approx(0.61829, abs=5e-6)
    assert found["now"]["equity"] == pytest.approx(3_931.60)
    assert [(one["price"], one["stands"]) for one in found["on_the_way"]] == [
        (83_500, True), (77_000, False), (73_600, False), (68_000, False), (56_100, False), (40_000, False),
    ]  # fmt: skip
    assert found["distance_atr"] < 0


def test_a_last_close_beyond_the_liquidation_price_is_told(leadline: Leadline) -> None:
    """Without a mark the entry counts as it; the market may be elsewhere."""
    said = leadline(*ARTICLE, "--leverage", "10", "--at", ON_5).stdout.splitlines()
    assert said[1] == "The last close, 66,153.90 of 5 Feb 18:00 UTC, lies beyond that price."
    for beside in (("--mark", "66153.9"), ("--side", "short")):
        assert "lies beyond" not in leadline(*ARTICLE, "--leverage", "10", "--at", ON_5, *beside).stdout


def test_a_table_read_after_the_instant_has_no_age_then(leadline: Leadline) -> None:
    [found] = asked(leadline, "--entry", "70000", "--size", "1", "--leverage", "5", "--at", ON_5)["positions"]
    assert found["mmr_source"]["read_on"] == "2026-05-27"
    assert found["mmr_source"]["age_s"] is None


def test_without_a_position_the_leverages_from_a_price(leadline: Leadline) -> None:
    found = asked(leadline, "--entry", "73600")["leverages"]
    # The rate kept of Bybit's lowest bracket, 0.5 %.
    assert found["mmr_pct"] == 0.5
    rows = {row["leverage"]: (row["linear_pct"], row["inverse_pct"]) for row in found["rows"]}
    assert rows[2] == pytest.approx((-49.75, -33.0), abs=0.005)
    assert rows[25] == pytest.approx((-3.5, -3.4), abs=0.05)
    # And without a price from the last close known: 66,153.9.
    assert asked(leadline, "--at", ON_5)["leverages"]["entry"] == 66_153.9


def test_silver_is_called_by_the_rule_in_force_and_by_the_next(leadline: Leadline) -> None:
    """By hand: 1 contract from 115 with 20 % equity: 108.24 at 15 %, 112.20 at 18 %, known on 6 February."""
    options = ("--kind", "futures", "--entry", "115", "--size", "1", "--leverage", "5", "--next", "--gauge")
    [found] = asked(leadline, *options, "--at", ON_6)["positions"]
    assert found["liquidation_price"] == pytest.approx(108.24, abs=0.005)
    assert found["what_if"]["liquidation_price"] == pytest.approx(112.20, abs=0.005)
    assert found["what_if"]["effective"] == "2026-02-06T22:00:00Z"
    assert found["risk_index"]["index_pct"] == pytest.approx(100 * 20 / 15)
    [before] = asked(leadline, *options, "--at", ON_5)["positions"]
    assert before["what_if"] is None


def test_a_micro_contract_held_at_initial_margin(leadline: Leadline) -> None:
    [found] = asked(
        leadline, "--kind", "futures", "--instrument", "SIL", "--entry", "80", "--size", "3", "--at", ON_5
    )["positions"]
    assert found["margin"] == pytest.approx(3 * 1_000 * 80 * 0.15)
    assert found["liquidation_price"] == pytest.approx(80)


@pytest.mark.parametrize(
    ("locale", "said"), [("en", "at its margin call or past it, 76.53"), ("zh-TW", "已達或越過追繳價 76.53")]
)
def test_a_future_with_no_more_than_its_margin_is_at_its_call_and_not_liquidated(
    leadline: Leadline, locale: str, said: str
) -> None:
    """15 % of 76.529 x 5,000 oz x 2 is what two contracts need, and all that a position without more has."""
    told = leadline(
        "--kind", "futures", "--instrument", "SI", "--entry", "76.529", "--size", "2", "--at", ON_5, "--locale", locale,
    ).stdout  # fmt: skip
    assert said in told
    assert "114,793.50" in told
    assert "iquidat" not in told.splitlines()[0]


def test_brackets_typed_hold_at_the_liquidation_price(leadline: Leadline) -> None:
    options = ("--entry", "10000", "--size", "100", "--leverage", "10", "--tiers", "0:1, 950000:2%")
    [found] = asked(leadline, *options)["positions"]
    assert (found["liquidation_price"], found["mmr_pct"]) == (pytest.approx(900_000 / 99), 1)


def test_one_pool_has_one_mark(leadline: Leadline, tmp_path: Path) -> None:
    """By hand, 20 % below 66,153.9: 14,000 + 11,333.33 - 17,076.88 - 7,538.44 = 718.01, of 1.5 x 52,923.12 0.5 %."""
    rows = "margin,instrument,entry,size,leverage,mark\ncross,BTC,70000,1,5,{}\ncross,BTC,68000,0.5,3,{}\n"
    file = tmp_path / "mine.csv"
    options = ("--positions", str(file), "--shock", "-20", "--at", ON_5)
    for marks in (("66153.9", ""), ("", "66153.9"), ("66153.9", "66153.9")):
        file.write_text(rows.format(*marks))
        assert "Equity 718.01 USD, maintenance 396.92 USD" in leadline(*options).stdout.replace("\xa0", " ")
    for marks in (("", ""), ("66153.9", "66000")):
        file.write_text(rows.format(*marks))
        refused = leadline(*options)
        assert refused.exit_code == 2
        assert refused.stderr == (
            "Several cross positions in BTC stand at one price: give all of them the same mark.\n"
        )


def test_a_file_of_positions_and_its_table(leadline: Leadline, tmp_path: Path) -> None:
    file, out = tmp_path / "mine.csv", tmp_path / "out.csv"
    file.write_text(
        "\ufeffkind,side,instrument,entry,size,leverage,margin,mark\n"
        "linear,long,BTC,50000,2,5,cross,\n"
        "linear,long,ETH,2000,20,5,cross,1800\n",
        encoding="utf-8",
    )
    found = asked(leadline, "--positions", str(file), "--mmr", "10", "--shock", "-15", "--csv", str(out))
    [pool] = found["pools"]
    # 20,000 + 8,000 - 15,000 - 9,400 = 3,600 against 8,500 + 3,060.
    assert (pool["equity"], pool["maintenance"], pool["short"]) == pytest.approx((3_600, 11_560, 7_960))
    assert [order["order"] for order in pool["orders"]] == ["released", "liquid", "pro_rata"]
    assert all(order["remaining_requirement"] == pytest.approx(3_600) for order in pool["orders"])
    with out.open(encoding="utf-8-sig", newline="") as written:
        rows = list(csv.DictReader(written))
    assert [row["instrument"] for row in rows] == ["BTC", "ETH"]


def test_the_picture_is_saved(leadline: Leadline, tmp_path: Path) -> None:
    told = leadline(*ARTICLE, "--leverage", "10", "--png", str(tmp_path / "ladder.png"), "--locale", "zh-TW")
    assert told.exit_code == 0, told.stderr
    assert "強平價 81,393.98" in told.stdout
    with Image.open(tmp_path / "ladder.png") as image:
        assert image.size == (1280, 720)


POSITION = ("--size", "1", "--mmr", "0.4")


@pytest.mark.parametrize(
    ("options", "english", "chinese"),
    [
        (("--entry", "0", "--leverage", "10", *POSITION), "“0” is out of range", "「0」超出範圍"),
        (("--entry", "9", "--leverage", "0", *POSITION), "“0” is out of range", "「0」超出範圍"),
        (("--entry", "9", "--leverage", "1000", *POSITION), "“1000” is out of range", "「1000」超出範圍"),
        (("--entry", "9" * 5_000, "--leverage", "9", *POSITION), "is not a number", "不是數字"),
        (("--entry", "NaN", "--leverage", "9", *POSITION), "“NaN” is not a number", "「NaN」不是數字"),
        (("--entry", "9", "--leverage", "9", "--size", "-1"), "“-1” is out of range", "「-1」超出範圍"),
        (("--entry", "9", "--leverage", "9"), "A position needs size as well.", "部位還需要填 size。"),
        (("--entry", "9", "--leverage", "200", "--size", "1", "--mmr", "0.6"), "below maintenance", "低於維持保證金"),
        (("--entry", "9", "--leverage", "9", "--size", "1", "--instrument", "DOGE"), "No maintenance rate of DOGE", "維持保證金率"),
        (("--entry", "9", "--leverage", "9", "--convention", "bybit2026", *POSITION), "inverse contracts only", "幣本位"),
        (("--deduction", "5"), "A deduction goes with a rate", "速算扣除額"),
        (("--entry", "9", "--size", "1", "--kind", "futures", "--instrument", "BTC"), "is not a futures contract", "期貨契約"),
        (("--instrument", "../etc"), "is not the name of an instrument", "不是標的名稱"),
        (("--instrument", "DOGE", "--mmr", "1"), "No price of DOGE is known here", "沒有 DOGE 的價格"),
    ],
)  # fmt: skip
def test_nonsense_gets_a_clear_sentence(
    leadline: Leadline, options: tuple[str, ...], english: str, chinese: str
) -> None:
    for locale, sentence in (("en", english), ("zh-TW", chinese)):
        told = leadline(*options, "--locale", locale)
        assert told.exit_code in {1, 2}
        assert sentence in told.stderr
        assert len(told.stderr.strip().splitlines()) == 1


def test_full_width_digits_are_digits(leadline: Leadline) -> None:
    options = (
        "--entry",
        "\uff19\uff10\uff0c\uff10\uff17\uff16",
        "--size",
        "\uff11",
        "--leverage",
        "\uff11\uff10",
        "--mmr",
        "0.4",
    )
    [found] = asked(leadline, *options)["positions"]
    assert found["liquidation_price"] == pytest.approx(81_393.98, abs=0.005)


def test_a_file_that_is_not_there(leadline: Leadline, tmp_path: Path) -> None:
    told = leadline("--positions", str(tmp_path / "none.csv"))
    assert told.exit_code == 2
    assert "cannot be read as a text file" in told.stderr
