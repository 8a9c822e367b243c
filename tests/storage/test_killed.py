"""What was acknowledged survives any number of deaths, and a migration is done or not done."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import schema
from tests.soak import times
from tests.storage.conftest import made_by

HERE = Path(__file__).parent


def program(name: str, *arguments: object, within: float) -> Any:
    ended = subprocess.run(
        [sys.executable, HERE / name, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        timeout=within,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )
    return json.loads(ended.stdout)


@pytest.mark.soak
def test_no_acknowledged_write_is_lost_and_none_is_half_done(file: Path) -> None:
    kills = times(short=200, long=2_000)
    found = program("killed_writer.py", file, kills, 20260205, within=10 * kills)
    print(found)
    assert found["wrong"] == []
    assert found["kills"] == kills
    assert found["acknowledged"] > kills / 2
    # Some must have died in the middle of a transaction, or nothing was tried.
    assert found["half_written"] > kills / 100


@pytest.fixture
def first_revision(tmp_path: Path, sample_file: Path) -> Path:
    """A store as the first version made it, with 300 rows of each table of the sample."""
    file = made_by(schema.REVISIONS[0], tmp_path / "old.db")
    # A migration fills these; later ones add to them.
    seeded = {"alembic_version", "instruments", "series", "levels"}
    with closing(sqlite3.connect(file)) as db:
        db.execute("ATTACH ? AS sample", (str(sample_file),))
        tables = [row[0] for row in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table not in seeded:
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
                db.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM sample.{table} LIMIT 300"
                )
        db.commit()
    return file


@pytest.mark.soak
def test_a_migration_killed_anywhere_is_done_or_not_done(first_revision: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    kills = times(short=10, long=500)
    found = program("killed_migration.py", first_revision, folder, kills, within=1800 + 30 * kills)
    print(found)
    assert found["wrong"] == []
    assert found["statements"] > 20
    assert set(found["states"]) == {"older", "current"}
    assert sum(found["states"].values()) == found["statements"] + 1 + kills
