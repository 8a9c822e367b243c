"""``/stress`` as people meet it: command, option, buttons, errors."""

from __future__ import annotations

import csv
import io

import pytest
import simcord
from people import Server, Speaking, bot_of, buttons, pictures_of, pressed_alone, sent, texts
from PIL import Image
from simcord import assert_error
from simcord.components import walk_components

from analysis.errors import UserError
from bot.client import Leadline
from bot.pictures import Pictures


async def test_three_lines_a_picture_and_where_it_comes_from(server: Server) -> None:
    result = await server.alice.slash(server.channel, "stress")

    assert not result.ephemeral
    first, data = texts(sent(result))
    lines = first.split("\n")
    assert lines[0] == "**Market stress: DELEVERAGING** since the close of 4 Feb 2026"
    # 100 (84.165 / 113.111 - 1) = -25.59; the close of 5 February is not yet made at 18:00 UTC.
    assert lines[1].startswith(
        "From the close of 28 Jan 2026 to that of 4 Feb 2026: Bitcoin −18.6\N{NO-BREAK SPACE}%"
    )
    assert "Silver −25.6\N{NO-BREAK SPACE}%" in lines[1]
    assert lines[2].startswith("Five days: Bitcoin −3.0σ")
    assert "would by that close alone have been RISK-OFF, UNCLEAR" in lines[2]
    assert "Binance spot, BTCUSDT · Yahoo Finance · closed 4 Feb 22:00 UTC · 20 h old · fresh" in data
    assert "alignment: daily close" in data
    assert data.endswith("sample, ends 2026-02-06")

    [picture] = pictures_of(sent(result))
    assert 0 < len(picture["description"]) <= 256
    assert picture["description"].startswith("Market stress: DELEVERAGING")
    [attachment] = sent(result).attachments
    image = Image.open(io.BytesIO(await attachment.read()))
    assert (image.format, image.size) == ("PNG", (1280, 720))


async def test_a_first_day_of_ones_own(server: Server) -> None:
    result = await server.alice.slash(server.channel, "stress", since="1/30")
    # 100 (84.165 / 78.285 - 1) by the closes of 30 January and 4 February.
    assert (
        texts(sent(result))[0]
        .split("\n")[1]
        .startswith("From the close of 30 Jan 2026 to that of 4 Feb 2026:")
    )
    assert list(buttons(sent(result))) == ["Details", "CSV", "中文", "Delete"]
    assert all(len(custom_id) <= 100 for custom_id in buttons(sent(result)).values())


@pytest.mark.parametrize("presser", ["alice", "bob", "moderator"])
async def test_details_csv_and_language_answer_the_presser_alone(server: Server, presser: str) -> None:
    asked = await server.alice.slash(server.channel, "stress", since="2026-01-30")
    details, numbers, chinese = await pressed_alone(getattr(server, presser), asked)
    told = texts(sent(details))[0]
    assert "**Closes of 30 Jan 2026 and 4 Feb 2026**" in told
    assert "shift of the absorption ratio −1.43 < 1 ✓" in told
    assert not told.endswith("…")
    assert texts(sent(chinese))[0].startswith(
        "**市場壓力：去槓桿**，自 2026/2/4 收盤起\n2026/1/30 收盤至 2026/2/4 收盤"
    )
    assert "English" in buttons(sent(chinese))
    [file] = sent(numbers).attachments
    assert file.filename == "stress_2026-01-30.csv"
    content = await file.read()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["instrument"] for row in rows] == ["BTC", "SI", "GC", "ES", "NQ", "DXY", "CL"]
    assert {row["from_date"] for row in rows} == {"2026-01-30"}
    assert float(rows[1]["to_price"]) == 84.165


async def test_a_chinese_reader_is_answered_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "stress")
    lines = texts(sent(asked))[0].split("\n")
    assert lines[0] == "**市場壓力：去槓桿**，自 2026/2/4 收盤起"
    assert "白銀 −25.6\N{NO-BREAK SPACE}%" in lines[1]
    assert texts(sent(asked))[1].endswith("對齊：日收盤 · 樣本資料，止於 2026-02-06")
    [picture] = pictures_of(sent(asked))
    assert picture["description"].startswith("市場壓力：去槓桿")


