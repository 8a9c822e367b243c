"""Shares with their intervals, and what chance gives."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from analysis.base_rates import Compared, Rate, among_any, compared, walk_holds


@pytest.mark.parametrize(
    ("times", "cases", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # The same upside down.
        (20, 20, 1 - 0.1611, 1.0),
    ],
)
def test_the_interval_is_wilsons(times: int, cases: int, low: float, high: float) -> None:
    rate = Rate(times=times, cases=cases)
    assert rate.low == pytest.approx(low, abs=5e-5)
    assert rate.high == pytest.approx(high, abs=5e-5)
    assert rate.low <= rate.share <= rate.high


def test_a_driftless_walk_holds_as_told() -> None:
    assert [round(100 * walk_holds(n), 1) for n in (1, 2, 4, 8)] == [75.0, 62.5, 49.2, 37.1]
    # And by walking: 200,000 walks from the level, of which those count that first step above it.
    steps = np.random.default_rng(7).standard_normal((200_000, 9))
    above = np.cumsum(steps, axis=1) > 0
    begun = above[above[:, 0]]
    for n in (1, 2, 4, 8):
        assert begun[:, : n + 1].all(axis=1).mean() == pytest.approx(walk_holds(n), abs=0.006)


def test_chance_is_as_many_cases_drawn_from_all() -> None:
    found = among_any(9, 12, any_times=40, any_cases=100)
    assert found.rate == Rate(times=9, cases=12)
    assert found.chance is not None
    chances = [comb(40, k) * comb(60, 12 - k) / comb(100, 12) for k in range(13)]
    at_least_9 = sum(chances[9:])
    assert found.chance.share == 0.4
    assert found.chance.p_value == pytest.approx(2 * at_least_9, abs=0.02)
    # The exact middle 95 %: 2 to 8 of 12 (a draw of 1 or fewer 1.4 %, of 8 or more 4 %, of 9 or more 0.8 %).
    assert (found.chance.low, found.chance.high) == (2 / 12, 8 / 12)
    assert sum(chances[:2]) < 0.025 < sum(chances[:3])
    assert sum(chances[9:]) < 0.025 < sum(chances[8:])


def test_the_same_question_has_the_same_answer() -> None:
    assert among_any(3, 7, any_times=50, any_cases=90) == among_any(3, 7, any_times=50, any_cases=90)


def test_without_a_case_there_is_no_number() -> None:
    assert among_any(0, 0, any_times=3, any_cases=9) == Compared(rate=None, chance=None)


def test_draws_without_a_case_have_no_share() -> None:
    times, cases = np.array([1, 0, 0, 2]), np.array([2, 0, 4, 2])
    found = compared(1, 2, times, cases)
    assert found.chance is not None
    assert (found.chance.draws, found.chance.share) == (3, 3 / 8)
    # At least 1/2: two of three, at most 1/2: two of three; with the observed one, 3 of 4, twice, is all.
    assert found.chance.p_value == 1.0
    assert compared(1, 2, times, np.array([2, 0, 0, 2])).chance is None
