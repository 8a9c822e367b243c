"""What was counted elsewhere is the same, and is taken for nothing but what it was counted in."""

from __future__ import annotations

import json

import pytest

from analysis import level_pool
from analysis.columns import of_frame
from analysis.frames import BarTuple, bars_frame, resample
from analysis.level_rates import arbitrary
from analysis.levels import Interval, history


@pytest.mark.parametrize("interval", [Interval.M30, Interval.H4])
def test_kept_counts_are_those_of_the_same_bars(sell_off: list[BarTuple], interval: Interval) -> None:
    plain = json.loads(json.dumps(level_pool.made(sell_off, interval, True)))
    frame = resample(bars_frame(sell_off), interval)
    expected = arbitrary(history(frame, interval, weekends=True))
    found = level_pool.counts(plain, of_frame(frame))
    assert found is not None
    assert (found.times == expected.times).all()
    assert (found.cases == expected.cases).all()
    assert found.cases.sum() > 0
    # One bar fewer, at either end or in the middle, are other bars.
    for other in (frame.iloc[:-1], frame.iloc[1:], frame.drop(frame.index[5])):
        assert level_pool.counts(plain, of_frame(other)) is None


def test_another_method_is_not_read(sell_off: list[BarTuple], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = level_pool.made(sell_off[:100], Interval.M30, True)
    monkeypatch.setattr(level_pool, "METHOD", level_pool.METHOD + 1)
    assert level_pool.counts(plain, of_frame(bars_frame(sell_off[:100]))) is None


def test_no_whole_bar_is_nothing_to_count_in(sell_off: list[BarTuple]) -> None:
    assert level_pool.made(sell_off[:1], Interval.H4, True) == {"bars": []}
