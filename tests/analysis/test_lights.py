"""The four lights by hand: colour, since when, and unknown wherever the figures are stale or missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis import lights
from analysis.breaks import Event
from analysis.breaks import State as LineState
from analysis.five_days import FiveDays
from analysis.flows import DayState, Flows, Report, assess
from analysis.freshness import Freshness
from analysis.levels import Level, LevelState
from analysis.lights import Coming, EventKind, Light, Rise, State, Why
from analysis.macro import Point

T0 = datetime(2026, 2, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# The line


def level(state: LineState, *events: tuple[int, LineState, LineState]) -> LevelState:
    return LevelState(
        level=Level(price=73_600.0, label=""),
        state=state,
        since=None,
        first_close_below=None,
        distance_pct=1.0,
        distance_atr=None,
        bars_held=None,
        bars_needed=None,
        invalidation=73_700.0,
        retested_at=None,
        events=tuple(
            Event(time=T0 + hours * HOUR, opened_at=T0, before=before, after=after)
            for hours, before, after in events
        ),
    )


def line(state: LevelState, fresh: Freshness = Freshness.FRESH) -> Light:
    return lights.line(state, price=70_000.0, price_at=T0 + 9 * HOUR, source="x", fresh=fresh).light


A, BR, BN, RG, RD, U = (
    LineState.ABOVE, LineState.BREAKING, LineState.BROKEN, LineState.RECLAIMING, LineState.RECLAIMED,
    LineState.UNKNOWN,
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "events", "colour", "since"),
    [
        (A, [], State.GREEN, None),
        (BN, [], State.RED, None),
        # One close below does not turn it, two do; nor does a reclaim before it is held.
        (BR, [(1, A, BR)], State.GREEN, None),
        (BN, [(1, A, BR), (2, BR, BN)], State.RED, 2),
        (RG, [(1, A, BR), (2, BR, BN), (3, BN, RG)], State.RED, 2),
        (BN, [(1, A, BR), (2, BR, BN), (3, BN, RG), (4, RG, BN)], State.RED, 2),
        (RD, [(2, BR, BN), (3, BN, RG), (5, RG, RD)], State.GREEN, 5),
        (BR, [(2, BR, BN), (3, BN, RG), (5, RG, RD), (6, RD, BR)], State.GREEN, 5),
        # A gap makes the story begin anew.
        (BN, [(2, BR, BN), (3, BN, U)], State.RED, None),
        (BN, [(2, BR, BN), (3, BN, U), (5, A, BR), (6, BR, BN)], State.RED, 6),
    ],
)  # fmt: skip
def test_only_a_confirmed_state_turns_the_line(
    state: LineState, events: list[tuple[int, LineState, LineState]], colour: State, since: int | None
) -> None:
    expected = None if since is None else T0 + since * HOUR
    assert line(level(state, *events)) == Light(state=colour, since=expected)


@pytest.mark.parametrize("state", list(LineState))
def test_a_stale_line_is_unknown_whatever_its_state(state: LineState) -> None:
    assert line(level(state), Freshness.STALE) == Light(
        state=State.UNKNOWN, since=T0 + 9 * HOUR, why=Why.STALE
    )


def test_a_line_that_is_not_judged_yet_is_unknown() -> None:
    assert line(level(U)).why is Why.UNJUDGED


@pytest.mark.parametrize("fresh", [Freshness.CLOSED, Freshness.PENDING, Freshness.LATE])
def test_a_closed_market_is_not_stale(fresh: Freshness) -> None:
    assert line(level(A), fresh).state is State.GREEN


# Flows

MONDAY = date(2026, 1, 5)


def told(*totals: float | None) -> Flows:
    """Final days from Monday, 5 January on, weekends left out; None is a day without a report."""
    days = [MONDAY + timedelta(days=7 * (n // 5) + n % 5) for n in range(len(totals))]
    return assess(
        [
            Report(
                date=day,
                known_at=T0 - 30 * DAY,
                state=DayState.PENDING if total is None else DayState.FINAL,
                total_musd=total,
                funds={},
            )
            for day, total in zip(days, totals, strict=True)
        ],
        asset="BTC",
        as_of=T0,
        source="x",
        since=MONDAY,
    )


def closed(day: date) -> datetime:
    """16:00 New York, in winter."""
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)


def test_five_days_that_sum_to_nought_are_steady() -> None:
    found = lights.flows(told(0.1, 0.2, -0.3, 5.0, -5.0), threshold=0.0)
    assert (found.light, found.sum_musd) == (Light(state=State.GREEN, since=None), 0.0)
    # The next five are 0.2 - 0.3 + 5 - 5 + x.
    assert found.next_needed == pytest.approx(0.1)


def test_since_the_day_whose_sum_crossed() -> None:
    # Sums of five from Friday on: 5, 4, -6, -7: the third ends on Tuesday the 13th.
    found = lights.flows(told(1, 1, 1, 1, 1, 0, -9, 0), threshold=0.0)
    assert found.light.state is State.RED
    assert found.light.since == closed(date(2026, 1, 13))
    assert (found.sum_musd, found.next_needed) == (-7.0, 8.0)  # 1 + 0 - 9 + 0 stand


def test_the_threshold_is_the_server_s() -> None:
    flows = told(1, 1, 1, 1, 1)
    assert lights.flows(flows, threshold=5.0).light.state is State.GREEN
    assert lights.flows(flows, threshold=5.1).light.state is State.RED
    assert lights.flows(flows, threshold=5.1).next_needed == pytest.approx(1.1)


def test_zero_not_reported_and_too_few_are_three_things() -> None:
    assert lights.flows(told(0, 0, 0, 0, 0), threshold=0.0).light.state is State.GREEN
    one = lights.flows(told(-1, 0, 0, 0, 0, None), threshold=0.0)
    assert (one.light.state, one.latest and one.latest.state) == (State.RED, DayState.PENDING)
    two = lights.flows(told(-1, 0, 0, 0, 0, None, None), threshold=0.0)
    assert (two.light.state, two.light.why) == (State.UNKNOWN, Why.NOT_REPORTED)
    assert lights.flows(told(-1, 0, 0, 0), threshold=0.0).light.why is Why.TOO_FEW


def test_stale_flows_have_no_colour() -> None:
    stale = replace(told(1, 1, 1, 1, 1), freshness=Freshness.STALE)
    found = lights.flows(stale, threshold=0.0).light
    assert (found.state, found.why, found.since) == (State.UNKNOWN, Why.STALE, closed(date(2026, 1, 9)))


# Macro and silver


def move(*course: tuple[int, float], fresh: Freshness = Freshness.FRESH) -> FiveDays:
    """z by the hours after T0 at which each was known."""
    told = tuple((T0 + hours * HOUR, z) for hours, z in course)
    return FiveDays(
        last=Point(T0.date(), told[-1][0], 97.0), z=told[-1][1], low=96.0, high=98.0, course=told,
        source="x", freshness=fresh,
    )  # fmt: skip


QUIET = move((0, 0.1), (24, 0.2), (48, -0.3))


def macro(dollar: FiveDays | None, breakeven: FiveDays | None, *, at: int, event: int | None = None) -> Light:
    calendar = [] if event is None else [Coming(kind=EventKind.CPI, at=T0 + event * HOUR)]
    return lights.macro(dollar, breakeven, calendar, threshold=1.5, as_of=T0 + at * HOUR).light


def test_both_moves_have_to_be_small() -> None:
    loud = move((0, 0.1), (24, -1.5), (48, 1.6))
    assert macro(QUIET, QUIET, at=50) == Light(state=State.GREEN, since=None)
    assert macro(loud, QUIET, at=50) == Light(state=State.RED, since=T0 + 24 * HOUR)
    assert macro(QUIET, loud, at=50).state is State.RED
    # 1.4999 is under the threshold, 1.5 is not.
    assert macro(move((0, 1.5), (24, 1.4999)), QUIET, at=50) == Light(state=State.GREEN, since=T0 + 24 * HOUR)


@pytest.mark.parametrize(
    ("at", "colour", "since"),
    [(75, State.GREEN, None), (76, State.RED, 76), (99, State.RED, 76), (100, State.GREEN, 100)],
)
def test_a_release_within_a_day_is_not_calm(at: int, colour: State, since: int | None) -> None:
    expected = None if since is None else T0 + since * HOUR
    assert macro(QUIET, QUIET, at=at, event=100) == Light(state=colour, since=expected)


def test_the_next_event_is_told() -> None:
    calendar = [Coming(kind=EventKind.DECISION, at=T0), Coming(kind=EventKind.CPI, at=T0 + DAY)]
    found = lights.macro(QUIET, QUIET, calendar, threshold=1.5, as_of=T0)
    assert found.coming == calendar[1]


def test_without_one_of_them_or_stale_it_is_unknown() -> None:
    assert macro(QUIET, None, at=50) == Light(state=State.UNKNOWN, since=T0 + 48 * HOUR, why=Why.MISSING)
    assert macro(None, None, at=50) == Light(state=State.UNKNOWN, since=None, why=Why.MISSING)
    stale = move((0, 9.0), (12, 9.0), fresh=Freshness.STALE)
    # Loud or quiet: what is old has no colour.
    assert macro(stale, QUIET, at=50) == Light(state=State.UNKNOWN, since=T0 + 12 * HOUR, why=Why.STALE)
    late = replace(QUIET, freshness=Freshness.LATE)
    assert macro(late, QUIET, at=50).state is State.GREEN


RISE = Rise(known_at=T0 + 30 * HOUR, effective=T0 + 60 * HOUR, pct=20.0)


@pytest.mark.parametrize(
    ("at", "colour", "since"),
    [
        (29, State.GREEN, None),
        (30, State.RED, 30),  # told
        (61, State.RED, 30),  # in force
        (60 + 7 * 24 - 1, State.RED, 30),
        (60 + 7 * 24, State.GREEN, 60 + 7 * 24),  # a week old
    ],
)
def test_a_rise_of_the_margin_is_news_from_its_notice_to_a_week_after(
    at: int, colour: State, since: int | None
) -> None:
    found = lights.silver(QUIET, [RISE], threshold=1.5, as_of=T0 + at * HOUR)
    expected = None if since is None else T0 + since * HOUR
    assert (found.light, found.rise) == (Light(state=colour, since=expected), RISE)


def test_silver_s_own_move() -> None:
    loud = move((0, 0.1), (24, -4.0))
    assert lights.silver(loud, [], threshold=1.5, as_of=T0 + 50 * HOUR).light == Light(
        state=State.RED, since=T0 + 24 * HOUR
    )
    assert lights.silver(loud, [], threshold=5.0, as_of=T0 + 50 * HOUR).light.state is State.GREEN
