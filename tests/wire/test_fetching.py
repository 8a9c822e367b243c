"""``leadline run`` and ``preview --live`` as processes that fetch: from sources on loopback into the store, and out again."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
import pytest
from aiohttp import web
from typer.testing import Result

from bot.every_feed import every_feed
from tests.feeds import sources
from tests.patience import PATIENCE
from tests.wire import rules
from tests.wire.conftest import Launch
from tests.wire.loopback import Discord
from tests.wire.payloads import ALICE
from tests.wire.process import Bot, until

# Those whose market never rests: what the others would say depends on the day of the test.
AWAKE = {
    "api.kraken.com", "api.exchange.coinbase.com", "www.bitstamp.net", "data-api.binance.vision",
    "fapi.binance.com", "api.bybit.com", "www.okx.com",
}  # fmt: skip
ASLEEP = {feed.host for feed in every_feed()} - AWAKE


class Sources:
    """All of them on one port, by this computer's clock; ``broken`` hosts answer 404."""

    def __init__(self) -> None:
        self.broken = set(ASLEEP)
        self.asked: Counter[str] = Counter()
        self.port = 0

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", r"/{path:[\s\S]*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        host = request.headers["Host"]
        self.asked[host] += 1
        if host in self.broken:
            return web.Response(status=404)
        asked = httpx.Request(
            request.method, f"https://{host}{request.raw_path}", content=await request.read()
        )
        return web.Response(body=sources.body(asked, datetime.now(UTC)), content_type="application/json")


@pytest.fixture
async def serving() -> AsyncIterator[Sources]:
    async with Sources() as found:
        yield found


def well(database: Path, host: str) -> bool:
    """Whether every feed of a host has succeeded at least once."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=PATIENCE)) as db:
            rows = db.execute("SELECT last_success_at FROM feeds WHERE host = ?", (host,)).fetchall()
    except sqlite3.OperationalError:  # it is being made, or mended
        return False
    return bool(rows) and all(at is not None for (at,) in rows)


def failing(bot: Bot) -> list[str]:
    """Of the hosts that do not answer here; a slow machine may lose one of the others for a moment."""
    told = [line["host"] for line in bot.log() if line["event"] == "a source fails"]
    return [host for host in told if host in ASLEEP]


async def test_a_running_bot_answers_from_what_it_fetched(
    launch: Launch, discord: Discord, database: Path, serving: Sources
) -> None:
    bot = await launch(discord, database, FETCH="true", SOURCES_PORT=str(serving.port))
    await discord.connected()
    await until(lambda: well(database, "api.kraken.com"))
    card = await discord.slash(ALICE, "levels")
    said = rules.texts(await card.answer())
    assert "Kraken BTC/USD" in said
    assert "sample" not in said
    await until(lambda: well(database, "api.bybit.com"))
    # Hosts that do not answer are asked for one series after the other, and told of once each.
    await until(lambda: serving.asked["query1.finance.yahoo.com"] >= 4)
    await until(lambda: set(failing(bot)) == ASLEEP)
    assert sorted(failing(bot)) == sorted(ASLEEP)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=PATIENCE)) as db:
        (steps,) = db.execute(
            "SELECT count(*) FROM tiers JOIN tier_tables ON id = table_id WHERE venue = 'bybit'"
        ).fetchone()
    assert steps == 4 * len(sources.BYBIT_TIERS)
    bot.interrupt(signal.SIGTERM)
    assert await bot.ended() == 0


async def test_the_preview_of_one_s_own_store_fetches_too(
    launch: Launch, discord: Discord, tmp_path: Path, serving: Sources, command_line: Callable[..., Result]
) -> None:
    database = tmp_path / "mine.db"
    bot = await launch(
        discord,
        database,
        "preview",
        "--live",
        "--port",
        "0",
        FETCH="true",
        SOURCES_PORT=str(serving.port),
        LOG_LEVEL="WARNING",
    )
    await until(lambda: any(line.startswith("READY http://127.0.0.1:") for line in bot.out))
    await until(lambda: well(database, "api.kraken.com"))
    async with asyncio.timeout(PATIENCE):
        while True:
            said = await asyncio.to_thread(
                command_line, "--database-url", str(database), "report", "levels", "--json"
            )
            if "The bot is writing" not in said.output:
                break
            await asyncio.sleep(0.2)
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert (answer["source"], answer["freshness"]) == ("Kraken BTC/USD", "fresh")
    assert answer["age_s"] < 1_900
    bot.interrupt(signal.SIGINT)
    assert await bot.ended() == 0
