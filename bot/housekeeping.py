"""What is to be done again and again while the bot runs, whether anybody asks or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from bot.clock import Clock
from bot.errors import UserError
from bot.refresh import Refresh
from bot.reports import DERIVED
from storage import kept_backups, servers
from storage.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Done once at the start, then each time ``every`` has passed since it last ended."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[object]]


def jobs(store: Store, clock: Clock, *, url: str) -> list[Job]:
    """Everything a running bot does by itself. ``url`` is where ``store`` is kept."""
    return [
        Job(name="purge", every=timedelta(days=1), work=partial(_purge, store, clock)),
        # Asked more often than once an hour: what cannot be done now is tried again soon.
        Job(name="backup", every=timedelta(minutes=10), work=partial(_backup, url, clock)),
        Job(name="refresh", every=timedelta(minutes=1), work=Refresh(store, clock, DERIVED).look),
    ]


async def _backup(url: str, clock: Clock) -> None:
    await kept_backups.backup_due(url, clock.now())


async def _purge(store: Store, clock: Clock) -> None:
    gone = await servers.purge(store, clock.now())
    # Also what a reader in the way kept from being emptied when somebody asked to be forgotten.
    emptied = await store.empty_journal()
    if gone or not emptied:
        log.info("purged", servers=gone, journal_emptied=emptied)


@asynccontextmanager
async def running(kept: Iterable[Job], *, after: asyncio.Event | None = None) -> AsyncIterator[None]:
    """Does each job in its own time, none before ``after``, until the block ends; then waits until all have let go."""
    tasks = [
        asyncio.create_task(_again_and_again(job, after), name=f"housekeeping {job.name}") for job in kept
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(job: Job, after: asyncio.Event | None) -> None:
    if after is not None:
        await after.wait()
    while True:
        try:
            await job.work()
        except UserError as error:
            # Known and told: no room for a backup, a disk that takes no more.
            log.warning("housekeeping failed", job=job.name, reason=str(error))
        except Exception:
            # A failure stops neither the other jobs nor the next try.
            log.exception("housekeeping failed", job=job.name)
        # The event loop's clock is monotonic: setting the machine's clock moves nothing.
        await asyncio.sleep(job.every.total_seconds())
