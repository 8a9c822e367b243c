"""``leadline doctor``: what may be wrong with an installation, and what to do about it.

Every check is a coroutine function in ``CHECKS`` that takes the ``Home`` and returns
findings. All run at once, each within its own limit; none writes anything, so that a
running bot is not disturbed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bot import disk
from bot.errors import UserError
from bot.settings import Settings
from storage import kept_backups, lock, migrate, sqlite
from storage.state import State

NETWORK_SECONDS: Final = 10.0
LOCAL_SECONDS: Final = 20.0
STALE_BEAT: Final = timedelta(seconds=60)
LEAST_DISK: Final = 500 * 1024 * 1024
LEAST_DISK_SHARE: Final = 0.05
STALE_BACKUP: Final = timedelta(hours=2)
SYSTEM_ZONES: Final = Path("/usr/share/zoneinfo/tzdata.zi")
_LOADED: Final = (
    "analysis.charts.look",
    "bot.doctor_discord",
    "bot.doctor_sources",
    "bot.every_feed",
    "bot.ingest",
    "bot.pictures",
    "bot.reports",
    "bot.running",
    "storage.sample",
)
"""What the checks import when they run, too: most of the bot."""


class Verdict(StrEnum):
    """``WARN``: it works, but not for ever or not everywhere; ``ACT``: something does not work."""

    OK = "ok"
    WARN = "warn"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, and the remedy if there is anything to mend."""

    name: str
    verdict: Verdict
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The installation that is looked at, and when."""

    settings: Settings
    now: datetime

    @property
    def file(self) -> Path | None:
        """Where the store is; None when it is in no file."""
        return sqlite.file_of(self.settings.database_url)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, how long it may take, and what it does."""

    name: str
    seconds: float
    run: Callable[[Home], Awaitable[Sequence[Finding]]]


