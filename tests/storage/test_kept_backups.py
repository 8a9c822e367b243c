"""The backups the bot makes by itself: when, which are kept, and that they can be put back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.errors import UserError
from bot import running, starting
from bot.errors import OperatorMustAct
from storage import backup, handled, kept_backups, lock, migrate, sqlite
from storage.kept_backups import backup_due, which_to_drop
from tests.patience import PATIENCE
from tests.storage.conftest import dump, made_by, opened, url_of

NOW = datetime(2026, 2, 5, 18, 20, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("times", "dropped"),
    [
        ([], []),
        # Two in one hour: the newer shows that hour.
        (["2026-02-05 18:01", "2026-02-05 18:19"], ["2026-02-05 18:01"]),
        # 24 hours of the clock before, a 25th is kept only because it is the newest of its week.
        (["2026-02-04 12:00"], []),
        # A clock that was wrong once: what it dated stays.
        (["2031-01-01 00:00"], []),
    ],
)
def test_which_are_dropped(times: list[str], dropped: list[str]) -> None:
    assert which_to_drop([at(time) for time in times], NOW) == [at(time) for time in dropped]


def test_24_hours_14_days_8_weeks() -> None:
    """One in every hour of a hundred days, ending on Thursday, 5 February 2026, 18:00."""
    end = datetime(2026, 2, 5, 18, tzinfo=UTC)
    times = [end - timedelta(hours=hour) for hour in range(100 * 24)]
    kept = sorted(set(times) - set(which_to_drop(times, end)), reverse=True)
    hours = [end - timedelta(hours=hour) for hour in range(24)]
    # The newest of 5 February and of 4 February are among the hours; then the 23:00 of twelve days.
    days = [datetime(2026, 2, 3, 23, tzinfo=UTC) - timedelta(days=day) for day in range(12)]
    # Weeks end on Sunday: 1 February and 25 January are among the days (which reach back to 23 January).
    weeks = [datetime(2026, 1, 18, 23, tzinfo=UTC) - timedelta(weeks=week) for week in range(5)]
    assert kept == [*hours, *days, *weeks]


def test_a_long_stop_takes_no_backup_away() -> None:
    times = [at("2026-02-05 18:00") - timedelta(hours=hour) for hour in range(24)]
    assert which_to_drop(times, at("2028-01-01 00:00")) == []


def touched(file: Path, when: datetime) -> None:
    os.utime(file, (when.timestamp(), when.timestamp()))


async def test_one_each_hour_in_which_something_was_written(file: Path, tmp_path: Path) -> None:
    touched(file, NOW)
    made = await backup_due(url_of(file), NOW)
    assert made == tmp_path / "backups" / "leadline-20260205T182030Z.db"
    assert dump(made) == dump(file)
    touched(file, NOW + timedelta(minutes=5))
    assert await backup_due(url_of(file), NOW + timedelta(minutes=39)) is None, "the same hour"
    later = await backup_due(url_of(file), NOW + timedelta(minutes=40))
    assert later is not None
    assert await backup_due(url_of(file), NOW + timedelta(hours=3)) is None, "nothing was written"
    touched(file, NOW + timedelta(hours=3))
    # What a killed backup left behind goes with the next; what another process is writing now stays.
    left, growing = (made.parent / f".leadline-20260205T192030Z.db.{pid}.unfinished" for pid in (17, 18))
    for half in (left, growing):
        half.write_text("half")
    touched(left, datetime.now(UTC) - timedelta(hours=1, seconds=1))
    finished = made.parent / ".leadline-20260205T192031Z.db.19.unfinished"
    finished.symlink_to("what was finished between two looks")
    assert await backup_due(url_of(file), NOW + timedelta(hours=4)) is not None
    assert sorted(made.parent.iterdir()) == [growing, finished, *kept_backups.kept(file).values()]
    assert len(kept_backups.kept(file)) == 3


async def test_old_ones_go_when_a_new_one_is_there(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for hour in range(1, 60):
        shutil.copy(file, folder / f"leadline-{NOW - timedelta(hours=hour):%Y%m%dT%H%M%SZ}.db")
    (folder / "other-20200101T000000Z.db").touch()
    assert await backup_due(url_of(file), NOW) is not None
    # 24 hours; 18:20 on the 5th back to 19:20 on the 4th, and 23:20 on the 3rd for its day.
    assert len(kept_backups.kept(file)) == 25
    assert (folder / "other-20200101T000000Z.db").exists()


async def test_no_room_no_backup_and_the_old_ones_stay(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backup_due(url_of(file), NOW)
    room = file.stat().st_size + kept_backups.ROOM_LEFT
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(room, 0, room - 1))
    with pytest.raises(UserError, match="no room"):
        await backup_due(url_of(file), NOW + timedelta(hours=1))
    assert list(kept_backups.kept(file).values()) == [first]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(room, 0, room))
    assert await backup_due(url_of(file), NOW + timedelta(hours=1)) is not None


async def test_a_broken_store_pushes_no_backup_out(file: Path) -> None:
    await backup_due(url_of(file), NOW)
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(UserError, match="cannot be read"):
        await backup_due(url_of(file), NOW + timedelta(hours=1))
    assert len(kept_backups.kept(file)) == 1


def torn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    file.write_bytes(content)


@pytest.mark.parametrize("harm", ["torn", "foreign", "empty", "gone"])
async def test_a_damaged_store_is_left_alone_and_the_way_back_is_named(
    harm: str, sample_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "leadline.db"
    shutil.copy(sample_file, file)
    good = await backup_due(url_of(file), NOW)
    touched(file, NOW + timedelta(hours=1))
    bad = await backup_due(url_of(file), NOW + timedelta(hours=1))
    assert good is not None
    assert bad is not None
    torn(bad)  # the newest is not always good
    match harm:
        case "torn":
            torn(file)
        case "foreign":
            file.write_bytes(b"\xff" * 100_000)
        case "empty":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
    before = file.read_bytes() if file.exists() else None

    with pytest.raises(OperatorMustAct) as refused:
        async with running.writing_store(url_of(file), thorough=True):
            raise AssertionError("opened")
    assert f"leadline db restore {good}" in str(refused.value)
    assert (file.read_bytes() if file.exists() else None) == before

    with pytest.raises(UserError, match="is damaged and was not restored"):
        await running.restore(url_of(file), bad, now=NOW)
    assert (file.read_bytes() if file.exists() else None) == before

    aside = await running.restore(url_of(file), good, now=NOW)
    assert dump(file) == dump(sample_file)
    assert (aside is not None) == (before is not None)
    if aside is not None:
        assert aside.read_bytes() == before
    async with running.writing_store(url_of(file), thorough=True) as store:
        assert await store.has_market_rows()


async def test_a_damaged_store_without_backup_is_refused_too(sample_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "leadline.db"
    shutil.copy(sample_file, file)
    torn(file)
    with pytest.raises(OperatorMustAct, match="no whole backup"):
        await starting.refuse_damaged(url_of(file), thorough=True)
    await starting.refuse_damaged(url_of(tmp_path / "none.db"), thorough=True)


async def test_restore_is_refused_while_a_bot_runs(file: Path) -> None:
    made = await backup_due(url_of(file), NOW)
    assert made is not None
    before = file.read_bytes()
    with lock.RunningLock(lock.beside(file)), pytest.raises(UserError, match="already running"):
        await running.restore(url_of(file), made, now=NOW)
    assert file.read_bytes() == before
    with pytest.raises(UserError, match="is the store itself"):
        await running.restore(url_of(file), file, now=NOW)
    with pytest.raises(UserError, match="There is no file"):
        await running.restore(url_of(file), file.with_name("none.db"), now=NOW)


async def test_a_journal_of_the_old_store_is_not_rolled_into_the_restored_one(
    sample_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "leadline.db"
    shutil.copy(sample_file, file)
    made = await backup_due(url_of(file), NOW)
    assert made is not None
    # A transaction cut off in the middle, and then the file emptied, so that nothing can be rolled back.
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size=1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE bars SET close = 1")
        journal = Path(f"{file}-journal").read_bytes()
    file.write_bytes(b"")
    Path(f"{file}-journal").write_bytes(journal)
    aside = await running.restore(url_of(file), made, now=NOW)
    assert aside is not None
    assert Path(f"{aside}-journal").read_bytes() == journal
    assert dump(file) == dump(sample_file)


async def test_an_older_backup_is_migrated_when_restored(file: Path, tmp_path: Path) -> None:
    old = made_by("0001", tmp_path / "old.db")
    file.unlink()
    assert await running.restore(url_of(file), old, now=NOW) is None
    assert (await migrate.check(url_of(file))).ok


async def test_a_restored_backup_made_while_writing_is_one_state(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill: backups under a stream of writes, the store lost, the last backup put back."""
    # A slow machine is not what makes a copy fail here.
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", int(PATIENCE))
    stop = threading.Event()
    made: list[tuple[int, Path, int]] = []
    acknowledged = 0

    def copying() -> None:
        while not stop.is_set():
            before = acknowledged
            path = file.with_name(f"copy-{len(made)}.db")
            backup.copy(file, path)
            made.append((before, path, acknowledged))

    thread = threading.Thread(target=copying)
    async with opened(file) as store:
        thread.start()
        try:
            number = 0
            while len(made) < 10 and thread.is_alive():
                number += 1
                async with store.write() as db:
                    for part in range(3):  # an interaction thrice: a third of one would be half a transaction
                        assert await handled.first_time(db, 3 * number + part, now=NOW)
                acknowledged = number
                # Else a copy may never find a moment to begin.
                await asyncio.sleep(0.002)
        finally:
            stop.set()
            thread.join()
    assert len(made) >= 10
    for before, path, after in made:
        file.unlink()
        assert await running.restore(url_of(file), path, now=NOW) is None
        with closing(sqlite3.connect(file)) as restored:
            ids = [row[0] for row in restored.execute("SELECT id FROM handled_interactions ORDER BY id")]
        assert ids == list(range(3, 3 + len(ids)))
        assert len(ids) % 3 == 0
        # What was acknowledged before the copy began is in it; one more may have been on its way.
        assert before <= len(ids) // 3 <= after + 1
        assert (await migrate.check(url_of(file))).ok
