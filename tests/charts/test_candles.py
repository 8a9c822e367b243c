"""Candles on whole pixels, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.charts.candles import columns
from analysis.charts.scale import Scale, TimeAxis
from analysis.levels import Candles


def bars(*rows: tuple[float, float, float, float, float], step: int = 60) -> Candles:
    """Bars from (open, high, low, close, volume), one a minute from the epoch."""
    table = np.array(rows, dtype=np.float64)
    opened = step * np.arange(len(rows), dtype=np.int64)
    return Candles(opened_at=opened, open=table[:, 0], high=table[:, 1], low=table[:, 2],
                   close=table[:, 3], volume=table[:, 4])  # fmt: skip


SCALE = Scale(0.0, 100.0, 0.0, 100.0)  # a value of 30 is 70 pixels from the top


def test_bodies_are_centred_and_odd() -> None:
    # Three minutes on 30 pixels: 10 pixels a bar, bodies of 0.7 x 10 = 7, 1.5 pixels in (rounded to even: 2).
    axis = TimeAxis(0.0, 180.0, 100.0, 130.0)
    found = columns(bars((20, 60, 10, 50, 5), (50, 55, 25, 30, 3), (30, 30, 30, 30, 0)), axis, 60)
    assert found.left.tolist() == [102.0, 112.0, 122.0]
    assert found.right.tolist() == [109.0, 119.0, 129.0]

    wicks, bodies, hollows = found.boxes(SCALE, rising=True)
    # The first bar rose from 20 to 50; the third did not move and counts as rising, one pixel high.
    assert bodies.tolist() == [[102, 50, 109, 80], [122, 70, 129, 71]]
    assert wicks.tolist() == [[105, 40, 106, 90], [125, 70, 126, 71]]
    assert hollows.tolist() == [[103, 51, 108, 79]]

    wicks, bodies, hollows = found.boxes(SCALE, rising=False)
    assert bodies.tolist() == [[112, 50, 119, 70]]
    assert wicks.tolist() == [[115, 45, 116, 75]]
    assert hollows.tolist() == []


def test_broad_bodies_have_a_rim_of_two() -> None:
    # 20 pixels a bar: 0.7 x 20 = 14, made odd: 13, from 3.5 (to even: 4).
    found = columns(bars((20, 60, 10, 50, 5)), TimeAxis(0.0, 60.0, 0.0, 20.0), 60)
    wicks, bodies, hollows = found.boxes(SCALE, rising=True)
    assert bodies.tolist() == [[4, 50, 17, 80]]
    assert hollows.tolist() == [[6, 52, 15, 78]]
    assert wicks.tolist() == [[10, 40, 11, 90]]


def test_narrow_bodies_touch() -> None:
    # 3 pixels a bar: the whole column.
    found = columns(bars(*[(20, 60, 10, 50, 5)] * 3), TimeAxis(0.0, 180.0, 0.0, 9.0), 60)
    assert found.left.tolist() == [0.0, 3.0, 6.0]
    assert found.right.tolist() == [3.0, 6.0, 9.0]


def test_bars_too_narrow_to_draw_are_merged() -> None:
    # Half a pixel a bar: four bars share a pair of pixels, the fifth begins the next one.
    rows = [(10, 12, 9, 11, 4), (11, 40, 10, 30, 8), (30, 31, 5, 6, 0), (6, 8, 6, 7, 4), (7, 9, 7, 8, 6)]
    found = columns(bars(*rows), TimeAxis(0.0, 600.0, 50.0, 55.0), 60)
    assert found.left.tolist() == [50.0, 52.0]
    assert found.right.tolist() == [52.0, 54.0]
    merged = (found.open, found.high, found.low, found.close, found.volume)
    assert [v.tolist() for v in merged] == [[10, 7], [40, 9], [5, 7], [7, 8], [4, 6]]


def test_a_gap_in_time_is_a_gap_in_the_picture() -> None:
    made = bars(*[(20, 60, 10, 50, 5)] * 2, step=600)
    found = columns(made, TimeAxis(0.0, 660.0, 0.0, 110.0), 60)
    assert found.left.tolist() == [2.0, 102.0]


def test_bars_without_finite_prices_are_left_out() -> None:
    made = bars((1, 2, 0, 1, 1), (np.nan, 2, 0, 1, 1), (1, np.inf, 0, 1, 1), (1, 2, 0, 1, np.nan))
    found = columns(made, TimeAxis(0.0, 240.0, 0.0, 40.0), 60)
    assert found.left.tolist() == [2.0, 32.0]
    assert found.volume.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("pitch", [0.5, 3.0, 12.0])
def test_no_bars_at_all(pitch: float) -> None:
    found = columns(bars((np.nan, 0, 0, 0, 0)), TimeAxis(0.0, 60.0, 0.0, pitch), 60)
    assert [len(v) for v in (found.left, found.close, found.volume)] == [0, 0, 0]
    assert [len(v) for v in found.boxes(SCALE, rising=True)] == [0, 0, 0]


def test_volume_stands_on_the_floor() -> None:
    scale = Scale(0.0, 10.0, 500.0, 600.0)
    made = bars((1, 2, 0, 2, 10), (2, 2, 0, 1, 2.5), (1, 2, 0, 2, 0.001), (1, 2, 0, 2, 0))
    found = columns(made, TimeAxis(0.0, 240.0, 0.0, 12.0), 60)
    assert found.volumes(scale, rising=True).tolist() == [[0, 500, 3, 600], [6, 599, 9, 600]]
    assert found.volumes(scale, rising=False).tolist() == [[3, 575, 6, 600]]
