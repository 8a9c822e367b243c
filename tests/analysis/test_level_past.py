"""Bars that are judged as they come give what all of them give at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import level_rates
from analysis.breaks import Rule
from analysis.columns import Bars, Column, Growing, joined
from analysis.level_past import Past, past_of
from analysis.level_rates import Place
from analysis.levels import Interval

HALF_HOUR = 1800


def walk(seed: int, count: int) -> Bars:
    """A walk around 100 with holes in it, some of one bar and some of more."""
    chance = np.random.default_rng(seed)
    path = 100 * np.exp(chance.normal(0, 0.01, count + 1).cumsum())
    steps = 1 + (chance.random(count) < 0.03) + 4 * (chance.random(count) < 0.02)
    opened = 1_700_000_000 // HALF_HOUR * HALF_HOUR + HALF_HOUR * steps.cumsum()
    return Bars(
        opened_at=opened.astype(np.int64),
        closed_at=(opened + HALF_HOUR).astype(np.int64),
        open=path[:-1],
        high=np.maximum(path[:-1], path[1:]) * 1.002,
        low=np.minimum(path[:-1], path[1:]) * 0.998,
        close=path[1:],
        volume=np.ones(count),
    )


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(1, 249), min_size=1, max_size=4, unique=True),
    level=st.floats(85, 115),
    hold=st.integers(1, 8),
    weekends=st.booleans(),
)
def test_bars_in_parts_are_judged_as_all_at_once(
    *, seed: int, cuts: list[int], level: float, hold: int, weekends: bool
) -> None:
    bars = walk(seed, 250)
    rule = Rule(bars_to_hold=hold)
    known_from = int(bars.opened_at[seed % 250])
    places = [Place(price=level, rule=rule), Place(price=level + 1, rule=rule, known_from=known_from)]
    past = Past(Interval.M30, weekends=weekends)
    begin = 0
    for end in [*sorted(cuts), 250]:
        past.add(bars.part(begin, end))
        begin = end
        anew = past_of(bars.part(0, end), Interval.M30, weekends=weekends)
        assert np.array_equal(past.history.tape.atr, anew.history.tape.atr, equal_nan=True)
        assert np.array_equal(past.history.tape.after_gap, anew.history.tape.after_gap)
        assert past.verdict(level, rule) == anew.verdict(level, rule)
        pool, pool_anew = past.arbitrary(), level_rates.arbitrary(anew.history)
        assert np.array_equal(pool.times, pool_anew.times)
        assert np.array_equal(pool.cases, pool_anew.cases)
        assert past.rates(places, pool) == anew.rates(places, pool_anew)


def test_a_new_bar_is_judged_alone() -> None:
    bars, rule = walk(1, 300), Rule()
    past = past_of(bars.part(0, 299), Interval.M30, weekends=True)
    for price in (99.0, 101.0):
        past.verdict(price, rule)
    assert past.judged == 2 * 299
    past.add(bars.part(299))
    for price in (99.0, 101.0):
        past.verdict(price, rule)
    assert past.judged == 2 * 300


def test_bars_are_added_after_those_that_are_there() -> None:
    bars = walk(1, 20)
    growing = Growing()
    growing.add(bars.part(0, 10))
    with pytest.raises(ValueError, match="after those"):
        growing.add(bars.part(9))
    growing.add(bars.part(10))
    assert np.array_equal(growing.bars.close, bars.close)
    assert np.array_equal(joined(bars.part(0, 7), bars.part(7)).opened_at, bars.opened_at)


def test_what_was_handed_out_stays_as_it_was() -> None:
    column = Column(np.float64)
    column.add(np.arange(60.0))
    seen = column.filled
    for _ in range(10):
        column.add(-np.ones(60))
    assert np.array_equal(seen, np.arange(60.0))
    assert len(column.filled) == 660


def test_nothing_is_said_of_no_bars() -> None:
    nothing = past_of(walk(1, 20).part(0, 0), Interval.M30, weekends=True)
    assert nothing.verdict(100, Rule()).buffer is None
    assert replace(nothing.verdict(100, Rule())).events == ()
