"""Turbulence: the F reference, Ledoit-Wolf by scikit-learn, distances by scipy, and no hindsight."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from analysis.covariance import ledoit_wolf
from analysis.turbulence import judge, odds, turbulence

DAY = date(2026, 2, 5)


def drawn(days: int, seed: int = 1, markets: int = 6) -> np.ndarray:
    dice = np.random.default_rng(seed)
    mixed = dice.normal(size=(markets, markets)) * 0.4 + np.eye(markets)
    sizes = np.array([0.03, 0.025, 0.01, 0.01, 0.004, 0.02])[:markets]
    rows: np.ndarray = dice.normal(size=(days, markets)) @ mixed * sizes + 0.0005
    return rows


def test_the_reference_for_250_days_of_six_markets() -> None:
    assert odds(2.19, 6, 250) == pytest.approx(0.05, abs=0.002)
    # 95 % of F(6, 244) is 2.14; d / n is larger by (T^2 - 1) / (T (T - n)).
    border = stats.f.ppf(0.95, 6, 244)
    assert border == pytest.approx(2.14, abs=0.005)
    assert odds(border * (250**2 - 1) / (250 * 244), 6, 250) == pytest.approx(0.05, abs=1e-9)


def test_usual_days_are_about_one_and_one_in_twenty_is_beyond_the_border() -> None:
    returns = drawn(2_250, seed=11)
    days = [DAY + timedelta(days=n) for n in range(len(returns))]
    ratios = np.array([one.ratio for one in turbulence(days, returns) if one.days == 250])
    assert len(ratios) == 2_000
    assert ratios.mean() == pytest.approx(1.03, abs=0.04)
    assert (ratios > 2.19).mean() == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("seed", range(5))
def test_against_scipy(seed: int) -> None:
    returns = drawn(251, seed)
    found = judge(DAY, returns[-1], returns[:-1])
    assert found is not None
    before = returns[:-1]
    distance = mahalanobis(returns[-1], before.mean(axis=0), np.linalg.inv(np.cov(before.T))) ** 2
    assert found.ratio == pytest.approx(distance / 6, rel=1e-9)
    assert sum(found.parts) == pytest.approx(found.ratio, rel=1e-9)
    own = (returns[-1] - before.mean(axis=0)) / before.std(axis=0, ddof=1)
    assert found.magnitude == pytest.approx((own**2).mean(), rel=1e-9)
    assert found.correlation == pytest.approx(found.ratio / found.magnitude, rel=1e-12)
    assert found.odds == pytest.approx(
        stats.f.sf(distance * 250 * 244 / ((250**2 - 1) * 6), 6, 244), rel=1e-9
    )


@pytest.mark.parametrize(("days", "markets"), [(20, 2), (45, 6), (59, 6), (400, 4)])
def test_ledoit_wolf_against_scikit_learn(days: int, markets: int) -> None:
    rows = drawn(days, seed=days, markets=markets)
    covariance, share = ledoit_wolf(rows)
    theirs = LedoitWolf().fit(rows)
    assert share == pytest.approx(theirs.shrinkage_, abs=1e-9)
    assert covariance == pytest.approx(theirs.covariance_, rel=1e-9, abs=1e-15)


def test_few_days_are_shrunk_and_have_no_odds() -> None:
    returns = drawn(52, seed=4)
    found = judge(DAY, returns[-1], returns[:-1])
    assert found is not None
    assert found.odds is None
    assert found.days == 51
    before = returns[:-1]
    sigmas = before.std(axis=0, ddof=1)
    usual, own = (before - before.mean(axis=0)) / sigmas, (returns[-1] - before.mean(axis=0)) / sigmas
    theirs = LedoitWolf().fit(usual).covariance_
    assert found.ratio == pytest.approx(own @ np.linalg.inv(theirs) @ own / 6, rel=1e-9)
    assert sum(found.parts) == pytest.approx(found.ratio, rel=1e-12)
    assert found.magnitude == pytest.approx((own**2 / np.diag(theirs)).mean(), rel=1e-9)


def test_an_odd_pattern_of_usual_sizes_is_a_surprise_of_correlation() -> None:
    dice = np.random.default_rng(3)
    first = dice.normal(size=250)
    before = np.stack([first, first + 0.2 * dice.normal(size=250)], axis=1)
    against, along = (judge(DAY, np.array(move), before) for move in ((1.0, -1.0), (1.0, 1.0)))
    assert against is not None
    assert along is not None
    assert against.correlation > 10
    assert along.correlation < 1
    assert against.magnitude == pytest.approx(along.magnitude, rel=0.2)


def test_what_came_later_changes_no_day() -> None:
    returns = drawn(320, seed=8)
    days = [DAY + timedelta(days=n) for n in range(320)]
    whole = turbulence(days, returns)
    assert (whole[0].date, len(whole)) == (days[40], 280)
    for last in (41, 200, 251, 299):
        assert turbulence(days[:last], returns[:last]) == whole[: last - 40]
    changed = returns.copy()
    changed[300:] *= 9
    assert turbulence(days, changed)[:260] == whole[:260]


def test_a_market_that_stood_still_leaves_the_day_out() -> None:
    returns = drawn(60)
    returns[:, 2] = 0.0
    assert turbulence([DAY] * 60, returns) == ()
    returns[:, 2] = returns[:, 1]  # and so does one that is another's copy
    still = turbulence([DAY] * 60, returns)
    assert all(np.isfinite(one.ratio) for one in still)
