"""``/ladder`` as people meet it: a form first, an answer for the asker alone, buttons that end, nothing kept."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import simcord
from people import (
    Server,
    Speaking,
    body_of,
    bot_of,
    buttons,
    people_of,
    pictures_of,
    sent,
    texts,
)
from simcord import assert_error

from analysis.charts.look import Picture
from analysis.errors import UserError
from bot import respond
from bot.answers import Answers
from bot.client import Leadline
from bot.ladders import MOST, SECONDS, Asking, Ladders
from bot.reports.ladder import REPORT

NBSP = "\N{NO-BREAK SPACE}"
EPHEMERAL = 64
MODAL = 9
ARTICLE = {"entry": "90,076", "size": "1", "leverage": "10", "extra": "", "mark": "85000"}


async def asked(
    server: Server, fields: dict[str, str] | None = None, **options: Any
) -> simcord.InteractionResult:
    """The command and its form, filled in."""
    chosen = {"rate": "0.4", "hold": "75000"} | options
    shown = await server.alice.slash(server.channel, "ladder", **chosen)
    return await server.alice.submit_modal(shown, ARTICLE | (fields or {}))


async def test_the_form_is_the_first_answer_and_has_five_fields(server: Server) -> None:
    shown = await server.alice.slash(server.channel, "ladder", kind="linear")
    [request] = [item for item in server.env.http_requests if item.path.endswith("/callback")]
    assert body_of(request)["type"] == MODAL
    assert server.channel.history() == []
    assert shown.response is None
    fields = repr(body_of(request)["data"])
    for name in ("entry", "size", "leverage", "extra", "mark"):
        assert f"'custom_id': '{name}'" in fields
    # The form begins with the last price known, of 18:00 on 5 February.
    assert "66153.9" in fields


async def test_the_answer_is_for_the_asker_alone_and_whole(server: Server) -> None:
    result = await asked(server, shock="-20")
    assert result.ephemeral
    assert server.channel.history(viewer=server.bob) == []
    told = texts(sent(result))[0].split("\n")
    # ATR14 of the days to 4 February in the sample; the rest is reckoned by hand.
    assert told[0].startswith(
        f"**long 1{NBSP}BTC** (linear, 10x from 90,076.00): **liquidated at 81,393.98** (−4.2{NBSP}%"
    )
    assert told[1] == "At the mark 85,000.00: equity 3,931.60 USD, maintenance 340.00 USD"
    assert told[2] == f"To hold until 75,000.00: add **6,368.40 USD**, or cut **0.61829{NBSP}BTC**"
    assert "- 83,500.00 (first layer): 2,431.60 USD left, 334.00 USD needed" in told
    assert "- 68,000.00 (the move asked about): liquidated before" in told
    assert any("P = (s q E − W − c) / (q (s − mmr − f))" in line for line in told)
    [picture] = pictures_of(sent(result))
    assert picture["description"].startswith("long BTC 10x · liquidation 81,394 · −4.2 %")
    assert list(buttons(sent(result))) == ["Add a position", "CSV", "☐ with size and equity", "Share"]


async def test_a_chinese_reader_types_full_width_and_reads_chinese(
    server: Server, speaking: Speaking
) -> None:
    with speaking("zh-TW"):
        result = await asked(server, {"entry": "\uff19\uff10\uff10\uff17\uff16", "leverage": "10倍"})
    told = texts(sent(result))[0].split("\n")
    assert told[0].startswith(f"**多 1{NBSP}BTC**（U 本位，90,076.00 進場，10 倍）：**強平價 81,393.98**")
    assert told[2] == f"要撐到 75,000.00：追加 **6,368.40 美元**，或減碼 **0.61829{NBSP}BTC**"
    assert next(iter(buttons(sent(result)))) == "再加一個部位"


async def test_an_entry_alone_is_the_ladder_of_leverages(server: Server) -> None:
    result = await asked(server, {"entry": "73600", "size": "", "leverage": ""}, rate="0.5")
    told = texts(sent(result))[0]
    assert f"- 2x: linear 36,984.92 (−49.75{NBSP}%)" in told
    assert "with size and equity" not in " ".join(buttons(sent(result)))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rate": "lots"}, "“lots” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ({"rate": "90"}, "“90” is out of range: it may be from 0 to 50."),
        ({"kind": "futures", "instrument": "XAG"}, "“XAG” is not a futures contract known here"),
        ({"shock": "-120"}, "“-120” is out of range: it may be from -99 to 1,000."),
        ({"rate": "0.4", "tiers": "0:0.4"}, "Give either a rate or brackets, not both."),
        ({"tiers": "0:1, 5:0.5"}, "Brackets have to rise"),
    ],
)
async def test_a_bad_option_is_told_before_there_is_a_form(
    server: Server, options: dict[str, str], sentence: str
) -> None:
    result = await server.alice.slash(server.channel, "ladder", **options)
    assert result.ephemeral
    assert sent(result).content.startswith(sentence)
    assert_error(server.env, UserError)


NONSENSE = [
    ({"entry": "0"}, "“0” is out of range: it may be from 0.0001 to 100,000,000.", "「0」超出範圍"),
    ({"leverage": "0"}, "“0” is out of range: it may be from 0.1 to 200.", "「0」超出範圍"),
    ({"leverage": "1000"}, "“1000” is out of range: it may be from 0.1 to 200.", "「1000」超出範圍"),
    ({"leverage": "200", "size": "1"}, None, None),
    ({"size": "9" * 100}, "“" + "9" * 40 + "” is not a number", "不是數字"),
    ({"size": "nan"}, "“nan” is not a number", "「nan」不是數字"),
    ({"size": "-1"}, "“-1” is out of range", "「-1」超出範圍"),
    ({"size": "²"}, "“²” is not a number", "不是數字"),
    ({"size": ""}, "A position needs size as well.", "部位還需要填 size。"),
]


@pytest.mark.parametrize(("fields", "english", "chinese"), NONSENSE)
async def test_nonsense_gets_a_clear_sentence(
    server: Server, speaking: Speaking, fields: dict[str, str], english: str | None, chinese: str | None
) -> None:
    result = await asked(server, fields, rate="0.6")
    with speaking("zh-TW"):
        there = await asked(server, fields, rate="0.6")
    if english is None or chinese is None:
        english, chinese = (
            "At entry the margin would already be below maintenance: leverage 200x",
            "進場時保證金就已低於維持保證金",
        )
    assert result.ephemeral
    assert sent(result).content.startswith(english)
    assert chinese in sent(there).content


async def test_a_second_position_joins_the_first_on_the_same_card(server: Server) -> None:
    first = await asked(server, margin="cross")
    form = await server.alice.click(sent(first), label="Add a position")
    await server.alice.submit_modal(form, ARTICLE | {"size": "2", "entry": "86000"})
    assert len(server.channel.history(viewer=server.alice)) == 1
    told = texts(sent(first))[0]
    assert f"**long 1{NBSP}BTC**" in told
    assert f"**long 2{NBSP}BTC**" in told
    assert "**One pool of cross margin, at the mark**" in told
    # And with other options, by the command.
    other = await asked(server, {"entry": "70000"}, side="short", add=True)
    assert texts(sent(other))[0].count("**short 1") == 1
    assert f"**long 2{NBSP}BTC**" in texts(sent(other))[0]


async def test_a_file_of_positions(server: Server) -> None:
    rows = "side,entry,size,leverage,mark\nlong,90076,1,10,\nshort,70000,0.5,5,66000\n"
    result = await server.alice.slash(
        server.channel, "ladder", rate="0.4", positions=("mine.csv", rows.encode())
    )
    assert result.ephemeral
    told = texts(sent(result))[0]
    assert "81,393.98" in told
    assert f"**short 0.5{NBSP}BTC** (linear, 5x from 70,000.00)" in told
    numbers = await server.alice.click(sent(result), label="CSV")
    assert numbers.ephemeral
    [file] = sent(numbers).attachments
    found = list(csv.DictReader(io.StringIO((await file.read()).decode("utf-8-sig"))))
    assert [row["liquidation_price"] for row in found] == ["81393.9759", "83665.33865"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"entry,size,leverage\n90076,1,10\n80000,many,5\n",
            "Row 3 of the file cannot be used:\n“many” is not a number: write 76.53, 57,397.50 or 57.4k.",
        ),
        (
            b"entry;size\n1;2\n",
            "“entry;size” is not a column of a file of positions: commas between entry, size",
        ),
        (b"entry,leverage\n1,2\n", "The first row of the file names its columns: entry, size"),
        (b"entry,size,leverage\n", "A file has from 1 to 20 positions."),
        (b"entry,size,leverage\n" + b"1,1,2\n" * 21, "A file has from 1 to 20 positions."),
        (b"entry,size,leverage\n1,1\n", "Row 2 of the file has another number of cells than the first."),
        (b"\xff\xfe\x00", "The file of positions is not a CSV file."),
        (b"", "The file of positions is not a CSV file."),
        (b"entry,size\n" * 9_000, "The file of positions is too long: at most 20 positions."),
    ],
)
async def test_a_bad_file_is_told_to_the_asker_alone(server: Server, content: bytes, sentence: str) -> None:
    result = await server.alice.slash(server.channel, "ladder", positions=("mine.csv", content))
    assert result.ephemeral
    said = sent(result).content or texts(sent(result))[0]
    assert said.startswith(sentence)
    assert_error(server.env, UserError)


async def test_share_posts_without_size_and_equity(server: Server) -> None:
    result = await asked(server, {"size": "3.217"})
    shared = await server.alice.click(sent(result), label="Share")
    assert not shared.ephemeral
    [message] = server.channel.history(viewer=server.bob)
    [told] = texts(sent(shared))
    assert "liquidated at 81,393.98" in told
    assert "3.217" not in told
    assert "equity" not in told
    assert message.attachments == []
    # The asker may take it away again; others may not.
    refused = await server.bob.click(sent(shared), label="Delete")
    assert refused.ephemeral
    await server.alice.click(sent(shared), label="Delete")
    assert message.id not in [left.id for left in server.channel.history(viewer=server.bob)]


async def test_ticked_it_posts_them_too(server: Server) -> None:
    result = await asked(server, {"size": "3.217"})
    await server.alice.click(sent(result), label="☐ with size and equity")
    assert "☑ with size and equity" in buttons(sent(result))
    shared = await server.alice.click(sent(result), label="Share")
    [told] = texts(sent(shared))
    assert f"**long 3.217{NBSP}BTC**" in told
    assert "equity 12,647.96 USD" in told


async def test_the_buttons_end_after_fourteen_minutes_and_say_so(server: Server) -> None:
    result = await asked(server)
    custom_id = buttons(sent(result))["CSV"]
    await server.env.advance_time(SECONDS - 1)
    assert buttons(sent(result))
    await server.env.advance_time(2)
    assert buttons(sent(result)) == {}
    assert (
        texts(sent(result))[-1] == "-# The buttons have ended: after 14 minutes your positions are forgotten."
    )
    assert "81,393.98" in texts(sent(result))[0]
    assert len(pictures_of(sent(result))) == 1
    token = custom_id.split(":")[1]
    assert bot_of(server).ladders.get(token, server.alice.id) is None


async def test_after_a_restart_a_button_says_that_nothing_is_remembered(server: Server) -> None:
    result = await asked(server)
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    pressed = await server.alice.click(sent(result), label="CSV")
    assert pressed.ephemeral
    assert sent(pressed).content == (
        "This ladder is forgotten: positions are kept for 14 minutes and never stored. Ask again with /ladder."
    )


async def test_one_ladder_a_person_and_nobody_elses() -> None:
    def asking(user_id: int) -> Asking:
        from datetime import UTC, datetime

        query = REPORT.read({}, datetime(2026, 2, 5, tzinfo=UTC))
        return Asking(user_id=user_id, words={}, query=query, reader=None)  # type: ignore[arg-type] # not read here

    async def end() -> None:
        raise AssertionError

    ladders = Ladders()
    ladders.keep("1", asking(7), end)
    assert ladders.get("1", 8) is None
    ladders.keep("2", asking(7), end)
    assert ladders.get("1", 7) is None
    assert ladders.get("2", 7) is ladders.of(7)
    for number in range(MOST):
        ladders.keep(str(100 + number), asking(100 + number), end)
    assert ladders.of(7) is None
    ladders.close()
    assert ladders.of(100 + MOST - 1) is None


CANARY = ("91919.19", "3.14159", "7,654,321", "7654321")


async def test_a_position_is_in_no_log_and_no_file(
    server: Server, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    fields = {"entry": "91919.19", "size": "3.14159", "extra": "7,654,321"}
    result = await asked(server, fields)
    await server.alice.click(sent(result), label="CSV")
    bad = await asked(server, fields | {"leverage": "91919.19"})
    assert bad.ephemeral
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("bot", "discord"))]
    printed = "".join(capsys.readouterr()) + "\n".join(ours)
    assert not any(figure in printed for figure in CANARY)
    # Whatever was written beside the store or into it, to the last page.
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(figure.encode() in content for figure in CANARY), file
    with sqlite3.connect(tmp_path / "leadline.db") as db_file:
        dumped = "\n".join(db_file.iterdump())
    assert not any(figure in dumped for figure in CANARY)
    asking = bot_of(server).ladders.of(server.alice.id)
    assert asking is not None
    assert not any(figure in repr(asking) + repr(asking.query) for figure in CANARY)
    assert REPORT.write(asking.query) == {}


class Slow(Answers):
    """Answers that need longer than Discord waits for a first word."""

    async def picture(self, *asked: Any) -> Picture | None:
        await asyncio.sleep(respond.READY_WITHIN + 1)
        return await super().picture(*asked)


async def test_a_late_answer_is_private_from_its_first_acknowledgement(answers: Answers) -> None:
    slow = Slow(answers.store, answers.pictures, answers.clock)
    async with simcord.run(Leadline(slow)) as env:
        server = people_of(env)
        result = await asked(server)
        *_, request = [item for item in env.http_requests if item.path.endswith("/callback")]
        assert body_of(request)["data"]["flags"] & EPHEMERAL
        assert server.channel.history(viewer=server.bob) == []
        assert "81,393.98" in texts(sent(result))[0]


async def test_no_custom_id_carries_a_position(server: Server) -> None:
    result = await asked(server, {"size": "3.217"})
    for custom_id in buttons(sent(result)).values():
        assert "3.217" not in custom_id
        assert "90" not in custom_id.split(":")[-1]
