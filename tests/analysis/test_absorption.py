"""The absorption ratio against numpy's own weighted covariance, its shift by hand, and no hindsight."""

from __future__ import annotations

import statistics
from datetime import date, timedelta

import numpy as np
import pytest

from analysis.absorption import absorption, first_factor, shift

DAY = date(2026, 2, 5)


def drawn(days: int, seed: int = 1, common: float = 1.0) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return 0.01 * (dice.normal(size=(days, 6)) + common * dice.normal(size=(days, 1)))


@pytest.mark.parametrize("days", [250, 400, 500])
def test_against_numpy(days: int) -> None:
    returns = drawn(days, seed=days)
    weights = np.exp2(-np.arange(days)[::-1] / 250)
    covariance = np.cov(returns.T, aweights=weights, ddof=0)
    sigmas = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eig(covariance / np.outer(sigmas, sigmas))
    found = first_factor(returns)
    assert found is not None
    ratio, parts = found
    assert ratio == pytest.approx(values.max() / 6, rel=1e-9)
    assert parts == pytest.approx(ratio * vectors[:, values.argmax()] ** 2, rel=1e-7)
    assert sum(parts) == pytest.approx(ratio, rel=1e-12)


def test_its_two_ends() -> None:
    one = np.random.default_rng(2).normal(size=(300, 1))
    together = first_factor(one * np.array([0.03, 0.01, 0.005, -0.004, 0.02, 0.01]))
    assert together is not None
    assert together[0] == pytest.approx(1.0)
    assert together[1] == pytest.approx([1 / 6] * 6)
    apart = first_factor(drawn(20_000, common=0.0))
    assert apart is not None
    assert apart[0] == pytest.approx(1 / 6, abs=0.03)
    assert first_factor(np.zeros((300, 6))) is None


def test_a_year_of_ratios_and_its_last_fifteen_days() -> None:
    ratios = [0.4] * 50 + [0.3, 0.5] * 117 + [0.3] + [0.6] * 15
    year = ratios[-250:]
    expected = (statistics.mean(year[-15:]) - statistics.mean(year)) / statistics.stdev(year)
    assert shift(ratios) == pytest.approx(expected, rel=1e-12)
    assert expected > 1
    assert shift(ratios[-249:]) is None
    assert shift([0.4] * 250) is None


def test_what_came_later_changes_no_day() -> None:
    returns = drawn(520, seed=5)
    days = [DAY + timedelta(days=n) for n in range(520)]
    whole = absorption(days, returns)
    assert (whole[0].date, whole[-1].date, len(whole)) == (days[249], days[519], 271)
    assert [one.shift is None for one in whole] == [True] * 249 + [False] * 22
    for last in (250, 499, 505):
        assert absorption(days[:last], returns[:last]) == whole[: last - 249]
    assert absorption(days[:249], returns[:249]) == ()
