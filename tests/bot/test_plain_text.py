"""Ten thousand hostile strings as labels: no ping, no formatting, no link, no broken picture."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts import levels as chart
from analysis.charts.look import Look
from analysis.charts.text import characters, clean
from analysis.levels import Level
from bot import level_book as changes
from bot import privacy, table
from bot.language import LOCALES, Speech
from bot.level_book import Change
from bot.plain_text import cleaned, inert, quoted
from bot.reports.level_words import say
from bot.reports.levels import as_table
from storage import level_book
from storage import privacy as kept
from storage.level_book import Book
from storage.store import Store
from tests.charts import made
from tests.charts.seen import assert_legible, english
from tests.soak import times

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
PARTS = (
    "@everyone", "@here", "<@1>", "<@!1>", "<@&1>", "<#1>", "</cmd:4>", "<t:1>", "<t:1:R>", "<:x:1>", "<a:x:1>",
    "[x](https://evil.example)", "[free USDT](<https://evil.example>)", "https://evil.example", "discord.gg/abc",
    "`", "``", "```py\n", "**", "__", "*", "_", "~~", "||", "> ", ">>> ", "# ", "-# ", "- ", "1. ", "\\", "\n", "\r\n",
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2029", "\x00", "\x1b[31m", "\x7f", "\u3164", "\u115f",
    "\u2800", "\ufe0f", "\U000e0041", "\U000e0100", "\ud800", "\udfff", "e\u0301" * 9, "\u0489" * 30, "\U0001f600",
    r"$\frac{1}{$", "$x^2$", "%s", "{0}", "{level}", "{price!r}", "=HYPERLINK(1)", "+1", "@SUM(1)", "'", '"', "&amp;", "<b>",
    "守住", "first layer", "\uff19", "ﷺ", "A" * 4_000, "寬" * 90, " ", "\t", "\u00a0", "", "–", "−15 %",
)  # fmt: skip


def hostile(count: int) -> list[str]:
    """Each part alone, then the parts in chance order; always the same strings."""
    chance = random.Random(20260205)  # noqa: S311 -- repeatable, nothing secret
    found = dict.fromkeys(PARTS)
    while len(found) < count:
        found["".join(chance.choices(PARTS, k=chance.randint(1, 6)))] = None
    return list(found)


STRINGS = hostile(10_000)
SPAN = re.compile(r"`[^`\n]+`")
# What Discord acts upon anywhere in a text, and what no sentence of ours contains.
ALIVE = re.compile(
    r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[<>@\[\]`\\|#\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|://|~~|discord\.gg/"
)
OURS = re.compile(r"\*\*|^-# |^- ", re.MULTILINE)


def assert_harmless(text: str) -> None:
    """Outside code spans nothing is left but our own words and their marks."""
    outside = OURS.sub("", SPAN.sub("", text))
    assert ALIVE.search(outside) is None, text
    assert "*" not in outside, text
    text.encode()


def test_what_is_stored_can_be_seen_and_is_short() -> None:
    for text in STRINGS:
        kept_text = cleaned(text)
        assert len(kept_text) <= 80
        assert kept_text == kept_text.strip()
        assert "\n" not in kept_text
        assert cleaned(kept_text) == kept_text
        assert not {unicodedata.category(char) for char in kept_text} & {
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
            "Zl",
            "Zp",
        }
        kept_text.encode()


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  range   low \n", "range low"), ("a\u202eb\u200bc\x00d\ud800e", "abcde"), ("\u3164\u2800", ""),
        ("守住（二）", "守住（二）"), ("e\u0301", "é"), ("x" * 81, "x" * 80), ("", ""),
    ],
)  # fmt: skip
def test_cleaned(text: str, stored: str) -> None:
    assert cleaned(text) == stored


@given(st.text())
def test_whatever_is_shown_is_one_code_span_or_a_dash(text: str) -> None:
    assert quoted(text) == "–" or SPAN.fullmatch(quoted(text))
    assert ALIVE.search(inert(text)) is None


def test_in_sentences_of_ours_it_can_still_be_read() -> None:
    assert inert("<@&1> [x](https://evil)") == "＜＠&1＞ ［x］(https：//evil)"  # noqa: RUF001
    assert inert("57,397.50 · 2026-01-28 · 7d, 1/28") == "57,397.50 · 2026-01-28 · 7d, 1/28"
    for text in STRINGS:
        assert ALIVE.search(inert(text)) is None, text
        assert "*" not in inert(text)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_label_of_ten_thousand_pings_formats_or_links(locale: str) -> None:
    speech = Speech(locale, ZoneInfo("UTC"))
    drafts = [
        changes.drafted("61.5k", label=text, venue=text, dated="", source=text, now=NOW) for text in STRINGS
    ]
    for draft in drafts:
        assert_harmless(changes.added_words(Change(level=draft, now_in_book=6, began=False), speech))
    for start in range(0, len(drafts), 25):
        book = Book(levels=tuple(drafts[start : start + 25]), is_own=True)
        listed = changes.list_words(book, speech)
        assert_harmless(listed)
        assert listed.count("\n- ") == len(book.levels)
        assert len(listed) <= 4_000
        for shown, value in changes.offered(book, "", speech):
            assert 1 <= len(shown) <= 100
            assert value == "61,500"


async def test_a_card_with_such_labels_is_harmless_whole_and_can_be_kept(store: Store) -> None:
    """As stored, read back and told; also raw, as an older store may hold them."""
    speech = Speech("en", ZoneInfo("UTC"))
    levels = [
        Level(price=float(k + 1), label=cleaned(text), venue=cleaned(text), source=cleaned(text))
        for k, text in enumerate(STRINGS)
    ]
    async with store.write() as db:
        await level_book.write(db, 7, levels)
        await level_book.add(db, 7, replace(levels[0], price=0.5), added_by=99, now=NOW)
        assert (await level_book.read(db, 7))[::-1][1:] == levels
        held = await kept.held(db, 99)
    json.loads(privacy.export(held, 99, NOW))
    for start in range(0, len(STRINGS), 100):
        book = [(50_000.0 + 100 * k, text) for k, text in enumerate(STRINGS[start : start + 100])]
        result = made.levels(2, book=book)
        reply = say(result, speech, NOW)
        for line in (*reply.lines, *reply.details):
            assert_harmless(line)
        table.csv_bytes(as_table(result))


def test_of_every_label_only_what_a_picture_can_set_in_one_line_is_left() -> None:
    for text in STRINGS:
        drawn = clean(cleaned(text))
        assert len(drawn) <= 40
        assert set(drawn) <= characters(), text


@pytest.mark.soak
def test_no_label_breaks_a_picture() -> None:
    """As many to a picture as a book holds; in the soak all ten thousand."""
    labels = STRINGS[:: times(short=25, long=1)]
    for start in range(0, len(labels), changes.MOST):
        some = labels[start : start + changes.MOST]
        book = [(56_000.0 + 1_500 * k, label) for k, label in enumerate(some)]
        assert_legible(chart.compose(made.levels(40, book=book), Look(), english))
