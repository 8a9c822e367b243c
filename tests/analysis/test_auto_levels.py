"""Levels found in the bars: the rule by hand, and nothing known before it could be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis import auto_levels
from analysis.atr import atr
from analysis.auto_levels import AutoLevel, find, pivots
from analysis.frames import BarTuple, bars_frame, resample
from analysis.levels import Interval, Level, Levels, assess


def array(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_a_pivot_is_the_extreme_of_three_bars_on_each_side() -> None:
    high = array(10, 11, 12, 15, 13, 12, 11, 10, 10, 10)
    low = high - 2
    found = pivots(high, low, np.full(10, 2.0))
    # 15 in the bar 3; from there to the lowest low of the next three bars, 9, are 6: 3 ATR.
    assert (found.bar.tolist(), found.price.tolist(), found.reaction_atr.tolist()) == ([3], [15.0], [3.0])


def test_a_pivot_low_mirrors_it_and_the_first_of_equals_counts() -> None:
    low = array(10, 9, 8, 5, 5, 8, 9, 10, 11, 12, 13)
    found = pivots(low + 2, low, np.full(11, 2.0))
    # From 5 to the highest high of the next three bars, 9 + 2: 6, which is 3 ATR.
    assert (found.bar.tolist(), found.price.tolist(), found.reaction_atr.tolist()) == ([3], [5.0], [3.0])


@pytest.mark.parametrize("known", [6, 7])
def test_a_pivot_exists_only_after_its_third_later_bar(known: int) -> None:
    high = array(10, 11, 12, 15, 13, 12, 11)[:known]
    assert len(pivots(high, high - 2, np.full(known, 2.0)).bar) == (known == 7)


def test_without_an_atr_nothing_is_confirmed() -> None:
    high = array(10, 11, 12, 15, 13, 12, 11)
    assert len(pivots(high, high - 2, np.full(7, np.nan)).bar) == 0
    assert find(high, high - 2, np.full(7, np.nan)) == ()
    assert find(array(), array(), array()) == ()


def turns(tops: list[float], *, base: float = 100.0, apart: int = 10) -> NDArray[np.float64]:
    """Highs that rise to each of ``tops`` and fall back: bars of height 2, ``apart`` bars from top to top."""
    high = np.full(apart * (len(tops) + 1), base)
    for k, top in enumerate(tops, start=1):
        high[k * apart - 2 : k * apart + 3] = (base + 2, top - 2, top, top - 2, base + 2)
    return high


def test_three_turns_in_one_band_are_a_level_with_the_score_of_the_rule() -> None:
    high = turns([120.0, 121.0, 122.0])
    [level] = find(high, high - 2, np.full(len(high), 4.0))
    # eps = 0.5 * 4 = 2 holds 120 and 121, then 122 beside their mean 120.5. Alone it is the best: score 1.
    assert level == AutoLevel(price=121.0, touches=3, score=1.0)


def test_the_score_halves_with_age_and_caps_a_reaction() -> None:
    high = turns([120.0, 120.0, 120.0, 130.0, 130.0, 130.0])
    first, second = find(high, high - 2, np.full(len(high), 4.0))
    assert (first.price, second.price) == (130.0, 120.0)
    # Reactions 32 and 22 from top to low 98 are 8 and 5.5 ATR, both capped at 3; ages 39, 29, 19 against 69, 59,
    # 49 bars: each touch of the lower is 30 bars older, so its score is 2^(-30/120) of the other's.
    assert first.score == 1.0
    assert second.score == pytest.approx(2 ** (-30 / 120))


@pytest.mark.parametrize(
    ("tops", "apart", "why"),
    [
        ([120.0, 120.0], 10, "two turns"),
        ([120.0, 123.0, 126.0], 10, "each in a band of its own"),
        (
            [120.0, 120.0, 120.0, 120.0],
            6,
            "nearer than seven bars: every second turn counts, and those are two",
        ),
    ],
)
def test_what_is_no_level(tops: list[float], apart: int, why: str) -> None:
    high = turns(tops, apart=apart)
    assert find(high, high - 2, np.full(len(high), 4.0)) == (), why


def test_a_weak_reaction_is_no_level() -> None:
    high = turns([120.0, 120.0, 120.0])
    # From 120 to 98 are 22: less than an ATR of 23.
    assert find(high, high - 2, np.full(len(high), 23.0)) == ()
    assert len(find(high, high - 2, np.full(len(high), 22.0))) == 1


@pytest.mark.parametrize(("other", "buffer", "count"), [(122.0, 0.1, 0), (123.5, 0.1, 1), (123.5, 2.5, 0)])
def test_nothing_within_the_buffer_or_the_band_of_a_chosen_level(
    other: float, buffer: float, count: int
) -> None:
    high = turns([121.0, 121.0, 121.0])
    assert len(find(high, high - 2, np.full(len(high), 4.0), taken=[(other, buffer)])) == count


def test_at_most_four() -> None:
    high = turns([price for price in (110.0, 120.0, 130.0, 140.0, 150.0, 160.0) for _ in range(3)])
    found = find(high, high - 2, np.full(len(high), 4.0))
    assert [level.price for level in found] == [160.0, 150.0, 140.0, 130.0]


def walk(seed: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    chance = np.random.default_rng(seed)
    close = 60_000 * np.exp(np.cumsum(chance.normal(0, 0.004, count)))
    width = np.abs(chance.normal(0, 0.003, (2, count)))
    return close * (1 + width[0]), close * (1 - width[1]), close


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), count=st.integers(30, 400), cut=st.floats(0, 1))
def test_no_pivot_changes_when_later_bars_come(seed: int, count: int, cut: float) -> None:
    high, low, close = walk(seed, count)
    known = round(cut * count)
    late = pivots(high, low, atr(high, low, close))
    then = pivots(high[:known], low[:known], atr(high[:known], low[:known], close[:known]))
    seen = late.bar + auto_levels.CONFIRMING < known
    assert np.array_equal(late.bar[seen], then.bar)
    assert np.array_equal(late.price[seen], then.price)
    assert np.array_equal(late.reaction_atr[seen], then.reaction_atr)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 1500))
def test_whatever_is_found_keeps_its_promises(seed: int, count: int) -> None:
    high, low, close = walk(seed, count)
    ranges = atr(high, low, close)
    book = [(60_000.0, 60.0), (58_000.0, 58.0)]
    found = find(high, low, ranges, taken=book)
    assert len(found) <= auto_levels.MOST
    assert [level.score for level in found] == sorted((level.score for level in found), reverse=True)
    for level in found:
        assert 0 < level.score <= 1
        assert level.touches >= auto_levels.FEWEST_TOUCHES
        assert low.min() <= level.price + 1 <= high.max() + 2
        assert all(abs(level.price - price) > buffer for price, buffer in book)


@pytest.fixture(scope="session")
def bars(sell_off: list[BarTuple]) -> pd.DataFrame:
    return bars_frame(sell_off)


def ask(bars: pd.DataFrame, interval: Interval, at: float, **changed: Any) -> Levels:
    shown = resample(bars, interval)
    options: dict[str, Any] = {
        "base": bars, "daily": resample(bars, Interval.D1), "book": [Level(price=77_000.0, label="chosen")],
        "as_of": pd.Timestamp(at, unit="s", tz="UTC").to_pydatetime(), "window_start": pd.Timestamp(0, tz="UTC").to_pydatetime(),
        "instrument": "BTC", "venue": "", "quote": "USDT", "interval": interval, "source": "", "automatic": True,
    }  # fmt: skip
    return assess(shown, **(options | changed))


@pytest.mark.parametrize("interval", [Interval.M30, Interval.H1])
@pytest.mark.parametrize("share", [0.3, 0.61803, 0.9])
def test_an_answer_as_of_then_is_the_answer_of_a_store_that_ended_then(
    bars: pd.DataFrame, interval: Interval, share: float
) -> None:
    at = float(bars["closed_at"].iloc[int(share * len(bars))]) + 7
    late = ask(bars, interval, at).levels
    then = ask(bars[bars["closed_at"] <= at], interval, at).levels
    assert late == then
    assert any(state.level.automatic for state in late) or interval is Interval.H1


def test_automatic_levels_are_marked_and_judged_like_any_other(bars: pd.DataFrame) -> None:
    at = float(bars["closed_at"].iloc[-1])
    result = ask(bars, Interval.M30, at)
    found = [state for state in result.levels if state.level.automatic]
    assert 1 <= len(found) <= auto_levels.MOST
    assert [state.level.automatic for state in result.levels if state.level.label == "chosen"] == [None]
    # The same price put into the book by hand is judged the same.
    by_hand = [replace(found[0].level, automatic=None)]
    [judged] = ask(bars, Interval.M30, at, automatic=False, book=by_hand).levels
    assert (judged.state, judged.events) == (found[0].state, found[0].events)
    assert not any(state.level.automatic for state in ask(bars, Interval.M30, at, automatic=False).levels)
