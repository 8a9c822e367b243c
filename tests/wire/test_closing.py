"""Ctrl-C, SIGTERM, and both twice, while an answer is being made."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.answers import PICTURE_SECONDS, Answers
from bot.client import FINISH_SECONDS, Leadline
from storage import lock
from tests.patience import PATIENCE
from tests.wire import rules
from tests.wire.conftest import Launch
from tests.wire.loopback import Discord
from tests.wire.payloads import ALICE, BOB, DEFERRED, DEFERRED_EDIT, MESSAGE, TOKEN

RESTARTING = "Leadline is restarting. Ask again in a minute."
AT_ONCE = PATIENCE / 3
"""Much less than whatever a stop that does not work would wait for."""


async def test_a_stop_lets_answers_out_and_no_question_in(
    launch: Launch, discord: Discord, database: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    bot = await launch(discord, database, DRAWING_GATE=str(gate))
    await discord.connected()
    card = await discord.slash(ALICE, "levels", since="2026-01-28")
    await card.answer()

    gate.unlink()
    # The plainest question may have been drawn while the bot warmed up.
    asked = await discord.slash(ALICE, "levels", since="2026-01-29")
    pressed = await discord.press(ALICE, card, "4h")
    for one, kind in ((asked, DEFERRED), (pressed, DEFERRED_EDIT)):
        # Not ready at once, so it is being made now.
        await one.first_answer()
        assert one.kind == kind
        assert not one.answered.is_set()

    bot.interrupt(signal.SIGTERM)
    assert (await bot.logged("closing"))["running"] == 2
    for late in (await discord.slash(BOB, "levels"), await discord.press(BOB, card, "CSV")):
        assert (await late.answer())["content"] == RESTARTING
        assert late.kind == MESSAGE
        assert late.ephemeral

    gate.touch()
    assert "**BTC 70,544** · " in rules.texts(await asked.answer())
    assert asked.picture.startswith(b"\x89PNG")
    assert (await pressed.answer())["id"] == card.message["id"]
    assert asked.followups == pressed.followups == 0
    assert await bot.ended(within=AT_ONCE) == 0
    assert lock.held(database.with_name("leadline.db.lock")) is False
    assert {line["level"] for line in bot.log()} == {"info"}


def test_words_go_out_before_closing_stops_waiting_for_their_picture() -> None:
    assert PICTURE_SECONDS + 1 < FINISH_SECONDS


async def test_a_second_stop_ends_it_at_once(
    launch: Launch, discord: Discord, database: Path, tmp_path: Path
) -> None:
    bot = await launch(discord, database, DRAWING_GATE=str(tmp_path / "never"))
    await discord.connected()
    asked = await discord.slash(ALICE, "levels")
    await asked.first_answer()

    bot.interrupt(signal.SIGINT)
    await bot.logged("closing")
    bot.interrupt(signal.SIGINT)
    assert await bot.ended(within=AT_ONCE) == 130
    assert not asked.answered.is_set()
    assert lock.held(database.with_name("leadline.db.lock")) is False


async def test_nothing_of_the_client_outlives_its_closing(
    discord: Discord, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", discord.rest)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(discord.gateway.address))
    bot = Leadline(answers)
    bot._connection.guild_ready_timeout = PATIENCE
    told = asyncio.Event()

    async def on_connect() -> None:
        told.set()

    bot.add_listener(on_connect)
    connection = asyncio.create_task(bot.start(TOKEN))
    await asyncio.wait_for(told.wait(), PATIENCE)

    # Before it is ready: discord.py waits for more servers first.
    assert not bot.is_ready()
    await bot.close()
    await connection
    # A task says where its code is.
    assert [task for task in asyncio.all_tasks() if "/discord/" in repr(task)] == []


async def test_a_stop_while_discord_keeps_silent(launch: Launch, discord: Discord, database: Path) -> None:
    discord.silent.add(("GET", "/users/@me"))
    bot = await launch(discord, database)
    await discord.requested("GET", "/users/@me")
    bot.interrupt(signal.SIGTERM)
    assert await bot.ended(within=AT_ONCE) == 0
    assert bot.events() == ["closing"]