class _Abandoned(ThreadPoolExecutor):
    """Threads nobody waits for at the end: a resolver or a disk that hangs must not hold the doctor up."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()

        def work() -> None:
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(result)

        threading.Thread(target=work, name="doctor", daemon=True).start()
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- as inherited
        super().shutdown(wait=False, cancel_futures=cancel_futures)


async def examine(home: Home) -> list[Finding]:
    """All findings, in the order of ``CHECKS``. To be the only work of its event loop."""
    asyncio.get_running_loop().set_default_executor(_Abandoned())
    # Not while a check's time runs: an import holds up the loop, and with it every answer.
    for name in _LOADED:
        import_module(name)
    found = await asyncio.gather(*(_within_limit(check, home) for check in CHECKS))
    return [finding for findings in found for finding in findings]


async def _within_limit(check: Check, home: Home) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(check.seconds):
            return await check.run(home)
    except TimeoutError:
        remedy = "run leadline doctor again when the computer or the network is less busy"
        return [_act(check.name, f"no answer within {check.seconds:g} s", remedy)]
    except UserError as error:
        return [
            Finding(name=check.name, verdict=Verdict.ACT, says=str(error), remedy="see the line above it")
        ]


def healthy(home: Home) -> Finding:
    """Whether a bot runs on the store and was well a minute ago; for health checks, quick and offline."""
    file = home.file
    if file is None:
        return Finding(name="health", verdict=Verdict.WARN, says="a store in no file has no health to read")
    path = lock.beside(file)
    if not lock.held(path):
        return Finding(name="health", verdict=Verdict.ACT, says="no bot runs on this store")
    beat = lock.last_beat(path)
    age = timedelta.max if beat is None else home.now - datetime.fromtimestamp(beat, UTC)
    if age > STALE_BEAT:
        return Finding(
            name="health", verdict=Verdict.ACT, says="the bot has not been connected and well for a minute"
        )
    return Finding(
        name="health", verdict=Verdict.OK, says=f"connected and well {age.total_seconds():.0f} s ago"
    )


# --- the checks --------------------------------------------------------------


async def _settings(home: Home) -> list[Finding]:
    says = f"Leadline {version('leadline')}, store at {home.file or 'an address of its own'}"
    if home.settings.discord_token is not None and await asyncio.to_thread(_others_may_read, Path(".env")):
        return [
            Finding(
                name="settings",
                verdict=Verdict.WARN,
                says=f"{says}; others on this computer may read .env, which holds the token",
                remedy="chmod 600 .env",
            )
        ]
    return [Finding(name="settings", verdict=Verdict.OK, says=says)]


def _others_may_read(file: Path) -> bool:
    return file.is_file() and bool(file.stat().st_mode & 0o077)


async def _store(home: Home) -> list[Finding]:
    """Integrity, schema, and whether the journal is one this SQLite can be trusted with."""
    file = home.file
    if file is None:
        return [Finding(name="store", verdict=Verdict.OK, says="not in a file: look after it where it is")]
    found = await migrate.check(home.settings.database_url)
    good = await asyncio.to_thread(kept_backups.newest_good, file)
    restore = f"leadline db restore {good}" if good else "leadline db restore FILE, with a backup of yours"
    safe = sqlite.wal_is_safe(tuple(int(part) for part in found.sqlite_version.split(".")))
    says = f"SQLite {found.sqlite_version}, schema {found.revision}, journal {found.journal_mode}"
    match found.state:
        case State.MISSING | State.EMPTY if good is not None:
            return [_act("store", f"{file} is gone, but has backups", restore)]
        case State.MISSING | State.EMPTY:
            return [Finding(name="store", verdict=Verdict.OK, says=f"{file} will be made at the first start")]
        case State.NEWER:
            return [_act("store", f"{says}: written by a newer version", "install the newer version again")]
        case State.FOREIGN | State.UNREADABLE:
            return [_act("store", f"{file} cannot be read as a store", restore)]
    if found.damage or found.missing or found.orphans:
        harm = [*found.damage[:3], *(f"table {name} is missing" for name in found.missing)]
        if found.orphans:
            harm.append(f"{found.orphans} rows without their parent")
        return [_act("store", f"{says}: damaged: {'; '.join(harm)}", restore)]
    if found.journal_mode == "wal" and not safe:
        return [
            Finding(
                name="store",
                verdict=Verdict.WARN,
                says=f"{says}: this SQLite can damage a file in WAL mode that two programs use",
                remedy="stop the bot and start it again: it then uses another journal",
            )
        ]
    if found.state is State.OLDER:
        says += "; the next start brings it up to date, after a copy"
    return [Finding(name="store", verdict=Verdict.OK, says=f"whole: {says}")]


async def _disk(home: Home) -> list[Finding]:
    folder = disk.folder_of(home.file)
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    says = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f} GB at {folder}"
    if home.file is not None and usage.free < disk.LEAST:
        return [
            _act("disk", f"{says}: nothing is fetched any more", "make room; fetching then goes on by itself")
        ]
    if usage.free < max(LEAST_DISK, usage.total * LEAST_DISK_SHARE):
        remedy = "make room: below 500 MB or 5 % backups fail first, then the store"
        return [Finding(name="disk", verdict=Verdict.WARN, says=says, remedy=remedy)]
    if not os.access(folder, os.W_OK):
        return [_act("disk", f"{folder} cannot be written by this user", "run as the user of the bot")]
    return [Finding(name="disk", verdict=Verdict.OK, says=says)]


async def _backups(home: Home) -> list[Finding]:
    file = home.file
    if file is None or not file.exists():
        return [Finding(name="backups", verdict=Verdict.OK, says="nothing to back up yet")]
    kept = await asyncio.to_thread(kept_backups.kept, file)
    if not kept:
        return [
            Finding(
                name="backups",
                verdict=Verdict.WARN,
                says=f"none in {kept_backups.folder_of(file)}",
                remedy="the running bot makes one an hour; leadline db backup FILE makes one now",
            )
        ]
    newest = max(kept)
    says = f"{len(kept)}, the newest of {newest:%Y-%m-%d %H:%M} UTC"
    if not await asyncio.to_thread(kept_backups.is_good, kept[newest]):
        return [_act("backups", f"{says}, which is damaged", "check the disk; leadline db backup FILE")]
    running = lock.held(lock.beside(file))
    if running and home.now - newest > STALE_BACKUP and kept_backups.written_since(file, newest):
        remedy = "the log says why: look for “backup”"
        return [
            Finding(name="backups", verdict=Verdict.WARN, says=f"{says}, though a bot runs", remedy=remedy)
        ]
    return [Finding(name="backups", verdict=Verdict.OK, says=says)]


async def _zones(_home: Home) -> list[Finding]:
    """The pinned data decides; a computer with newer data knows of a change that we do not."""
    ours = version("tzdata")
    theirs = await asyncio.to_thread(_system_zones)
    year, number = (int(part) for part in ours.split(".")[:2])
    if theirs is not None and theirs > (year, number):
        says = f"tzdata {ours}, but this computer has {theirs[0]}.{theirs[1]}"
        remedy = "install the newest version of Leadline: a clock may change on another day than it thinks"
        return [Finding(name="time zones", verdict=Verdict.WARN, says=says, remedy=remedy)]
    return [Finding(name="time zones", verdict=Verdict.OK, says=f"tzdata {ours}")]


def _system_zones() -> tuple[int, int] | None:
    """The version of the computer's own data, 2026b as (2026, 2)."""
    try:
        with SYSTEM_ZONES.open(encoding="ascii", errors="replace") as file:
            stated = re.match(r"# version (\d{4})([a-z])", file.readline())
    except OSError:
        return None
    return None if stated is None else (int(stated[1]), ord(stated[2]) - ord("a") + 1)


