"""The running bot beside its fetching: without a network it starts, answers, and says so once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from structlog.testing import capture_logs

from bot import disk, running
from bot.clock import SystemClock
from bot.every_feed import every_feed
from bot.reports import REPORTS
from bot.reports.shapes import Asked
from bot.settings import Settings
from providers.client import Client
from storage import sample
from storage.store import Store
from tests.conftest import SELL_OFF
from tests.patience import PATIENCE
from tests.providers.conftest import HURRIED

HOSTS = {feed.host for feed in every_feed()}


class Nowhere(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.asked: list[str] = []
        # Three tries of a call, and more than one call to every host of several series.
        self.often = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if len(self.asked) >= 6 * len(HOSTS):
            self.often.set()
        raise httpx.ConnectError("no route to host")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Nowhere:
    transport = Nowhere()
    monkeypatch.setattr("providers.client.Client", lambda: Client(hosts=HURRIED, transport=transport))
    return transport


async def test_without_a_network_it_answers_and_warns_once_a_host(file: Path, nowhere: Nowhere) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    await sample.load(store)
    report = REPORTS["levels"]
    with capture_logs() as logged:
        async with running._fetching(Settings(_env_file=None), store, SystemClock()):
            result = await report.answer(report.read({}, SELL_OFF), Asked(store=store, at=SELL_OFF))
            async with asyncio.timeout(PATIENCE):
                await nowhere.often.wait()
    await store.close()
    assert result.is_sample
    assert result.price == 66_153.9
    warned = [line["host"] for line in logged if line["log_level"] == "warning"]
    assert sorted(warned) == sorted(HOSTS)
    assert {line["log_level"] for line in logged} == {"warning"}


async def test_who_does_not_want_it_does_not_fetch(file: Path, nowhere: Nowhere) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    async with running._fetching(Settings(_env_file=None, fetch=False), store, SystemClock()):
        await asyncio.sleep(0.3)
    await store.close()
    assert nowhere.asked == []


async def test_on_a_disk_without_room_nobody_is_called(
    file: Path, nowhere: Nowhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=disk.LEAST - 1))
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    settings = Settings(_env_file=None, database_url=str(file))
    with capture_logs() as logged:
        async with running._fetching(settings, store, SystemClock()):
            async with asyncio.timeout(PATIENCE):
                while not logged:  # noqa: ASYNC110 -- a log has no event
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)
    await store.close()
    assert nowhere.asked == []
    assert [line["reason"] for line in logged] == ["the disk is nearly full"]


def test_a_venue_nobody_knows_is_refused() -> None:
    assert Settings(_env_file=None, price_venues=" Bitstamp, kraken,").venues == ("Bitstamp", "kraken")
    with pytest.raises(ValueError, match="unknown venues: mtgox"):
        Settings(_env_file=None, price_venues="kraken,mtgox")
