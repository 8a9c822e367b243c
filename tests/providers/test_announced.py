from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from providers import announced
from storage import macro
from storage.store import Store

AFTER = datetime(2026, 11, 22, tzinfo=UTC)


def released(at: datetime) -> dict[date, datetime]:
    return {release.month: release.at for release in announced.cpi_releases(at)}


def test_the_decision_is_at_14_in_new_york() -> None:
    # Winter: 19:00 UTC; summer: 18:00.
    assert datetime(2026, 1, 28, 19, tzinfo=UTC) in announced.decisions()
    assert datetime(2026, 7, 29, 18, tzinfo=UTC) in announced.decisions()


def test_consumer_prices_come_at_half_past_eight_in_new_york() -> None:
    assert released(AFTER)[date(2026, 1, 1)] == datetime(2026, 2, 13, 13, 30, tzinfo=UTC)
    assert released(AFTER)[date(2026, 3, 1)] == datetime(2026, 4, 10, 12, 30, tzinfo=UTC)


def test_the_shutdown_s_releases() -> None:
    days = announced.CPI_RELEASED
    assert days[date(2025, 9, 1)] == date(2025, 10, 24)
    assert date(2025, 10, 1) not in days
    assert days[date(2025, 11, 1)] == date(2025, 12, 18)
    assert days[date(2025, 12, 1)] == date(2026, 1, 13)


@pytest.mark.parametrize(
    ("month", "told", "before", "after"),
    [
        # The day after each notice begins at 04:00 or 05:00 UTC.
        (date(2025, 9, 1), datetime(2025, 10, 11, 4, tzinfo=UTC), date(2025, 10, 15), date(2025, 10, 24)),
        (date(2025, 10, 1), datetime(2025, 11, 22, 5, tzinfo=UTC), date(2025, 11, 13), None),
        (date(2025, 11, 1), datetime(2025, 11, 22, 5, tzinfo=UTC), date(2025, 12, 10), date(2025, 12, 18)),
        (date(2026, 1, 1), datetime(2026, 2, 5, 5, tzinfo=UTC), date(2026, 2, 11), date(2026, 2, 13)),
    ],
)
def test_a_release_that_was_moved_stands_where_it_stood_until_that_was_told(
    month: date, told: datetime, before: date, after: date | None
) -> None:
    assert released(told - timedelta(seconds=1))[month].date() == before
    at = released(told).get(month)
    assert (None if at is None else at.date()) == after


def test_a_release_is_of_the_month_before_it() -> None:
    for release in (
        *announced.cpi_releases(datetime(2025, 1, 1, tzinfo=UTC)),
        *announced.cpi_releases(AFTER),
    ):
        day = release.at.date()
        assert release.month == (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def test_eight_decisions_a_year_on_wednesdays_but_for_the_election_s() -> None:
    days = [at.date() for at in announced.decisions()]
    assert [sum(day.year == year for day in days) for year in range(2022, 2028)] == [8] * 6
    assert days == sorted(set(days))
    assert [day for day in days if day.weekday() != 2] == [date(2024, 11, 7)]
    assert max(later - day for day, later in pairwise(days)) <= timedelta(days=56)


async def test_the_range_only_ever_changed_the_day_after_a_meeting(store: Store) -> None:
    async with store.read() as db:
        for series in ("DFEDTARU", "DFEDTARL"):
            rows = await macro.known(db, series, at=datetime(2026, 2, 7, tzinfo=UTC))
            changed = [row.dated for before, row in pairwise(rows) if row.value != before.value]
            assert len(changed) == 17
            days = {at.date() for at in announced.decisions()}
            assert [day for day in changed if day - timedelta(days=1) not in days] == []
