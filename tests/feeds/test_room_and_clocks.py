"""A disk without room, and sources whose clocks differ from ours: told once, and once more when it is over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot import disk, doctor
from bot.data_status import status, words
from bot.doctor import Home, Verdict
from bot.doctor_sources import sources
from bot.every_feed import every_feed, named
from bot.language import Speech
from bot.settings import Settings
from storage import bars, clocks, instruments
from storage.store import Store
from tests.feeds.conftest import Run
from tests.feeds.test_ingest import KRAKEN, MINUTE, NOW, at_coinbase, at_kraken, kept
from tests.providers.loopback import Loopback, Reply

BOTH = named(["kraken:BTC:30m", "coinbase:BTC:30m"], every_feed())
HOUR = timedelta(hours=1)
ENGLISH = Speech("en", ZoneInfo("UTC"))


def two_sources(source: Loopback, now: datetime) -> None:
    source.hosts = {"api.kraken.com": at_kraken(now), "api.exchange.coinbase.com": at_coinbase(now)}


async def test_without_room_nothing_is_asked_and_what_is_stored_stays(
    store: Store, source: Loopback, run: Run
) -> None:
    two_sources(source, NOW)
    await run(BOTH, NOW, NOW + MINUTE)
    before, calls = await kept(store, NOW + 9 * HOUR), len(source.asked)
    assert before
    with capture_logs() as logged:
        await run(BOTH, NOW + HOUR, NOW + 3 * HOUR, full=lambda: True)
    assert [(line["event"], line["reason"]) for line in logged] == [
        ("nothing is fetched: it could not be stored", "the disk is nearly full")
    ]
    assert len(source.asked) == calls
    assert await kept(store, NOW + 9 * HOUR) == before


async def test_fetching_goes_on_by_itself_once_there_is_room(
    store: Store, source: Loopback, run: Run
) -> None:
    two_sources(source, NOW)
    asked = 0

    def full() -> bool:
        nonlocal asked
        asked += 1
        return asked <= 20

    with capture_logs() as logged:
        await run(BOTH, NOW, NOW + HOUR, full=full)
    lines = [line["event"] for line in logged]
    assert lines == ["nothing is fetched: it could not be stored", "what is fetched is stored again"]
    assert await kept(store, NOW + HOUR)


async def test_a_disk_that_is_full_in_the_middle_of_it_is_one_line_for_all_hosts(
    store: Store, source: Loopback, run: Run
) -> None:
    """SQLite's own refusal, whatever the system says of the room there is."""
    two_sources(source, NOW)
    await run(BOTH, NOW, NOW + MINUTE)
    before = await kept(store, NOW + 9 * HOUR)
    async with store.read() as db:
        # As large as it is, on the one connection there is: the next page does not fit.
        pages = int(await db.scalar(text("PRAGMA page_count")))
        await db.scalar(text(f"PRAGMA max_page_count={pages}"))
    later = NOW + timedelta(days=9)
    source.hosts = {
        "api.kraken.com": at_kraken(later, days=14),
        "api.exchange.coinbase.com": Reply(status=404),
    }
    with capture_logs() as logged:
        await run(KRAKEN, later, later + 10 * MINUTE)
    warned = [line for line in logged if line["log_level"] == "warning"]
    assert [line["event"] for line in warned] == ["nothing is fetched: it could not be stored"]
    assert "full" in warned[0]["reason"]
    assert await kept(store, later) == before


@pytest.fixture
def nearly_full(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def with_free(free: int) -> None:
        usage = SimpleNamespace(total=10**12, used=10**12 - free, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    return with_free


async def test_the_status_and_the_doctor_tell_of_a_full_disk(
    store: Store, file: Path, nearly_full: Callable[[int], None]
) -> None:
    home = Home(settings=Settings(_env_file=None, database_url=str(file)), now=NOW)
    url = home.settings.database_url
    nearly_full(disk.LEAST)
    assert not disk.nearly_full(url)
    assert "disk" not in words(await status(store, server_id=1, fetches=True, at=NOW), "all", ENGLISH)
    nearly_full(disk.LEAST - 1)
    assert disk.nearly_full(url)
    told = words(await status(store, server_id=1, fetches=True, at=NOW), "all", ENGLISH)
    assert "The disk is nearly full: nothing is fetched until there is room" in told
    [found] = await doctor._disk(home)
    assert found.verdict is Verdict.ACT
    assert "nothing is fetched any more" in found.says
    # A store in no file is not on this disk.
    assert not disk.nearly_full("sqlite+aiosqlite://")


async def test_a_clock_that_differs_is_told_once_and_once_when_it_agrees_again(
    store: Store, file: Path, source: Loopback, run: Run
) -> None:
    def dated(now: datetime, ahead: timedelta) -> Reply:
        true = at_kraken(now)
        return Reply(body=true.body, headers={"Date": format_datetime(now + ahead, usegmt=True)})

    async def lived(since: datetime, ahead: timedelta) -> list[tuple[str, object]]:
        source.always = dated(since, ahead)
        with capture_logs() as logged:
            await run(KRAKEN, since, since + MINUTE)
        return [(line["event"], line.get("ahead_s")) for line in logged if "clock" in line["event"]]

    async def differing() -> dict[str, int]:
        async with store.read() as db:
            return await clocks.differing(db)

    assert await lived(NOW, timedelta(seconds=90)) == []
    behind = timedelta(minutes=-7)
    assert await lived(NOW + HOUR, behind) == [("a source's clock differs from ours", -420)]
    # The next process knows of it, and says nothing more.
    assert await lived(NOW + 2 * HOUR, behind) == []
    assert await differing() == {"api.kraken.com": -420}
    home = Home(settings=Settings(_env_file=None, database_url=str(file)), now=NOW + 2 * HOUR)
    kraken = await _of_kraken(home)
    assert "its clock is 420 s behind ours" in kraken.says
    assert kraken.verdict is Verdict.WARN
    # Nearly well is not well: no line each time it is a second over.
    assert await lived(NOW + 3 * HOUR, timedelta(seconds=-100)) == []
    assert await lived(NOW + 4 * HOUR, timedelta(0)) == [("a source's clock agrees with ours again", None)]
    assert await differing() == {}
    assert "clock" not in (await _of_kraken(home)).says


async def _of_kraken(home: Home) -> doctor.Finding:
    async def yes(_: str) -> bool:
        return True

    return next(one for one in await sources(home, yes) if one.name == "source api.kraken.com")


async def test_a_clock_that_is_ahead_closes_no_bar(store: Store, source: Loopback, run: Run) -> None:
    """Neither ours nor theirs: the more careful of the two counts."""
    true = at_kraken(NOW)
    source.always = Reply(
        body=true.body, headers={"Date": format_datetime(NOW + timedelta(hours=2), usegmt=True)}
    )
    await run(KRAKEN, NOW, NOW + MINUTE)
    async with store.read() as db:
        series = await instruments.at_venue(db, "Kraken", "BTC/USD", KRAKEN[0].interval)  # type: ignore[union-attr]
        rows = await bars.closed(db, series, series.interval, at=NOW + 9 * HOUR)
    assert rows[-1].closed_at <= NOW.timestamp()
