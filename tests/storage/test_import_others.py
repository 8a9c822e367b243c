from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analysis.errors import UserError
from storage import flows, macro, margins
from storage.flows import FlowState
from storage.importers import Imported
from storage.importers import flows as flows_importer
from storage.importers import macro as macro_importer
from storage.importers import margins as margins_importer
from storage.store import Store
from tests.storage.conftest import dump

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
Write = Callable[[str, str], Path]


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return write


async def _flows(store: Store, path: Path, now: datetime = NOW) -> Imported:
    return await flows_importer.load(store, path, asset="BTC", now=now)


async def _days(store: Store, at: datetime = NOW) -> list[flows.FlowDay]:
    async with store.read() as db:
        return await flows.known(db, "BTC", at=at)


async def test_cells_of_the_flow_page(store: Store, csv: Write) -> None:
    path = csv("f.csv", 'date,IBIT,GBTC,\n2026-02-02,"1,205.2",(95.1),1110.1\n2026-02-03,0.0,-0.5,-0.5\n')
    assert await _flows(store, path) == Imported(added=2)
    assert await _days(store, datetime(2026, 2, 3, 8, 59, 59, tzinfo=UTC)) == []
    assert len(await _days(store, datetime(2026, 2, 3, 9, tzinfo=UTC))) == 1
    first, second = await _days(store)
    assert dict(first.funds) == {"IBIT": 1205.2, "GBTC": -95.1}
    assert (first.total_musd, first.state) == (1110.1, FlowState.FINAL)
    assert dict(second.funds) == {"IBIT": 0.0, "GBTC": -0.5}
    assert first.known_at == datetime(2026, 2, 3, 9, tzinfo=UTC)
    assert (first.source, first.is_sample) == ("f.csv", False)


async def test_the_running_day_fills_fund_by_fund(store: Store, csv: Write) -> None:
    """Pending, partial and final are three versions, each seen only from when it was known."""
    head = "date,IBIT,FBTC,Total\n2026-02-03,1.0,2.0,3.0\n"
    evening = datetime(2026, 2, 4, 23, tzinfo=UTC)
    night = datetime(2026, 2, 5, 10, tzinfo=UTC)
    morning = datetime(2026, 2, 5, 13, tzinfo=UTC)
    await _flows(store, csv("f.csv", head + "2026-02-04,-,-,0.0\n"), evening)
    await _flows(store, csv("f.csv", head + "2026-02-04,68.2,-,68.2\n"), night)
    done = await _flows(store, csv("f.csv", head + "2026-02-04,68.2,239.3,307.5\n"), morning)
    assert done == Imported(unchanged=1, revised=1)
    seen = []
    for hour in (8, 9, 10, 12, 13):
        day = (await _days(store, datetime(2026, 2, 5, hour, tzinfo=UTC)))[-1]
        seen.append((day.trade_date.day, day.state, day.total_musd))
    assert seen == [
        (3, FlowState.FINAL, 3.0),
        (4, FlowState.PENDING, None),
        (4, FlowState.PARTIAL, 68.2),
        (4, FlowState.PARTIAL, 68.2),
        (4, FlowState.FINAL, 307.5),
    ]


async def test_a_new_fund_is_listed_from_its_first_value(store: Store, csv: Write) -> None:
    old = "date,IBIT,Total\n2026-02-02,1.0,1.0\n2026-02-03,2.0,2.0\n"
    assert await _flows(store, csv("f.csv", old)) == Imported(added=2)
    new = (
        "date,IBIT,MSBT,Total\n2026-02-02,1.0,-,1.0\n2026-02-03,2.0,,2.0\n"
        "2026-02-04,3.0,4.0,7.0\n2026-02-05,1.0,-,1.0\n"
    )
    assert await _flows(store, csv("f.csv", new)) == Imported(added=2, unchanged=2)
    days = await _days(store)
    assert [day.state for day in days] == [FlowState.FINAL] * 3 + [FlowState.PARTIAL]
    assert [sorted(day.funds) for day in days] == [["IBIT"]] * 2 + [["IBIT", "MSBT"]] * 2
    assert days[-1].funds["MSBT"] is None


