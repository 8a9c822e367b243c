from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from analysis.frames import BarTuple, bars_frame, resample
from analysis.levels import Interval

HALF_HOUR = 1800
MIDNIGHT = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())


def half_hours(count: int, *, first: int = 0) -> list[BarTuple]:
    """Bar i from midnight: open i, high i + 10, low i - 10, close i + 0.5, volume 1."""
    return [
        (MIDNIGHT + i * HALF_HOUR, MIDNIGHT + (i + 1) * HALF_HOUR, i, i + 10, i - 10, i + 0.5, 1)
        for i in range(first, first + count)
    ]


def test_a_frame_keeps_rows_as_they_are() -> None:
    frame = bars_frame(half_hours(3))
    assert frame.index.name == "opened_at"
    assert frame.index.tolist() == [MIDNIGHT, MIDNIGHT + 1800, MIDNIGHT + 3600]
    assert list(frame.columns) == ["closed_at", "open", "high", "low", "close", "volume"]
    assert frame["closed_at"].tolist() == [MIDNIGHT + 1800, MIDNIGHT + 3600, MIDNIGHT + 5400]
    assert frame["low"].tolist() == [-10, -9, -8]
    assert {str(kind) for kind in frame.dtypes} == {"int64", "float64"}


def test_no_rows_make_an_empty_frame() -> None:
    frame = bars_frame([])
    assert frame.empty
    assert list(frame.columns) == ["closed_at", "open", "high", "low", "close", "volume"]
    assert resample(frame, Interval.H4).empty


@pytest.mark.parametrize("order", [[1, 0], [0, 0]])
def test_rows_out_of_order_are_refused(order: list[int]) -> None:
    rows = half_hours(2)
    with pytest.raises(ValueError, match="oldest first"):
        bars_frame(rows[i] for i in order)


def test_four_hours_from_eight_half_hours() -> None:
    bars = resample(bars_frame(half_hours(16)), Interval.H4)
    assert bars.index.tolist() == [MIDNIGHT, MIDNIGHT + 4 * 3600]
    assert bars["closed_at"].tolist() == [MIDNIGHT + 4 * 3600, MIDNIGHT + 8 * 3600]
    assert bars["open"].tolist() == [0, 8]
    assert bars["high"].tolist() == [17, 25]
    assert bars["low"].tolist() == [-10, -2]
    assert bars["close"].tolist() == [7.5, 15.5]
    assert bars["volume"].tolist() == [8, 8]
    assert list(bars.columns) == ["closed_at", "open", "high", "low", "close", "volume"]
    assert bars.index.name == "opened_at"


def test_only_complete_bars_count() -> None:
    rows = half_hours(7, first=1)  # 00:30 to 04:00: three whole hours, the first one is not
    assert resample(bars_frame(rows), Interval.H1).index.tolist() == [
        MIDNIGHT + 3600,
        MIDNIGHT + 2 * 3600,
        MIDNIGHT + 3 * 3600,
    ]
    assert resample(bars_frame(rows), Interval.H4).empty
    # A hole in the middle and a bar still running.
    rows = [*half_hours(3), *half_hours(3, first=4)]
    assert resample(bars_frame(rows), Interval.H1).index.tolist() == [MIDNIGHT, MIDNIGHT + 2 * 3600]


def test_own_interval_comes_back_unchanged(sell_off: list[BarTuple]) -> None:
    frame = bars_frame(sell_off)
    again = resample(frame, Interval.M30)
    assert again.equals(frame)
    assert list(again.columns) == list(frame.columns)


@pytest.mark.parametrize("interval", [Interval.H1, Interval.H4, Interval.D1])
def test_real_bars_by_plain_loops(sell_off: list[BarTuple], interval: Interval) -> None:
    length = int(interval.length.total_seconds())
    expected: dict[int, list[float]] = {}
    for opened_at, _, open_, high, low, close, volume in sell_off:
        start = opened_at // length * length
        bar = expected.setdefault(start, [open_, high, low, close, 0.0])
        bar[1:] = [max(bar[1], high), min(bar[2], low), close, bar[4] + volume]
    bars = resample(bars_frame(sell_off), interval)
    assert bars.index.tolist() == list(expected)
    columns = bars[["open", "high", "low", "close", "volume"]].to_numpy()
    np.testing.assert_allclose(columns, list(expected.values()), rtol=1e-12)


def test_reading_results_does_not_cost_pandas() -> None:
    modules = "analysis.levels, analysis.margin, analysis.flows, analysis.stress"
    code = f"import sys, {modules}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
