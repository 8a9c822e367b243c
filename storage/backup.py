"""A copy of a running store that can be trusted to be whole, and such a copy put back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from analysis.errors import UserError
from storage import sqlite
from storage.state import State, settled_state, state_of


async def make(url: str, file: Path) -> None:
    """Copy the store at ``url`` to ``file``, beside a running bot.

    The copy is written under another name, synced, checked and only then named ``file``
    (an older one is replaced): whatever is called ``file`` is a whole store. Raises
    UserError when there is nothing to copy or the copy cannot be made.
    """
    source = sqlite.file_of(url)
    if source is None:
        raise UserError("Only a store in a file can be backed up.")
    match await asyncio.to_thread(settled_state, source):
        case State.MISSING | State.EMPTY | State.FOREIGN:
            raise UserError("There is no store at {path} yet.", path=str(source))
        case State.UNREADABLE:
            raise UserError("The store at {path} cannot be read.", path=str(source))
    if await asyncio.to_thread(state_of, file) is State.FOREIGN:
        raise UserError("{path} is not a store of this program.", path=str(file))
    await asyncio.to_thread(copy, source, file)


def copy(source: Path, file: Path) -> None:
    """The work of ``make``, in the calling thread."""
    if file.exists() and file.samefile(source):
        raise UserError("A backup cannot be written over the store itself.")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        uri = sqlite.file_uri(source, "ro")
        with closing(sqlite3.connect(uri, uri=True, timeout=sqlite.BUSY_SECONDS)) as db:
            db.execute("VACUUM INTO ?", (str(unfinished),))
        _spare(unfinished)
        _sync(unfinished)
        if not is_whole(unfinished):
            raise UserError("The backup at {path} is damaged; the store itself may be.", path=str(file))
        unfinished.replace(file)
        _sync(file.parent)
    except (OSError, sqlite3.Error) as error:
        raise UserError("The backup cannot be written to {path}.", path=str(file)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def is_whole(file: Path) -> bool:
    """Whether SQLite finds nothing wrong anywhere in the file; one that cannot be read is not whole."""
    try:
        with closing(
            sqlite3.connect(sqlite.file_uri(file, "ro"), uri=True, timeout=sqlite.BUSY_SECONDS)
        ) as db:
            (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error:
        return False
    return bool(verdict == "ok")


def restore(backup: Path, file: Path, *, now: datetime) -> Path | None:
    """Put ``backup`` in the place of the store ``file``; to be called under the store's lock.

    Returns what the present store is now called, None if there was none. Nothing is
    touched before the backup has been copied beside the store and found whole, and at no
    instant is ``file`` anything but the one or the other. Raises UserError.
    """
    match state_of(backup):
        case State.MISSING:
            raise UserError("There is no file {path}.", path=str(backup))
        case State.EMPTY | State.FOREIGN:
            raise UserError("{path} is not a store of this program.", path=str(backup))
        case State.NEWER:
            raise UserError("The store at {path} was written by a newer version.", path=str(backup))
        case State.UNREADABLE:
            raise UserError("The store at {path} cannot be read.", path=str(backup))
    if file.exists() and file.samefile(backup):
        raise UserError("{path} is the store itself, not a backup of it.", path=str(backup))
    if not is_whole(backup):
        raise UserError("The backup at {path} is damaged and was not restored.", path=str(backup))
    incoming = file.with_name(f".{file.name}.incoming")
    copy(backup, incoming)
    try:
        aside = _set_aside(file, now) if file.exists() else None
        incoming.replace(file)
        _sync(file.parent)
    except OSError:
        raise UserError("The store at {path} cannot be replaced.", path=str(file)) from None
    finally:
        with suppress(OSError):
            incoming.unlink(missing_ok=True)
    return aside


def _set_aside(file: Path, now: datetime) -> Path:
    """A second name for the present store, and its journals away from the first."""
    # A store that can still be read takes its journals in first, so that none is left.
    state_of(file, recover=True)
    aside = file.with_name(f"{file.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    aside.hardlink_to(file)
    # SQLite would roll a journal that stayed here back into the restored file.
    for suffix in ("-journal", "-wal", "-shm"):
        journal = file.with_name(file.name + suffix)
        if journal.exists():
            journal.replace(aside.with_name(aside.name + suffix))
    return aside


def _spare(file: Path) -> None:
    """Leave out the pictures of posts: they are large, and open posts are written and drawn again."""
    with closing(sqlite3.connect(sqlite.file_uri(file, "rw"), uri=True, isolation_level=None)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "pictures" not in tables or not db.execute("SELECT count(*) FROM pictures").fetchone()[0]:
            return
        # Nobody else knows this file yet, and it is thrown away if anything goes wrong.
        db.execute("PRAGMA journal_mode=OFF")
        db.execute("UPDATE outbox SET state = 'planned' WHERE state IN ('rendered', 'sending')")
        db.execute("DELETE FROM outbox_pictures")
        db.execute("DELETE FROM pictures")
        db.execute("VACUUM")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
