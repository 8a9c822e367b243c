"""The shipped sample against the figures its publishers and the project's source name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analysis.levels import Interval
from storage import bars, flows, instruments, macro, margins, new_bars, sample
from storage.flows import FlowState
from storage.importers import Imported
from storage.importers import flows as flows_importer
from storage.instants import utc
from storage.store import Store
from tests.storage.conftest import dump, opened

END = datetime(2026, 2, 7, 12, tzinfo=UTC)


def test_the_sample_is_small() -> None:
    folder = Path(sample.__file__).parent
    assert sum(each.stat().st_size for each in folder.iterdir() if each.is_file()) < 1_500_000


async def test_loading_twice_changes_nothing(tmp_path: Path, sample_file: Path) -> None:
    file = tmp_path / "leadline.db"
    file.write_bytes(sample_file.read_bytes())
    async with opened(file) as store:
        done = await sample.load(store)
    assert done == Imported(unchanged=18_093)
    assert dump(file) == dump(sample_file)


async def test_a_store_for_reading_takes_no_write(sampled: Store) -> None:
    with pytest.raises(RuntimeError, match="reading only"):
        async with sampled.write():
            pass


async def test_in_memory_it_is_the_same(sampled: Store) -> None:
    memory = await sample.open_in_memory()
    try:
        assert await _flow_days(memory, "ETH") == await _flow_days(sampled, "ETH")
        assert await memory.has_market_rows()
    finally:
        await memory.close()


async def test_live_rows_stand(store: Store, tmp_path: Path) -> None:
    """A day that differs from the sample's is kept, and live bars end the sample's note."""
    path = tmp_path / "flows.csv"
    path.write_text("date,IBIT,Total\n2026-02-04,-1.0,-2.0\n")
    await flows_importer.load(store, path, asset="BTC", now=END)
    await sample.load(store)
    days = await _flow_days(store, "BTC")
    assert [(day.total_musd, day.is_sample) for day in days[-2:]] == [(-2.0, False), (-434.1, True)]
    async with store.write() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=END)
        assert series is not None
        assert series.is_sample
        (last,) = (await bars.closed(db, series, Interval.M30, at=END))[-1:]
        live = last._replace(opened_at=last.opened_at + 1800, closed_at=last.closed_at + 1800)
        await new_bars.store(db, series, [live], source="Binance USD-M", now=END)
    await sample.load(store)
    async with store.read() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=END)
        assert series is not None
        assert not series.is_sample


async def _flow_days(store: Store, asset: str, at: datetime = END) -> list[flows.FlowDay]:
    async with store.read() as db:
        return await flows.known(db, asset, at=at)


async def test_bars(sampled: Store) -> None:
    async with sampled.read() as db:
        series = {(each.code, each.interval): each for each in await instruments.stored(db)}
        assert {code for code, _ in series} == {"BTC", "SI", "GC", "CL", "ES", "NQ", "DXY"}
        assert all(each.is_sample for each in series.values())

        half_hours = await bars.closed(db, series["BTC", Interval.M30], Interval.M30, at=END)
        assert len(half_hours) == 7_662
        assert tuple(half_hours[0]) == (
            1756630800,
            1756632600,
            108965.1,
            109067.2,
            108841.7,
            108841.7,
            1059.526,
        )
        assert utc(half_hours[0].opened_at) == datetime(2025, 8, 31, 9, tzinfo=UTC)
        assert utc(half_hours[-1].closed_at) == datetime(2026, 2, 7, tzinfo=UTC)
        assert await bars.first_and_last(db, series["BTC", Interval.M30], at=END) == (1756630800, 1770422400)

        below = [row for row in half_hours if row.opened_at >= 1769558400 and row.close < 83_500]
        assert utc(below[0].opened_at) == datetime(2026, 1, 29, 18, 30, tzinfo=UTC)

        hours = await bars.closed(db, series["BTC", Interval.H1], Interval.H1, at=END)
        assert len(hours) == 1_516
        assert {utc(row.closed_at).hour for row in hours if "2026-01" in utc(row.closed_at).isoformat()} == {
            21,
            22,
        }
        assert await bars.daily(db, series["BTC", Interval.H1], at=END) == []

        silver = await bars.closed(db, series["SI", Interval.D1], Interval.D1, at=END)
        assert silver[-1].close == 76.735
        assert utc(silver[-1].closed_at) == datetime(2026, 2, 6, 22, tzinfo=UTC)
        own_days = await bars.daily(db, series["BTC", Interval.D1], at=END)
        assert (len(own_days), own_days[-2].close) == (768, 62702.1)


async def test_the_kept_roll_up_is_what_a_plain_loop_makes(sampled: Store) -> None:
    async with sampled.read() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=END)
        assert series is not None
        half_hours = await bars.closed(db, series, Interval.M30, at=END)
        kept = await bars.daily(db, series, at=END)
    by_day: dict[int, list[bars.BarRow]] = {}
    for row in half_hours:
        by_day.setdefault(row.opened_at // 86_400, []).append(row)
    looped = []
    for day, rows in sorted(by_day.items()):
        if len(rows) == 48:
            high = max(row.high or 0 for row in rows)
            low = min(row.low or 1e9 for row in rows)
            volume = sum(row.volume or 0 for row in rows)
            looped.append((day * 86_400, (day + 1) * 86_400, rows[0].open, high, low, rows[-1].close, volume))
    assert [row[:6] for row in kept] == [row[:6] for row in looped]
    assert [row[6] for row in kept] == pytest.approx([row[6] for row in looped], rel=1e-12)
    # 31 August begins at 09:00; 1 September to 6 February are whole.
    assert len(kept) == 30 + 31 + 30 + 31 + 31 + 6


async def test_a_day_enters_the_roll_up_with_its_last_missing_bar(store: Store) -> None:
    day = 1_770_163_200
    rows = [
        bars.BarRow(day + n * 1800, day + (n + 1) * 1800, 10.0 + n, 100.0 + n, 5.0 - n / 10, 20.0 + n, 1.0)
        for n in range(48)
    ]
    for part, days in (([*rows[1:20], *rows[21:47]], 0), ([rows[0], rows[47]], 0), ([rows[20]], 1)):
        async with store.write() as db:
            series = await instruments.to_fill(db, "BTC", Interval.M30)
            await new_bars.store(db, series, part, source="test", now=END)
            kept = await bars.daily(db, series, at=END)
        assert len(kept) == days
    assert kept[0] == pytest.approx((day, day + 86_400, 10.0, 147.0, 0.3, 67.0, 48.0))


async def test_flows(sampled: Store) -> None:
    days = await _flow_days(sampled, "BTC")
    total = {day.trade_date: day.total_musd or 0.0 for day in days}
    assert len(days) == 519
    assert all(day.state is FlowState.FINAL and len(day.funds) == 11 for day in days)
    assert total[date(2026, 2, 4)] == -544.9
    assert sum(total.values()) == pytest.approx(54_300.2)
    assert days[-1].funds["IBIT"] == -175.3

    def since(first: date, last: date) -> list[float]:
        return [value for day, value in total.items() if first <= day <= last]

    window = since(date(2026, 1, 16), date(2026, 2, 4))
    assert (len(window), sum(value > 0 for value in window)) == (13, 2)
    assert sum(window) == pytest.approx(-3_461.6)
    assert sum(since(date(2026, 1, 29), date(2026, 2, 4))) == pytest.approx(-1_582.6)
    for month, value in (((2025, 10), 3_424.9), ((2025, 11), -3_466.7), ((2026, 1), -1_604.8)):
        assert sum(v for day, v in total.items() if (day.year, day.month) == month) == pytest.approx(value)
    assert (await _flow_days(sampled, "BTC", datetime(2026, 2, 5, 12, tzinfo=UTC)))[-1].trade_date == date(
        2026, 2, 4
    )
    eth = await _flow_days(sampled, "ETH")
    assert (len(eth), eth[-1].total_musd) == (376, -80.8)


async def test_margins(sampled: Store) -> None:
    async with sampled.read() as db:
        silver = await margins.known(db, "SI", at=END)
        gold = await margins.known(db, "GC", at=END)
        before = await margins.known(db, "SI", at=datetime(2025, 12, 1, tzinfo=UTC))
    assert [(step.rule, step.initial) for step in silver] == [
        ("fixed", 20_000),
        ("fixed", 22_000),
        ("fixed", 25_000),
        ("fixed", 32_500),
        ("percent", 9),
        ("percent", 11),
        ("percent", 15),
        ("percent", 18),
    ]
    assert [(step.rule, step.initial) for step in before] == [("fixed", 20_000)]
    last = silver[-1]
    assert last.in_force_from == datetime(2026, 2, 6, 22, tzinfo=UTC)
    assert last.known_at == datetime(2026, 2, 6, 5, tzinfo=UTC)
    assert (last.hrp_initial, last.hrp_maintenance, last.previous, last.notice_number) == (
        19.8,
        18,
        15,
        "26-057",
    )
    assert silver[4].previous == 32_500
    assert silver[4].previous_rule == "fixed"
    assert [(step.initial, step.dating) for step in gold] == [
        (22_000, "before"),
        (24_000, "dated"),
        (5, "dated"),
        (6, "unknown"),
        (8, "dated"),
        (9, "dated"),
    ]
    assert gold[3].effective_date is None
    assert gold[3].effective_note == "between 14 Jan and 30 Jan"


async def test_macro(sampled: Store) -> None:
    async with sampled.read() as db:
        upper = await macro.known(db, "DFEDTARU", at=END)
        lower = await macro.known(db, "DFEDTARL", at=END)
        inflation = await macro.known(db, "T10YIE", at=END)
        cpi = await macro.known(db, "CPIAUCSL", at=END)
    assert (upper[-1].value, lower[-1].value) == (3.75, 3.5)
    assert inflation[-1].dated == date(2026, 2, 5)
    assert (cpi[-1].dated, cpi[-1].value, cpi[-1].known_at) == (
        date(2025, 12, 1),
        326.031,
        datetime(2026, 1, 13, 13, 30, tzinfo=UTC),
    )
    assert date(2025, 10, 1) not in {each.dated for each in cpi}
    assert all(each.is_sample and each.source == "FRED" for each in (*upper, *lower, *inflation, *cpi))


async def test_the_sample_says_when_it_ends(sampled: Store) -> None:
    async with sampled.read() as db:
        series = await instruments.stored(db)
        ends = [await bars.first_and_last(db, each, at=END) for each in series]
    assert max(utc(end[1] - 1).date() for end in ends if end) == sample.ENDS
