"""``/flows`` as people meet it: command, options, buttons, errors."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from people import (
    Server,
    Speaking,
    bot_of,
    buttons,
    changed_in_place,
    pictures_of,
    pressed_alone,
    sent,
    texts,
)
from PIL import Image
from simcord import assert_error

from analysis.errors import UserError
from bot.pictures import Pictures


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


async def test_three_lines_a_picture_and_where_it_comes_from(server: Server) -> None:
    """At 18:00 UTC of 5 February the market is open: the last session is that of the 4th."""
    result = await server.alice.slash(server.channel, "flows", since="2026-01-16")

    assert not result.ephemeral
    first, data = map(plain, texts(sent(result)))
    assert first.split("\n") == [
        "**BTC spot ETFs −544.9 US$ m** · Wed 4 Feb · final",
        (
            "**2 days of net outflow in a row since Tue 3 Feb** · 2 of 13 days positive since Fri 16 Jan · "
            "cushion **−8,001.6 US$ m** (−12.8 %)"
        ),
        "**DISTRIBUTION**: 20-day sum −2,785.2 US$ m (below 0) and 30 % of the days positive (at most 35 %)",
    ]
    assert data == "-# Farside Investors · final to 4 Feb 2026 · 21 h old · fresh · sample, ends 2026-02-06"

    [picture] = pictures_of(sent(result))
    assert 0 < len(picture["description"]) <= 256
    assert "2 of 13 days positive, sum −3,461.6" in picture["description"]
    [attachment] = sent(result).attachments
    assert attachment.filename == "flows.png"
    image = Image.open(io.BytesIO(await attachment.read()))
    assert (image.format, image.size) == ("PNG", (1280, 720))


async def test_buttons_of_a_card(server: Server) -> None:
    result = await server.alice.slash(server.channel, "flows", asset="ETH", since="2026-01-16")
    labels = buttons(sent(result))
    assert list(labels) == ["BTC", "ETH", "Details", "CSV", "中文", "Delete"]
    assert all(len(custom_id) <= 100 for custom_id in labels.values())
    assert len(set(labels.values())) == len(labels)


async def test_the_asker_and_a_moderator_change_the_card_in_place(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "flows", since="2026-01-16")
    before = await sent(asked).attachments[0].read()
    pressed = await server.alice.click(sent(asked), label="ETH")

    assert changed_in_place(pressed, asked)
    assert texts(sent(asked))[0].startswith("**ETH spot ETFs")
    # The window stays as it was asked.
    assert "13 days positive since Fri 16 Jan" in texts(sent(asked))[0]
    [after] = sent(asked).attachments
    assert await after.read() != before
    await server.moderator.click(sent(asked), label="BTC")
    assert texts(sent(asked))[0].startswith("**BTC spot ETFs")
    assert len(server.channel.history()) == 1


async def test_somebody_else_gets_an_own_card_that_only_they_see(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "flows")
    pressed = await server.bob.click(sent(asked), label="ETH")
    assert pressed.ephemeral
    assert texts(sent(asked))[0].startswith("**BTC spot ETFs")
    assert texts(sent(pressed))[0].startswith("**ETH spot ETFs")
    again = await server.bob.click(sent(pressed), label="BTC")
    assert changed_in_place(again, pressed)


@pytest.mark.parametrize("presser", ["alice", "bob", "moderator"])
async def test_details_csv_and_language_answer_the_presser_alone(server: Server, presser: str) -> None:
    asked = await server.alice.slash(server.channel, "flows", since="2026-01-16")
    details, numbers, chinese = await pressed_alone(getattr(server, presser), asked)
    [text] = map(plain, texts(sent(details)))
    assert len(text) <= 4000
    assert "p = 0.0006" in text
    assert "```\nfund   4 Feb  since 16 Jan     launch\nIBIT  −373.4" in text
    assert "-# Creations and redemptions lag and come in batches" in text
    assert text.endswith("sample, ends 2026-02-06")
    assert plain(texts(sent(chinese))[0]).startswith("**BTC 現貨 ETF −5.45 億美元** · 2/4（三） · 已確認")
    [file] = sent(numbers).attachments
    assert file.filename == "flows_BTC_2026-01-16.csv"
    content = await file.read()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["state"] for row in rows] == ["final", "closed"] + ["final"] * 12
    assert float(rows[-1]["total_musd"]) == -544.9


async def test_a_language_once_chosen_stays_with_the_card(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "flows")
    chinese = await server.bob.click(sent(asked), label="中文")
    await server.bob.click(sent(chinese), label="ETH")
    assert texts(sent(chinese))[0].startswith("**ETH 現貨 ETF")
    assert "English" in buttons(sent(chinese))


async def test_a_chinese_reader_is_answered_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "flows")
        details = await server.alice.click(sent(asked), label="詳細")
    assert plain(texts(sent(asked))[0].split("\n")[2]).startswith("**持續流出**：近 20 日合計 −27.85 億美元")
    assert texts(sent(asked))[1].endswith("樣本資料，止於 2026-02-06")
    assert "贖回不等於當日賣出 BTC" in texts(sent(details))[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"since": "someday"}, "“someday” is not a start date: write 7d, 1/28 or 2026-01-28."),
        ({"since": "2026-02-06"}, "The start date 2026-02-06 lies in the future."),
    ],
)
async def test_a_bad_option_is_told_to_the_asker_alone(
    server: Server, options: dict[str, Any], sentence: str
) -> None:
    result = await server.alice.slash(server.channel, "flows", **options)
    assert result.ephemeral
    assert sent(result).content == sentence
    assert server.channel.history(viewer=server.bob) == []
    assert_error(server.env, UserError)


async def test_a_bad_option_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        result = await server.alice.slash(server.channel, "flows", since="改天")
    assert result.ephemeral
    assert sent(result).content == "「改天」不是起日，請寫成 7d、1/28 或 2026-01-28。"
    assert_error(server.env, UserError)


async def test_autocomplete(server: Server) -> None:
    offered = await server.alice.autocomplete(server.channel, "flows", "since", "1/16")
    assert [choice["value"] for choice in offered] == ["2026-01-16"]
    offered = await server.alice.autocomplete(server.channel, "flows", "since", "")
    assert "30d" in [choice["value"] for choice in offered]


async def test_without_drawing_the_words_go_out_and_say_so(server: Server) -> None:
    bot_of(server).answers.pictures = Pictures(charts=())  # never started
    result = await server.alice.slash(server.channel, "flows")
    assert pictures_of(sent(result)) == []
    assert plain(texts(sent(result))[0]).startswith("**BTC spot ETFs −544.9 US$ m**")
    assert "The picture could not be drawn this time; the words are complete." in texts(sent(result))[1]
