"""Half hours out of quarters, and none out of less."""

from __future__ import annotations

from analysis.levels import Interval
from providers.build import build
from providers.shapes import Bar, Bars

AT_1600, AT_1630, AT_1700, AT_1730, AT_1800 = range(1770307200, 1770316200, 1800)


def part(opened: int, price: float, volume: float | None = 2.0) -> Bar:
    return Bar(opened, opened + 900, price, price + 3, price - 1, price + 2, volume)


def test_no_half_hour_is_made_of_one_quarter() -> None:
    quarters = Bars(
        closed=(part(AT_1600, 100), part(AT_1600 + 900, 110), part(AT_1630, 120), part(AT_1700 + 900, 140)),
        unfinished=part(AT_1730, 150),
    )

    found = build(quarters, Interval.M30)

    assert found.closed == (Bar(AT_1600, AT_1630, 100, 113, 99, 112, 4.0),)
    assert found.unfinished == Bar(AT_1730, AT_1800, 150, 153, 149, 152, 2.0)


def test_the_half_hour_still_running_has_what_is_over_of_it() -> None:
    first, second = part(AT_1600, 100), part(AT_1600 + 900, 110)

    assert build(Bars(closed=(first,), unfinished=second), Interval.M30) == Bars(
        closed=(), unfinished=Bar(AT_1600, AT_1630, 100, 113, 99, 112, 4.0)
    )
    assert build(Bars(closed=(first,)), Interval.M30).unfinished == Bar(
        AT_1600, AT_1630, 100, 103, 99, 102, 2.0
    )
    assert build(Bars(closed=(), unfinished=second), Interval.M30) == Bars(closed=())


def test_no_volume_is_no_nought() -> None:
    parts = Bars(closed=(part(AT_1600, 100), part(AT_1600 + 900, 110, None)))

    assert build(parts, Interval.M30).closed[0].volume is None
