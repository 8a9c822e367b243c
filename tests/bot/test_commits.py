"""Changes that come together are committed together, and each is known to be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.commits import Commits
from storage import marks
from storage.store import Db, Store


@pytest.fixture
async def commits(store: Store) -> Commits:
    return Commits(store)


async def test_the_same_work_is_done_once_for_all_who_wait(commits: Commits, store: Store) -> None:
    calls: list[list[str]] = []

    async def note(db: Db, names: Sequence[str]) -> None:
        calls.append(list(names))
        for name in names:
            await marks.write(db, name, "done")

    await asyncio.gather(*(commits.do(note, name) for name in "abcde"))
    # The first one is on its way when the others come.
    assert calls == [["a"], ["b", "c", "d", "e"]]
    async with store.read() as db:
        assert [await marks.read(db, name) for name in "abcde"] == ["done"] * 5


async def test_a_commit_that_is_undone_is_told_to_all_who_shared_it(commits: Commits, store: Store) -> None:
    async def note(db: Db, names: Sequence[str]) -> None:
        for name in names:
            await marks.write(db, name, "done")

    async def fail(db: Db, names: Sequence[str]) -> None:
        raise ValueError(names)

    told = await asyncio.gather(
        commits.do(note, "first"), commits.do(note, "a"), commits.do(fail, "b"), return_exceptions=True
    )
    assert told[0] is None
    assert {type(one) for one in told[1:]} == {ValueError, RuntimeError}
    async with store.read() as db:
        assert await marks.read(db, "first") == "done"
        assert await marks.read(db, "a") is None
