"""``/silver-margin`` as people meet it: public for everybody, private as soon as an account is told."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
from typing import Any

import pytest
import simcord
from people import (
    Server,
    Speaking,
    body_of,
    bot_of,
    buttons,
    changed_in_place,
    people_of,
    pictures_of,
    pressed_alone,
    sent,
    texts,
)
from PIL import Image
from simcord import assert_error

from analysis.charts.look import Picture
from analysis.errors import UserError
from bot import respond
from bot.answers import Answers
from bot.card import Press
from bot.client import Leadline
from bot.pictures import Pictures
from bot.reports.shapes import Report

NBSP = "\N{NO-BREAK SPACE}"
EPHEMERAL = 64
DEFERRED = 5


async def test_three_lines_a_picture_and_where_it_comes_from(server: Server) -> None:
    result = await server.alice.slash(server.channel, "silver-margin", price="76.53")

    assert not result.ephemeral
    first, data = texts(sent(result))
    lines = first.split("\n")
    assert lines == [
        f"**SI: 15{NBSP}% of notional**, in force since 2 Feb 22:00 UTC · 76.53 USD/oz (asked price)",
        "A contract: **57,397.50 USD** initial and maintenance · HRP initial 63,137.25 USD · leverage 6.7x",
        "Next change: none known.",
        "-# The exchange's minimum: what a broker asks (house margin) is usually higher.",
    ]
    assert "CME notices, from the press" in data
    assert "Yahoo Finance SI=F, last 4 Feb 22:00 UTC · 20 h old · fresh" in data
    assert data.endswith("sample, ends 2026-02-06")

    [picture] = pictures_of(sent(result))
    assert picture["description"].startswith("SI margin: 15 % of notional, 57,398 USD a contract at 76.53")
    assert len(picture["description"]) <= 256
    [attachment] = sent(result).attachments
    with Image.open(io.BytesIO(await attachment.read())) as image:
        assert (image.format, image.size) == ("PNG", (1280, 720))


async def test_buttons_of_a_card(server: Server) -> None:
    result = await server.alice.slash(
        server.channel, "silver-margin", product="SIC", price="123456.789", compare="1/29..2/4"
    )
    labels = buttons(sent(result))
    assert list(labels) == ["SI", "QI", "SIL", "GC", "MGC", "Details", "CSV", "中文", "Delete"]
    assert all(len(custom_id) <= 100 for custom_id in labels.values())
    assert len(set(labels.values())) == len(labels)


async def test_the_asker_changes_the_card_in_place_and_keeps_the_price(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    pressed = await server.alice.click(sent(asked), label="SIL")
    assert changed_in_place(pressed, asked)
    assert len(server.channel.history()) == 1
    lines = texts(sent(asked))[0].split("\n")
    assert lines[0].startswith(f"**SIL: 15{NBSP}% of notional** (derived from SI), ")
    assert lines[1].startswith("A contract: **11,479.50 USD**")


async def test_a_price_of_silver_is_not_taken_for_gold(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    await server.alice.click(sent(asked), label="GC")
    assert texts(sent(asked))[0].split("\n")[0].endswith("USD/oz (close of 4 Feb 2026)")
    # And back: the price of silver was forgotten, the last close is told instead.
    await server.alice.click(sent(asked), label="SI")
    assert "84.165 USD/oz (close of 4 Feb 2026)" in texts(sent(asked))[0]


async def test_a_moderator_changes_anybodys_card_in_place(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin")
    await server.moderator.click(sent(asked), label="MGC")
    assert texts(sent(asked))[0].startswith(f"**MGC: 8{NBSP}% of notional** (derived from GC)")
    assert len(server.channel.history()) == 1


async def test_somebody_else_gets_an_own_card_that_only_they_see(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin")
    shown = texts(sent(asked))
    pressed = await server.bob.click(sent(asked), label="QI")
    assert pressed.ephemeral
    assert texts(sent(asked)) == shown
    assert texts(sent(pressed))[0].startswith("**QI: ")
    again = await server.bob.click(sent(pressed), label="GC")
    assert changed_in_place(again, pressed)


@pytest.mark.parametrize("presser", ["alice", "bob", "moderator"])
async def test_details_csv_and_language_answer_the_presser_alone(server: Server, presser: str) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    details, numbers, chinese = await pressed_alone(getattr(server, presser), asked)
    told = texts(sent(details))[0]
    assert f"13 Jan 2026 22:00 UTC · 32,500 USD → **9{NBSP}%** · +18.9{NBSP}%" in told
    assert "32,500 USD, above 43.33 USD/oz" in told
    assert "17:00 New York" in told
    assert texts(sent(chinese))[0].startswith(f"**SI：契約價值的 15{NBSP}%**，2/2（一）22:00 UTC 起生效")
    [file] = sent(numbers).attachments
    assert file.filename == "silver-margin_SI_76.53.csv"
    rows = list(csv.DictReader(io.StringIO((await file.read()).decode("utf-8-sig"))))
    assert {row["kind"] for row in rows} == {"close", "change"}


async def test_a_chinese_reader_is_answered_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(
            server.channel, "silver-margin", product="SIL", price="\uff17\uff16.53"
        )
    lines = texts(sent(asked))[0].split("\n")
    assert lines[0].startswith(f"**SIL：契約價值的 15{NBSP}%**（由 SI 推算），")
    assert (
        lines[1] == "每口：原始與維持保證金 **11,479.50 美元** · HRP 原始保證金 12,627.45 美元 · 槓桿 6.7 倍"
    )
    assert lines[2] == "下次調整：尚無已知公告。"
    assert "詳細" in buttons(sent(asked))


SECRET = {"contracts": 37, "equity": "2,345,678.91", "side": "short", "hrp": True}
TOLD = ("2,345,678.91", "2345678", "37 ", "|37|", "short")


async def test_an_account_is_for_the_asker_alone(
    server: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    result = await server.alice.slash(server.channel, "silver-margin", price="76.53", **SECRET)

    assert result.ephemeral
    assert server.channel.history(viewer=server.bob) == []
    told = "\n".join(texts(sent(result)))
    assert "equity 2,345,678.91 USD" in told
    assert "Contracts: 37, short, HRP, entered at the price above" in told
    # (37 x 5,000 x 76.53 + equity) / (37 x 5,000 x 1.15)
    assert f"Call price under the rule in force: 77.57 (+1.4{NBSP}%)" in told
    # A button would have to remember the account.
    assert buttons(sent(result)) == {}
    [picture] = pictures_of(sent(result))
    assert not any(figure in picture["description"] for figure in TOLD)
    [request] = [item for item in server.env.http_requests if item.path.endswith("/callback")]
    assert body_of(request)["data"]["flags"] & EPHEMERAL
    printed = "".join(capsys.readouterr())
    assert not any(figure in printed for figure in TOLD[:2])
    # Our own records and discord.py's; SimCord's and aiosqlite's tell what passes through them.
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("bot", "discord"))]
    assert not any(figure in line for line in ours for figure in TOLD[:2])


@pytest.mark.parametrize("options", [{"contracts": 3}, {"equity": "57.4k"}])
async def test_half_an_account_is_private_too(server: Server, options: dict[str, Any]) -> None:
    result = await server.alice.slash(server.channel, "silver-margin", **options)
    assert result.ephemeral
    assert buttons(sent(result)) == {}


async def test_without_an_account_nothing_of_it_is_remembered(server: Server) -> None:
    """Neither in the words of a query nor where a query might be printed."""
    from datetime import UTC, datetime

    from bot.reports.silver_margin import REPORT

    words = {"price": "76.53", "contracts": "37", "equity": "2,345,678.91", "side": "short", "hrp": "yes"}
    query = REPORT.read(words, datetime(2026, 2, 5, tzinfo=UTC))
    assert REPORT.private(query)
    assert REPORT.write(query) == {"product": "SI", "price": "76.53"}
    assert repr(query) == "SilverMarginQuery(product='SI', price=76.53, compare=None)"


async def test_no_button_puts_an_account_on_a_public_card(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one with a custom_id that we never write."""
    written = Press.custom_id

    def forged(press: Press, report: Report[Any, Any]) -> str:
        if press.argument == "GC":
            return "ll1|silver-margin|to|SI|en|SI|76.53|37|2345678.91|||"
        return written(press, report)

    monkeypatch.setattr(Press, "custom_id", forged)
    asked = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    shown = texts(sent(asked))
    pressed = await server.alice.click(sent(asked), label="GC")
    assert pressed.ephemeral
    assert texts(sent(asked)) == shown
    assert "equity 2,345,678.91 USD" in texts(sent(pressed))[0]


