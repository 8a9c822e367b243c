from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.atr import atr, true_range


def test_true_range_reaches_from_the_close_before() -> None:
    # Inside, gap up (112 - 100), gap down (90 - 111), and a first bar without a close before it.
    high = np.array([104.0, 103.0, 112.0, 93.0])
    low = np.array([98.0, 99.0, 108.0, 90.0])
    close = np.array([101.0, 100.0, 111.0, 92.0])
    assert true_range(high, low, close).tolist() == [6.0, 4.0, 12.0, 21.0]


def test_atr_is_the_mean_of_fourteen_then_wilder() -> None:
    # Closes stay at 100, so that the true range is the height of the bar: 1, 2 ... 14, then 21.5 and 1.5.
    height = np.array([*range(1, 15), 21.5, 1.5])
    close = np.full(16, 100.0)
    result = atr(close + height / 2, close - height / 2, close)
    assert np.isnan(result[:13]).all()
    # By hand: the sum of 1 to 14 is 105; 13 times 7.5 and 21.5 make 119; 13 times 8.5 and 1.5 make 112.
    assert result[13:].tolist() == [7.5, 8.5, 8.0]


@pytest.mark.parametrize("bars", [0, 1, 13])
def test_too_few_bars_have_no_atr(bars: int) -> None:
    close = np.full(bars, 100.0)
    result = atr(close + 1, close - 1, close)
    assert result.shape == (bars,)
    assert np.isnan(result).all()


bars = st.tuples(*[st.integers(0, 1000)] * 3).map(sorted)


@settings(max_examples=40, deadline=None)
@given(st.lists(bars, min_size=14, max_size=40))
def test_atr_against_exact_fractions(series: list[list[int]]) -> None:
    low, close, high = (np.array(column, dtype=float) for column in zip(*series, strict=True))
    ranges = []
    for i, (lo, _, h) in enumerate(series):
        reach = [h - lo]
        if i:
            before = series[i - 1][1]
            reach += [abs(h - before), abs(lo - before)]
        ranges.append(Fraction(max(reach)))
    expected = [sum(ranges[:14]) / 14]
    for value in ranges[14:]:
        expected.append((13 * expected[-1] + value) / 14)
    assert atr(high, low, close)[13:] == pytest.approx([float(value) for value in expected], rel=1e-12)
