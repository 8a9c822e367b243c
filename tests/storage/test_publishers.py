"""Two publishers of the same flows are kept apart; the sample and later rows of one are one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest_asyncio

from storage import flows, sample
from storage.flows import Publisher, Reported
from storage.importers import flows as importer
from storage.store import Store
from tests.storage.conftest import opened

NOW = datetime(2026, 2, 20, tzinfo=UTC)


@pytest_asyncio.fixture
async def both(file: Path) -> AsyncIterator[Store]:
    """Three days from one publisher, two of them from another as well, one of those with the same figure."""
    async with opened(file) as store:
        async with store.write() as db:
            await flows.store(db, "BTC", _rows({2: 1.0, 3: 2.0, 4: 3.0}), source="one", now=NOW)
            await flows.store(db, "BTC", _rows({3: 2.0, 4: 3.5}), source="other", now=NOW)
        yield store


def _rows(totals: dict[int, float]) -> list[Reported]:
    return [
        Reported(trade_date=date(2026, 2, day), funds={"IBIT": total}, total_musd=total)
        for day, total in totals.items()
    ]


async def _totals(store: Store, source: str, at: datetime = NOW) -> dict[int, float | None]:
    async with store.read() as db:
        found = await flows.known(db, "BTC", at=at, source=source)
    return {day.trade_date.day: day.total_musd for day in found}


async def test_each_says_what_it_said(both: Store) -> None:
    assert await _totals(both, "one") == {2: 1.0, 3: 2.0, 4: 3.0}
    assert await _totals(both, "other") == {3: 2.0, 4: 3.5}
    assert await _totals(both, "nobody") == {}


async def test_who_publishes_how_much(both: Store) -> None:
    async with both.read() as db:
        known = await flows.publishers(db, "BTC", at=NOW)
        early = await flows.publishers(db, "BTC", at=datetime(2026, 2, 3, 9, tzinfo=UTC))
        nobody = await flows.publishers(db, "ETH", at=NOW)
    assert sorted(known, key=lambda one: one.source) == [
        Publisher(source="one", final_days=3, last_date=date(2026, 2, 4)),
        Publisher(source="other", final_days=2, last_date=date(2026, 2, 4)),
    ]
    assert early == [Publisher(source="one", final_days=1, last_date=date(2026, 2, 2))]
    assert nobody == []


async def test_a_revision_is_of_its_publisher(both: Store) -> None:
    async with both.write() as db:
        done = await flows.store(db, "BTC", _rows({4: 3.0}), source="other", now=NOW)
        same = await flows.store(db, "BTC", _rows({4: 3.0}), source="one", now=NOW)
    assert (done.revised, same.unchanged) == (1, 1)
    assert await _totals(both, "other") == {3: 2.0, 4: 3.0}


async def test_an_import_continues_what_was_stored_last(both: Store, tmp_path: Path) -> None:
    path = tmp_path / "february.csv"
    path.write_text("date,IBIT\n2026-02-05,4.0\n")
    await importer.load(both, path, asset="BTC", now=NOW)
    assert await _totals(both, "other") == {3: 2.0, 4: 3.5, 5: 4.0}
    await importer.load(both, path, asset="BTC", source="third", now=NOW)
    assert await _totals(both, "third") == {5: 4.0}
    # Of ETH nothing is stored: the rows are named after the file.
    await importer.load(both, path, asset="ETH", now=NOW)
    async with both.read() as db:
        assert await flows.last_source(db, "ETH") == "february.csv"


async def test_after_the_sample_its_publisher_goes_on(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("date,IBIT,Total\n2026-02-06,371.1,371.1\n")
    async with opened(file) as store:
        await sample.load(store)
        await importer.load(store, path, asset="BTC", now=NOW)
        async with store.read() as db:
            [one] = await flows.publishers(db, "BTC", at=NOW)
            days = await flows.known(db, "BTC", at=NOW, source=one.source)
    assert (one.source, one.final_days, one.last_date) == ("Farside Investors", 520, date(2026, 2, 6))
    assert [(day.total_musd, day.is_sample) for day in days[-2:]] == [(-434.1, True), (371.1, False)]
