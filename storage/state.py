"""What a file is, before anything opens it as a store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from analysis.errors import UserError
from storage import lock, schema, sqlite


class State(StrEnum):
    """What a file is. ``UNREADABLE``: SQLite cannot open it now, or not for reading only."""

    MISSING = "missing"
    EMPTY = "empty"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def revision_in(db: sqlite3.Connection) -> str | None:
    """The schema revision a database says it has; None if it says none."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
        return None
    row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def state_of(file: Path, *, recover: bool = False) -> State:
    """Tell a store from no file, a file of zero bytes, and any other file.

    A SQLite file in which nothing was ever written counts as empty. What a killed process
    left half written is rolled back if ``recover``; for reading only that cannot be done.
    """
    if not file.exists():
        return State.MISSING
    if not file.is_file():
        return State.FOREIGN
    if file.stat().st_size == 0:
        return State.EMPTY
    uri = sqlite.file_uri(file, "rw" if recover else "ro")
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=sqlite.BUSY_SECONDS)) as db:
            (application_id,) = db.execute("PRAGMA application_id").fetchone()
            (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            revision = revision_in(db)
    except sqlite3.OperationalError:
        return State.UNREADABLE
    except sqlite3.DatabaseError:
        return State.FOREIGN
    if application_id == 0 and objects == 0:
        return State.EMPTY
    if application_id != schema.APPLICATION_ID or revision is None:
        return State.FOREIGN
    if revision == schema.REVISIONS[-1]:
        return State.CURRENT
    return State.OLDER if revision in schema.REVISIONS else State.NEWER


def settled_state(file: Path) -> State:
    """``state_of`` for a reader: what a killed program left half written is rolled back first.

    That needs the lock, so it waits for nobody: raises UserError when the file cannot be
    read and a running program holds it.
    """
    state = state_of(file)
    if state is not State.UNREADABLE:
        return state
    running = lock.RunningLock(lock.beside(file))
    try:
        running.acquire()
    except UserError:
        if lock.held(running.path):
            raise UserError(
                "The bot is writing to the store at {path}. Ask again in a moment.", path=str(file)
            ) from None
        return state  # a folder in which only others may write
    try:
        return state_of(file, recover=True)
    finally:
        running.release()
