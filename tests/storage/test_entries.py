"""What moderators enter: for their server, from when they entered it until they undid it, apart from the rest."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from storage import entered_flows, entries, flows, held, margins
from storage.entered_flows import EnteredFlow
from storage.entries import Kind
from storage.margins import MANUAL, Announced
from storage.store import Store
from tests.storage.conftest import opened


@pytest_asyncio.fixture
async def store(sample_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """The sample, in a file of this test's own."""
    file = tmp_path / "filled.db"
    shutil.copy(sample_file, file)
    async with opened(file) as filled:
        yield filled


NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
HERE, THERE, WHO = 7 * 10**17, 8 * 10**17, 9 * 10**17
SECOND = timedelta(seconds=1)


def announced(effective: date | None, value: float, *, notice: date | None = None) -> Announced:
    return Announced(
        product="SI", effective_date=effective, effective_note=None, notice_date=notice or effective,
        notice_number=None, rule="percent", initial=value, maintenance=value, hrp_initial=None,
        hrp_maintenance=None, previous=99.0, previous_rule=None, confidence=None, citation=None,
    )  # fmt: skip


async def enter(store: Store, *rows: Announced, server_id: int = HERE, now: datetime = NOW) -> int:
    async with store.write() as db:
        entry = await entries.begin(
            db, server_id, Kind.MARGINS, size=len(rows), origin=None, added_by=WHO, now=now
        )
        await margins.enter(db, entry, rows)
    return entry


async def flow(store: Store, total: float, *, server_id: int = HERE, now: datetime = NOW) -> int:
    async with store.write() as db:
        entry = await entries.begin(db, server_id, Kind.FLOWS, size=1, origin=None, added_by=WHO, now=now)
        row = EnteredFlow(asset="BTC", trade_date=date(2026, 2, 4), total_musd=total)
        await entered_flows.keep(db, entry, [row])
    return entry


async def totals(store: Store, at: datetime, server_id: int = HERE) -> list[float]:
    async with store.read() as db:
        return [row.total_musd for row, _ in await entered_flows.known(db, server_id, "BTC", at=at)]


async def silver(store: Store, at: datetime, server_id: int = HERE) -> list[tuple[float, str]]:
    async with store.read() as db:
        known = await margins.known(db, "SI", at=at, server_id=server_id)
    return [(row.initial, row.source) for row in known]


async def test_an_entry_stands_from_its_second_until_it_is_undone(store: Store) -> None:
    entry = await flow(store, -1.0)
    async with store.write() as db:
        undone = NOW + timedelta(hours=1)
        assert await entries.withdraw(db, HERE, entry, withdrawn_by=WHO, now=undone)
        assert await entries.withdraw(db, HERE, entry, withdrawn_by=WHO, now=undone) is None
    assert await totals(store, NOW - SECOND) == []
    assert await totals(store, NOW) == [-1.0]
    assert await totals(store, undone - SECOND) == [-1.0]
    assert await totals(store, undone) == []


async def test_of_two_entries_the_newer_stands_and_undone_the_older_is_back(store: Store) -> None:
    await flow(store, -1.0)
    second = await flow(store, -2.0, now=NOW + SECOND)
    assert await totals(store, NOW + SECOND) == [-2.0]
    async with store.write() as db:
        await entries.withdraw(db, HERE, second, withdrawn_by=WHO, now=NOW + 2 * SECOND)
    assert await totals(store, NOW + 2 * SECOND) == [-1.0]


async def test_another_server_neither_sees_nor_undoes_it(store: Store) -> None:
    entry = await flow(store, -1.0)
    assert await totals(store, NOW, THERE) == []
    async with store.write() as db:
        assert await entries.withdraw(db, THERE, entry, withdrawn_by=WHO, now=NOW) is None
    assert await totals(store, NOW) == [-1.0]


async def test_margins_go_before_the_shared_ones_and_leave_them_as_they_are(store: Store) -> None:
    shared = await silver(store, NOW, server_id=0)
    assert shared[-1][0] == 15.0
    # The same instant as the last shared step, and one of its own.
    await enter(store, announced(date(2026, 2, 2), 16.0), announced(date(2026, 2, 6), 18.0))
    assert await silver(store, NOW) == [*shared[:-1], (16.0, MANUAL), (18.0, MANUAL)]
    assert await silver(store, NOW, THERE) == shared
    assert await silver(store, NOW - SECOND) == shared


async def test_a_change_of_unknown_date_stands_from_the_next_notice(store: Store) -> None:
    undated = announced(None, 12.0)
    await enter(store, undated, announced(date(2026, 2, 6), 18.0, notice=date(2026, 2, 5)))
    async with store.read() as db:
        known = await margins.known(db, "SI", at=NOW, server_id=HERE)
    # 00:00 New York of 5 February.
    assert [(row.in_force_from, row.dating) for row in known if row.initial == 12.0] == [
        (datetime(2026, 2, 5, 5, tzinfo=UTC), "unknown")
    ]
    assert 99.0 not in [row.initial for row in known]


async def test_no_query_of_what_is_shared_meets_it(store: Store) -> None:
    async with store.read() as db:
        before = (await flows.known(db, "BTC", at=NOW), await flows.publishers(db, "BTC", at=NOW))
        series = await held.series(db, at=NOW)
    await flow(store, -1.0)
    await enter(store, announced(date(2026, 2, 6), 18.0))
    async with store.read() as db:
        assert (await flows.known(db, "BTC", at=NOW), await flows.publishers(db, "BTC", at=NOW)) == before
        assert await held.series(db, at=NOW) == series


async def test_an_id_is_never_given_twice(store: Store) -> None:
    """Else a button of a server that was forgotten would undo somebody else's entry."""
    first = await flow(store, -1.0)
    async with store.write() as db:
        await entries.forget(db, HERE)
    assert await flow(store, -1.0) > first


async def test_the_default_book_has_no_moderators(store: Store) -> None:
    with pytest.raises(ValueError, match="belongs to a server"):
        await flow(store, -1.0, server_id=0)


async def test_nothing_held_is_from_later(store: Store) -> None:
    async with store.read() as db:
        found = {one.label: one.newest_at for one in await held.series(db, at=NOW)}
        assert await held.margins_to(db, "SI", at=NOW) == date(2026, 2, 2)
    assert len(found) >= 14
    assert max(found.values()) <= NOW
    assert found["BTC ETF flows · Farside Investors"] == datetime(2026, 2, 4, tzinfo=UTC)
