"""What was derived is kept, found again, replaced, and never taken for new data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from storage import kept
from storage.kept import Kept
from storage.store import Store

MADE = datetime(2026, 2, 6, 12, tzinfo=UTC)
THROUGH = datetime(2026, 2, 5, 22, tzinfo=UTC)


def result(key: str = "daily close", stamp: str = "a", payload: Any = None) -> Kept:
    return Kept(
        name="index", key=key, stamp=stamp, through=THROUGH, made_at=MADE, payload=payload or [1.5, None]
    )


async def test_what_is_kept_is_found_again(store: Store) -> None:
    async with store.write() as db:
        await kept.keep(db, result())
        await kept.keep(db, result("16:00 New York", "b", {"dates": ["2026-02-05"], "index": [0.1]}))
    async with store.read() as db:
        assert await kept.read(db, "index", "daily close") == result()
        assert await kept.read(db, "index", "weekly") is None
        assert await kept.read(db, "other", "daily close") is None
        assert await kept.stamps(db, "index") == {"daily close": "a", "16:00 New York": "b"}
        assert await kept.stamps(db, "other") == {}


async def test_a_new_result_takes_the_place_of_the_old_and_can_be_taken_away(store: Store) -> None:
    async with store.write() as db:
        await kept.keep(db, result(stamp="a"))
        await kept.keep(db, result("other"))
        await kept.keep(db, result(stamp="c", payload={"n": 2}))
        await kept.forget(db, "index", "other")
        await kept.forget(db, "index", "never there")
    async with store.read() as db:
        assert await kept.read(db, "index", "daily close") == result(stamp="c", payload={"n": 2})
        assert await kept.stamps(db, "index") == {"daily close": "c"}


async def test_keeping_is_no_new_data(store: Store) -> None:
    """Answers given before stay the answers."""
    async with store.write() as db:
        await kept.keep(db, result())
    assert store.version == 0
    assert not await store.has_market_rows()


async def test_what_is_no_number_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        async with store.write() as db:
            await kept.keep(db, result(payload=[float("nan")]))
    async with store.read() as db:
        assert await kept.stamps(db, "index") == {}
