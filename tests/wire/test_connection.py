"""When the connection is refused, cannot be had, is lost, or is ended for good."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.wire import rules
from tests.wire.conftest import Launch, Open
from tests.wire.gateway import Op
from tests.wire.loopback import Discord
from tests.wire.payloads import ALICE

REFUSED = "Discord refused the token: put the bot's current one into .env."
UNREACHABLE = "Discord cannot be reached. Try again in a minute; the log says why."


async def test_it_comes_back_until_it_is_sent_away_for_good(
    launch: Launch, discord: Discord, database: Path
) -> None:
    bot = await launch(discord, database)
    assert (await discord.connected())["op"] == Op.IDENTIFY

    # 4000: "We're not sure what went wrong. Try reconnecting?"
    await discord.gateway.hang_up(4000)
    meanwhile = await discord.slash(ALICE, "levels")
    assert (await discord.connected())["op"] == Op.RESUME
    assert "**BTC 70,544** · " in rules.texts(await meanwhile.answer())
    afterwards = await discord.slash(ALICE, "levels", since="2026-01-28")
    assert "**BTC 70,544** · " in rules.texts(await afterwards.answer())

    # 4013: "You sent an invalid intent."
    await discord.gateway.hang_up(4013)
    assert await bot.ended() == 78
    assert bot.err[-1] == "Discord has ended the connection for good (code 4013)."


async def test_a_refused_start_is_one_sentence(
    launch: Launch, opened: Open, database: Path, tmp_path: Path
) -> None:
    async def refused(sentence: str, *, login: int = 200, gateway: int | None = 4004) -> None:
        """By the status of the login; else by the code that ends the connection, if there is one."""
        discord = await opened()
        if login != 200:
            discord.trouble["GET", "/users/@me"] = login, {"message": "no", "code": 0}
        if gateway is None:
            discord.gateway.address = "ws://127.0.0.1:9/"
        store = shutil.copy(database, tmp_path / f"{login}-{gateway}.db")
        bot = await launch(discord, store, LOG_LEVEL="DEBUG")
        if login == 200 and gateway is not None:
            await discord.connected()
            await discord.gateway.hang_up(gateway)
        assert await bot.ended() == (78 if sentence == REFUSED else 1)
        assert bot.out == []
        assert bot.err[-1] == sentence
        # Beside it, nothing but the log.
        assert all(line.startswith("{") for line in bot.err[:-1])

    await asyncio.gather(
        refused(REFUSED, login=401),
        refused(REFUSED, gateway=4004),
        refused(UNREACHABLE, login=503),
        refused(UNREACHABLE, gateway=None),
    )
