"""The composite index: the closed cases of the published formula, and each part by another way."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.closes import Close
from analysis.sessions import Series, ewma_sigmas, series_of
from analysis.standing import Standing, shares, standing
from analysis.stress_index import SEGMENTS, composite, correlations, raw_stress, stress_index

THREE = (1 / 3, 1 / 3, 1 / 3)
ONE_HALF = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
STRESSES = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5)


@pytest.mark.parametrize(
    ("correlation", "expected"), [(np.ones((3, 3)), 0.81), (np.eye(3), 0.27), (ONE_HALF, 0.54)]
)
def test_three_segments_at_nine_tenths(correlation: np.ndarray, expected: float) -> None:
    value, parts = composite([0.9, 0.9, 0.9], correlation, THREE)
    assert value == pytest.approx(expected, abs=1e-12)
    assert sum(parts) == pytest.approx(expected, abs=1e-12)


@given(STRESSES)
def test_the_two_ends_of_the_formula(stresses: list[float]) -> None:
    together, _ = composite(stresses, np.ones((5, 5)))
    assert together == pytest.approx((sum(stresses) / 5) ** 2, abs=1e-12)
    apart, _ = composite(stresses, np.eye(5))
    assert apart == pytest.approx(sum((one / 5) ** 2 for one in stresses), abs=1e-12)


def walk(code: str, days: int, seed: int) -> Series:
    dice = np.random.default_rng([seed, *code.encode()])
    shared = np.random.default_rng(seed).standard_t(4, days - 1)
    moves = 0.01 * (dice.standard_t(4, days - 1) + shared)
    first = date(2023, 1, 2)
    prices = 100 * np.exp(np.concatenate([[0.0], np.cumsum(moves)]))
    quotes = {
        (day := first + timedelta(days=n)): Close(day, pd.Timestamp(day, tz="UTC"), float(price))
        for n, price in enumerate(prices)
    }
    return series_of(quotes, list(quotes))


def market(days: int, seed: int = 7) -> dict[str, Series]:
    return {code: walk(code, days, seed) for codes in SEGMENTS.values() for code in codes}


def cut(one: Series, last: date) -> Series:
    kept = sum(day <= last for day in one.dates)
    return Series(
        dates=one.dates[:kept],
        prices=one.prices[:kept],
        returns=one.returns[: kept - 1],
        sigmas=one.sigmas[: kept - 1],
    )


def test_between_nought_and_one_and_the_parts_add_up() -> None:
    points = stress_index(market(420))
    # 60 closes until CMAX is known, 125 ranks of it, the first correlation of 20.
    assert points[0].date == date(2023, 1, 2) + timedelta(days=59 + 124 + 19)
    assert len(points) == 420 - (59 + 124 + 19)
    for point in points:
        assert 0 <= point.value <= point.together + 1e-12 <= 1 + 1e-12
        assert sum(point.parts) == pytest.approx(point.value, abs=1e-12)
        assert all(0 < one <= 1 for one in point.stresses)
        assert point.together == pytest.approx((sum(point.stresses) / 5) ** 2)


@pytest.mark.parametrize("days", [203, 251, 300])
def test_what_came_later_changes_no_point(days: int) -> None:
    whole = market(420)
    last = whole["BTC"].dates[days - 1]
    then = stress_index({code: cut(one, last) for code, one in whole.items()})
    assert then == tuple(point for point in stress_index(whole) if point.date <= last)
    assert len(then) == days - 202


def test_one_point_from_the_beginning_by_other_means() -> None:
    """Ranks by scipy, averages by pandas, the quadratic form written out."""
    whole = market(420)
    ranked: dict[str, pd.Series] = {}
    for code, one in whole.items():
        prices, returns = pd.Series(one.prices), pd.Series(one.prices).apply(log).diff()
        variance = [None, *(None if sigma is None else sigma**2 for sigma in one.sigmas)]
        raw = [
            (returns**2).rolling(20).mean() ** 0.5,
            (1 - prices / prices.rolling(250, min_periods=1).max()).where(prices.index >= 59),
            returns.abs() / pd.Series(variance, dtype=float) ** 0.5,
        ]
        ranked[code] = pd.concat(
            [
                values.expanding(min_periods=125).apply(
                    lambda known: stats.rankdata(known[known.notna()], "max")[-1] / known.notna().sum(),
                    raw=False,
                )
                for values in raw
            ],
            axis=1,
        ).mean(axis=1, skipna=False)
    own = pd.DataFrame(
        {segment: sum(ranked[code] for code in codes) / len(codes) for segment, codes in SEGMENTS.items()}
    ).dropna()
    around = own - 0.5

    def average(values: pd.Series) -> float:
        """The mean of the first 20, then an average that forgets 7 % a day."""
        seeded = pd.concat([pd.Series([values[:20].mean()]), values[20:]])
        return float(seeded.ewm(alpha=0.07, adjust=False).mean().iloc[-1])

    expected = 0.0
    for first in SEGMENTS:
        for second in SEGMENTS:
            covariance = average(around[first] * around[second])
            spread = sqrt(average(around[first] ** 2) * average(around[second] ** 2))
            expected += own[first].iloc[-1] / 5 * covariance / spread * own[second].iloc[-1] / 5
    assert stress_index(whole)[-1].value == pytest.approx(expected, abs=1e-9)


def test_raw_measures_by_hand() -> None:
    prices = [100.0 + n for n in range(80)]
    prices[79] = 89.0
    returns = [log(b / a) for a, b in pairwise(prices)]
    first = date(2025, 1, 1)
    one = Series(
        dates=tuple(first + timedelta(days=n) for n in range(80)),
        prices=tuple(prices),
        returns=tuple(returns),
        sigmas=tuple(ewma_sigmas(returns)),
    )
    volatility, fall, size = raw_stress(one)
    assert fall[58] is None
    assert fall[59] == 0.0
    assert fall[79] == pytest.approx(1 - 89 / 178)
    assert volatility[19] is None
    assert volatility[79] == pytest.approx(sqrt(sum(r * r for r in returns[-20:]) / 20))
    assert size[20] is None
    assert size[79] == pytest.approx(log(178 / 89) / (one.sigmas[78] or 0))


def test_a_segment_that_stood_still_goes_with_no_other() -> None:
    [*_, last] = correlations([(0.5, 0.9, 0.1)] * 25)
    assert last is not None
    assert last == pytest.approx(np.array([[1, 0, 0], [0, 1, -1], [0, -1, 1]]))
    assert correlations([(0.5, 0.9, 0.1)] * 19) == [None] * 19


def test_without_a_market_there_is_no_index() -> None:
    whole = market(300)
    del whole["DXY"]
    assert stress_index(whole) == ()
    assert stress_index({}) == ()


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=40))
def test_shares_are_the_empirical_distribution(values: list[int | None]) -> None:
    found = shares(values, least=3)
    for place, value in enumerate(values):
        known = [one for one in values[: place + 1] if one is not None]
        if value is None or len(known) < 3:
            assert found[place] is None
        else:
            assert found[place] == pytest.approx(stats.percentileofscore(known, value, "weak") / 100)


def test_standing_is_rank_over_one_more_than_all() -> None:
    assert standing([1.0, 2.0, 3.0, 4.0]) == Standing(percentile=80.0, n=4)
    assert standing([9.0, 8.0, 7.0, 0.0]) == Standing(percentile=20.0, n=4)
    assert standing([exp(1)]) == Standing(percentile=50.0, n=1)
