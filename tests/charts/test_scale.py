"""Ticks worked out by hand: prices, and wall clocks across changes of summer time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analysis.charts import quantities
from analysis.charts.scale import Scale, TimeAxis


def utc(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def walls(axis: TimeAxis, zone: str, most: int) -> tuple[str, list[str]]:
    grain, ticks = axis.ticks(ZoneInfo(zone), most)
    local = [datetime.fromtimestamp(t, UTC).astimezone(ZoneInfo(zone)) for t in ticks]
    return grain, [f"{t:%m-%d %H:%M}" for t in local]


def test_scale_puts_high_on_top() -> None:
    scale = Scale(50.0, 150.0, 100.0, 300.0)
    assert [scale.y(v) for v in (50.0, 100.0, 150.0)] == [300.0, 200.0, 100.0]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (54_700, 91_900, 6, [60_000, 70_000, 80_000, 90_000]),
        (38_000, 92_600, 6, [40_000, 50_000, 60_000, 70_000, 80_000, 90_000]),
        (65_900, 66_700, 6, [66_000, 66_200, 66_400, 66_600]),
        (0.981, 1.012, 4, [0.99, 1.0, 1.01]),
        (-12, 11, 5, [-10, -5, 0, 5, 10]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert Scale(low, high, 0.0, 500.0).ticks(most) == pytest.approx(expected)


def test_days_in_the_readers_zone() -> None:
    axis = TimeAxis(utc(2026, 1, 28), utc(2026, 2, 5, 18), 0.0, 860.0)
    # Midnight in Taipei is 16:00 UTC of the day before.
    days = ["01-29", "01-30", "01-31", "02-01", "02-02", "02-03", "02-04", "02-05", "02-06"]
    assert walls(axis, "Asia/Taipei", 9) == ("day", [f"{d} 00:00" for d in days])
    assert axis.ticks(ZoneInfo("Asia/Taipei"), 9)[1][0] == utc(2026, 1, 28, 16)


def test_fewer_ticks_mean_longer_steps() -> None:
    axis = TimeAxis(utc(2026, 1, 28), utc(2026, 2, 5, 18), 0.0, 860.0)
    grain, days = walls(axis, "UTC", 5)
    # Steps of two days are counted from Monday, 1 January of year 1: 29 January 2026 is such a day.
    assert (grain, days) == ("day", ["01-29 00:00", "01-31 00:00", "02-02 00:00", "02-04 00:00"])
    assert walls(axis, "UTC", 2) == ("day", ["02-02 00:00"])


def test_weeks_begin_on_monday() -> None:
    axis = TimeAxis(utc(2025, 12, 1), utc(2026, 2, 5), 0.0, 860.0)
    _, days = walls(axis, "UTC", 10)
    assert days[:2] == ["12-01 00:00", "12-08 00:00"]


def test_months_and_years() -> None:
    axis = TimeAxis(utc(2024, 11, 15), utc(2026, 2, 5), 0.0, 860.0)
    assert walls(axis, "UTC", 8) == (
        "month", ["01-01 00:00", "03-01 00:00", "05-01 00:00", "07-01 00:00", "09-01 00:00", "11-01 00:00", "01-01 00:00"],
    )  # fmt: skip


def test_the_hour_that_summer_time_skips_has_no_tick() -> None:
    # New York, 8 March 2026: 02:00 EST is followed by 03:00 EDT, 07:00 UTC.
    axis = TimeAxis(utc(2026, 3, 8, 4), utc(2026, 3, 8, 11), 0.0, 860.0)
    grain, hours = walls(axis, "America/New_York", 8)
    assert grain == "minute"
    assert hours == ["03-07 23:00", *(f"03-08 {h}:00" for h in ("00", "01", "03", "04", "05", "06", "07"))]


def test_the_hour_that_comes_twice_has_one_tick() -> None:
    # New York, 1 November 2026: 01:00 EDT is 05:00 UTC, 01:00 EST an hour later.
    axis = TimeAxis(utc(2026, 11, 1, 4), utc(2026, 11, 1, 9), 0.0, 860.0)
    _, hours = walls(axis, "America/New_York", 8)
    assert hours == [f"11-01 {h}:00" for h in ("00", "01", "02", "03", "04")]


def test_a_day_without_midnight_begins_when_its_clock_does() -> None:
    # Santiago moves from 00:00 to 01:00 on 6 September 2026 (04:00 UTC).
    axis = TimeAxis(utc(2026, 9, 4), utc(2026, 9, 9), 0.0, 860.0)
    grain, ticks = axis.ticks(ZoneInfo("America/Santiago"), 6)
    assert grain == "day"
    assert utc(2026, 9, 6, 4) in ticks


def test_ticks_end_with_the_calendar() -> None:
    axis = TimeAxis(utc(1, 1, 3), utc(9999, 12, 30), 0.0, 860.0)
    assert axis.ticks(ZoneInfo("UTC"), 5) == ("month", [])


@pytest.mark.parametrize(
    ("value", "said"),
    [(66_712.4, "66,712"), (999.994, "999.99"), (1.5, "1.50"), (0.04217, "0.04217"), (0.0, "0.00"), (-1234.6, "−1,235")],
)  # fmt: skip
def test_prices(value: float, said: str) -> None:
    assert quantities.price(value) == said


def test_percent_and_ratio() -> None:
    assert quantities.percent(-15.94) == "−15.9 %"
    assert quantities.percent(25.16) == "+25.2 %"
    assert quantities.percent(-23.8, sign=False) == "23.8 %"
    assert quantities.ratio(3.24) == "3.2"


@pytest.mark.parametrize(
    ("value", "step", "said"), [(80_000.0, 10_000.0, "80,000"), (1.25, 0.25, "1.25"), (0.3, 0.1, "0.3")]
)
def test_tick_words(value: float, step: float, said: str) -> None:
    assert quantities.tick(value, step) == said