@pytest.mark.parametrize(
    ("locale", "since", "sentence"),
    [
        ("en-US", "someday", "“someday” is not a start date: write 7d, 1/28 or 2026-01-28."),
        ("en-US", "2026-02-06", "The start date 2026-02-06 lies in the future."),
        (
            "en-US",
            "2026-02-05",
            "There has been no New York close since 2026-02-05; the newest is that of 2026-02-04.",
        ),
        ("en-US", "@everyone", "“＠everyone” is not a start date: write 7d, 1/28 or 2026-01-28."),  # noqa: RUF001 -- what was typed is made harmless
        ("zh-TW", "改天", "「改天」不是起日，請寫成 7d、1/28 或 2026-01-28。"),
        ("zh-TW", "2026-02-05", "自 2026-02-05 起還沒有紐約收盤；最新的是 2026-02-04 收盤。"),
    ],
)
async def test_what_cannot_be_answered_is_told_to_the_asker_alone(
    server: Server, speaking: Speaking, locale: str, since: str, sentence: str
) -> None:
    with speaking(locale):
        result = await server.alice.slash(server.channel, "stress", since=since)
    assert result.ephemeral
    assert sent(result).content == sentence
    assert server.channel.history(viewer=server.bob) == []
    assert_error(server.env, UserError)


async def test_autocomplete(server: Server) -> None:
    offered = await server.alice.autocomplete(server.channel, "stress", "since", "1/28")
    assert [choice["value"] for choice in offered] == ["2026-01-28"]
    offered = await server.alice.autocomplete(server.channel, "stress", "since", "")
    assert "7d" in [choice["value"] for choice in offered]


async def test_buttons_work_after_a_restart(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "stress")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    details = await server.bob.click(sent(asked), label="Details")
    assert "DELEVERAGING: R −2.00 ≤ −1 ✓" in texts(sent(details))[0]


async def test_without_drawing_the_words_go_out_and_say_so(server: Server) -> None:
    bot_of(server).answers.pictures = Pictures(charts=())  # never started
    result = await server.alice.slash(server.channel, "stress")
    assert pictures_of(sent(result)) == []
    assert texts(sent(result))[0].startswith("**Market stress: DELEVERAGING**")
    assert "The picture could not be drawn this time; the words are complete." in texts(sent(result))[1]


def select_of(message: simcord.ResponseMessage) -> tuple[str, dict[str, bool]]:
    """The custom_id of the only select on a card, and its values: which of them is picked."""
    [found] = [part for part in walk_components(message.components) if part.get("type") == 3]
    return found["custom_id"], {one["value"]: one.get("default", False) for one in found["options"]}


async def test_the_asker_picks_a_view_and_the_card_changes_in_place(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "stress", since="2026-01-30")
    custom_id, views = select_of(sent(asked))
    assert views == {"board": True, "index": False, "correlation": False, "history": False}
    assert len(custom_id) <= 100

    await server.alice.select(sent(asked), ["index"])
    lines = texts(sent(asked))[0].split("\n")
    assert lines[0] == "**Market stress: DELEVERAGING** since the close of 4 Feb 2026"
    assert lines[1].startswith("Stress index 0.15 of 1, percentile ")
    [picture] = pictures_of(sent(asked))
    assert picture["description"].startswith("Stress index 0.15 of 1 · percentile ")
    assert select_of(sent(asked))[1]["index"]

    details = await server.bob.click(sent(asked), label="Details")
    assert "**Turbulence**" in texts(sent(details))[0]
    assert not texts(sent(details))[0].endswith("…")

    await server.alice.select(sent(asked), ["board"])
    assert (
        texts(sent(asked))[0]
        .split("\n")[1]
        .startswith("From the close of 30 Jan 2026 to that of 4 Feb 2026:")
    )


async def test_somebody_else_gets_a_card_of_their_own(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "stress")
    shown = texts(sent(asked))
    theirs = await server.bob.select(sent(asked), ["correlation"])
    assert theirs.ephemeral
    assert texts(sent(asked)) == shown
    lines = texts(sent(theirs))[0].split("\n")
    assert lines[1].startswith("Does bitcoin move with the S&P 500 more than with gold? 90 days: yes")


async def test_a_view_from_the_command_and_after_a_restart(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "stress", view="history")
    assert texts(sent(asked))[0].split("\n")[0] == "**市場壓力：去槓桿**，自 2026/2/4 收盤起"
    [picture] = pictures_of(sent(asked))
    assert picture["description"].startswith("市場壓力：去槓桿 · 在自身歷史中的百分位：")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await server.alice.select(sent(asked), ["index"])
    assert texts(sent(asked))[0].split("\n")[1].startswith("市場壓力指數 0.15（最高為 1）")
