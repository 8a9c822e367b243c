"""Betas by hand, by other people's libraries, and of markets whose beta is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from analysis.beta import Slope, beta, summed_beta, t_reach
from analysis.closes import Close
from analysis.links import betas, rolling
from analysis.sessions import INSTRUMENTS, quotes_of, sessions_of

Closes = dict[str, list[Close]]
FIRST = date(2025, 3, 3)
SESSIONS = [day for n in range(200) if (day := FIRST + timedelta(days=n)).weekday() < 5]


def test_a_slope_by_hand() -> None:
    """Sxx 10, Sxy 12, b 1.2; residuals -0.6, 0.2, 1, -0.2, -0.4: squares 1.6; t(3) 3.182446."""
    found = beta([-3, -1, 1, 1, 2], [-2, -1, 0, 1, 2])
    assert found is not None
    reach = 3.182446 * sqrt(1.6 / 3 / 10)
    assert (found.beta, found.low, found.high) == pytest.approx((1.2, 1.2 - reach, 1.2 + reach), abs=1e-6)
    assert found.n == 5


def test_a_sum_by_hand() -> None:
    """Half of the day before, all of the day, a quarter of the day after: 1.75, and nothing unexplained."""
    market = [1.0, -2.0, 0.5, 3.0, -1.0, 0.0, 2.0, -0.5, 1.5]
    before, same, after = market[:-2], market[1:-1], market[2:]
    moved = [0.1 + 0.5 * a + b + 0.25 * c for a, b, c in zip(before, same, after, strict=True)]
    found = summed_beta(moved, before, same, after)
    assert found is not None
    assert (found.beta, found.low, found.high) == pytest.approx((1.75, 1.75, 1.75), abs=1e-12)
    assert found.n == 7


@pytest.mark.parametrize("n", [4, 30, 90])
def test_the_slope_by_scipy(n: int) -> None:
    dice = np.random.default_rng(n)
    market = dice.normal(0.001, 0.01, n)
    moved = 1.4 * market + dice.normal(0, 0.03, n)
    line = stats.linregress(market, moved)
    reach = stats.t.ppf(0.975, n - 2) * line.stderr
    found = beta(moved.tolist(), market.tolist())
    assert found is not None
    assert (found.beta, found.low, found.high) == pytest.approx(
        (line.slope, line.slope - reach, line.slope + reach), abs=1e-9
    )
    assert found.beta == pytest.approx(np.cov(moved, market)[0, 1] / np.var(market, ddof=1), abs=1e-12)


def by_lstsq(moved: NDArray[np.float64], markets: list[NDArray[np.float64]]) -> tuple[float, float, float]:
    """All slopes at once, their covariance s^2 (X'X)^-1, and the variance of their sum."""
    design = np.column_stack([np.ones(len(moved)), *markets])
    coefficients = np.linalg.lstsq(design, moved)[0]
    freedom = len(moved) - design.shape[1]
    variance = ((moved - design @ coefficients) ** 2).sum() / freedom
    summing = np.array([0.0, *(1.0 for _ in markets)])
    spread = sqrt(variance * summing @ np.linalg.inv(design.T @ design) @ summing)
    middle, reach = float(coefficients[1:].sum()), stats.t.ppf(0.975, freedom) * spread
    return middle, middle - reach, middle + reach


@pytest.mark.parametrize("n", [6, 28, 88])
def test_the_sum_by_numpy(n: int) -> None:
    dice = np.random.default_rng(n)
    before, same, after = markets = list(dice.normal(0, 0.01, (3, n)))
    moved = 0.4 * before + 0.9 * same + 0.2 * after + dice.normal(0, 0.02, n)
    found = summed_beta(moved.tolist(), before.tolist(), same.tolist(), after.tolist())
    assert found is not None
    assert (found.beta, found.low, found.high) == pytest.approx(by_lstsq(moved, markets), abs=1e-9)
    assert found.n == n


def test_closes_of_another_hour_hide_half_of_what_the_sum_finds() -> None:
    """A market of beta 1.5 that closes half a day before bitcoin: half of each day is in the next one's return."""
    dice = np.random.default_rng(8)
    halves = dice.normal(0, 0.01, 4_001)
    market = halves[0:4_000:2] + halves[1:4_000:2]
    bitcoin = 1.5 * (halves[1:4_000:2] + halves[2:4_001:2]) + dice.normal(0, 0.005, 2_000)
    found = beta(bitcoin.tolist(), market.tolist())
    summed = summed_beta(*(part.tolist() for part in (bitcoin[1:-1], market[:-2], market[1:-1], market[2:])))
    assert found is not None
    assert summed is not None
    assert found.beta == pytest.approx(0.75, abs=0.05)
    assert summed.beta == pytest.approx(1.5, abs=0.05)
    assert summed.low < 1.5 < summed.high


def test_the_interval_holds_the_truth_19_times_of_20() -> None:
    held = 0
    for seed in range(400):
        dice = np.random.default_rng(seed)
        market = dice.normal(0, 1, 30)
        found = beta((2 * market + dice.normal(0, 3, 30)).tolist(), market.tolist())
        assert found is not None
        held += found.low < 2 < found.high
    assert held / 400 == pytest.approx(0.95, abs=0.025)


@given(st.integers(2, 2_000))
def test_students_quantile_by_scipy(freedom: int) -> None:
    assert t_reach(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-11)


def test_too_little_to_tell() -> None:
    assert beta([1.0, 2.0, 4.0], [1.0, 3.0, 2.0]) is None
    assert beta([1.0, -2.0] * 15, [0.1] * 30) is None
    five, six = [1.0, -2.0, 0.5, 3.0, -1.0], [1.0, -2.0, 0.5, 3.0, -1.0, 0.7]
    assert summed_beta(five, five[::-1], five, five) is None
    assert summed_beta(six, six[::-1], [0.2] * 6, six) is None


def made(seed: int, *, until: int = len(SESSIONS)) -> Closes:
    """Random walks; the markets load on one another, so that betas are not all nought."""
    dice = np.random.default_rng(seed)
    moves = dice.normal(0, 0.01, (len(SESSIONS), len(INSTRUMENTS)))
    moves[:, 0] += 1.5 * moves[:, 3]
    prices = 100 * np.exp(moves.cumsum(axis=0))
    return {
        code: [
            Close(day, datetime(day.year, day.month, day.day, 21, tzinfo=UTC), float(price))
            for day, price in zip(SESSIONS[:until], column[:until], strict=True)
        ]
        for code, column in zip(INSTRUMENTS, prices.T, strict=True)
    }


def end(place: int) -> datetime:
    day = SESSIONS[place]
    return datetime(day.year, day.month, day.day, 23, tzinfo=UTC)


def judged(closes: Closes, at: datetime) -> dict[tuple[str, int], tuple[Slope, Slope | None]]:
    quotes = quotes_of(closes, at)
    return {
        (one.instrument, one.window): (one.same_day, one.summed)
        for one in betas(quotes, sessions_of(quotes, at))
    }


def logs(closes: Closes, code: str) -> NDArray[np.float64]:
    return np.diff(np.log([close.price for close in closes[code]]))


def test_of_the_last_sessions_and_of_those_in_a_row() -> None:
    closes = made(1)
    found = judged(closes, end(-1))
    assert set(found) == {(code, window) for code in INSTRUMENTS[1:] for window in (30, 90)}
    bitcoin = logs(closes, "BTC")
    for (code, window), (same_day, summed) in found.items():
        market = logs(closes, code)[-window:]
        assert same_day.n == window
        assert same_day.beta == pytest.approx(stats.linregress(market, bitcoin[-window:]).slope, abs=1e-9)
        assert summed is not None
        assert summed.n == window - 2
        expected = by_lstsq(bitcoin[-window:][1:-1], [market[:-2], market[1:-1], market[2:]])
        assert (summed.beta, summed.low, summed.high) == pytest.approx(expected, abs=1e-9)


def test_a_close_that_is_missing_parts_the_days_beside_it() -> None:
    closes = made(2)
    # Silver's close of ten sessions ago: the returns to and from it are gone, and what is left of
    # both sides are no neighbours.
    del closes["SI"][-11]
    same_day, summed = judged(closes, end(-1))["SI", 30]
    assert summed is not None
    bitcoin, silver = logs(made(2), "BTC"), logs(made(2), "SI")
    last = len(bitcoin) - 1
    known = [at for at in range(last + 1) if at not in {last - 10, last - 9}][-30:]
    whole = [at for at in known[1:-1] if {at - 1, at + 1} <= set(known)]
    assert (same_day.n, summed.n) == (30, 26) == (len(known), len(whole))
    assert same_day.beta == pytest.approx(stats.linregress(silver[known], bitcoin[known]).slope, abs=1e-9)
    around = [silver[[at + shift for at in whole]] for shift in (-1, 0, 1)]
    assert (summed.beta, summed.low, summed.high) == pytest.approx(by_lstsq(bitcoin[whole], around), abs=1e-9)


@pytest.mark.parametrize("place", [40, 95, 120])
def test_nothing_later_is_looked_at(place: int) -> None:
    assert judged(made(3), end(place)) == judged(made(3, until=place + 1), end(place))
    assert judged(made(3), end(place)) != judged(made(3), end(place + 1))


def test_the_rolling_beta_ends_with_that_of_the_window() -> None:
    closes = made(4)
    quotes = quotes_of(closes, end(-1))
    one = rolling(quotes, sessions_of(quotes, end(-1)), "ES")
    assert len(one.beta) == len(one.r) == len(one.dates) == len(SESSIONS) - 90
    assert one.beta[-1] == pytest.approx(judged(closes, end(-1))["ES", 90][0].beta, abs=1e-9)
    earlier = judged(closes, end(-6))["ES", 90][0].beta
    assert one.beta[-6] == pytest.approx(earlier, abs=1e-9)
