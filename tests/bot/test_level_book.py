"""A change of the book, delivered a thousand times, is one change; a failed one is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot import level_book as changes
from bot.errors import AlreadyDone, UserError
from storage import level_book
from storage.store import Store

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
DRAFT = changes.drafted("61.5k", label="ours", venue="", dated="", source="", now=NOW)


async def test_a_thousand_replays_add_and_remove_nothing_twice(store: Store) -> None:
    await changes.add(store, DRAFT, server_id=7, user_id=99, interaction_id=1, now=NOW)
    await changes.remove(store, "40k", server_id=7, interaction_id=2, now=NOW)
    async with store.read() as db:
        after = await level_book.book(db, 7)
    version = store.version
    for _ in range(500):
        with pytest.raises(AlreadyDone):
            await changes.add(store, DRAFT, server_id=7, user_id=99, interaction_id=1, now=NOW)
        with pytest.raises(AlreadyDone):
            await changes.remove(store, "56.1k", server_id=7, interaction_id=2, now=NOW)
    async with store.read() as db:
        assert await level_book.book(db, 7) == after
    assert store.version == version


async def test_what_was_refused_may_be_tried_again(store: Store) -> None:
    """A refusal is not a change: the interaction is not used up, and no book has begun."""
    near = changes.drafted("73.61k", label="", venue="", dated="", source="", now=NOW)
    for _ in range(2):
        with pytest.raises(UserError, match=r"within 0\.2 %"):
            await changes.add(store, near, server_id=7, user_id=99, interaction_id=1, now=NOW)
    async with store.read() as db:
        assert not (await level_book.book(db, 7)).is_own
    await changes.add(store, DRAFT, server_id=7, user_id=99, interaction_id=1, now=NOW)


@pytest.mark.parametrize(
    ("price", "accepted"),
    [("661539", True), ("661540", False), ("6615.39", True), ("6615.3", False)],
)
async def test_the_range_is_ten_times_the_present_price(store: Store, price: str, accepted: bool) -> None:
    """66,153.9 at 18:00 UTC on 5 February 2026."""
    draft = changes.drafted(price, label="", venue="", dated="", source="", now=NOW)
    if not accepted:
        with pytest.raises(UserError, match="more than 10 times away"):
            await changes.add(store, draft, server_id=7, user_id=99, interaction_id=1, now=NOW)
        return
    change = await changes.add(store, draft, server_id=7, user_id=99, interaction_id=1, now=NOW)
    assert change.now_in_book == 6
    assert change.began


@pytest.mark.parametrize(("price", "accepted"), [("73747.5", True), ("73747.4", False)])
async def test_near_is_within_two_tenths_of_a_percent(store: Store, price: str, accepted: bool) -> None:
    """73,747.49... is 73,600 / 0.998: from there on the two differ by 0.2 % of the higher."""
    draft = changes.drafted(price, label="", venue="", dated="", source="", now=NOW)
    if accepted:
        await changes.add(store, draft, server_id=7, user_id=99, interaction_id=1, now=NOW)
        return
    with pytest.raises(UserError, match=r"within 0\.2 % of 73,600"):
        await changes.add(store, draft, server_id=7, user_id=99, interaction_id=1, now=NOW)
