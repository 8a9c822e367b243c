"""What the store keeps of digests and posts: keys used once, pictures kept once, and not for ever."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from storage import backup, digests, outbox, servers
from storage.digests import Part, Schedule
from storage.outbox import Attached, Post, Rendered, State
from storage.store import Store
from tests.storage.conftest import url_of

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
POST = Post(
    key="digest:1:2026-02-06",
    kind="digest",
    subject=1,
    server_id=7,
    channel_id=8,
    due_at=NOW,
    post_until=NOW + timedelta(hours=6),
    next_at=NOW,
)
PNG = b"\x89PNG" + bytes(100_000)


async def rendered(store: Store, post: Post) -> Post:
    async with store.write() as db:
        assert await outbox.add(db, post)
        kept = await outbox.find(db, post.key)
        assert kept is not None
        name = await outbox.keep_picture(db, PNG, now=NOW)
        pictures = (Attached(sha256=name, name="a.png", alt="what is to be seen"),)
        what = Rendered(payload="{}", pictures=pictures, data_as_of=NOW)
        await outbox.rendered(db, {kept: what}, now=NOW)
    return kept


async def test_a_key_is_used_once_for_ever(store: Store) -> None:
    post = await rendered(store, POST)
    async with store.write() as db:
        await outbox.settle(db, post, State.DONE, now=NOW, message_id=5)
        assert not await outbox.add(db, POST)
        last = await outbox.last_of(db, "digest", 1)
    assert last is not None
    assert (last.state, last.message_id) == (State.DONE, 5)


async def test_one_post_at_a_time_is_taken_for_a_channel(store: Store) -> None:
    for number, channel in enumerate((8, 8, 9, 10)):
        await rendered(store, replace(POST, key=f"k:{number}", channel_id=channel))
    later = NOW + timedelta(minutes=5)
    async with store.write() as db:
        taken = await outbox.claim(db, NOW, most=9, without=[10], again_at=later)
        assert [post.key for post in taken] == ["k:0", "k:2"]
        assert {(post.state, post.attempt, post.first_try_at) for post in taken} == {(State.SENDING, 1, NOW)}
        assert await outbox.resume(db, NOW) == 2
        again = await outbox.claim(db, later, most=9, without=[10], again_at=later)
        assert [(post.key, post.attempt, post.first_try_at) for post in again] == [
            ("k:0", 2, NOW),
            ("k:2", 2, NOW),
        ]


async def test_equal_pictures_are_kept_once_and_dropped_a_week_after_their_last_use(store: Store) -> None:
    first = await rendered(store, POST)
    second = await rendered(store, replace(POST, key="other"))
    async with store.write() as db:
        [one], [other] = (await outbox.attached(db, [first.id, second.id])).values()
        assert one.sha256 == other.sha256
        await outbox.settle(db, first, State.DONE, now=NOW)
        await outbox.tidy(db, NOW + timedelta(days=6, hours=23))
        assert await outbox.pngs(db, [one.sha256]) == {one.sha256: PNG}
        # An open post keeps its pictures, however old they are.
        await outbox.tidy(db, NOW + timedelta(days=7, seconds=1))
        assert await outbox.pngs(db, [one.sha256]) == {one.sha256: PNG}
        await outbox.settle(db, second, State.SKIPPED, now=NOW, reason="late")
        await outbox.tidy(db, NOW + timedelta(days=7, seconds=1))
        assert await outbox.pngs(db, [one.sha256]) == {}
        assert await outbox.find(db, POST.key) is not None
        await outbox.tidy(db, NOW + timedelta(days=31))
        assert await outbox.find(db, POST.key) is None


async def test_pictures_are_in_no_backup_and_posts_are(store: Store, file: Path, tmp_path: Path) -> None:
    await rendered(store, POST)
    copy = tmp_path / "copy.db"
    await backup.make(url_of(file), copy)
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT count(*) FROM pictures").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM outbox_pictures").fetchone() == (0,)
        assert db.execute("SELECT key, state FROM outbox").fetchall() == [(POST.key, "planned")]
    assert copy.stat().st_size < file.stat().st_size - len(PNG) // 2
    assert PNG not in copy.read_bytes()


def schedule(server: int = 7) -> Schedule:
    return Schedule(
        server_id=server,
        channel_id=8,
        parts=(Part(report="levels", words={"interval": "4h"}), Part(report="flows")),
        local_time=time(9, 30),
        zone="Asia/Taipei",
        days="12345",
        language="both",
        ping_role=2**62,
        latest_time=time(10),
        since=NOW,
        planned_through=date(2026, 2, 5),
        created_by=1,
        created_at=NOW,
    )


async def test_a_digest_is_kept_as_it_was_given_and_its_id_is_never_given_again(store: Store) -> None:
    async with store.write() as db:
        first = await digests.add(db, schedule())
        assert await digests.find(db, first) == replace(schedule(), id=first)
        await digests.remove(db, first)
        second = await digests.add(db, schedule())
        assert second > first
        await digests.planned(db, {second: (None, NOW)})
        assert [each.id for each in await digests.due(db, NOW, most=9)] == [second]
        assert await digests.next_due(db) == NOW
        # Whatever is changed, the next time is worked out anew.
        assert await digests.change(db, replace(schedule(), id=second, next_at=NOW, zone="UTC"))
        assert await digests.next_due(db) is None
        await digests.pause(db, second, "moderator")
        assert await digests.due(db, NOW, most=9) == []
        assert not await digests.change(db, replace(schedule(), id=first))


async def test_a_server_that_is_forgotten_leaves_no_digest_and_no_post(store: Store) -> None:
    await rendered(store, POST)
    async with store.write() as db:
        await digests.add(db, schedule())
        other = await digests.add(db, schedule(server=9))
        await servers.forget(db, 7)
        assert await digests.of_server(db, 7) == []
        assert [each.id for each in await digests.of_server(db, 9)] == [other]
        assert await outbox.find(db, POST.key) is None
