"""``/levels`` as people meet it: command, options, buttons, errors, restart."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from typing import Any

import discord
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
from bot.client import Leadline
from bot.pictures import Pictures


async def test_three_lines_a_picture_and_where_it_comes_from(server: Server) -> None:
    result = await server.alice.slash(server.channel, "levels")

    assert not result.ephemeral
    first, data = texts(sent(result))
    lines = first.split("\n")
    # From the sample: the bar that closed at 18:00 UTC on 5 February 2026 closed at 66,153.9.
    assert lines[0].startswith("**BTC 66,154**")
    assert lines[0].endswith("5 Feb 18:00 UTC")
    # 100 (56,100 / 66,153.9 - 1) = -15.198
    assert lines[1].startswith("Next floor **56,100** (fourth layer): −15.2\N{NO-BREAK SPACE}%, ")
    # By hand: the last event before 18:00 is the failed reclaim in the bar opened 4 February 21:00.
    assert lines[2] == (
        "73,600 broken since 4 Feb 18:00 UTC; to turn it must be reclaimed and held: 0/8 bars"
        " · reclaim failed 4 Feb 21:30 UTC"
    )
    assert "Binance USD-M" in data
    assert "fresh" in data
    assert data.endswith("sample, ends 2026-02-06")

    [picture] = pictures_of(sent(result))
    assert 0 < len(picture["description"]) <= 256
    assert "56,100" in picture["description"]
    [attachment] = sent(result).attachments
    image = Image.open(io.BytesIO(await attachment.read()))
    assert image.format == "PNG"
    assert image.size == (1280, 720)


async def test_buttons_of_a_card(server: Server) -> None:
    result = await server.alice.slash(server.channel, "levels", since="2026-01-28")
    labels = buttons(sent(result))
    assert list(labels) == [
        "30m",
        "1h",
        "4h",
        "1d",
        "Details",
        "CSV",
        "中文",
        "Alert at this level",
        "Delete",
    ]
    assert all(len(custom_id) <= 100 for custom_id in labels.values())
    assert len(set(labels.values())) == len(labels)


async def test_the_asker_changes_the_card_in_place(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    before = await sent(asked).attachments[0].read()
    pressed = await server.alice.click(sent(asked), label="4h")

    assert changed_in_place(pressed, asked)
    assert len(server.channel.history()) == 1
    [after] = sent(asked).attachments
    assert await after.read() != before


async def test_a_moderator_changes_anybodys_card_in_place(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    before = await sent(asked).attachments[0].read()
    await server.moderator.click(sent(asked), label="1h")
    assert await sent(asked).attachments[0].read() != before
    assert len(server.channel.history()) == 1


async def test_somebody_else_gets_an_own_card_that_only_they_see(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    before = await sent(asked).attachments[0].read()
    pressed = await server.bob.click(sent(asked), label="4h")

    assert pressed.ephemeral
    assert await sent(asked).attachments[0].read() == before
    assert await sent(pressed).attachments[0].read() != before
    # Their own card is theirs to change in place.
    again = await server.bob.click(sent(pressed), label="1d")
    assert changed_in_place(again, pressed)


@pytest.mark.parametrize("presser", ["alice", "bob", "moderator"])
async def test_details_csv_and_language_answer_the_presser_alone(server: Server, presser: str) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    details, numbers, chinese = await pressed_alone(getattr(server, presser), asked)
    assert "83,500 (first layer): broken since 31 Jan 09:00 UTC" in texts(sent(details))[0]
    assert texts(sent(chinese))[0].split("\n")[1].startswith("下一層支撐 **56,100**")
    [file] = sent(numbers).attachments
    assert file.filename == "levels_BTC_30m.csv"
    content = await file.read()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 7 * 48
    assert rows[-1]["opened_at_utc"] == "2026-02-05T17:30:00Z"
    assert float(rows[-1]["close_USDT"]) == 66153.9
    assert rows[-1]["state_73600"] == "broken"


async def test_a_language_once_chosen_stays_with_the_card(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    chinese = await server.bob.click(sent(asked), label="中文")
    await server.bob.click(sent(chinese), label="4 小時")
    assert "下一層支撐" in texts(sent(chinese))[0]
    assert "English" in buttons(sent(chinese))


async def test_a_chinese_reader_is_answered_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "levels")
    lines = texts(sent(asked))[0].split("\n")
    assert lines[2] == (
        "73,600 自 2/4（三）18:00 UTC 已跌破；要轉強須站回並守住：0/8 根 · 站回失敗 2/4（三）21:30 UTC"
    )
    assert texts(sent(asked))[1].endswith("樣本資料，止於 2026-02-06")
    assert list(buttons(sent(asked)))[:5] == ["30 分", "1 小時", "4 小時", "日線", "詳細"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"since": "someday"}, "“someday” is not a start date: write 7d, 1/28 or 2026-01-28."),
        ({"since": "2026-02-06"}, "The start date 2026-02-06 lies in the future."),
        ({"since": "7d", "bars": 20}, "Give either a first day or a number of bars, not both."),
        (
            {"instrument": "DOGE"},
            "There are no candles of “DOGE” here; there are of BTC, SI, GC, CL, ES, NQ.",
        ),
        *(
            ({"instrument": "SI", "interval": short}, "SI is known by daily bars only: ask with interval 1d.")
            for short in ("30m", "1h", "4h")
        ),
        (
            {"since": "2025-09-01"},
            "That is 7572 bars; at most 2000 fit a picture. Choose a later day or longer bars.",
        ),
    ],
)
async def test_a_bad_option_is_told_to_the_asker_alone(
    server: Server, options: dict[str, Any], sentence: str
) -> None:
    result = await server.alice.slash(server.channel, "levels", **options)
    assert result.ephemeral
    assert sent(result).content == sentence
    assert server.channel.history(viewer=server.bob) == []
    assert_error(server.env, UserError)


async def test_a_bad_option_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        result = await server.alice.slash(server.channel, "levels", since="改天")
    assert sent(result).content == "「改天」不是起日，請寫成 7d、1/28 或 2026-01-28。"
    assert_error(server.env, UserError)


async def test_without_an_interval_what_is_known_by_days_is_answered_by_days(server: Server) -> None:
    open_, days = [
        await server.alice.slash(server.channel, "levels", instrument="SI", **options)
        for options in ({}, {"interval": "1d"})
    ]
    assert texts(sent(open_)) == texts(sent(days))
    assert buttons(sent(open_)) == buttons(sent(days))
    assert await sent(open_).attachments[0].read() == await sent(days).attachments[0].read()
    # Its buttons ask for days, also those of the next card.
    assert "|SI|1d|" in buttons(sent(open_))["Details"]
    refused = await server.alice.click(sent(open_), label="1h")
    assert sent(refused).content == "SI is known by daily bars only: ask with interval 1d."


async def test_silver_has_daily_candles_and_no_levels(server: Server) -> None:
    result = await server.alice.slash(server.channel, "levels", instrument="si", interval="1d")
    lines = texts(sent(result))[0].split("\n")
    # The close of trade date 4 February, known since 17:00 New York.
    assert lines[0].startswith("**SI 84.")
    assert lines[0].endswith("4 Feb 22:00 UTC · daily bars only")
    assert lines[1] == "The level book holds no level for SI."


async def test_autocomplete(server: Server) -> None:
    offered = await server.alice.autocomplete(server.channel, "levels", "instrument", "sil")
    assert [choice["value"] for choice in offered] == ["SI"]
    offered = await server.alice.autocomplete(server.channel, "levels", "since", "1/28")
    assert [choice["value"] for choice in offered] == ["2026-01-28"]
    offered = await server.alice.autocomplete(server.channel, "levels", "since", "")
    assert "7d" in [choice["value"] for choice in offered]


async def test_buttons_work_after_a_restart(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    before = await sent(asked).attachments[0].read()
    answers = bot_of(server).answers
    await server.env.restart_bot(Leadline(answers))
    await server.alice.click(sent(asked), label="4h")
    assert await sent(asked).attachments[0].read() != before


async def test_a_card_of_another_version_says_ask_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.card.CUSTOM_ID_VERSION", 9)
    asked = await server.alice.slash(server.channel, "levels")
    monkeypatch.undo()
    pressed = await server.alice.click(sent(asked), label="4h")
    assert pressed.ephemeral
    assert (
        sent(pressed).content == "This card is from another version of Leadline. Ask again to get a new one."
    )


async def test_without_drawing_the_words_go_out_and_say_so(server: Server) -> None:
    bot_of(server).answers.pictures = Pictures(charts=())  # never started
    result = await server.alice.slash(server.channel, "levels")
    assert pictures_of(sent(result)) == []
    assert texts(sent(result))[0].startswith("**BTC 66,154**")
    assert "The picture could not be drawn this time; the words are complete." in texts(sent(result))[1]
    assert "Details" in buttons(sent(result))


DEFERRED, DEFERRED_EDIT = 5, 6
"""Discord's own numbers for "an answer will follow" and "the card will change"."""


