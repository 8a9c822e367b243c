"""The sources, as ``leadline doctor`` sees them: from the store, and by knocking at each host once."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import doctor_sources
from bot.doctor import Finding, Home, Verdict
from bot.doctor_sources import reachable, sources
from bot.every_feed import every_feed
from bot.fetching import Fetching
from bot.ingest import by_host
from bot.settings import Settings
from storage import feeds
from storage.store import Store
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
EVERY = every_feed()
HOSTS = by_host(EVERY)


class Nobody:
    """Whom nothing may be asked: the doctor looks, it does not fetch."""

    async def fetch(self, request: object) -> object:
        raise AssertionError(f"the doctor asked for {request}")


async def yes(host: str) -> bool:
    return True


async def no(host: str) -> bool:
    return False


@pytest.fixture
async def registered(store: Store) -> Store:
    await Fetching(store, Nobody()).register(EVERY)  # type: ignore[arg-type] # asked for nothing
    return store


def home(file: Path = Path("leadline.db"), *, fetch: bool = True) -> Home:
    """The store of the fixture lies in the test's own folder."""
    return Home(settings=Settings(database_url=str(file), fetch=fetch), now=NOW)


async def well(store: Store, *, at: datetime) -> None:
    async with store.write() as db:
        for feed in EVERY:
            await feeds.succeeded(db, feed.name, now=at, next_try_at=at + timedelta(minutes=30))


async def found(at: Home, probe: doctor_sources.Probe = yes) -> dict[str, Finding]:
    return {one.name.removeprefix("source "): one for one in await sources(at, probe)}


async def test_each_host_is_named_with_its_age(registered: Store) -> None:
    await well(registered, at=NOW - timedelta(minutes=10))
    told = await found(home())
    assert list(told) == list(HOSTS)
    assert {one.verdict for one in told.values()} == {Verdict.OK}
    assert told["api.kraken.com"].says.startswith("reachable; 6 of 6 series well; last success 10 min ago")
    # Silver's last daily close in the sample is of 22:00 UTC on 6 February 2026.
    assert "newest 288 days ago" in told["query1.finance.yahoo.com"].says


async def test_what_fails_has_its_reason_its_next_try_and_a_remedy(registered: Store) -> None:
    await well(registered, at=NOW - timedelta(hours=3))
    async with registered.write() as db:
        await feeds.failed(
            db,
            "kraken:BTC:30m",
            "HTTP 500",
            now=NOW - timedelta(minutes=4),
            next_try_at=NOW + timedelta(minutes=4),
        )
    for probe, line in ((yes, "reachable"), (no, "cannot be reached from here")):
        kraken = (await found(home(), probe))["api.kraken.com"]
        assert kraken.verdict is Verdict.WARN
        assert kraken.says == (
            f"{line}; 5 of 6 series well; last success 3 h ago; kraken:BTC:30m failing, nothing stored: HTTP 500; "
            "next try 2026-11-22 18:04 UTC"
        )
        assert ("network" in kraken.remedy) == (probe is no)


async def test_what_nobody_fetches_any_more_is_told(registered: Store) -> None:
    await well(registered, at=NOW - timedelta(hours=2))
    kraken = (await found(home()))["api.kraken.com"]
    assert kraken.verdict is Verdict.WARN
    assert kraken.says.endswith("; next try was due 2026-11-22 16:30 UTC")
    assert kraken.remedy.startswith("nothing fetches: start the bot")


async def test_a_host_that_cannot_be_reached_though_its_series_are_well(registered: Store) -> None:
    await well(registered, at=NOW)
    told = await found(home(), no)
    assert {one.verdict for one in told.values()} == {Verdict.WARN}
    assert all("network" in one.remedy for one in told.values())


async def test_before_the_first_fetch_and_without_a_whole_store(registered: Store, tmp_path: Path) -> None:
    torn = tmp_path / "torn.db"
    shutil.copy(tmp_path / "leadline.db", torn)
    content = bytearray(torn.read_bytes())
    content[4_096:] = bytes(len(content) - 4_096)
    torn.write_bytes(content)
    # One that only fails when it is read: the store's own check tells of it.
    maimed = tmp_path / "maimed.db"
    shutil.copy(tmp_path / "leadline.db", maimed)
    with closing(sqlite3.connect(maimed)) as db, db:
        db.execute("DROP TABLE feeds")
    for file in (home(), home(tmp_path / "none.db"), home(torn), home(maimed)):
        told = await found(file)
        assert list(told) == list(HOSTS)
        assert {one.says for one in told.values()} == {"reachable; nothing fetched yet"}
        assert {one.remedy for one in told.values()} == {"start the bot, or leadline fetch"}


async def test_with_fetching_off_nobody_is_called(registered: Store) -> None:
    async def called(host: str) -> bool:
        pytest.fail(f"{host} was called")

    [only] = await sources(home(fetch=False), called)
    assert (only.verdict, only.says) == (Verdict.OK, "FETCH is off: nothing is fetched")


async def test_a_connection_is_all_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = asyncio.Event()
    said: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read())
        writer.close()
        heard.set()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await reachable("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE):
            await heard.wait()
    assert said == [b""]
    assert not await reachable("127.0.0.1", port)
    # A host whose queue is full answers nothing at all.
    monkeypatch.setattr(doctor_sources, "PROBE_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        address = silent.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        assert not await reachable(*address)
        for one in waiting:
            one.close()
