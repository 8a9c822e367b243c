"""Correlations weighted, adjusted and compared: published figures, and other ways to the same."""

from __future__ import annotations

from math import atanh, sqrt, tanh

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.correlation import correlation
from analysis.dependence import Answer, adjusted, ewma, moves_more_with, volatility_adjusted, williams


def drawn(n: int, seed: int, loads: tuple[float, ...]) -> list[list[float]]:
    """The first column and others that go with it by their loads."""
    dice = np.random.default_rng(seed)
    first = dice.normal(size=n)
    others = [load * first + sqrt(1 - load * load) * dice.normal(size=n) for load in loads]
    return [[float(x) for x in column] for column in (first, *others)]


@pytest.mark.parametrize(
    ("r", "n", "low", "high"), [(0.6, 30, 0.31, 0.79), (0.6, 90, 0.45, 0.72), (0.36, 30, 0.0, 0.64)]
)
def test_fishers_intervals(r: float, n: int, low: float, high: float) -> None:
    """Of a correlation of exactly r, made by mixing two columns that have none."""
    dice = np.random.default_rng(n)
    first, second = np.linalg.qr(np.column_stack([np.ones(n), dice.normal(size=(n, 2))]))[0].T[1:]
    found = correlation(first.tolist(), (r * first + sqrt(1 - r * r) * second).tolist())
    assert found is not None
    assert found.n == n
    assert found.r == pytest.approx(r, abs=1e-12)
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.006)


def test_of_seven_tenths_in_four_times_the_variance_less_than_half_is_left() -> None:
    assert adjusted(0.70, 3.0) == pytest.approx(0.44, abs=0.005)
    assert adjusted(0.70, 0.0) == 0.70
    assert adjusted(-0.70, 3.0) == -adjusted(0.70, 3.0)


@given(st.floats(-0.999, 0.999), st.floats(-0.9, 20.0))
def test_adjusted_by_undoing_it(r: float, delta: float) -> None:
    """From the calm correlation back: rho = rho* sqrt((1 + d) / (1 + d rho*^2)) (Forbes and Rigobon, eq. 10)."""
    calm = adjusted(r, delta)
    assert calm * sqrt((1 + delta) / (1 + delta * calm * calm)) == pytest.approx(r, abs=1e-9)


def test_a_storm_makes_a_correlation_and_the_adjustment_takes_it_out() -> None:
    """Two markets with the same link in calm and storm; only the first one's moves grow."""
    dice = np.random.default_rng(12)
    calm, storm = dice.normal(size=4_000), 3 * dice.normal(size=4_000)
    quiet, loud = (0.5 * one + dice.normal(size=4_000) for one in (calm, storm))
    found = volatility_adjusted(storm.tolist(), loud.tolist(), calm.tolist())
    assert found is not None
    assert found.delta == pytest.approx(8.0, abs=0.6)
    assert found.raw == pytest.approx(0.83, abs=0.02)
    assert found.r == pytest.approx(np.corrcoef(calm, quiet)[0, 1], abs=0.04)
    assert found.delta == pytest.approx(np.var(storm, ddof=1) / np.var(calm, ddof=1) - 1, rel=1e-9)
    assert volatility_adjusted(storm.tolist(), loud.tolist(), [0.0, 0.0]) is None
    assert volatility_adjusted(storm.tolist(), loud.tolist(), [0.1]) is None


def test_the_weighted_correlation_by_pandas() -> None:
    first, second = drawn(120, 3, (0.6,))

    def average(x: pd.Series) -> float:
        seeded = pd.concat([pd.Series([x[:20].mean()]), x[20:]])
        return float(seeded.ewm(alpha=0.06, adjust=False).mean().iloc[-1])

    x, y = pd.Series(first), pd.Series(second)
    expected = average(x * y) / sqrt(average(x * x) * average(y * y))
    found = ewma(first, second)
    assert found is not None
    assert found.r == pytest.approx(expected, abs=1e-12)
    # (1 + 0.94) / (1 - 0.94) = 32.33 pairs.
    assert found.n == 32
    assert found.low == pytest.approx(tanh(atanh(expected) - 1.96 / sqrt(1.94 / 0.06 - 3)))
    assert found.high == pytest.approx(tanh(atanh(expected) + 1.96 / sqrt(1.94 / 0.06 - 3)))
    assert ewma(first[:19], second[:19]) is None
    assert ewma([0.0] * 30, second[:30]) is None
    same = ewma(first, first)
    assert same is not None
    assert (same.r, same.low, same.high) == (1.0, 1.0, 1.0)


def test_williams_by_a_published_case() -> None:
    """Steiger 1980, case A: n 103, .4 against .5, .1 between them: t -0.89, p 0.37 (as psych's r.test prints)."""
    t = williams(0.4, 0.5, 0.1, 103)
    assert t == pytest.approx(-0.89, abs=0.005)
    assert 2 * stats.t.sf(0.89, 100) == pytest.approx(0.37, abs=0.01)


def test_more_with_one_less_with_the_other_or_not_to_be_told() -> None:
    market, near, far = drawn(90, 5, (0.8, 0.1))
    yes, no = moves_more_with(market, near, far), moves_more_with(market, far, near)
    assert yes is not None
    assert no is not None
    assert (yes.answer, no.answer) == (Answer.YES, Answer.NO)
    assert yes.n == 90
    assert yes.first == pytest.approx(stats.pearsonr(market, near).statistic)
    assert yes.second == pytest.approx(stats.pearsonr(market, far).statistic)
    assert yes.t == pytest.approx(-no.t)
    assert yes.p == pytest.approx(2 * stats.t.sf(yes.t, 87), rel=1e-9)
    _, one, other = drawn(30, 5, (0.4, 0.3))
    told = moves_more_with(market[:30], one, other)
    assert told is not None
    assert told.answer is Answer.UNTOLD
    assert told.p >= 0.05


def test_equal_correlations_are_called_different_one_time_in_twenty() -> None:
    called = 0
    for seed in range(400):
        market, one, other = drawn(60, seed, (0.5, 0.5))
        found = moves_more_with(market, one, other)
        assert found is not None
        called += found.answer is not Answer.UNTOLD
    assert called / 400 == pytest.approx(0.05, abs=0.025)


def test_too_little_to_compare() -> None:
    market, one, other = drawn(40, 2, (0.5, 0.5))
    assert moves_more_with(market[:3], one[:3], other[:3]) is None
    assert moves_more_with(market, [0.0] * 40, other) is None
    assert moves_more_with(market, market, market) is None
