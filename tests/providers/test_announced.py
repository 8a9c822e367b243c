from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from providers import announced


def test_the_decision_is_at_14_in_new_york() -> None:
    # Winter: 19:00 UTC; summer: 18:00.
    assert announced.next_decision(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 28, 19, tzinfo=UTC)
    assert announced.next_decision(datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 29, 18, tzinfo=UTC)


@pytest.mark.parametrize(("at", "day"), [((18, 59, 59), date(2026, 1, 28)), ((19, 0, 0), date(2026, 3, 18))])
def test_a_decision_that_was_taken_is_not_the_next(at: tuple[int, int, int], day: date) -> None:
    found = announced.next_decision(datetime(2026, 1, 28, *at, tzinfo=UTC))
    assert found is not None
    assert found.date() == day


def test_consumer_prices_come_at_half_past_eight_in_new_york() -> None:
    assert announced.next_cpi(datetime(2026, 2, 6, tzinfo=UTC)) == datetime(2026, 2, 13, 13, 30, tzinfo=UTC)
    assert announced.next_cpi(datetime(2026, 4, 1, tzinfo=UTC)) == datetime(2026, 4, 10, 12, 30, tzinfo=UTC)


def test_past_the_end_of_the_table_nothing_is_made_up() -> None:
    assert announced.next_decision(datetime(2030, 1, 1, tzinfo=UTC)) is None
    assert announced.next_cpi(datetime(2030, 1, 1, tzinfo=UTC)) is None


def test_the_shutdown_s_releases() -> None:
    released = announced.CPI_RELEASED
    assert released[date(2025, 9, 1)] == date(2025, 10, 24)
    assert date(2025, 10, 1) not in released
    assert released[date(2025, 11, 1)] == date(2025, 12, 18)
    assert released[date(2025, 12, 1)] == date(2026, 1, 13)


def test_a_release_is_of_the_month_before_it() -> None:
    for month, day in announced.CPI_RELEASED.items():
        assert month == (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def test_eight_decisions_a_year_all_on_wednesdays() -> None:
    now, days = datetime(2025, 1, 1, tzinfo=UTC), []
    while at := announced.next_decision(now):
        days.append(at.date())
        now = at
    assert [sum(day.year == year for day in days) for year in (2025, 2026, 2027)] == [8, 8, 8]
    assert {day.weekday() for day in days} == {2}
