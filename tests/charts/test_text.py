"""The shipped typeface, and foreign text made fit to draw."""

from __future__ import annotations

import unicodedata
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts.text import Face, baseline, bitmap, characters, clean, fit, width

BODY, HEAVY = Face(30), Face(30, bold=True)


def test_every_word_of_the_product_has_its_glyphs() -> None:
    words = (
        "支撐壓力跌破站回站穩守住失敗回測收盤現貨淨流入流出累計資產規模淨值申購贖回已確認部分公布尚未休市"
        "原始維持保證金結算履約追繳代為沖銷砍倉權益數風險指標按契約價值名目額比率強制平倉爆價階梯逐全本位幣"
        "永續合約標記格破產資費槓桿去擔保品抵押市場而非輪動偏好升溫趨避避險搶現變潮融系統性綜亂流吸收滾相關係"
        "貝他移均分百位美元指期紅漲綠跌量下一層還有多深守在上方中未知真空帶失效連日急速持續緩積中性不足"
        "單異平靜歧無法判斷空口盎司億詳細白銀四燈總經定時快報提醒料設隱私說明重播新增除清改暫停立即發檢視匯刪"
        "標的週期小線起日商品僅自己可見時區近圖，。：（）「」、！？"
    )
    assert set(words) - characters() == set()


@pytest.mark.parametrize("bold", [False, True])
def test_figures_and_signs(bold: bool) -> None:
    needed = "0123456789+−%.,/:·–—…↑↓→×≈≤≥°$€abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZéñü()’“”"
    assert set(needed) - characters(bold=bold) == set()


def test_most_used_ideographs_are_all_there() -> None:
    # Big5 level 1 is rows A4 to C6; its first and last characters stand for the ends.
    level_1 = [bytes([lead, 0x40 + k]).decode("big5") for lead in range(0xA4, 0xC6) for k in range(0x3F)]
    assert set(level_1) <= characters()
    assert {"一", "籲"} <= characters()


def test_figures_are_as_wide_as_each_other() -> None:
    for face in (BODY, HEAVY):
        assert len({width(figure, face) for figure in "0123456789"}) == 1


def test_the_licence_is_beside_the_fonts() -> None:
    fonts = resources.files("analysis.charts") / "fonts"
    assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts / "OFL.txt").read_text(encoding="utf-8")
    assert sum(len(f.read_bytes()) for f in fonts.iterdir()) < 2_000_000


@pytest.mark.parametrize(
    ("given_text", "drawn"),
    [
        ("near the March 2024 high", "near the March 2024 high"),
        ("  two\n lines\tand\r\nspaces ", "two lines and spaces"),
        ("\u202eevil\u2066\u200bword\u0000\x07", "evilword"),
        ("🚀🚀 to the moon 👩‍🚀", "to the moon"),
        ("שלום $\\frac{1}{$ مرحبا", "$\\frac{1}{$"),
        ("e\u0301té", "été"),
        ("\ud800 broken", "broken"),
        ("🚀", ""),
        ("", ""),
        ("x" * 41, "x" * 39 + "…"),
        ("x" * 40, "x" * 40),
        ("支撐真空帶", "支撐真空帶"),
    ],
)
def test_clean(given_text: str, drawn: str) -> None:
    assert clean(given_text) == drawn


@given(st.text(max_size=200), st.integers(2, 60))
def test_clean_leaves_nothing_that_cannot_be_drawn(text: str, cap: int) -> None:
    cleaned = clean(text, cap)
    assert len(cleaned) <= cap
    assert set(cleaned) <= characters()
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in cleaned)
    assert clean(cleaned, cap) == cleaned


def test_a_megabyte_is_cut_before_it_is_read() -> None:
    assert clean("\u202e" * 1_000_000 + "late") == ""


def test_fit_takes_as_much_as_there_is_room_for() -> None:
    assert fit("66,712", BODY, width("66,712", BODY)) == "66,712"
    short = fit("a rather long sentence", BODY, 120.0)
    assert short.endswith("…")
    assert "a rather long sentence".startswith(short[:-1])
    assert width(short, BODY) <= 120.0
    assert fit("anything", BODY, 5.0) == ""


def test_capitals_are_centred_on_the_line() -> None:
    for face in (BODY, HEAVY, Face(22)):
        letter = bitmap("H", face)
        inked = np.flatnonzero(letter.mask.max(axis=1) > 127)
        top = baseline(100.0, face) - letter.rise + int(inked[0])
        bottom = baseline(100.0, face) - letter.rise + int(inked[-1]) + 1
        assert abs((top + bottom) / 2 - 100.0) <= 1.0


def test_bold_words_keep_regular_ideographs() -> None:
    assert width("下一層 56,100", HEAVY) == pytest.approx(width("下一層", BODY) + width(" 56,100", HEAVY))
    assert bitmap("下", HEAVY).mask.tolist() == bitmap("下", BODY).mask.tolist()


def test_nothing_is_parsed() -> None:
    assert width("$x$", BODY) == pytest.approx(2 * width("$", BODY) + width("x", BODY), abs=1.0)


def test_no_words_no_width() -> None:
    assert bitmap("", BODY).advance == 0.0