def answered_with(env: simcord.Env) -> list[int]:
    """The kinds of first acknowledgement sent so far."""
    return [body_of(request)["type"] for request in env.http_requests if request.path.endswith("/callback")]


class Slow(Answers):
    """Answers that need longer than Discord waits for a first word."""

    async def picture(self, *asked: Any) -> Picture | None:
        await asyncio.sleep(respond.READY_WITHIN + 1)
        return await super().picture(*asked)


async def test_what_is_not_ready_in_time_is_deferred_and_edited_in(answers: Answers) -> None:
    slow = Slow(answers.store, answers.pictures, answers.clock)
    async with simcord.run(Leadline(slow)) as env:
        server = people_of(env)
        asked = await server.alice.slash(server.channel, "levels")
        assert answered_with(env) == [DEFERRED]
        assert texts(sent(asked))[0].startswith("**BTC 66,154**")
        assert len(sent(asked).attachments) == 1
        assert asked.followups == []

        pressed = await server.bob.click(sent(asked), label="4h")
        assert pressed.ephemeral
        assert texts(sent(pressed))[0].startswith("**BTC 66,154**")
        before = await sent(asked).attachments[0].read()
        await server.alice.click(sent(asked), label="4h")
        assert await sent(asked).attachments[0].read() != before
        assert answered_with(env) == [DEFERRED, DEFERRED, DEFERRED_EDIT]


