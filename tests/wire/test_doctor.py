"""``leadline doctor`` against a Discord that is well, refuses, keeps silent or tells another time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from storage import kept_backups, lock
from tests.patience import PATIENCE
from tests.wire import payloads
from tests.wire.conftest import Launch, Open
from tests.wire.loopback import Discord
from tests.wire.payloads import TOKEN
from tests.wire.process import ROOT, until

ATTACH, EMBED, VIEW = 1 << 15, 1 << 14, 1 << 10


async def examined(
    launch: Launch, discord: Discord, database: Path, *, status: int, **variables: str
) -> dict[str, dict[str, Any]]:
    """The findings by name; looked for again where a bot was writing just then."""
    async with asyncio.timeout(2 * PATIENCE):
        while True:
            doctor = await launch(discord, database, "doctor", "--json", **variables)
            ended, out = await doctor.ended(), "\n".join(doctor.out)
            if "The bot is writing" not in out:
                break
    assert ended == status, out
    told = json.loads(out)
    assert told["ok"] is (status == 0)
    assert doctor.err == []
    for finding in told["findings"]:
        assert (finding["verdict"] == "ok") == (not finding["remedy"]), finding
    return {finding["name"]: finding for finding in told["findings"]}


def kept_in(database: Path) -> list[str]:
    """All rows, but for what the running bot itself notes of its start, and works out and keeps."""
    its_own = ('INSERT INTO "marks"', 'INSERT INTO "kept_results"')
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=PATIENCE)) as db:
        return [line for line in db.iterdump() if not line.startswith(its_own)]


async def test_what_is_well_beside_a_running_bot(launch: Launch, discord: Discord, database: Path) -> None:
    await launch(discord, database)
    await discord.connected()
    await until(lambda: bool(kept_backups.kept(database)))  # the running bot makes one itself
    discord.channels.append(
        payloads.channel("hidden", deny=VIEW, number="300000000000000002"),
    )
    before = kept_in(database)
    found = await examined(launch, discord, database, status=0)
    # The computer the tests run on may be short of room or old.
    assert {name for name, finding in found.items() if finding["verdict"] != "ok"} <= {"disk", "time zones"}
    assert found["token"]["says"].startswith("accepted: leadline")
    assert found["server Trading group"]["says"] == "1 of 2 text channels can be seen"
    assert found["store"]["says"].startswith("whole: SQLite ")
    assert found["backups"]["says"].startswith("1, the newest of ")
    assert kept_in(database) == before


async def test_each_thing_that_is_wrong_is_named(
    launch: Launch, opened: Open, database: Path, tmp_path: Path
) -> None:
    """Three homes at once: a refused token with a torn store; a silent Discord; little allowed, a wrong clock."""
    refusing, silent, meagre = [await opened() for _ in range(3)]
    refusing.trouble["GET", "/users/@me"] = 401, {"message": "401: Unauthorized", "code": 0}
    silent.silent |= {("GET", "/users/@me"), ("GET", "/gateway")}
    meagre.channels = [
        payloads.channel("trading", deny=ATTACH | EMBED),
        payloads.channel("news", deny=ATTACH, number="300000000000000002"),
        payloads.channel("hidden", deny=VIEW | ATTACH, number="300000000000000003"),
    ]
    meagre.date = format_datetime(datetime.now(UTC) - timedelta(seconds=90), usegmt=True)

    folders = [tmp_path / name for name in ("refusing", "silent", "meagre")]
    for folder in folders:
        folder.mkdir()
        shutil.copy(database, folder / "leadline.db")
    torn = folders[0] / "leadline.db"
    good = await kept_backups.backup_due(f"sqlite+aiosqlite:///{torn}", datetime.now(UTC))
    content = bytearray(torn.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = bytes(20_000)
    torn.write_bytes(content)

    first, second, third = await asyncio.gather(
        examined(launch, refusing, torn, status=1),
        examined(launch, silent, folders[1] / "leadline.db", status=1, REAL_LIMITS="Discord clock"),
        examined(launch, meagre, folders[2] / "leadline.db", status=1),
    )

    assert first["token"]["verdict"] == "act"
    assert ".env" in first["token"]["remedy"]
    assert first["store"]["verdict"] == "act"
    assert first["store"]["remedy"] == f"leadline db restore {good}"
    assert first["clock"]["verdict"] == "ok"

    assert second["Discord"]["says"] == second["clock"]["says"] == "no answer within 10 s"
    assert second["store"]["verdict"] == "ok"
    assert second["backups"]["verdict"] == "warn"

    assert third["server Trading group"]["says"] == (
        "2 of 3 text channels can be seen; lacks Attach Files in #trading, #news; Embed Links in #trading"
    )
    assert third["clock"]["verdict"] == "act"
    assert re.match(r"(9|[1-9]\d)\d s fast", third["clock"]["says"])


async def test_health_is_a_bot_that_is_connected_and_turns(
    launch: Launch, discord: Discord, database: Path
) -> None:
    async def health() -> tuple[int, list[str]]:
        asked = await launch(discord, database, "doctor", "--health")
        return await asked.ended(), asked.out

    assert await health() == (1, ["act   health: no bot runs on this store"])
    path = lock.beside(database)
    with lock.RunningLock(path):
        os.utime(path, (time.time() - 61,) * 2)
        status, told = await health()
        assert (status, told) == (
            1,
            ["act   health: the bot has not been connected and well for a minute"],
        )
    bot = await launch(discord, database)
    await discord.connected()
    os.utime(path, (0, 0))
    await until(lambda: path.stat().st_mtime > 0)
    status, told = await health()
    assert status == 0
    assert told[0].startswith("ok    health: connected and well ")
    assert bot.process.returncode is None


async def test_a_token_from_a_file_is_used_and_never_told(
    launch: Launch, discord: Discord, database: Path, tmp_path: Path
) -> None:
    """As systemd and containers hand it over; the words of the doctor, too, are without it."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "discord_token").write_text(f"{TOKEN}\n")
    handed_over = {"DISCORD_TOKEN": "", "CREDENTIALS_DIRECTORY": str(secrets)}
    doctor = await launch(discord, database, "doctor", **handed_over)
    await doctor.ended()
    assert any(line.startswith("ok    token: accepted") for line in doctor.out), doctor.out
    told = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert told == [secrets / "discord_token"]


LATE_IMPORTS = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from bot import doctor
from bot.settings import Settings

def ours():
    return {name for name in sys.modules if name.split(".")[0] in {"analysis", "bot", "discord", "providers", "storage"}}

async def noted(home):
    loaded.update(ours())
    return []

loaded = set()
# Whose clock it would be is on the internet.
kept = [check for check in doctor.CHECKS if check.name != "clock"]
doctor.CHECKS = (replace(kept[0], run=noted), *kept)
settings = Settings(_env_file=None, database_url=sys.argv[1], fetch=False)
found = asyncio.run(doctor.examine(doctor.Home(settings=settings, now=datetime.now(UTC))))
print(len(found), sorted(ours() - loaded))
"""


async def test_nothing_is_imported_while_the_time_of_a_check_runs(database: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LATE_IMPORTS,
        str(database),
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert told.decode() == "8 []\n"