async def test_a_single_unfinished_row_is_not_final(store: Store, csv: Write) -> None:
    await _flows(store, csv("f.csv", "date,IBIT,FBTC\n2026-02-04,68.2,-\n"))
    (day,) = await _days(store)
    assert (day.state, day.total_musd) == (FlowState.PARTIAL, 68.2)


async def test_known_at_may_be_given(store: Store, csv: Write) -> None:
    head = "date,IBIT,known_at\n"
    await _flows(store, csv("f.csv", head + "2026-02-04,5.0,2026-02-05T03:00:00Z\n"))
    await _flows(store, csv("f.csv", head + "2026-02-04,4.0,2026-02-05T01:00:00Z\n"))
    again = await _flows(store, csv("f.csv", head + "2026-02-04,5.0,2026-02-05T04:00:00Z\n"))
    assert again == Imported(unchanged=1)
    seen = [
        [day.total_musd for day in await _days(store, datetime(2026, 2, 5, h, tzinfo=UTC))] for h in range(5)
    ]
    assert seen == [[], [4.0], [4.0], [5.0], [5.0]]


@pytest.mark.parametrize(
    ("content", "column", "row"),
    [
        ("date,IBIT\n2026-02-04,nan\n", "ibit", 2),
        ("date,IBIT\n2026-02-04,(-5)\n", "ibit", 2),
        ("date,IBIT\n2026-02-04,(5\n", "ibit", 2),
        ('date,IBIT\n2026-02-04,"12,05.2"\n', "ibit", 2),
        ("date,IBIT\n2026-02-04,--\n", "ibit", 2),
        ("date,IBIT\n2026-02-04,1.0\n2026-02-04,1.0\n", "date", 3),
        ("date,IBIT\n2026-02-04,1.0\n2026-02-03,1.0\n", "date", 3),
        ("date,IBIT\n2026-02-07,1.0\n", "date", 2),
        ("date,IBIT\n2026-02-11,1.0\n", "date", 2),
        ("date,IBIT\n2026-02-04,1.0\nTotal,1.0\n", "date", 3),
        ("date,IBIT FUND\n2026-02-04,1.0\n", 2, None),
        ("date,close\n2026-02-04,97.62\n", 2, None),
        ("date,open,high,low,close,Total\n2026-02-04,1,1,1,1,1\n", 2, None),
        ("IBIT,Total\n1.0,1.0\n", "date", None),
        ("date\n2026-02-04\n", "Total", None),
    ],
)
async def test_bad_flows(
    store: Store, file: Path, csv: Write, content: str, column: object, row: int | None
) -> None:
    before = dump(file)
    with pytest.raises(UserError) as refused:
        await _flows(store, csv("f.csv", content))
    assert refused.value.values["column"] == column
    assert refused.value.values.get("row") == row
    assert dump(file) == before


async def test_an_asset_nobody_knows(store: Store, csv: Write) -> None:
    path = csv("f.csv", "date,X\n2026-02-04,1.0\n")
    with pytest.raises(UserError, match="SOL is not known; known are BTC, ETH"):
        await flows_importer.load(store, path, asset="SOL", now=NOW)


MARGINS = "notice_date,effective,product,basis,non_hrp_initial,non_hrp_maintenance,prev_non_hrp\n"


async def _margins(store: Store, path: Path, now: datetime = NOW) -> Imported:
    return await margins_importer.load(store, path, now=now)


async def _steps(store: Store, product: str, at: datetime = NOW) -> list[tuple[str, str, float, str]]:
    async with store.read() as db:
        found = await margins.known(db, product, at=at)
    return [
        (
            step.in_force_from.isoformat().replace("+00:00", "Z") if step.in_force_from else "",
            step.rule,
            step.initial,
            step.dating,
        )
        for step in found
    ]


