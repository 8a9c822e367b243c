"""Asked as of an instant, the store answers what it would if all later rows did not exist."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.levels import Interval
from storage import bars, flows, instruments, macro, margins, migrate
from storage.flows import Reported
from storage.macro import Published
from storage.store import Db, Store
from tests.storage.conftest import opened

BEGIN, END = datetime(2025, 11, 20, tzinfo=UTC), datetime(2026, 2, 12, tzinfo=UTC)
INSTANTS = st.datetimes(
    BEGIN.replace(tzinfo=None), END.replace(tzinfo=None), timezones=st.just(UTC)
) | st.builds(lambda half_hours: BEGIN + timedelta(minutes=30) * half_hours, st.integers(0, 84 * 48))
DAILY = ("BTC", "SI", "GC", "CL", "ES", "NQ", "DXY")


async def _bars(db: Db, code: str, interval: Interval, at: datetime) -> list[bars.BarRow]:
    series = await instruments.find(db, code, interval, at=at)
    assert series is not None
    return await bars.closed(db, series, interval, at=at)


@settings(max_examples=10, deadline=None)
@given(at=INSTANTS)
async def test_no_row_from_later(sample_file: Path, at: datetime) -> None:
    second = at.timestamp()
    async with opened(sample_file, readonly=True) as store, store.read() as db:
        if not WHOLE:
            WHOLE.update(await _everything(db, END))
        for name, rows in (await _everything(db, at)).items():
            assert rows == [row for row in WHOLE[name] if _known(row) <= second], name


WHOLE: dict[str, list[Any]] = {}


async def _everything(db: Db, at: datetime) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for code, interval in [("BTC", Interval.M30), ("BTC", Interval.H1), *((c, Interval.D1) for c in DAILY)]:
        found[f"{code} {interval}"] = await _bars(db, code, interval, at)
    series = await instruments.find(db, "BTC", Interval.M30, at=END)
    assert series is not None
    found["roll-up"] = await bars.daily(db, series, at=at)
    for asset in ("BTC", "ETH"):
        found[f"flows {asset}"] = await flows.known(db, asset, at=at)
    for name in ("DFEDTARU", "T10YIE", "CPIAUCSL"):
        found[name] = await macro.known(db, name, at=at)
    for product in ("SI", "GC"):
        found[f"margin {product}"] = await margins.known(db, product, at=at)
    return found


def _known(row: Any) -> float:
    if isinstance(row, bars.BarRow):
        return row.closed_at
    return float(row.known_at.timestamp()) if row.known_at is not None else 0.0


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from([date(2026, 2, 3), date(2026, 2, 4)]),
        st.integers(0, 40),
        st.sampled_from([-5.0, 0.0, 7.5]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None)
@given(versions=VERSIONS, asked=st.integers(-1, 41))
async def test_of_each_day_the_newest_version_known(
    versions: list[tuple[date, int, float]], asked: int
) -> None:
    """Versions in the order in which they became known; the oracle is a loop over them."""
    start = datetime(2026, 2, 5, tzinfo=UTC)
    store = await Store.open("sqlite+aiosqlite://")
    try:
        await migrate.prepare(store)
        kept: dict[date, dict[int, float]] = {}
        for day, hour, value in sorted(versions, key=lambda version: version[1]):
            known_at = int((start + timedelta(hours=hour)).timestamp())
            if known_at in kept.setdefault(day, {}):
                continue
            kept[day][known_at] = value
            async with store.write() as db:
                await flows.store(
                    db,
                    "BTC",
                    [Reported(trade_date=day, funds={"IBIT": value}, known_at=known_at)],
                    source="test",
                    now=start,
                )
                await macro.store(
                    db,
                    "X1",
                    [Published(dated=day, value=value, known_at=known_at)],
                    source="test",
                    now=start,
                )
        at = start + timedelta(hours=asked)
        expected = {}
        for day, seen in kept.items():
            by_then = [hour for hour in seen if hour <= at.timestamp()]
            if by_then:
                expected[day] = seen[max(by_then)]
        async with store.read() as db:
            assert {d.trade_date: d.total_musd for d in await flows.known(db, "BTC", at=at)} == expected
            assert {o.dated: o.value for o in await macro.known(db, "X1", at=at)} == expected
    finally:
        await store.close()


@settings(max_examples=10, deadline=None)
@given(at=INSTANTS, hours=st.sets(st.integers(0, 23), max_size=3))
async def test_bars_by_the_hour_of_their_close(sample_file: Path, at: datetime, hours: set[int]) -> None:
    async with opened(sample_file, readonly=True) as store, store.read() as db:
        series = [
            await instruments.find(db, "BTC", interval, at=END) for interval in (Interval.M30, Interval.H1)
        ]
        both = [one for one in series if one is not None]
        found = await bars.closes(db, both, at=at, hours=hours)
        assert len(found) == 2
        wanted = [(hour, 0) for hour in hours]
        for one in both:
            every = await bars.closed(db, one, one.interval, at=at)
            times = [datetime.fromtimestamp(row.closed_at, UTC) for row in every]
            assert found[one] == [
                (row.closed_at, row.close, one.id)
                for row, when in zip(every, times, strict=True)
                if (when.hour, when.minute) in wanted
            ]


async def test_closes_of_several_series_are_each_their_own(sample_file: Path) -> None:
    async with opened(sample_file, readonly=True) as store, store.read() as db:
        series = [await instruments.find(db, code, Interval.D1, at=END) for code in ("SI", "GC", "ES")]
        every = [one for one in series if one is not None]
        since = END - timedelta(days=30)
        found = await bars.closes(db, every, at=END, since=since)
        for one in every:
            rows = await bars.closed(db, one, Interval.D1, at=END, since=since)
            assert found[one] == [(row.closed_at, row.close, one.id) for row in rows]
            assert len(rows) > 15
