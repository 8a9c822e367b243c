from __future__ import annotations

import statistics
from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.correlation import Correlation, correlation, distinguishable


def made(r: float, n: int) -> tuple[list[float], list[float]]:
    """Two series of n whose correlation is r: y = r x + sqrt(1 - r^2) e with x and e orthogonal."""
    x = [1.0, -1.0] * (n // 2)
    e = ([1.0, 1.0, -1.0, -1.0] * n)[: n - n % 4] + [0.0] * (n % 4)
    norm = sqrt(sum(one * one for one in e) / n)
    return x, [r * a + sqrt(1 - r * r) * b / norm for a, b in zip(x, e, strict=True)]


@pytest.mark.parametrize(("n", "low", "high"), [(30, 0.31, 0.79), (90, 0.45, 0.72)])
def test_published_intervals(n: int, low: float, high: float) -> None:
    result = correlation(*made(0.6, n))
    assert result is not None
    assert result.r == pytest.approx(0.6)
    assert (result.low, result.high, result.n) == pytest.approx((low, high, n), abs=0.005)


def test_noise_at_thirty() -> None:
    for r, above in ((0.35, False), (0.37, True)):
        result = correlation(*made(r, 30))
        assert result is not None
        assert (result.low > 0) is above


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=4, max_size=60))
def test_against_the_standard_library(pairs: list[tuple[int, int]]) -> None:
    x, y = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    result = correlation(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert result is None
        return
    assert result is not None
    r = statistics.correlation(x, y)
    assert result.r == pytest.approx(r, abs=1e-12)
    if abs(r) < 1 - 1e-9:
        # Fisher's z by its logarithm, the 95 % point by the normal distribution.
        z = 0.5 * log((1 + r) / (1 - r))
        reach = statistics.NormalDist().inv_cdf(0.975) / sqrt(len(x) - 3)
        for bound, at in ((result.low, z - reach), (result.high, z + reach)):
            assert 0.5 * log((1 + bound) / (1 - bound)) == pytest.approx(at, rel=1e-3, abs=1e-3)
    assert result.low <= result.r <= result.high


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=6, max_size=90))
def test_against_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    result = correlation(x, y)
    if result is None or abs(result.r) > 1 - 1e-6:
        return
    found = stats.pearsonr(x, y)
    interval = found.confidence_interval(0.95)
    assert result.r == pytest.approx(found.statistic, abs=1e-12)
    # 1.96 here is 1.95996 there.
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_a_perfect_fit_has_no_width() -> None:
    x = [1.0, 2.0, 7.0, 6.0]
    assert correlation(x, [-3 * one for one in x]) == Correlation(r=-1.0, low=-1.0, high=-1.0, n=4)


def test_too_few_or_no_movement() -> None:
    assert correlation([1, 2, 3], [1, 2, 3]) is None
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None


def test_intervals_that_touch_cannot_be_told_apart() -> None:
    one = Correlation(r=0.5, low=0.3, high=0.7, n=90)
    assert distinguishable(one, Correlation(r=0.1, low=-0.1, high=0.29, n=90))
    assert distinguishable(Correlation(r=0.1, low=-0.1, high=0.29, n=90), one)
    assert not distinguishable(one, Correlation(r=0.1, low=-0.1, high=0.31, n=90))