async def test_margin_steps(store: Store, csv: Write) -> None:
    path = csv(
        "m.csv",
        MARGINS
        + "2026-01-12,2026-01-13,XX,percent,5.0,5.0,24000 USD\n"
        + ",,XX,percent,6.0,6.0,5.0\n"
        + "2026-01-30,2026-02-02,XX,percent,8.0,8.0,6.0\n"
        + "2026-02-05,2026-02-06,XX,percent,9.0,9.0,8.0\n",
    )
    assert await _margins(store, path) == Imported(added=4)
    assert await _margins(store, path) == Imported(unchanged=4)
    whole = [
        ("", "fixed", 24_000.0, "before"),
        ("2026-01-13T22:00:00Z", "percent", 5.0, "dated"),
        ("2026-01-30T05:00:00Z", "percent", 6.0, "unknown"),
        ("2026-02-02T22:00:00Z", "percent", 8.0, "dated"),
        ("2026-02-06T22:00:00Z", "percent", 9.0, "dated"),
    ]
    assert await _steps(store, "XX") == whole
    # Notices are known from 24:00 New York; the undated step with the notice that mentions it.
    assert await _steps(store, "XX", datetime(2026, 1, 13, 4, 59, 59, tzinfo=UTC)) == whole[:1]
    assert await _steps(store, "XX", datetime(2026, 1, 13, 5, tzinfo=UTC)) == whole[:2]
    assert await _steps(store, "XX", datetime(2026, 1, 31, 4, 59, 59, tzinfo=UTC)) == whole[:2]
    assert await _steps(store, "XX", datetime(2026, 1, 31, 5, tzinfo=UTC)) == whole[:4]
    assert await _steps(store, "XX", datetime(2026, 2, 6, 5, tzinfo=UTC)) == whole


async def test_a_later_table_does_not_rewrite_the_beginning(store: Store, csv: Write) -> None:
    await _margins(store, csv("m.csv", MARGINS + "2026-01-12,2026-01-13,XX,percent,5.0,5.0,24000 USD\n"))
    done = await _margins(store, csv("m.csv", MARGINS + "2026-02-05,2026-02-06,XX,percent,9.0,9.0,8.0\n"))
    assert done == Imported(added=1)
    corrected = csv("m.csv", MARGINS + "2026-02-05,2026-02-06,XX,percent,9.5,9.5,8.0\n")
    assert await _margins(store, corrected) == Imported(revised=1)
    assert [step[2] for step in await _steps(store, "XX")] == [24_000.0, 5.0, 9.5]
    earlier = datetime(2026, 2, 10, 11, tzinfo=UTC)
    assert [step[2] for step in await _steps(store, "XX", earlier)] == [24_000.0, 5.0, 9.0]


@pytest.mark.parametrize(
    ("rows", "column", "row"),
    [
        ("2026-02-05,2026-02-06,XX,percent,inf,9.0,8.0\n", "non_hrp_initial", 2),
        ("2026-02-05,2026-02-06,XX,percent,900,9.0,8.0\n", "non_hrp_initial", 2),
        ("2026-02-05,2026-02-06,XX,ratio,9,9.0,8.0\n", "basis", 2),
        ("2026-02-05,2026-02-06,XX,percent,9,9.0,8.0 EUR\n", "prev_non_hrp", 2),
        ("2026-02-05,2026-02-04,XX,percent,9,9.0,8.0\n", "effective", 2),
        ("2026-02-05,,XX,percent,9,9.0,8.0\n", "effective", 2),
        (",2026-02-05,XX,percent,9,9.0,8.0\n", "notice_date", 2),
        ("2026-02-05,2026-02-06,XX,percent,9,9.0,8.0\n" * 2, "effective", 3),
        (",,XX,percent,9,9.0,8.0\n", None, 2),
        (",,XX,percent,9,9.0,8.0\n,,XX,percent,8,8.0,8.0\n", "effective", 3),
    ],
)
async def test_bad_margins(
    store: Store, file: Path, csv: Write, rows: str, column: str | None, row: int
) -> None:
    before = dump(file)
    with pytest.raises(UserError) as refused:
        await _margins(store, csv("m.csv", MARGINS + rows))
    assert refused.value.values.get("column") == column
    assert refused.value.values["row"] == row
    assert dump(file) == before


