from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert

from analysis.errors import UserError
from storage import backup, lock, schema
from storage.store import Store
from tests.patience import PATIENCE
from tests.storage.conftest import dump, url_of

HOLD = """
import sys, time
from pathlib import Path
from storage.lock import RunningLock
with RunningLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


async def test_a_backup_is_the_store_without_what_is_not_committed(
    store: Store, file: Path, tmp_path: Path
) -> None:
    before = dump(file)
    target = tmp_path / "copies" / "today.db"
    async with store.write() as db:
        await db.execute(insert(schema.sources).values(name="not yet", is_sample=False))
        await backup.make(url_of(file), target)
    assert dump(target) == before
    assert dump(file) != before
    await backup.make(url_of(file), target)
    assert dump(target) == dump(file)
    assert [each.name for each in target.parent.iterdir()] == ["today.db"]


async def test_a_backup_that_cannot_be_made_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    (tmp_path / "blocked").write_text("a file, not a folder")
    with pytest.raises(UserError, match="cannot be written"):
        await backup.make(url_of(file), tmp_path / "blocked" / "copy.db")
    with pytest.raises(UserError, match="over the store itself"):
        await backup.make(url_of(file), file)
    with pytest.raises(UserError, match="There is no store"):
        await backup.make(url_of(tmp_path / "none.db"), tmp_path / "copy.db")
    with pytest.raises(UserError, match="Only a store in a file"):
        await backup.make("sqlite+aiosqlite://", tmp_path / "copy.db")
    assert file.read_bytes() == before
    assert not [each for each in tmp_path.iterdir() if "copy" in each.name]


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = lock.path_for(url_of(tmp_path / "leadline.db"))
    assert path == tmp_path / "leadline.db.lock"
    assert not lock.held(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert lock.held(path)
        with pytest.raises(UserError) as refused:
            lock.RunningLock(path).acquire()
        assert refused.value.values == {"pid": str(holder.pid)}
        holder.send_signal(signal.SIGKILL)
        holder.wait(PATIENCE)
    assert path.exists()
    assert not lock.held(path)
    with lock.RunningLock(path):
        assert lock.held(path)
    assert not lock.held(path)


def test_a_store_without_a_file_has_no_lock() -> None:
    assert lock.path_for("sqlite+aiosqlite://") is None


async def test_a_backup_is_not_written_over_a_file_that_is_no_store(
    sample_file: Path, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all")
    with pytest.raises(UserError, match="is not a store"):
        await backup.make(url_of(sample_file), letter)
    assert letter.read_text() == "Dear all"
