"""A copy of a running store that can be trusted to be whole."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from analysis.errors import UserError
from storage import sqlite
from storage.state import State, state_of


async def make(url: str, file: Path) -> None:
    """Copy the store at ``url`` to ``file``, beside a running bot.

    The copy is written under another name, synced, checked and only then named ``file``
    (an older one is replaced): whatever is called ``file`` is a whole store. Raises
    UserError when there is nothing to copy or the copy cannot be made.
    """
    source = sqlite.file_of(url)
    if source is None:
        raise UserError("Only a store in a file can be backed up.")
    match await asyncio.to_thread(state_of, source):
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
        with closing(sqlite3.connect(sqlite.file_uri(unfinished, "ro"), uri=True)) as db:
            (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise UserError("The backup at {path} is damaged; the store itself may be.", path=str(file))
        unfinished.replace(file)
        _sync(file.parent)
    except (OSError, sqlite3.Error):
        raise UserError("The backup cannot be written to {path}.", path=str(file)) from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


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
