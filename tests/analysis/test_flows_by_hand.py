"""Days typed by hand: in every sum, marked, and no proof that the source is alive."""

from __future__ import annotations

from datetime import UTC, date, datetime

from analysis.flows import DayState, Flows, Report, assess
from bot.reports.flow_terms import freshness_of

AS_OF = datetime(2026, 2, 6, 12, tzinfo=UTC)
DAYS = [date(2026, 2, 2), date(2026, 2, 3), date(2026, 2, 4), date(2026, 2, 5)]


def told(day: date, total: float, *, manual: bool = False) -> Report:
    return Report(
        date=day, known_at=datetime(2026, 2, 6, 10, tzinfo=UTC), state=DayState.FINAL,
        total_musd=total, funds={} if manual else {"IBIT": total}, manual=manual,
    )  # fmt: skip


def judged(*reports: Report) -> Flows:
    return assess(reports, asset="BTC", as_of=AS_OF, source="Somebody", sessions=DAYS)


def test_it_counts_in_streak_and_sum_and_is_named() -> None:
    result = judged(
        told(DAYS[0], -1.0), told(DAYS[1], -2.0), told(DAYS[2], -4.0), told(DAYS[3], -8.0, manual=True)
    )
    assert (result.streak, result.sum_musd, result.cumulative_musd) == (-4, -15.0, -15.0)
    assert (result.manual, result.last_published, result.last_date) == ((DAYS[3],), DAYS[2], DAYS[3])
    # Of a single fund nothing is known that day.
    [fund] = result.funds
    assert (fund.last_musd, fund.cumulative_musd) == (None, -7.0)


def test_the_source_is_as_late_as_without_it() -> None:
    """Silent since the 2nd: by noon of the 6th the 3rd, 4th and 5th are overdue, typed or not."""
    silent = judged(told(DAYS[0], -1.0))
    typed = judged(told(DAYS[0], -1.0), *(told(day, -1.0, manual=True) for day in DAYS[1:]))
    holed = judged(told(DAYS[0], -1.0), told(DAYS[3], -1.0, manual=True))
    assert [freshness_of(result, AS_OF) for result in (silent, typed, holed)] == ["stale"] * 3
    alive = judged(*(told(day, -1.0) for day in DAYS))
    assert freshness_of(alive, AS_OF) == "fresh"


def test_without_any_nothing_is_said_of_it() -> None:
    result = judged(*(told(day, -1.0) for day in DAYS))
    assert (result.manual, result.last_published) == ((), DAYS[3])
