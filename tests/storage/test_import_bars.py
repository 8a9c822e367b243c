from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from analysis.errors import UserError
from analysis.levels import Interval
from bot.language import catalogue
from storage import bars, instruments, new_bars, schema
from storage.importers import Imported
from storage.importers import bars as importer
from storage.instants import utc
from storage.store import Store
from tests.storage.conftest import dump

NOW = datetime(2026, 2, 7, tzinfo=UTC)
HEAD = "open_time,open,high,low,close,volume\n"
ROW = "2026-02-05T18:00:00Z,66000,66500.5,65900,66100,12.5\n"
NEXT = "2026-02-05T18:30:00Z,66100,66200,66000,66150,3\n"


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "bars.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


async def _load(store: Store, path: Path, code: str = "BTC", interval: Interval = Interval.M30) -> Imported:
    return await importer.load(store, path, instrument=code, interval=interval, source="mine", now=NOW)


@pytest.mark.parametrize(
    ("content", "msgid", "values"),
    [
        (
            ROW.replace("66100", "NaN"),
            "{value} cannot be used",
            {"row": 2, "column": "close", "value": "'NaN'"},
        ),
        (NEXT + ROW, "after a later one", {"row": 3, "column": "open_time"}),
        (ROW + ROW, "is there twice", {"row": 3, "column": "open_time"}),
        (ROW.replace("66100", "inf"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", "1e999"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", "66_100"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", "66\uff1100"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", "9" * 400), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", ""), "{value} cannot be used", {"column": "close", "value": "''"}),
        (ROW.replace("66100", "-66100"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66100", "0"), "{value} cannot be used", {"column": "close"}),
        (ROW.replace("66500.5", "66050"), "{value} cannot be used", {"column": "high"}),
        (ROW.replace("65900", "66050"), "{value} cannot be used", {"column": "low"}),
        (ROW.replace("12.5", "-1"), "{value} cannot be used", {"column": "volume"}),
        (ROW.replace("18:00", "18:10"), "{value} cannot be used", {"column": "open_time"}),
        (ROW.replace("2026-02-05", "2026-02-30"), "{value} cannot be used", {"column": "open_time"}),
        (ROW.replace("Z", ""), "{value} cannot be used", {"column": "open_time"}),
        (ROW.replace("Z", "+08:00"), "{value} cannot be used", {"column": "open_time"}),
        (ROW + "2026-02-05T18:30:00Z,1,1\n", "cells where the header", {"row": 3, "value": 3, "limit": 6}),
        (ROW + "x" * 2**20 + "\n", "line is longer", {"row": 3, "limit": 16_384}),
        (ROW.replace("12.5", "1" * 2_000), "cell is longer", {"row": 2, "limit": 1_024}),
        (ROW.replace("12.5", '"12\n.5"'), "line break inside", {"row": 2}),
        (ROW.replace("12.5", '"12'), "not CSV", {"row": 2}),
        (ROW.replace("12.5", "12\0"), "not CSV", {"row": 2}),
        ("", "no rows", {}),
    ],
)
async def test_a_bad_row_changes_nothing_and_is_named(
    store: Store,
    file: Path,
    csv: Callable[[str | bytes], Path],
    content: str,
    msgid: str,
    values: dict[str, object],
) -> None:
    before = dump(file)
    with pytest.raises(UserError) as refused:
        await _load(store, csv(HEAD + content))
    assert msgid in refused.value.msgid
    assert refused.value.values["file"] == "bars.csv"
    assert {**refused.value.values, **values} == refused.value.values
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200
    assert dump(file) == before


@pytest.mark.parametrize(
    ("content", "msgid"),
    [
        (b"", "must name the columns"),
        (b"\n\n", "must name the columns"),
        (b"open_time,open,high,low,volume\n" + ROW.encode(), "the column {column} is missing"),
        (b"open,high,low,close,volume\n" + ROW.encode(), "the column {column} is missing"),
        (b"open_time,open,high,close\n" + ROW.encode(), "the column {column} is missing"),
        (b"open_time,close,close\n", "is there twice"),
        (",".join(f"c{n}" for n in range(65)).encode(), "more than {limit} columns"),
        (b"open_time,close\n\xff\xfe,1\n", "not UTF-8"),
        (b"open_time,close\n\x00\n", "not CSV"),
    ],
)
async def test_a_bad_file_changes_nothing(
    store: Store, file: Path, csv: Callable[[str | bytes], Path], content: bytes, msgid: str
) -> None:
    before = dump(file)
    with pytest.raises(UserError) as refused:
        await _load(store, csv(content))
    assert msgid in refused.value.msgid
    assert str(refused.value)
    assert dump(file) == before


async def test_what_is_no_file_or_no_instrument(
    store: Store, file: Path, tmp_path: Path, csv: Callable[[str | bytes], Path]
) -> None:
    before = dump(file)
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            await _load(store, path)
    with pytest.raises(UserError) as refused:
        await _load(store, csv(HEAD + ROW), "DOGE")
    assert str(refused.value) == "DOGE is not known; known are BTC, ETH, SI, GC, CL, ES, NQ, DXY."
    assert "BTC、ETH、SI、GC、CL、ES、NQ、DXY" in refused.value.in_words(catalogue("zh-TW").gettext)
    assert dump(file) == before


async def test_a_bad_row_after_many_good_ones(
    store: Store, file: Path, csv: Callable[[str | bytes], Path]
) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [
        f"{(start + n * timedelta(minutes=30)).isoformat().replace('+00:00', 'Z')},100,101,99,100,1\n"
        for n in range(importer.CHUNK + 500)
    ]
    before = dump(file)
    with pytest.raises(UserError, match="row 5502"):
        await _load(store, csv(HEAD + "".join(rows) + "bad,100,101,99,100,1\n"))
    assert dump(file) == before
    assert await _load(store, csv(HEAD + "".join(rows))) == Imported(added=importer.CHUNK + 500)
    async with store.read() as db:
        assert await db.scalar(select(func.count()).select_from(schema.staged_bars)) == 0
        series = await instruments.find(db, "BTC", Interval.M30, at=NOW)
        assert series is not None
        # 5,500 half hours are 114 whole days and 28 bars.
        assert len(await bars.daily(db, series, at=NOW)) == 114


async def test_the_first_stored_bar_stands(store: Store, csv: Callable[[str | bytes], Path]) -> None:
    path = csv(HEAD + ROW + NEXT)
    assert await _load(store, path) == Imported(added=2)
    assert await _load(store, path) == Imported(unchanged=2)
    differing = csv(HEAD + ROW.replace("66100", "66101") + NEXT)
    assert await _load(store, differing) == Imported(unchanged=1, revised=1)
    assert await _load(store, differing) == Imported(unchanged=2)
    async with store.read() as db:
        series = await instruments.find(db, "btc", Interval.M30, at=NOW)
        assert series is not None
        rows = await bars.closed(db, series, Interval.M30, at=NOW)
        revision = (await db.execute(select(schema.bar_revisions))).one()
    assert [row.close for row in rows] == [66_100, 66_150]
    assert tuple(rows[0]) == (1_770_314_400, 1_770_316_200, 66_000, 66_500.5, 65_900, 66_100, 12.5)
    assert (revision.opened_at, revision.close, utc(revision.known_at)) == (1_770_314_400, 66_101, NOW)
    assert (series.source, series.is_sample, series.venue) == ("mine", False, "Binance USD-M")


async def test_a_bar_that_has_not_closed_is_skipped(store: Store, csv: Callable[[str | bytes], Path]) -> None:
    now = datetime(2026, 2, 5, 18, 59, 59, tzinfo=UTC)
    path = csv(HEAD + ROW + NEXT)
    done = await importer.load(store, path, instrument="BTC", interval=Interval.M30, now=now)
    assert done == Imported(added=1, skipped=1)


async def test_closes_alone_and_dates_are_enough(store: Store, csv: Callable[[str | bytes], Path]) -> None:
    path = csv("\ufeffDate, Close\r\n2026-02-05, 97.82\r\n\r\n2026-02-06, 97.63\r\n")
    assert await _load(store, path, "DXY", Interval.D1) == Imported(added=2)
    async with store.read() as db:
        series = await instruments.find(db, "DXY", Interval.D1, at=NOW)
        assert series is not None
        assert series.ohlc is False
        rows = await bars.closed(db, series, Interval.D1, at=datetime(2026, 2, 6, 21, 59, 59, tzinfo=UTC))
        assert rows == [(1_770_249_600, 1_770_328_800, None, None, None, 97.82, None)]
        assert len(await bars.closed(db, series, Interval.D1, at=datetime(2026, 2, 6, 22, tzinfo=UTC))) == 2


async def test_an_interval_nobody_had_goes_to_the_first_instrument(
    store: Store, csv: Callable[[str | bytes], Path]
) -> None:
    path = csv("open_time,close\n2026-02-05T16:00:00Z,66000\n")
    assert await _load(store, path, "BTC", Interval.H4) == Imported(added=1)
    async with store.read() as db:
        series = await instruments.find(db, "BTC", Interval.H4, at=NOW)
        assert series is not None
        assert (series.venue, series.ohlc) == ("Binance USD-M", False)
        assert await instruments.find(db, "BTC", Interval.M30, at=NOW) is None
        assert await instruments.stored(db) == [series]


async def test_progress_is_told(store: Store, csv: Callable[[str | bytes], Path]) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    lines = "".join(
        f"{(start + n * timedelta(minutes=30)).strftime('%Y-%m-%dT%H:%M:%SZ')},1\n" for n in range(10_000)
    )
    path = csv("open_time,close\n" + lines)
    told: list[tuple[int, int]] = []
    await importer.load(
        store,
        path,
        instrument="BTC",
        interval=Interval.M30,
        now=NOW,
        progress=lambda a, b: told.append((a, b)),
    )
    size = 16 + 10_000 * 23
    assert told == [(16 + 4_999 * 23, size), (16 + 9_999 * 23, size)]


async def test_what_a_killed_import_left_is_cleared(store: Store, csv: Callable[[str | bytes], Path]) -> None:
    async with store.write() as db:
        await new_bars.stage(db, "dead", [bars.BarRow(0, 1800, None, None, None, 1.0, None)])
    assert await _load(store, csv(HEAD + ROW)) == Imported(added=1)
    async with store.read() as db:
        assert await db.scalar(select(func.count()).select_from(schema.staged_bars)) == 0
        assert await db.scalar(select(func.count()).select_from(schema.bars)) == 1


async def test_an_import_whose_rows_another_took_away_changes_nothing(
    store: Store, csv: Callable[[str | bytes], Path]
) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    lines = "".join(
        f"{(start + n * timedelta(minutes=30)).strftime('%Y-%m-%dT%H:%M:%SZ')},1\n" for n in range(12_000)
    )
    path = csv("open_time,close\n" + lines)
    first = asyncio.create_task(_load(store, path))
    staged = 0
    while not staged:
        async with store.read() as db:
            staged = await db.scalar(select(func.count()).select_from(schema.staged_bars))
    async with store.write() as db:
        await new_bars.discard(db)
    with pytest.raises(UserError, match="at the same time"):
        await first
    async with store.read() as db:
        assert await db.scalar(select(func.count()).select_from(schema.bars)) == 0