async def test_while_closing_new_work_is_refused_with_a_sentence(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    bot_of(server)._closing = True
    refused = await server.alice.slash(server.channel, "levels")
    pressed = await server.alice.click(sent(asked), label="4h")
    bot_of(server)._closing = False
    sentence = "Leadline is restarting. Ask again in a minute."
    assert refused.ephemeral
    assert sent(refused).content == sentence
    assert sent(pressed).content == sentence


async def test_fifty_people_at_once_are_one_drawing(answers: Answers) -> None:
    """Without Discord in between, because SimCord's people speak one after the other."""
    from analysis.charts.look import Look
    from bot.reports.levels import REPORT, LevelsQuery

    drawn = answers.pictures.drawn
    look = Look(palette="tw", zone="Asia/Tokyo")

    async def ask() -> bytes:
        answered = await answers.answer(REPORT, LevelsQuery(), server_id=1)
        picture = await answers.picture(REPORT, answered, look)
        assert picture is not None
        return picture.png

    pictures = await asyncio.gather(*(ask() for _ in range(50)))
    assert len(set(pictures)) == 1
    assert answers.pictures.drawn == drawn + 1


async def test_nothing_anybody_types_can_ping(server: Server) -> None:
    result = await server.alice.slash(server.channel, "levels", since="@everyone")
    assert result.ephemeral
    [request] = [request for request in server.env.http_requests if request.path.endswith("/callback")]
    assert body_of(request)["data"]["allowed_mentions"] == {"parse": []}
    assert_error(server.env, UserError)


async def test_it_asks_for_no_privileged_intent(server: Server) -> None:
    assert server.env.bot.intents.value == discord.Intents(guilds=True).value == 1


async def test_custom_ids_carry_no_authority(server: Server) -> None:
    """Whoever forges a custom_id gets at most an answer of their own."""
    asked = await server.alice.slash(server.channel, "levels")
    for custom_id in buttons(sent(asked)).values():
        assert not re.search(r"\d{15,}", custom_id)