async def _drawing(_home: Home) -> list[Finding]:
    """A chart of the sample in Chinese, drawn as the bot draws: typeface, libraries, process."""
    from analysis.charts import CHARTS
    from analysis.charts.look import Look
    from bot.pictures import Pictures
    from bot.reports import REPORTS
    from bot.reports.shapes import Asked
    from bot.running import SAMPLE_START
    from storage import sample

    pictures = Pictures(charts=CHARTS)
    starting = asyncio.create_task(pictures.start())
    try:
        store = await sample.open_in_memory()
        try:
            report = REPORTS["levels"]
            asked = Asked(store=store, at=SAMPLE_START, server_id=0)
            result = await report.answer(report.read({}, SAMPLE_START), asked)
        finally:
            await store.close()
        await starting
        picture = await pictures.draw(report.chart, result, Look(locale="zh-TW"))
    except Exception as error:
        says = f"no chart could be drawn ({type(error).__name__})"
        return [_act("drawing", says, "make install; if that does not help, report it with the log")]
    finally:
        await starting
        await pictures.close()
    says = f"a chart of {len(picture.png) // 1024} KB was drawn with the shipped typeface"
    return [Finding(name="drawing", verdict=Verdict.OK, says=says)]


async def _discord(home: Home) -> list[Finding]:
    from bot.doctor_discord import connection

    return await connection(home)


async def _clock(_home: Home) -> list[Finding]:
    from bot.doctor_discord import clock

    return await clock()


async def _sources(home: Home) -> list[Finding]:
    from bot.doctor_sources import sources

    return await sources(home)


def _act(name: str, says: str, remedy: str) -> Finding:
    return Finding(name=name, verdict=Verdict.ACT, says=says, remedy=remedy)


CHECKS: Final = (
    Check("settings", LOCAL_SECONDS, _settings),
    Check("Discord", NETWORK_SECONDS, _discord),
    Check("clock", NETWORK_SECONDS, _clock),
    Check("sources", LOCAL_SECONDS, _sources),
    Check("store", LOCAL_SECONDS, _store),
    Check("backups", LOCAL_SECONDS, _backups),
    Check("disk", LOCAL_SECONDS, _disk),
    Check("time zones", LOCAL_SECONDS, _zones),
    Check("drawing", LOCAL_SECONDS, _drawing),
)
