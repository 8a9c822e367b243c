"""The macro line by hand: ranges, meetings, prices with a month missing, and what was known when."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.errors import NoData
from analysis.freshness import Freshness
from analysis.macro import Macro, Outcome, Point, Track, assess

NOTHING = Track(points=(), source="")
MEETING = datetime(2026, 1, 28, 19, tzinfo=UTC)
FIRST = date(2026, 1, 20)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def daily(*values: float, first: date = FIRST) -> list[Point]:
    """One value a calendar day, each known at its own beginning."""
    days = [first + timedelta(days=n) for n in range(len(values))]
    return [Point(day, midnight(day), value) for day, value in zip(days, values, strict=True)]


def prices(**months: float) -> list[Point]:
    """``m2025_10=1.0``: known on the 12th of the month after, 13:30 UTC."""
    points = []
    for name, value in months.items():
        year, month = int(name[1:5]), int(name[6:])
        first = date(year, month, 1)
        following = (first + timedelta(days=32)).replace(day=12)
        points.append(Point(first, midnight(following) + timedelta(hours=13.5), value))
    return points


def asked(
    at: datetime,
    *,
    lower: list[Point] | None = None,
    upper: list[Point] | None = None,
    cpi: list[Point] | None = None,
    breakeven: Track = NOTHING,
    oil: Track = NOTHING,
    decisions: tuple[datetime, ...] = (),
    releases: tuple[tuple[date, datetime], ...] = (),
) -> Macro:
    return assess(
        lower=lower or [],
        upper=upper or [],
        cpi=cpi or [],
        breakeven=breakeven,
        oil=oil,
        dollar=NOTHING,
        decisions=decisions,
        releases=releases,
        as_of=at,
        source="FRED",
    )


# 20 to 28 January 3.50-3.75, from the 29th on 3.25-3.50: a cut on the 28th.
CUT_LOW, CUT_HIGH = daily(*[3.5] * 9, *[3.25] * 3), daily(*[3.75] * 9, *[3.5] * 3)


def test_a_cut_is_in_the_series_from_the_day_after_the_meeting() -> None:
    result = asked(utc(2026, 1, 30, 12), lower=CUT_LOW, upper=CUT_HIGH, decisions=(MEETING,))
    assert result.target is not None
    now, before = result.target.now, result.target.before
    assert (now.low, now.high, now.since) == (3.25, 3.5, date(2026, 1, 29))
    assert before is not None
    assert (before.low, before.high) == (3.5, 3.75)
    assert result.target.decided == date(2026, 1, 28)
    assert result.meetings.outcome is Outcome.CUT


def test_between_the_decision_and_the_next_day_the_series_does_not_say_it_yet() -> None:
    result = asked(utc(2026, 1, 28, 20), lower=CUT_LOW, upper=CUT_HIGH, decisions=(MEETING,))
    assert result.target is not None
    assert result.target.now.high == 3.75
    assert (result.meetings.last, result.meetings.outcome) == (MEETING, None)


@pytest.mark.parametrize(
    ("after", "outcome"), [(4.0, Outcome.RAISED), (3.75, Outcome.HELD), (3.5, Outcome.CUT)]
)
def test_what_a_meeting_did(after: float, outcome: Outcome) -> None:
    lower, upper = daily(*[3.5] * 9, after - 0.25), daily(*[3.75] * 9, after)
    result = asked(utc(2026, 1, 29, 12), lower=lower, upper=upper, decisions=(MEETING,))
    assert result.meetings.outcome is outcome


def test_a_change_without_a_meeting_the_day_before_was_decided_at_none_that_is_known() -> None:
    result = asked(utc(2026, 1, 30, 12), lower=CUT_LOW, upper=CUT_HIGH)
    assert result.target is not None
    assert result.target.decided is None
    assert (result.meetings.last, result.meetings.next) == (None, None)


def test_the_next_meeting_only_inside_the_table() -> None:
    later = utc(2026, 3, 18, 18)
    before = asked(utc(2026, 1, 22), lower=CUT_LOW, upper=CUT_HIGH, decisions=(MEETING, later))
    inside = asked(utc(2026, 1, 29), lower=CUT_LOW, upper=CUT_HIGH, decisions=(MEETING, later))
    assert before.meetings.next is None
    assert inside.meetings.next == later


def test_a_date_with_one_end_only_is_no_range() -> None:
    result = asked(utc(2026, 1, 30, 12), lower=CUT_LOW[:9], upper=CUT_HIGH)
    assert result.target is not None
    assert (result.target.now.high, result.target.dated) == (3.75, date(2026, 1, 28))
    assert result.target.freshness is Freshness.PENDING  # that of the 29th is due at 21:00 UTC


YEAR = prices(m2024_9=100.0, m2024_10=101.0, m2024_11=102.0, m2025_9=103.0, m2025_11=104.55)


def test_the_same_month_a_year_before_not_twelve_rows_back() -> None:
    result = asked(utc(2026, 1, 2), cpi=YEAR)
    assert result.inflation is not None
    assert result.inflation.last.first == date(2025, 11, 1)
    # 104.55 / 102 - 1 = 2.5 %; against October, one row further back, it would be 3.5 %.
    assert result.inflation.last.yoy_pct == pytest.approx(2.5)
    assert date(2025, 10, 1) in result.inflation.missing
    assert date(2025, 9, 1) not in result.inflation.missing


def test_a_year_later_the_missing_month_leaves_nothing_to_compare_with() -> None:
    result = asked(utc(2026, 11, 13), cpi=[*YEAR, *prices(m2026_10=106.0)])
    assert result.inflation is not None
    assert (result.inflation.last.index, result.inflation.last.yoy_pct) == (106.0, None)
    assert result.inflation.missing[0] == date(2025, 10, 1)


RELEASES = (
    (date(2025, 9, 1), utc(2025, 10, 12, 13, 30)),
    (date(2025, 11, 1), utc(2025, 12, 12, 13, 30)),
    (date(2025, 12, 1), utc(2026, 1, 13, 13, 30)),
    (date(2026, 1, 1), utc(2026, 2, 13, 13, 30)),
)


def test_a_month_that_has_no_release_is_missing_before_a_later_one_comes() -> None:
    result = asked(utc(2025, 11, 25), cpi=YEAR, releases=RELEASES)
    assert result.inflation is not None
    assert result.inflation.missing[-1] == date(2025, 10, 1)
    assert (result.inflation.next_month, result.inflation.next_at) == RELEASES[1]


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (utc(2026, 1, 13, 13, 29), Freshness.FRESH),
        (utc(2026, 1, 13, 13, 30), Freshness.PENDING),
        (utc(2026, 1, 13, 19, 30), Freshness.LATE),
        (utc(2026, 2, 13, 20), Freshness.STALE),
    ],
)
def test_a_release_that_did_not_arrive(at: datetime, state: Freshness) -> None:
    """November is the newest; December was due on 13 January, January on 13 February."""
    result = asked(at, cpi=YEAR, releases=(*RELEASES, (date(2026, 2, 1), utc(2026, 3, 11, 12, 30))))
    assert result.inflation is not None
    assert result.inflation.freshness is state
    assert date(2025, 12, 1) not in result.inflation.missing  # awaited, not gone


def test_outside_the_schedule_it_goes_by_age() -> None:
    released = YEAR[-1].known_at
    for days, state in ((44, Freshness.FRESH), (45, Freshness.LATE), (75, Freshness.STALE)):
        result = asked(released + timedelta(days=days), cpi=YEAR)
        assert result.inflation is not None
        assert result.inflation.freshness is state
        assert result.inflation.next_at is None


def test_a_gauge_is_compared_with_thirty_days_before_or_the_last_before_that() -> None:
    points = [
        Point(date(2025, 12, 30), utc(2025, 12, 30, 22), 50.0),
        Point(date(2026, 1, 5), utc(2026, 1, 5, 22), 60.0),
        Point(date(2026, 2, 2), utc(2026, 2, 2, 22), 66.0),
    ]
    result = asked(utc(2026, 2, 3), oil=Track(points=points, source="Yahoo"))
    assert result.oil is not None
    assert (result.oil.last.value, result.oil.before) == (66.0, points[0])
    assert result.oil.freshness is Freshness.FRESH
    late = asked(utc(2026, 2, 5, 12), oil=Track(points=points, source="Yahoo"))
    assert late.oil is not None
    assert (late.oil.freshness, late.freshness) == (Freshness.STALE, Freshness.STALE)


def test_a_weekend_is_a_closed_market_and_nothing_missed() -> None:
    friday = [Point(date(2026, 1, 30), utc(2026, 1, 31, 9), 2.3)]
    sunday = asked(utc(2026, 2, 1, 12), breakeven=Track(points=friday, source="FRED"))
    assert sunday.breakeven is not None
    assert sunday.breakeven.freshness is Freshness.CLOSED
    # Monday's is over at 16:00 New York, and due on Tuesday at 21:00 UTC.
    monday = asked(utc(2026, 2, 2, 22), breakeven=Track(points=friday, source="FRED"))
    assert monday.breakeven is not None
    assert monday.breakeven.freshness is Freshness.PENDING


def test_nothing_known_is_no_answer() -> None:
    with pytest.raises(NoData, match="No macro figure was known"):
        asked(utc(2020, 1, 1), lower=CUT_LOW, upper=CUT_HIGH, cpi=YEAR)


def test_no_look_ahead() -> None:
    """Cutting away what came to be known later changes nothing."""
    chance = random.Random(9)  # noqa: S311 -- repeatable instants
    oil = [Point(day.dated, day.known_at + timedelta(hours=22), 60 + day.value) for day in CUT_LOW]
    for _n in range(60):
        at = utc(2025, 9, 13) + timedelta(seconds=chance.uniform(0, 150 * 86_400))

        def then(points: list[Point], at: datetime = at) -> list[Point]:
            return [point for point in points if point.known_at <= at]

        decisions = (utc(2025, 12, 10, 19), MEETING, utc(2026, 3, 18, 18))
        try:
            whole = asked(
                at, lower=CUT_LOW, upper=CUT_HIGH, cpi=YEAR, oil=Track(points=oil, source="x"),
                decisions=decisions, releases=RELEASES,
            )  # fmt: skip
        except NoData:
            continue
        assert whole == asked(
            at, lower=then(CUT_LOW), upper=then(CUT_HIGH), cpi=then(YEAR),
            oil=Track(points=then(oil), source="x"), decisions=decisions, releases=RELEASES,
        )  # fmt: skip