class Slow(Answers):
    """Answers that need longer than Discord waits for a first word."""

    async def picture(self, *asked: Any) -> Picture | None:
        await asyncio.sleep(respond.READY_WITHIN + 1)
        return await super().picture(*asked)


async def test_a_late_private_answer_is_private_from_its_first_acknowledgement(answers: Answers) -> None:
    slow = Slow(answers.store, answers.pictures, answers.clock)
    async with simcord.run(Leadline(slow)) as env:
        server = people_of(env)
        result = await server.alice.slash(server.channel, "silver-margin", **SECRET)
        [request] = [item for item in env.http_requests if item.path.endswith("/callback")]
        assert body_of(request)["type"] == DEFERRED
        assert body_of(request)["data"]["flags"] & EPHEMERAL
        assert server.channel.history(viewer=server.bob) == []
        assert "equity 2,345,678.91 USD" in texts(sent(result))[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"price": "cheap"}, "“cheap” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ({"price": "-1"}, "“-1” is out of range: it may be from 0.01 to 1,000,000."),
        ({"equity": "a lot"}, "“a lot” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ({"side": "short"}, "Side and HRP are about an account: give contracts or equity as well."),
        (
            {"compare": "1/31..2/4"},
            "There is no close of SI with a known margin on 2026-01-31; the one before is of 2026-01-30.",
        ),
    ],
)
async def test_a_bad_option_is_told_to_the_asker_alone(
    server: Server, options: dict[str, Any], sentence: str
) -> None:
    result = await server.alice.slash(server.channel, "silver-margin", **options)
    assert result.ephemeral
    assert sent(result).content == sentence
    assert server.channel.history(viewer=server.bob) == []
    assert_error(server.env, UserError)


