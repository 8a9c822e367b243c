"""What followed streaks of flows: by hand, and where the odds of the next day are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from analysis.base_rates import Rate
from analysis.flow_rates import LONGEST, FlowRates, Followed, flow_rates

LAUNCH = date(2024, 1, 11)


def rates(totals: Sequence[float]) -> FlowRates:
    return flow_rates([LAUNCH + timedelta(days=i) for i in range(len(totals))], totals)


def after(streak: int, totals: Sequence[float]) -> Followed:
    found = rates(totals).after(streak)
    assert found is not None
    return found


def test_streaks_by_hand() -> None:
    totals = [10.0, -1, -2, 0, -3, 4, -5, 6, 7, -8, -9]
    found = rates(totals)
    assert (found.first, found.last, found.days) == (LAUNCH, LAUNCH + timedelta(days=10), 11)
    # Outflow streaks: -1 -2 (0) -3, then 4; -5, then 6; -8 -9, not over yet. Length 1 is reached three times.
    assert after(-1, totals).went_on.rate == Rate(times=2, cases=3)
    # Of length 2: at -2 (-3 came next that was not zero) and at -9, after which nothing is known.
    assert after(-2, totals).went_on.rate == Rate(times=1, cases=1)
    assert after(-3, totals).went_on.rate == Rate(times=0, cases=1)
    assert after(-4, totals).went_on.rate is None
    assert after(1, totals).went_on.rate == Rate(times=1, cases=3)
    # Sums of the next five: after -1: -2+0-3+4-5 = -6; after -5: 6+7-8-9 is one day short, so not known.
    assert after(-1, totals).same_sum.rate == Rate(times=1, cases=1)
    # After 10: -1-2+0-3+4 = -2; after 4: -5+6+7-8-9 = -9.
    assert after(1, totals).same_sum.rate == Rate(times=0, cases=2)
    # Of ten days with a next one, that was an outflow after seven: 10, -1, -2, the zero, 4, 7 and -8.
    chance = after(-1, totals).went_on.chance
    assert chance is not None
    assert chance.share == 7 / 10


def test_a_longer_streak_is_told_by_the_longest_asked_about() -> None:
    found = rates([-1.0] * 20)
    assert found.after(-19) is found.after(-LONGEST)
    assert found.after(0) is None


def test_days_with_a_memory() -> None:
    """The sign stays with 7 in 10: after any streak the next day has it with 7 in 10, of all days with 5."""
    chance = np.random.default_rng(31)
    turns = np.where(chance.uniform(size=4_000) < 0.7, 1, -1)
    found = rates((np.cumprod(turns) * chance.uniform(1, 500, 4_000)).round(1).tolist())
    for one in found.followed:
        if abs(one.days) <= 4:
            assert one.went_on.rate is not None
            assert one.went_on.rate.low < 0.7 < one.went_on.rate.high
            assert one.went_on.chance is not None
            assert one.went_on.chance.share == pytest.approx(0.5, abs=0.03)
            assert one.went_on.chance.high < one.went_on.rate.share
            assert one.went_on.chance.p_value < 0.01


def test_days_without_a_memory() -> None:
    """Every day is an inflow with 6 in 10, whatever came before; that is what chance says too."""
    chance = np.random.default_rng(32)
    signs = np.where(chance.uniform(size=4_000) < 0.6, 1, -1)
    found = rates((signs * chance.uniform(1, 500, 4_000)).round(1).tolist())
    for one in found.followed:
        if abs(one.days) <= 3:
            share = 0.6 if one.days > 0 else 0.4
            assert one.went_on.rate is not None
            assert one.went_on.rate.low < share < one.went_on.rate.high
            assert one.went_on.chance is not None
            assert one.went_on.chance.low <= one.went_on.rate.share <= one.went_on.chance.high
            assert one.went_on.chance.p_value > 0.05


def test_what_comes_later_decides_nothing_that_was_decided() -> None:
    chance = np.random.default_rng(33)
    totals = chance.normal(20, 200, 400).round(1).tolist()
    cuts = sorted(chance.integers(10, 400, 20).tolist())
    earlier = rates(totals[: cuts[0]])
    for cut in cuts[1:]:
        now = rates(totals[:cut])
        for before, one in zip(earlier.followed, now.followed, strict=True):
            for old, new in (
                (before.went_on.rate, one.went_on.rate),
                (before.same_sum.rate, one.same_sum.rate),
            ):
                if old is not None:
                    assert new is not None
                    assert new.times >= old.times
                    assert new.cases - new.times >= old.cases - old.times
        # Another future changes nothing that is known now.
        assert now == rates([*totals[:cut], *(-total for total in totals[cut:])][:cut])
        earlier = now
