"""Cards keep Discord's limits whatever they are given."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from discord import ui
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts.look import Picture
from bot import card, table
from bot.card import Press, parse_press
from bot.language import Speech
from bot.reports import REPORTS
from bot.reports.levels import REPORT
from bot.reports.shapes import Reply

SPEECH = Speech("en", ZoneInfo("UTC"))
WORDS = {"instrument": "BTC", "interval": "30m", "since": "2026-01-28"}


def build(reply: Reply, *, picture: Picture | None = None, private: bool = False) -> card.Card:
    return card.build(REPORT, reply, picture, words=WORDS, speech=SPEECH, private=private)


def all_parts(view: ui.LayoutView) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def walk(part: dict[str, Any]) -> None:
        found.append(part)
        for inner in part.get("components", ()):
            walk(inner)

    for part in view.to_components():  # type: ignore[no-untyped-call] # discord.py leaves it so
        walk(dict(part))
    return found


def test_details_say_how_many_lines_do_not_fit_and_keep_where_they_come_from() -> None:
    def told(n: int) -> list[str]:
        reply = Reply(
            lines=("x",), details=tuple(f"{k:03} " + "x" * 95 for k in range(n)), data_line="source"
        )
        [text] = [part["content"] for part in all_parts(card.details(reply, SPEECH)) if part["type"] == 10]
        assert len(text) <= 4000
        return str(text).split("\n")

    # 99 characters and the end of a line each: 39 take 3,899, with "-# source" 3,909.
    assert [line[:3] for line in told(39)] == [*(f"{k:03}" for k in range(39)), "-# "]
    *lines, more, source = told(60)
    assert more == f"-# … lines that do not fit into a message: {60 - len(lines)}"
    assert (lines[-1][:3], source) == (f"{len(lines) - 1:03}", "-# source")
    assert len(lines) == 39


@given(
    lines=st.lists(st.text(max_size=3000), min_size=1, max_size=3),
    details=st.lists(st.text(max_size=2000), max_size=4),
    alt=st.text(max_size=600),
    private=st.booleans(),
)
def test_any_reply_fits_into_a_message(lines: list[str], details: list[str], alt: str, private: bool) -> None:
    reply = Reply(lines=tuple(lines), details=tuple(details), data_line="source · now · fresh")
    made = build(reply, picture=Picture(png=b"png", alt=alt), private=private)
    parts = all_parts(made.view)
    texts = [part["content"] for part in parts if part["type"] == 10]
    assert sum(len(text) for text in texts) <= 4000
    assert len(parts) <= 40
    for gallery in (part for part in parts if part["type"] == 12):
        assert all(len(item.get("description") or "") <= 256 for item in gallery["items"])
    assert all(len(part["custom_id"]) <= 100 for part in parts if part["type"] == 2)
    assert all(len(row["components"]) <= 5 for row in parts if row["type"] == 1)
    assert any(part["type"] == 2 for part in parts) is not private


def test_a_private_card_tells_its_details_and_remembers_nothing() -> None:
    reply = Reply(lines=("one", "two", "three"), details=("the rest",), data_line="source")
    texts = [part["content"] for part in all_parts(build(reply, private=True).view) if part["type"] == 10]
    assert texts[0] == "one\ntwo\nthree\nthe rest"


def test_what_a_button_says_is_read_back() -> None:
    press = Press(report="levels", action="to", argument="4h", locale="zh-TW", words=WORDS)
    custom_id = press.custom_id(REPORT)
    assert custom_id == "ll1|levels|to|4h|zh-TW|BTC|30m|2026-01-28||"
    assert parse_press(custom_id, REPORTS) == press


def test_a_card_from_before_an_option_still_works() -> None:
    """Four options were all that /levels had; what a card does not say was not asked."""
    press = Press(report="levels", action="to", argument="4h", locale="zh-TW", words=WORDS)
    assert parse_press("ll1|levels|to|4h|zh-TW|BTC|30m|2026-01-28|", REPORTS) == press


@pytest.mark.parametrize(
    "forged",
    [
        "", "ll1", "ll2|levels|to|4h|en|BTC|30m||", "ll1|levels|to|4h|en", "ll1|nothing|to|4h|en|BTC|30m||",
        "ll1|levels|delete|4h|en|BTC|30m||", "ll1|levels|to|4h|xx|BTC|30m||", "ll1|levels|to|4h|en|BTC|30m|||||",
        "ll99999|levels|to|4h|en|BTC|30m||", "ll1|levels|lang|fr|en|BTC|30m||", "ll1|levels|lang|../../x|en|BTC|30m||",
    ],
)  # fmt: skip
def test_a_custom_id_we_never_wrote_is_nothing(forged: str) -> None:
    assert parse_press(forged, REPORTS) is None


@given(st.text(max_size=120))
def test_no_custom_id_does_more_than_be_refused(text: str) -> None:
    press = parse_press("ll1|" + text, REPORTS)
    assert press is None or press.report in REPORTS


def test_options_that_do_not_fit_are_a_defect_of_ours_and_not_cut() -> None:
    with pytest.raises(ValueError, match="custom_id"):
        Press(report="levels", action="to", argument="4h", locale="en", words={"since": "9" * 90}).custom_id(
            REPORT
        )
    with pytest.raises(ValueError, match="custom_id"):
        Press(report="levels", action="to", argument="4h", locale="en", words={"since": "a|b"}).custom_id(
            REPORT
        )


def test_text_is_cut_at_a_line() -> None:
    assert card.fit("short", 10) == "short"
    assert card.fit("first\nsecond\nthird", 15) == "first\nsecond\n…"
    assert len(card.fit("x" * 100, 50)) <= 50


@given(
    st.lists(
        st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False)), min_size=1), min_size=1
    )
)
def test_no_cell_of_a_csv_file_can_be_a_formula(rows: list[list[object]]) -> None:
    content = table.csv_bytes(rows).decode("utf-8-sig")
    written = list(csv.reader(io.StringIO(content, newline="")))
    assert len(written) == len(rows)
    for cells, row in zip(written, rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            if isinstance(value, str):
                assert cell.lstrip("'") == value.lstrip("'") or cell == value
                assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}
