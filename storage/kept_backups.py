"""Backups the running bot makes by itself: when one is due, and which are kept."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import time as machine_time
from typing import Final

from analysis.errors import UserError
from storage import backup, sqlite
from storage.state import State, state_of

HOURS: Final = 24
DAYS: Final = 14
WEEKS: Final = 8
ROOM_LEFT: Final = 200 * 1024 * 1024
"""Bytes that a backup must leave free: the store itself must be able to grow."""
LEFT_OVER_AFTER: Final = 3600.0
"""Seconds after which a backup that nobody has written on was left by a process that was killed."""

_STAMP: Final = "%Y%m%dT%H%M%SZ"


def folder_of(file: Path) -> Path:
    """Where the backups of the store in ``file`` are kept."""
    return file.with_name("backups")


def kept(file: Path) -> dict[datetime, Path]:
    """The backups of the store in ``file`` by the instant each shows, oldest first."""
    name = re.compile(rf"{re.escape(file.stem)}-(\d{{8}}T\d{{6}}Z)\.db")
    found = {}
    folder = folder_of(file)
    for path in folder.iterdir() if folder.is_dir() else ():
        if matched := name.fullmatch(path.name):
            found[datetime.strptime(matched[1], _STAMP).replace(tzinfo=UTC)] = path
    return dict(sorted(found.items()))


def is_good(path: Path) -> bool:
    """Whether a backup is a whole store that this version can run on."""
    return state_of(path) in {State.CURRENT, State.OLDER} and backup.is_whole(path)


def newest_good(file: Path) -> Path | None:
    """The newest backup that is whole; None if there is none."""
    return next((path for path in reversed(kept(file).values()) if is_good(path)), None)


def which_to_drop(times: Iterable[datetime], now: datetime) -> list[datetime]:
    """The backups no longer wanted, oldest first.

    Kept is the newest of each of the last 24 hours, 14 days and 8 weeks (of ISO 8601, all
    in UTC) *that have a backup*: time alone takes none away, so that a bot which stood
    still for a year still has them all. What is dated after ``now`` was made while the
    clock was wrong, and stays.
    """
    past = sorted((time for time in times if time <= now), reverse=True)
    wanted: set[datetime] = set()
    for length, period in ((HOURS, "%Y%m%d%H"), (DAYS, "%Y%m%d"), (WEEKS, "%G%V")):
        newest: dict[str, datetime] = {}
        for time in past:
            newest.setdefault(time.strftime(period), time)
        wanted.update(list(newest.values())[:length])
    return [time for time in reversed(past) if time not in wanted]


async def backup_due(url: str, now: datetime) -> Path | None:
    """Make this hour's backup of the store at ``url`` and drop those no longer wanted.

    Returns the new backup; None when this hour has one already, or nothing was written
    since the last. To be called by the running bot, several times an hour; the work is
    done in a thread and on a connection of its own. Raises UserError when there is no
    room or the copy cannot be made; the older backups then stay.
    """
    file = sqlite.file_of(url)
    return None if file is None else await asyncio.to_thread(_backup_due, file, now)


def _backup_due(file: Path, now: datetime) -> Path | None:
    present = kept(file)
    last = max((time for time in present if time <= now), default=None)
    if last is not None and (_hour(last) == _hour(now) or not written_since(file, last)):
        return None
    # A file that is no store any more must not push out backups of when it was one.
    if state_of(file) is not State.CURRENT:
        raise UserError("The store at {path} cannot be read.", path=str(file))
    folder = folder_of(file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        room = shutil.disk_usage(folder).free
    except OSError:
        raise UserError("The backup cannot be written to {path}.", path=str(folder)) from None
    if room < file.stat().st_size + ROOM_LEFT:
        raise UserError("There is no room for a backup in {path}.", path=str(folder))
    made = folder / f"{file.stem}-{now.astimezone(UTC):{_STAMP}}.db"
    backup.copy(file, made)
    for time in which_to_drop([*present, now.astimezone(UTC).replace(microsecond=0)], now):
        present[time].unlink(missing_ok=True)
    return made


def _sweep(folder: Path) -> None:
    """Away with what a killed process left half written; not with what another is writing at this moment."""
    for half in folder.glob(".*.unfinished"):
        with suppress(FileNotFoundError):  # it was finished at this moment
            if half.stat().st_mtime < machine_time() - LEFT_OVER_AFTER:
                half.unlink()


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def written_since(file: Path, time: datetime) -> bool:
    """Whether the store, or its write-ahead log, was touched after ``time``, to the second."""
    journal = file.with_name(f"{file.name}-wal")
    return any(each.exists() and each.stat().st_mtime >= time.timestamp() for each in (file, journal))
