"""Five sessions in sigmas, by hand: every change of one per cent, so that the volatility is one per cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import exp, sqrt

import pytest

from analysis.five_days import LEAST, FiveDays, of_levels, of_prices
from analysis.freshness import Freshness
from analysis.macro import Point

START = datetime(2026, 1, 1, 22, tzinfo=UTC)


def points(changes: list[float], *, logs: bool) -> list[Point]:
    value, found = 100.0, []
    for n, change in enumerate([0.0, *changes]):
        value = value * exp(change) if logs else value + change
        found.append(Point(date(2026, 1, 1) + timedelta(days=n), START + timedelta(days=n), value))
    return found


# Twenty that go up and down in turn, then five up: 0.05 / (0.01 sqrt 5) = sqrt 5.
CHANGES = [0.01 if n % 2 else -0.01 for n in range(20)] + [0.01] * 5


@pytest.mark.parametrize(("judge", "logs"), [(of_prices, True), (of_levels, False)])
def test_five_equal_steps_are_the_root_of_five_sigmas(
    judge: Callable[..., FiveDays | None], logs: bool
) -> None:
    found = judge(points(CHANGES, logs=logs), threshold=1.5, source="x", freshness=Freshness.FRESH)
    assert found is not None
    assert found.z == pytest.approx(sqrt(5))
    # Four steps stand; the fifth may add at most 1.5 x 0.01 x sqrt 5 = 0.0335 in all, up or down.
    reach = 1.5 * 0.01 * sqrt(5)
    last = found.last.value
    low, high = -reach - 0.04, reach - 0.04
    expected = (last * exp(low), last * exp(high)) if logs else (last + low, last + high)
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_borders_are_where_the_next_size_is_the_threshold() -> None:
    start = points(CHANGES, logs=True)
    found = of_prices(start, threshold=1.5, source="x", freshness=Freshness.FRESH)
    assert found is not None
    for border, sign in ((found.low, -1), (found.high, 1)):
        after = Point(date(2026, 2, 1), START + timedelta(days=31), border)
        following = of_prices([*start, after], threshold=1.5, source="x", freshness=Freshness.FRESH)
        assert following is not None
        assert following.z == pytest.approx(sign * 1.5)


def test_a_z_is_known_with_the_last_of_its_values_also_a_revised_one() -> None:
    told = points(CHANGES, logs=True)
    revised = START + timedelta(days=40)
    told[10] = told[10]._replace(known_at=revised)
    found = of_prices(told, threshold=1.5, source="x", freshness=Freshness.FRESH)
    assert found is not None
    assert {at for at, _ in found.course} == {revised}


def test_too_few_and_a_market_that_stood_still() -> None:
    short = points(CHANGES[: LEAST - 2], logs=True)
    assert of_prices(short, threshold=1.5, source="x", freshness=Freshness.FRESH) is None
    still = points([0.0] * 30, logs=True)
    assert of_prices(still, threshold=1.5, source="x", freshness=Freshness.FRESH) is None
