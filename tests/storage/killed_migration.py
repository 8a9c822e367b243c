"""A migration killed everywhere: ``killed_migration.py OLD_STORE FOLDER RANDOM_KILLS``, a program of its own.

First at the beginning of its first SQL statement, its second, and so on until one goes
through; then at random instants, which also hits the middle of statements. Prints one JSON
object about what was found.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from storage import migrate
from storage.state import State, state_of


def content(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()


def upgrade(file: Path) -> None:
    asyncio.run(migrate.upgrade(f"sqlite+aiosqlite:///{file}"))


def killed_at(statement: int) -> None:
    """From now on this process dies when SQLite begins its statement of that number."""
    connect = sqlite3.connect
    begun = 0

    def count(_sql: str) -> None:
        nonlocal begun
        begun += 1
        if begun == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(*arguments: Any, **named: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*arguments, **named)
        db.set_trace_callback(count)
        return db

    sqlite3.connect = counted  # type: ignore[assignment]


def forked(file: Path, before: Callable[[], object]) -> bool:
    """Whether an upgrade after ``before``, in a process of its own, came to its end."""
    child = os.fork()
    if child == 0:
        status = 9
        try:
            before()
            upgrade(file)
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if not os.WIFSIGNALED(ended) and os.WEXITSTATUS(ended) != 0:
        raise AssertionError("an upgrade failed by itself")
    return not os.WIFSIGNALED(ended)


class Kills:
    def __init__(self, old: Path, folder: Path) -> None:
        self.old, self.folder = old, folder
        self.before = content(old)
        # Loads Alembic and all else once, here, and not in each of the forks.
        upgrade(Path(shutil.copy(old, folder / "warm.db")))
        new = Path(shutil.copy(old, folder / "new.db"))
        began = time.monotonic()
        forked(new, lambda: None)
        self.seconds = time.monotonic() - began
        self.after = content(new)
        self.states: dict[str, int] = {}
        self.wrong: list[str] = []

    def kill(self, name: str, before: Callable[[], object]) -> bool:
        """Whether the upgrade came to its end before it was killed."""
        folder = self.folder / name
        folder.mkdir()
        file = Path(shutil.copy(self.old, folder / "leadline.db"))
        ended = forked(file, before)
        state = state_of(file, recover=True)
        self.states[str(state)] = self.states.get(str(state), 0) + 1
        expected = {State.OLDER: self.before, State.CURRENT: self.after}
        if expected.get(state) != content(file):
            self.wrong.append(f"{name}: between, {state}")
        for copied in folder.glob("leadline.db.before-*.bak"):
            if content(copied) != self.before:
                self.wrong.append(f"{name}: the copy is not the old store")
        if not forked(file, lambda: None) or content(file) != self.after:
            self.wrong.append(f"{name}: the next upgrade did not mend it")
        shutil.rmtree(folder)
        return ended


def main() -> None:
    kills = Kills(Path(sys.argv[1]), Path(sys.argv[2]))
    statements = 1
    while not kills.kill(f"statement {statements}", partial(killed_at, statements)):
        statements += 1
    chance = random.Random(1)  # noqa: S311 -- repeatable on purpose
    for number in range(int(sys.argv[3])):
        after = chance.uniform(0.001, kills.seconds)
        # The default for this signal is to end the process on the spot.
        kills.kill(f"random {number}", partial(signal.setitimer, signal.ITIMER_REAL, after))
    print(json.dumps({"statements": statements - 1, "states": kills.states, "wrong": kills.wrong}))


if __name__ == "__main__":
    main()
