"""ETF flows: every figure the source names, the real regime, and each rule by hand."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import comb
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.flows import DayState, Flows, Reading, Regime, Report, assess, binomial_at_most, regime


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def report(
    day: date,
    total: float | None,
    *,
    state: DayState = DayState.FINAL,
    known: datetime | None = None,
    funds: dict[str, float | None] | None = None,
) -> Report:
    """Known from 09:00 UTC of the next day, as the store has it without another word."""
    default = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(days=1)
    return Report(
        date=day, known_at=known or default, state=state, total_musd=total, funds=funds or {"IBIT": total}
    )


@pytest.fixture(scope="session")
def bitcoin() -> list[Report]:
    with (Path(__file__).parent / "data" / "btc_spot_etf_flows.csv").open(newline="") as lines:
        return [
            report(
                date.fromisoformat(row.pop("date")),
                float(row.pop("Total")),
                funds={code: float(flow) for code, flow in row.items()},
            )
            for row in csv.DictReader(lines)
        ]


def ask(reports: Sequence[Report], at: str, **options: Any) -> Flows:
    return assess(reports, asset="BTC", as_of=utc(at), source="test", **options)


def days(totals: Sequence[float], *, first: str = "2026-01-01") -> list[Report]:
    """Final days in a row; the calendar does not matter here."""
    start = date.fromisoformat(first)
    return [report(start + timedelta(days=i), total) for i, total in enumerate(totals)]


def test_two_of_thirteen(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-05T12:00", since=date(2026, 1, 16))
    assert (result.final_days, result.positive_days, result.negative_days) == (13, 2, 11)
    assert result.sum_musd == pytest.approx(-3_461.6)
    assert (result.streak, result.streak_since) == (-2, date(2026, 2, 3))
    assert (result.last_date, result.last_musd) == (date(2026, 2, 4), -544.9)
    assert [(day.date, day.total_musd) for day in result.days if (day.total_musd or 0) > 0] == [
        (date(2026, 1, 26), 6.8),
        (date(2026, 2, 2), 561.8),
    ]
    assert result.odds is not None
    assert result.odds.base_days == 505
    assert result.odds.base_share == 318 / 505
    assert result.odds.p_value == pytest.approx(0.0006, abs=0.00005)
    assert result.best is not None
    assert result.worst is not None
    assert (result.best.date, result.best.total_musd) == (date(2026, 2, 2), 561.8)
    assert (result.worst.date, result.worst.total_musd) == (date(2026, 1, 29), -817.8)


def test_the_week_of_the_fall(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-05T12:00", since=date(2026, 1, 29))
    assert result.sum_musd == pytest.approx(-1_582.6)
    assert [day.total_musd for day in result.days] == [-817.8, -509.7, 561.8, -272.0, -544.9]


def test_the_reading_of_4_february(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-05T12:00")
    assert result.reading.rolling_20_musd == pytest.approx(-2_785.2)
    assert result.reading.rolling_5_musd == pytest.approx(-1_582.6)
    assert result.reading.hit_rate_20_pct == 30
    assert result.reading.z5 == pytest.approx(-1.43, abs=0.005)
    assert result.reading.sums5 == 250
    assert result.regime is Regime.DISTRIBUTION
    assert result.cushion.musd == pytest.approx(-8_001.6)
    assert result.cushion.peak_musd == pytest.approx(62_735.9)
    assert result.cushion.peak_date == date(2025, 10, 9)
    assert result.cushion.pct == pytest.approx(-100 * 8_001.6 / 62_735.9)
    assert (result.final_days, result.waiting) == (30, 0)


def test_since_launch(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-06T12:00", since=date(2024, 1, 1))
    assert result.cumulative_musd == pytest.approx(54_300.2)
    assert result.days[-1].cumulative_musd == pytest.approx(54_300.2)
    assert result.odds is None  # nothing before the window to compare with
    months = {f"{month.first:%Y-%m}": month for month in result.months}
    assert months["2025-10"].total_musd == pytest.approx(3_424.9)
    assert months["2025-11"].total_musd == pytest.approx(-3_466.7)
    assert months["2026-01"].total_musd == pytest.approx(-1_604.8)
    assert [month.complete for month in result.months] == [True] * 25 + [False]
    assert sum(month.final_days for month in result.months) == 519
    assert sum(month.positive_days for month in result.months) == result.positive_days


def test_every_figure_the_source_names(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-06T12:00", since=date(2025, 10, 1))
    totals = {str(day.date): day.total_musd for day in result.days}
    named = {
        "2025-10-01": 675.8,
        "2025-10-02": 627.2,
        "2025-10-03": 985.1,
        "2025-10-06": 1_205.2,
        "2025-10-16": -530.9,
        "2025-10-29": -470.7,
        "2025-10-30": -488.4,
        "2025-11-20": -903.2,
        "2026-01-05": 697.2,
        "2026-01-06": -243.2,
        "2026-01-07": -486.1,
        "2026-01-29": -817.8,
        "2026-01-30": -509.7,
        "2026-02-02": 561.8,
        "2026-02-03": -272.0,
        "2026-02-04": -544.9,
    }
    assert {day: totals[day] for day in named} == named


def test_funds_of_the_last_day(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-06T12:00", since=date(2026, 2, 5))
    assert [fund.code for fund in result.funds][:2] == ["IBIT", "FBTC"]
    assert sum(fund.last_musd or 0 for fund in result.funds) == pytest.approx(-434.1)
    assert sum(fund.cumulative_musd for fund in result.funds) == pytest.approx(54_300.2, abs=1)
    assert [fund.sum_musd for fund in result.funds] == [fund.last_musd for fund in result.funds]
    # 175.3 of the 434.1 that left, no fund gained.
    assert result.largest == "IBIT"
    assert result.largest_share_pct == pytest.approx(100 * 175.3 / 434.1)


@pytest.mark.parametrize(
    ("positive", "n", "share", "expected"),
    [(2, 13, 318 / 505, 0.0006), (2, 13, 0.55, 0.0041)],
)
def test_published_odds(positive: int, n: int, share: float, expected: float) -> None:
    assert binomial_at_most(positive, n, share) == pytest.approx(expected, abs=0.00005)


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_odds_in_exact_fractions(n: int, data: st.DataObject) -> None:
    positive = data.draw(st.integers(0, n))
    share = Fraction(data.draw(st.integers(0, 100)), 100)
    exact = sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(positive + 1))
    assert binomial_at_most(positive, n, float(share)) == pytest.approx(float(exact), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("positive", [200, 750, 900])
def test_odds_of_many_years(positive: int) -> None:
    # 1,500 days at three in five, in whole numbers: C(n, i) itself would overflow a float.
    exact = Fraction(sum(comb(1_500, i) * 3**i * 2 ** (1_500 - i) for i in range(positive + 1)), 5**1_500)
    assert binomial_at_most(positive, 1_500, 0.6) == pytest.approx(float(exact), rel=1e-7, abs=1e-300)


@pytest.mark.parametrize(
    ("totals", "streak", "since", "zeros"),
    [
        ([5], 1, 1, 0),
        ([5, 5, -1], -1, 3, 0),
        ([-1, 5, 5, 5], 3, 2, 0),
        ([-1, -2, 0], -2, 1, 1),  # a zero neither breaks nor lengthens it
        ([-1, 0, 0, -2], -2, 1, 2),
        ([-1, 0, 2], 1, 3, 0),
        ([0], 0, None, 0),
        ([0, 3], 1, 2, 0),
    ],
)
def test_streak(totals: list[float], streak: int, since: int | None, zeros: int) -> None:
    result = ask(days(totals), "2026-03-01T00:00")
    expected = None if since is None else date(2026, 1, since)
    assert (result.streak, result.streak_since, result.streak_zeros) == (streak, expected, zeros)


def test_zero_is_neither_inflow_nor_outflow() -> None:
    result = ask(days([0, 1, -1, 0]), "2026-03-01T00:00")
    assert (result.final_days, result.positive_days, result.negative_days) == (4, 1, 1)


def test_a_day_not_final_is_shown_and_not_counted() -> None:
    day = date(2026, 1, 6)
    rows = [
        *days([1, 2, -3, -4, -5]),
        report(day, -100.0, state=DayState.PARTIAL, funds={"IBIT": -100.0, "FBTC": None}),
        report(date(2026, 1, 7), None, state=DayState.PENDING, funds={"IBIT": None, "FBTC": None}),
    ]
    result = ask(
        rows, "2026-01-09T00:00", since=date(2026, 1, 5), closed=[date(2026, 1, 8), date(2026, 1, 19)]
    )
    assert (result.streak, result.last_date, result.cumulative_musd) == (-3, date(2026, 1, 5), -9)
    assert (result.final_days, result.sum_musd, result.waiting) == (1, -5, 2)
    # The holiday of the 19th is not there yet on the 9th.
    assert [(day.date.day, day.state.value, day.total_musd, day.cumulative_musd) for day in result.days] == [
        (5, "final", -5, -9),
        (6, "partial", -100, None),
        (7, "pending", None, None),
        (8, "closed", None, None),
    ]
    assert result.days[1].funds == {"IBIT": -100.0, "FBTC": None}
    # The month is over in February, but two of its days never came.
    assert not ask(rows, "2026-02-01T00:00").months[0].complete


def test_a_session_nobody_reported_is_pending() -> None:
    rows = [report(date(2026, 1, day), 1.0) for day in (5, 6, 8)]
    sessions = [date(2026, 1, day) for day in (2, 5, 6, 7, 8, 9)]
    result = ask(rows, "2026-01-10T00:00", sessions=sessions)
    # Not before the first day the publisher speaks of: nothing was traded yet.
    assert [(day.date.day, day.state.value, day.total_musd) for day in result.days] == [
        (5, "final", 1.0),
        (6, "final", 1.0),
        (7, "pending", None),
        (8, "final", 1.0),
        (9, "pending", None),
    ]
    assert (result.streak, result.final_days, result.history_days, result.waiting) == (3, 3, 3, 2)
    assert [day.date.day for day in result.pending] == [9]
    assert (result.latest.date, result.latest.state) == (date(2026, 1, 9), DayState.PENDING)
    [month] = result.months
    assert (month.waiting, month.complete) == (2, False)
    [month] = ask(rows, "2026-02-10T00:00", sessions=sessions).months
    assert (month.waiting, month.complete) == (2, False)


def test_two_silent_sessions_leave_no_regime() -> None:
    rows = days([1.0] * 30)
    after = [date(2026, 1, 31), date(2026, 2, 1)]
    assert ask(rows, "2026-02-03T00:00", sessions=after[:1]).regime is Regime.ACCUMULATION
    assert ask(rows, "2026-02-03T00:00", sessions=after).regime is Regime.INSUFFICIENT


def test_the_holiday_after_the_last_session_is_the_latest_day() -> None:
    result = ask(days([1.0] * 3), "2026-01-04T12:00", closed=[date(2026, 1, 4)])
    assert (result.latest.date, result.latest.state) == (date(2026, 1, 4), DayState.CLOSED)
    assert result.pending == ()
    # What is reported overrules the calendar.
    assert ask(days([1.0] * 3), "2026-01-04T12:00", closed=[date(2026, 1, 3)]).latest.state is DayState.FINAL


def test_the_last_version_known_counts() -> None:
    day = date(2026, 1, 2)
    rows = [
        report(day, 307.5, known=utc("2026-01-03T09:00")),
        report(day, 310.0, known=utc("2026-01-05T09:00")),
        report(day, 68.2, state=DayState.PARTIAL, known=utc("2026-01-02T23:00")),
        report(date(2026, 1, 1), 1.0),
    ]
    assert ask(rows, "2026-01-03T08:59").cumulative_musd == 1.0
    assert ask(rows, "2026-01-03T09:00").cumulative_musd == 308.5
    assert ask(rows, "2026-01-05T09:00").cumulative_musd == 311.0


def test_a_revision_back_to_partial_takes_the_day_out() -> None:
    rows = [
        *days([1, 2]),
        report(date(2026, 1, 2), 1.5, state=DayState.PARTIAL, known=utc("2026-01-10T00:00")),
    ]
    result = ask(rows, "2026-01-10T00:00")
    assert (result.last_date, result.waiting) == (date(2026, 1, 1), 1)


def test_the_one_fund_that_bleeds_is_named() -> None:
    rows = [
        report(date(2026, 1, 1), 5.0, funds={"GBTC": -95.0, "IBIT": 100.0, "FBTC": 0.0}),
        report(date(2026, 1, 2), -5.0, funds={"GBTC": -3.0, "IBIT": -2.0, "FBTC": None}),
        report(date(2026, 1, 3), 0.0, funds={"GBTC": 0.0, "IBIT": 0.0, "FBTC": 0.0}),
    ]
    result = ask(rows, "2026-03-01T00:00")
    assert [day.sole_outflow for day in result.days] == ["GBTC", None, None]
    assert (result.largest, result.largest_share_pct) == (None, None)
    earlier = ask(rows, "2026-01-02T12:00")
    assert earlier.largest == "IBIT"
    assert earlier.largest_share_pct == pytest.approx(100 * 100 / 195)


def test_cushion_by_hand() -> None:
    # Forty days of +10 make 400; twenty of -4 leave 320. The last 60 days took in 400, the
    # last 20 lose 4 a day: a hundred days.
    result = ask(days([10.0] * 40 + [-4.0] * 20), "2026-06-01T00:00").cushion
    assert (result.musd, result.peak_musd, result.pct) == (-80, 400, -20)
    assert result.peak_date == date(2026, 2, 9)
    assert result.days_left == pytest.approx(100)
    assert ask(days([10.0] * 39 + [-4.0] * 20), "2026-06-01T00:00").cushion.days_left is None
    assert ask(days([10.0] * 60), "2026-06-01T00:00").cushion.days_left is None
    under = ask(days([-1.0, -2.0]), "2026-06-01T00:00").cushion
    assert (under.musd, under.peak_musd, under.pct) == (-2, -1, None)


def test_what_is_zero_on_paper_is_zero() -> None:
    # In floats 0.1 + 0.2 - 0.3 is 5.6e-17, and the pile would be a little above its highest before.
    assert ask(days([0.3, -0.1, -0.2, 0.1, 0.2]), "2026-06-01T00:00").cushion.musd == 0
    result = ask(days([0.1, 0.2, -0.3] * 6 + [0.0, 0.0]), "2026-06-01T00:00")
    assert result.reading.rolling_20_musd == 0
    assert result.regime is Regime.NEUTRAL


def reading(s5: float | None, s20: float | None, hits: float | None, z5: float, percentile: float) -> Reading:
    return Reading(
        rolling_5_musd=s5,
        rolling_20_musd=s20,
        hit_rate_20_pct=hits,
        z5=z5,
        percentile5=percentile,
        sums5=250,
    )


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (reading(-1, -1, 30, -2.0, 2.0), "CAPITULATION"),
        (reading(-1, -1, 30, -2.0, 2.1), "DISTRIBUTION"),
        (reading(-1, -1, 30, -1.99, 1.0), "DISTRIBUTION"),
        (reading(1, -1, 35, 0, 50), "DISTRIBUTION"),  # before STABILISING: the first that fits
        (reading(1, -1, 40, 0, 50), "STABILISING"),
        (reading(0, -1, 40, 0, 50), "NEUTRAL"),
        (reading(-1, -1, 40, 0, 50), "NEUTRAL"),
        (reading(1, 1, 60, 0, 50), "ACCUMULATION"),
        (reading(1, 1, 55, 0, 50), "NEUTRAL"),
        (reading(1, 0, 60, 0, 50), "NEUTRAL"),
        (reading(1, None, None, 0, 50), "NEUTRAL"),
    ],
)
def test_the_first_rule_that_fits(one: Reading, name: str) -> None:
    assert regime(one, final_days=20, waiting=1).value == name
    assert regime(one, final_days=14, waiting=0) is Regime.INSUFFICIENT
    assert regime(one, final_days=20, waiting=2) is Regime.INSUFFICIENT


@pytest.mark.parametrize(
    ("count", "has5", "has20", "name"),
    [
        (4, False, False, "INSUFFICIENT"),
        (14, True, False, "INSUFFICIENT"),
        (15, True, False, "NEUTRAL"),
        (20, True, True, "ACCUMULATION"),
    ],
)
def test_a_short_history(count: int, *, has5: bool, has20: bool, name: str) -> None:
    result = ask(days([1.0] * count), "2026-06-01T00:00")
    assert (result.reading.rolling_5_musd is not None) is has5
    assert (result.reading.rolling_20_musd is not None) is has20
    assert result.reading.z5 is None  # without spread there is no z
    assert result.regime.value == name


@settings(deadline=None)
@given(st.lists(st.integers(-900, 900).map(lambda tenths: tenths / 10), min_size=6, max_size=300))
def test_z_and_percentile_by_plain_loops(totals: list[float]) -> None:
    result = ask(days(totals, first="2024-01-01"), "2026-06-01T00:00").reading
    sums = [sum(totals[i : i + 5]) for i in range(len(totals) - 4)][-250:]
    assert result.sums5 == len(sums)
    rank = sum(1 for one in sums if round(one, 6) <= round(sums[-1], 6))
    assert result.percentile5 == pytest.approx(100 * rank / (len(sums) + 1))
    if round(stdev(sums), 6):
        assert result.z5 == pytest.approx((sums[-1] - mean(sums)) / stdev(sums), abs=1e-6)


def test_the_default_window_is_thirty_final_days(bitcoin: list[Report]) -> None:
    result = ask(bitcoin, "2026-02-05T12:00")
    assert (result.final_days, result.since) == (30, result.days[0].date)
    assert ask(days([1.0] * 3), "2026-06-01T00:00").since == date(2026, 1, 1)


def test_a_window_after_the_last_final_day_is_empty() -> None:
    result = ask(days([1.0] * 3), "2026-06-01T00:00", since=date(2026, 5, 1))
    assert (result.final_days, result.sum_musd, result.best, result.worst, result.odds) == (
        0,
        0,
        None,
        None,
        None,
    )


def test_nothing_final_is_said(bitcoin: list[Report]) -> None:
    with pytest.raises(UserError, match="No final day of BTC ETF flows"):
        ask(bitcoin, "2024-01-11T12:00")


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(2024, 3, 1), datetime(2026, 2, 7)))  # noqa: DTZ001 - made aware below
def test_nothing_known_later_leaks(bitcoin: list[Report], moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    options: dict[str, Any] = {"asset": "BTC", "as_of": at, "source": "test"}
    known = [one for one in bitcoin if one.known_at <= at]
    assert assess(bitcoin, **options) == assess(known, **options)
