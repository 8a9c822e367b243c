"""A report without its data says which are missing and how far those reach that there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.reports import REPORTS
from bot.reports.shapes import Asked
from storage import migrate
from storage.store import Store

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    await migrate.upgrade(url)
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def refusal(store: Store, report: str, **words: str) -> str:
    asked = REPORTS[report]
    with pytest.raises(UserError) as refused:
        await asked.answer(asked.read(words, NOW), Asked(store=store, at=NOW))
    return str(refused.value)


async def test_an_empty_store_names_what_it_lacks(empty: Store) -> None:
    assert await refusal(empty, "levels") == "The store holds no prices yet, none of “BTC” either."
    assert await refusal(empty, "flows", asset="ETH") == "The store holds no ETH ETF flows yet."
    assert (
        await refusal(empty, "silver-margin", product="SIL")
        == "No margin rule of SIL was known at that time."
    )
    assert await refusal(empty, "stress") == (
        "No New York close of BTC, SI, GC, ES, NQ, DXY, CL was known at that time."
    )


async def test_a_store_that_ended_long_ago_says_when(store: Store) -> None:
    """The sample's last bitcoin bar closes with 6 February, its last New York close is of that day."""
    assert await refusal(store, "levels", since="7d") == (
        "No 30m bar of BTC has closed since 2026-11-15 00:00 UTC; the newest closed at 2026-02-07 00:00 UTC."
    )
    assert await refusal(store, "stress", since="7d") == (
        "There has been no New York close since 2026-11-15; the newest is that of 2026-02-06."
    )