async def test_a_bad_option_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        result = await server.alice.slash(server.channel, "silver-margin", price="便宜")
    assert sent(result).content == "「便宜」不是數字，請寫成 76.53、57,397.50 或 57.4k。"
    assert_error(server.env, UserError)


async def test_two_dates_are_compared_on_the_card(server: Server) -> None:
    result = await server.alice.slash(server.channel, "silver-margin", compare="1/29..2/4")
    told = texts(sent(result))[0].split("\n")[3]
    assert told.startswith(f"29 Jan 2026 at 114.037 and 11{NBSP}%: 62,720.35 USD; 4 Feb 2026 at 84.165")
    assert told.endswith("the rise of the rate undid the whole relief of the fall")
    # The dates stay with the card.
    await server.alice.click(sent(result), label="SIL")
    assert "12,544.07 USD; 4 Feb 2026" in texts(sent(result))[0]


async def test_autocomplete_offers_the_changes_of_the_rule(server: Server) -> None:
    offered = await server.alice.autocomplete(server.channel, "silver-margin", "compare", "")
    values = [choice["value"] for choice in offered]
    assert values[:2] == ["2026-02-02..2026-02-04", "2026-01-28..2026-02-04"]
    assert len(values) == 6
    offered = await server.alice.autocomplete(server.channel, "silver-margin", "compare", "2026-01-13")
    assert [choice["value"] for choice in offered] == ["2026-01-13..2026-02-04"]


async def test_buttons_work_after_a_restart(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "silver-margin")
    answers = bot_of(server).answers
    await server.env.restart_bot(Leadline(answers))
    await server.alice.click(sent(asked), label="GC")
    assert texts(sent(asked))[0].startswith("**GC: ")


async def test_without_drawing_the_words_go_out_and_say_so(server: Server) -> None:
    bot_of(server).answers.pictures = Pictures(charts=())  # never started
    result = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    assert pictures_of(sent(result)) == []
    assert "**57,397.50 USD**" in texts(sent(result))[0]
    assert "The picture could not be drawn this time; the words are complete." in texts(sent(result))[1]