async def _values(store: Store, series: str, at: datetime = NOW) -> list[tuple[date, float]]:
    async with store.read() as db:
        return [(each.dated, each.value) for each in await macro.known(db, series, at=at)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("fred_t10yie.csv", "date,value\n2026-02-05,2.32\n2026-02-06,\n"),
        ("T10YIE.csv", "date,value\n2026-02-05,2.32\n2026-02-06,.\n"),
        ("download.csv", "observation_date,T10YIE\n2026-02-05,2.32\n2026-02-06,\n"),
        ("all.csv", "series,date,value\nT10YIE,2026-02-05,2.32\nT10YIE,2026-02-06,.\n"),
    ],
)
async def test_which_series_a_file_holds(store: Store, csv: Write, name: str, content: str) -> None:
    done = await macro_importer.load(store, csv(name, content), now=NOW)
    assert done == Imported(added=1, skipped=1)
    assert await _values(store, "T10YIE") == [(date(2026, 2, 5), 2.32)]


async def test_a_revised_macro_value_is_seen_from_when_it_was_imported(store: Store, csv: Write) -> None:
    head = "date,value,released\n"
    first = csv("cpiaucsl.csv", head + "2025-11-01,325.063,2025-12-18\n2025-12-01,326.031,\n")
    assert await macro_importer.load(store, first, now=NOW) == Imported(added=2)
    second = csv("cpiaucsl.csv", head + "2025-11-01,325.1,2025-12-18\n2025-12-01,326.031,\n")
    assert await macro_importer.load(store, second, now=NOW) == Imported(unchanged=1, revised=1)
    november, december = date(2025, 11, 1), date(2025, 12, 1)
    assert await _values(store, "CPIAUCSL", datetime(2025, 12, 18, 13, 29, tzinfo=UTC)) == []
    before = datetime(2026, 2, 10, 11, tzinfo=UTC)
    assert await _values(store, "CPIAUCSL", before) == [(november, 325.063), (december, 326.031)]
    assert await _values(store, "CPIAUCSL") == [(november, 325.1), (december, 326.031)]


@pytest.mark.parametrize(
    ("content", "column", "row"),
    [
        ("date,value\n2026-02-05,1e5\n", "value", 2),
        ("date,value\n2026-02-05,1\n2026-02-05,1\n", "date", 3),
        ("date,value\n2026-02-05,\n2026-02-04,1\n", "date", 3),
        ("date,a,b\n2026-02-05,1,2\n", "value", None),
        ("date,value,released\n2026-02-05,1,2026-02-04\n", "released", 2),
        ("series,date,value\nno such!,2026-02-05,1\n", "series", 2),
    ],
)
async def test_bad_macro(
    store: Store, file: Path, csv: Write, content: str, column: str, row: int | None
) -> None:
    before = dump(file)
    with pytest.raises(UserError) as refused:
        await macro_importer.load(store, csv("x1.csv", content), now=NOW)
    assert refused.value.values["column"] == column
    assert refused.value.values.get("row") == row
    assert dump(file) == before


async def test_a_file_that_names_no_series(store: Store, csv: Write) -> None:
    with pytest.raises(UserError, match="which series"):
        await macro_importer.load(store, csv("macro values.csv", "date,value\n2026-02-05,1\n"), now=NOW)
