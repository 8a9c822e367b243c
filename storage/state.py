"""What a file is, before anything opens it as a store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from storage import schema, sqlite


class State(StrEnum):
    MISSING = "missing"
    EMPTY = "empty"
    FOREIGN = "foreign"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def revision_of(file: Path) -> str | None:
    """The schema revision a SQLite file says it has; None if it says none."""
    with closing(sqlite3.connect(sqlite.file_uri(file, "ro"), uri=True, timeout=sqlite.BUSY_SECONDS)) as db:
        row = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = db.execute("SELECT version_num FROM alembic_version").fetchone() if row else None
    return str(row[0]) if row else None


def state_of(file: Path) -> State:
    """Tell a store from no file, a file of zero bytes, and any other file.

    A SQLite file in which nothing was ever written counts as empty.
    """
    if not file.exists():
        return State.MISSING
    if not file.is_file():
        return State.FOREIGN
    if file.stat().st_size == 0:
        return State.EMPTY
    try:
        uri = sqlite.file_uri(file, "ro")
        with closing(sqlite3.connect(uri, uri=True, timeout=sqlite.BUSY_SECONDS)) as db:
            (application_id,) = db.execute("PRAGMA application_id").fetchone()
            (objects,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return State.FOREIGN
    if application_id != schema.APPLICATION_ID:
        return State.EMPTY if application_id == 0 and objects == 0 else State.FOREIGN
    revision = revision_of(file)
    if revision is None:
        return State.FOREIGN
    if revision == schema.REVISIONS[-1]:
        return State.CURRENT
    return State.OLDER if revision in schema.REVISIONS else State.NEWER
