"""What the bot does by itself: again and again, each for itself, until it stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import housekeeping
from bot.clock import FixedClock
from bot.housekeeping import Job
from storage import kept_backups, servers
from storage.servers import ServerSettings
from storage.store import Store
from tests.patience import PATIENCE

SOON = timedelta(milliseconds=5)


async def test_a_job_that_fails_stops_neither_the_others_nor_itself() -> None:
    done: list[str] = []
    enough = asyncio.Event()

    async def fails() -> None:
        done.append("fails")
        raise OSError("no space")

    async def works() -> None:
        done.append("works")
        if done.count("works") >= 3 and done.count("fails") >= 3:
            enough.set()

    jobs = [Job(name="fails", every=SOON, work=fails), Job(name="works", every=SOON, work=works)]
    async with housekeeping.running(jobs), asyncio.timeout(PATIENCE):
        await enough.wait()


async def test_a_job_waits_its_time_and_ends_with_the_block() -> None:
    done = 0
    begun = asyncio.Event()

    async def works() -> None:
        nonlocal done
        done += 1
        begun.set()

    async with housekeeping.running([Job(name="daily", every=timedelta(days=1), work=works)]):
        await begun.wait()
        await asyncio.sleep(0.05)
    assert done == 1
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("housekeeping")] == []


async def test_no_job_is_done_before_its_time_has_come() -> None:
    connected, done = asyncio.Event(), asyncio.Event()

    async def works() -> None:
        done.set()

    once = Job(name="works", every=timedelta(days=1), work=works)
    async with housekeeping.running([once], after=connected):
        await asyncio.sleep(0.05)
        assert not done.is_set()
        connected.set()
        async with asyncio.timeout(PATIENCE):
            await done.wait()


async def test_what_a_job_has_begun_is_let_go_before_the_block_ends() -> None:
    begun, cleared = asyncio.Event(), False

    async def works() -> None:
        nonlocal cleared
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleared = True

    async with housekeeping.running([Job(name="long", every=SOON, work=works)]):
        await begun.wait()
    assert cleared


async def test_a_running_bot_forgets_servers_left_long_ago_and_keeps_backups(
    store: Store, tmp_path: Path
) -> None:
    now = datetime(2026, 2, 5, 18, tzinfo=UTC)
    async with store.write() as db:
        await servers.keep(db, ServerSettings(server_id=7))
        await db.exec_driver_sql(
            "INSERT INTO servers_left VALUES (7, ?)", [(int((now - timedelta(days=31)).timestamp()),)]
        )
    file = tmp_path / "leadline.db"
    jobs = housekeeping.jobs(store, FixedClock(now), url=f"sqlite+aiosqlite:///{file}")
    async with housekeeping.running(jobs), asyncio.timeout(PATIENCE):
        while True:
            async with store.read() as db:
                forgotten = await servers.settings(db, 7) is None
            if forgotten and kept_backups.kept(file):
                break
            await asyncio.sleep(0.01)
    assert list(kept_backups.kept(file)) == [now]
