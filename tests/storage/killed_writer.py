"""Writers killed at random instants: ``killed_writer.py STORE KILLS SEED``, a program of its own.

Each writer is forked from this warm process, which holds no thread, so that hundreds die in
seconds. It writes through the storage modules, number after number, and says each number
once its transaction has been acknowledged. Prints one JSON object about what was found.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from analysis.levels import Level
from storage import flows, handled, level_book, servers
from storage.servers import ServerSettings
from storage.store import Store

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
SERVER = 7


async def write(store: Store, number: int) -> None:
    """One transaction over four modules, all of it about ``number``."""
    async with store.write() as db:
        if not await handled.first_time(db, number, now=NOW):
            raise AssertionError(f"{number} was written twice")
        book = [Level(price=float(number * 10 + part), label=f"{number}") for part in range(3)]
        await level_book.write(db, SERVER, book)
        await servers.keep(db, ServerSettings(server_id=SERVER, changed_at=number))
        day = flows.Reported(
            trade_date=date(2000, 1, 1) + timedelta(days=number), funds={"A": float(number), "B": -1.0}
        )
        await flows.store(db, "BTC", [day], source="Somebody", now=NOW)


async def writing(url: str, number: int, pipe: int) -> None:
    store = await Store.open(url)
    while True:
        number += 1
        await write(store, number)
        os.write(pipe, number.to_bytes(4, "big"))


async def warm(file: Path) -> None:
    """Loads all that is loaded late, so that no fork has to."""
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    await write(store, 1)
    await store.close()


@dataclass(slots=True)
class Found:
    kills: int = 0
    acknowledged: int = 0
    half_written: int = 0
    """Times the dead left a journal to be rolled back."""
    wrong: list[str] = field(default_factory=list)


def kill_one(url: str, number: int, chance: random.Random) -> int:
    """The last number a writer acknowledged before it was killed, 0 if none."""
    reading, saying = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(writing(url, number, saying))
        finally:
            os._exit(9)
    os.close(saying)
    if chance.random() < 0.9:  # the others may die before they have opened the store
        select.select([reading], [], [], 60)
    time.sleep(chance.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    said = b""
    while piece := os.read(reading, 65536):
        said += piece
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise AssertionError("a writer ended by itself")
    return int.from_bytes(said[-4:], "big")


def look(file: Path, acknowledged: int) -> tuple[int, str]:
    """The last number in the store, and what is wrong with it."""
    with closing(sqlite3.connect(file)) as db:

        def one(sql: str) -> int:
            return int(db.execute(sql).fetchone()[0] or 0)

        if (verdict := db.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            return acknowledged, f"damaged: {verdict}"
        last = one("SELECT max(id) FROM handled_interactions")
        book = [
            row[0] for row in db.execute(f"SELECT price FROM levels WHERE server_id = {SERVER} ORDER BY 1")
        ]
        found = {
            "interactions": one("SELECT count(*) FROM handled_interactions"),
            "settings": one(f"SELECT max(changed_at) FROM server_settings WHERE server_id = {SERVER}"),
            "flow days": one("SELECT count(*) FROM flow_versions"),
            "fund flows": one("SELECT count(*) FROM fund_flows") // 2,
            "level book": int(book[0] // 10) if book else 0,
        }
    if any(number != last for number in found.values()):
        return last, f"half a transaction: last {last}, {found}"
    if book != [last * 10 + part for part in range(3)] and last:
        return last, f"half a level book: {book}"
    if not acknowledged <= last <= acknowledged + 1:
        return last, f"acknowledged {acknowledged}, found {last}"
    return last, ""


def main() -> None:
    file, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)  # noqa: S311 -- repeatable on purpose
    url = f"sqlite+aiosqlite:///{file}"
    found = Found()
    last = 0
    asyncio.run(warm(Path(shutil.copy(file, f"{file}.warm"))))
    for _ in range(kills):
        acknowledged = kill_one(url, last, chance) or last
        found.kills += 1
        found.acknowledged += acknowledged - last
        journal = file.with_name(f"{file.name}-journal")
        found.half_written += journal.exists() and journal.stat().st_size > 0
        last, wrong = look(file, acknowledged)
        if wrong:
            found.wrong.append(wrong)
    print(
        json.dumps(
            {
                "kills": found.kills,
                "acknowledged": found.acknowledged,
                "half_written": found.half_written,
                "wrong": found.wrong,
            }
        )
    )


if __name__ == "__main__":
    main()
