"""Bars where none were go straight to their place; what is stored is the same as by way of the staged ones."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from analysis.levels import Interval
from storage import instruments, migrate, new_bars, schema
from storage.bars import BarRow
from storage.store import Store
from storage.versions import Stored

NOW = datetime(2026, 2, 7, tzinfo=UTC)
DAY = 1_770_163_200
"""Midnight UTC."""


def row(place: int, price: float) -> BarRow:
    opened = DAY + 1800 * place
    return BarRow(opened, opened + 1800, price, price + 2, price - 2, price + 1, 10.0)


async def stored(pages: list[list[BarRow]], *, staged: bool) -> tuple[list[Stored], object]:
    store = await Store.open("sqlite+aiosqlite://")
    await migrate.prepare(store)
    told = []
    for rows in pages:
        async with store.write() as db:
            series = await instruments.to_fill(db, "ETH", Interval.M30)
            if staged:
                batch = new_bars.new_batch()
                await new_bars.stage(db, batch, rows)
                told.append(await new_bars.settle(db, series, batch, source="made up", now=NOW))
            else:
                told.append(await new_bars.store(db, series, rows, source="made up", now=NOW))
    async with store.read() as db:
        kept = [
            sorted(tuple(one) for one in (await db.execute(select(*table.c))).all())
            for table in (schema.bars, schema.daily_rollups, schema.staged_bars, schema.series)
        ]
        again = list(await db.execute(select(schema.bar_revisions.c.opened_at, schema.bar_revisions.c.close)))
    await store.close()
    return told, (kept, sorted(tuple(one) for one in again))


PLACES = st.lists(st.integers(0, 120), max_size=120, unique=True).map(sorted)


@settings(max_examples=12)
@given(pages=st.lists(PLACES, min_size=1, max_size=3), price=st.sampled_from([100.0, 101.0]))
def test_both_ways_store_the_same(pages: list[list[int]], price: float) -> None:
    """Pages that overlap, that fill a hole, that complete a day, that say something else of a bar that is there."""
    rows = [[row(place, price if number else 100.0) for place in page] for number, page in enumerate(pages)]

    async def both() -> None:
        assert await stored(rows, staged=False) == await stored(rows, staged=True)

    asyncio.run(both())


async def test_a_whole_day_is_rolled_up() -> None:
    whole = [row(place, 100.0 + place) for place in range(96)]
    told, kept = await stored([whole[:30], whole[40:], whole[30:40]], staged=False)
    assert [one.added for one in told] == [30, 56, 10]
    again, staged = await stored([whole], staged=True)
    assert [one.added for one in again] == [96]
    assert kept == staged
