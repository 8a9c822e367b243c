"""The board and the verdict on the real closes of the sell-off, and each figure by plain loops."""

from __future__ import annotations

import csv
import statistics
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import exp, log, sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.closes import Close
from analysis.correlation import distinguishable
from analysis.errors import UserError
from analysis.sessions import INSTRUMENTS, ewma_sigmas
from analysis.stress import Stress, assess
from analysis.verdict import Verdict

NEW_YORK = ZoneInfo("America/New_York")
Closes = dict[str, list[Close]]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def session_end(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T17:00").replace(tzinfo=NEW_YORK).astimezone(UTC)


def read(hour: int) -> Closes:
    """Closes by instrument, bitcoin's at that hour of New York; all of them known at 17:00."""
    closes: Closes = {code: [] for code in INSTRUMENTS}
    with (Path(__file__).parent / "data" / "new_york_closes.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            for code in INSTRUMENTS:
                price = row[f"BTC_{hour}" if code == "BTC" else code]
                if price:
                    day = row["date"]
                    closes[code].append(Close(date.fromisoformat(day), session_end(day), float(price)))
    return closes


@pytest.fixture(scope="session")
def market() -> Closes:
    return read(17)


def made(days: int, **paths: list[float]) -> Closes:
    """``days`` weekdays from 1 September 2025; prices swing by 1 % unless a path of log returns is given."""
    dates: list[date] = []
    day = date(2025, 9, 1)
    while len(dates) < days:
        if day.weekday() < 5:
            dates.append(day)
        day += timedelta(days=1)
    closes: Closes = {}
    for code in INSTRUMENTS:
        returns = [0.01 * (-1) ** i for i in range(days - 1)]
        tail = paths.get(code, [])
        returns[len(returns) - len(tail) :] = tail
        prices = [100.0]
        for one in returns:
            prices.append(prices[-1] * exp(one))
        closes[code] = [
            Close(one, session_end(one.isoformat()), price) for one, price in zip(dates, prices, strict=True)
        ]
    return closes


def after(closes: Closes) -> datetime:
    """An hour after the last close."""
    return max(one[-1].closed_at for one in closes.values() if one) + timedelta(hours=1)


def test_the_board_since_28_january(market: Closes) -> None:
    result = assess(market, as_of=utc("2026-02-06T12:00"), since=date(2026, 1, 28))
    moves = {move.instrument: move for move in result.moves}
    assert {code: move.pct for code, move in moves.items() if code != "BTC"} == pytest.approx(
        {"SI": -32.34, "GC": -8.30, "ES": -2.66, "NQ": -5.75, "DXY": 1.42, "CL": 0.13}, abs=0.005
    )
    assert (moves["SI"].start.price, moves["SI"].end.price) == (113.111, 76.529)
    assert {move.start.date for move in result.moves} == {date(2026, 1, 28)}
    assert {move.end.date for move in result.moves} == {date(2026, 2, 5)}
    assert result.session == date(2026, 2, 5)


@pytest.mark.parametrize(
    ("at", "session"), [("2026-02-05T18:00", date(2026, 2, 4)), ("2026-02-06T12:00", date(2026, 2, 5))]
)
def test_the_verdict_of_the_fall(market: Closes, at: str, session: date) -> None:
    result = assess(market, as_of=utc(at))
    assert (result.session, result.verdict, result.latest) == (
        session,
        Verdict.DELEVERAGING,
        Verdict.DELEVERAGING,
    )
    assert result.verdict_since == date(2026, 2, 4)
    assert result.missing == ()


def plain_z5(prices: list[float]) -> float:
    returns = [log(b / a) for a, b in pairwise(prices)]
    variance = sum(one**2 for one in returns[:20]) / 20
    for one in returns[20:-1]:
        variance = 0.94 * variance + 0.06 * one**2
    return sum(returns[-5:]) / sqrt(5 * variance)


def test_z5_by_plain_loops(market: Closes) -> None:
    result = assess(market, as_of=utc("2026-02-06T12:00"))
    expected = {
        code: plain_z5([close.price for close in market[code] if close.date <= date(2026, 2, 5)])
        for code in INSTRUMENTS
    }
    assert {one.instrument: one.z5 for one in result.contributions} == pytest.approx(expected)
    assert [one.instrument for one in result.contributions if not one.votes] == ["NQ", "CL"]
    assert result.quantities.risk == pytest.approx((expected["BTC"] + expected["ES"]) / 2)
    assert result.quantities.risk == pytest.approx(-2.9, abs=0.05)
    assert result.quantities.hedge == pytest.approx(-1.2, abs=0.05)
    assert result.quantities.dollar == pytest.approx(1.7, abs=0.05)
    votes = [expected[code] for code in ("BTC", "SI", "GC", "ES", "DXY")]
    assert result.quantities.dispersion == pytest.approx(statistics.stdev(votes))


def test_a_board_of_another_length_counts_its_returns(market: Closes) -> None:
    week = assess(market, as_of=utc("2026-02-06T12:00"))
    # The default board is the five days of the verdict.
    assert {move.instrument: move.sigma for move in week.moves} == pytest.approx(
        {one.instrument: one.z5 for one in week.contributions}
    )
    assert week.since == date(2026, 1, 29)
    longer = assess(market, as_of=utc("2026-02-06T12:00"), since=date(2026, 1, 28))
    for move, five, one in zip(longer.moves, week.moves, week.contributions, strict=True):
        sigma = log(five.end.price / five.start.price) / one.z5 / sqrt(5)
        assert move.sigma == pytest.approx(log(move.end.price / move.start.price) / sigma / sqrt(6))
    assert (longer.verdict, longer.contributions) == (week.verdict, week.contributions)


def test_since_a_sunday_is_the_close_of_friday(market: Closes) -> None:
    result = assess(market, as_of=utc("2026-02-06T12:00"), since=date(2026, 2, 1))
    assert {move.start.date for move in result.moves} == {date(2026, 1, 30)}
    # On the last session itself nothing has moved, and there is no return to measure.
    result = assess(market, as_of=utc("2026-02-06T12:00"), since=date(2026, 2, 5))
    assert {(move.pct, move.sigma) for move in result.moves} == {(0.0, None)}


@pytest.mark.parametrize(
    ("window", "code", "r", "low", "high"),
    [
        (30, "DXY", -0.10, -0.44, 0.27),
        (90, "DXY", -0.06, -0.26, 0.15),
        (30, "ES", 0.44, 0.09, 0.69),
        (90, "ES", 0.47, 0.29, 0.62),
        (30, "GC", 0.07, -0.30, 0.42),
        (90, "GC", 0.08, -0.13, 0.28),
    ],
)
def test_published_correlations_with_bitcoin_at_16(
    window: int, code: str, r: float, low: float, high: float
) -> None:
    result = assess(read(16), as_of=utc("2026-02-06T12:00"))
    (pair,) = (one for one in result.correlations if (one.window, one.instrument) == (window, code))
    found = pair.correlation
    assert (found.r, found.low, found.high, found.n) == pytest.approx((r, low, high, window), abs=0.005)


@pytest.mark.parametrize("hour", [16, 17])
def test_equities_against_gold_is_clear_at_90_days_only(hour: int) -> None:
    result = assess(read(hour), as_of=utc("2026-02-06T12:00"))
    pairs = {(one.instrument, one.window): one.correlation for one in result.correlations}
    assert distinguishable(pairs["ES", 90], pairs["GC", 90])
    assert not distinguishable(pairs["ES", 30], pairs["GC", 30])
    assert set(pairs) == {(code, window) for code in INSTRUMENTS[1:] for window in (30, 90)}


def test_a_missing_close_drops_its_pairs(market: Closes) -> None:
    gone = date(2026, 1, 20)
    holes = {**market, "GC": [close for close in market["GC"] if close.date != gone]}
    result = assess(holes, as_of=utc("2026-02-06T12:00"))
    btc = {close.date: close.price for close in market["BTC"]}
    gold = {close.date: close.price for close in holes["GC"]}
    days = [close.date for close in market["ES"] if close.date <= date(2026, 2, 5)]
    x, y = [], []
    for before, now in pairwise(days):
        if before in gold and now in gold:
            x.append(log(btc[now] / btc[before]))
            y.append(log(gold[now] / gold[before]))
    (pair,) = (one for one in result.correlations if (one.window, one.instrument) == (90, "GC"))
    assert pair.correlation.r == pytest.approx(statistics.correlation(x[-90:], y[-90:]))


def test_volatility_is_known_before_the_return() -> None:
    returns = [0.01, -0.02] * 10 + [0.05, 0.0]
    sigmas = ewma_sigmas(returns)
    assert sigmas[:20] == [None] * 20
    # The mean square of ten 1 % and ten 2 % days is 0.00025.
    assert sigmas[20:] == pytest.approx([sqrt(0.00025), sqrt(0.94 * 0.00025 + 0.06 * 0.0025)])
    assert ewma_sigmas(returns[:20]) == [None] * 20


def test_the_price_that_would_turn_it(market: Closes) -> None:
    result = assess(market, as_of=utc("2026-02-06T12:00"))
    nearest = result.turns[0]
    assert result.confidence == pytest.approx(abs(nearest.flip.border - nearest.flip.z5))
    for turn in result.turns:
        # With that price as the last close, z5 is the border: sigma was known before it.
        code = turn.flip.instrument
        prices = [close.price for close in market[code] if close.date <= date(2026, 2, 5)]
        assert plain_z5([*prices[:-1], turn.price]) == pytest.approx(turn.flip.border, abs=1e-9)
    found = {turn.flip.instrument: turn.flip.verdict for turn in result.turns}
    assert found["GC"] is found["DXY"] is Verdict.RISK_OFF_UNCLEAR


def test_a_new_verdict_has_to_be_found_twice() -> None:
    crash = {"BTC": [-0.1], "ES": [-0.1], "GC": [-0.05], "DXY": [0.05]}
    once = made(40, **crash)
    first = assess(once, as_of=after(once))
    assert (first.verdict, first.latest) == (Verdict.CALM_MIXED, Verdict.DELEVERAGING)
    still = {code: [*path, 0.0] for code, path in crash.items()}
    twice = made(41, **still)
    second = assess(twice, as_of=after(twice))
    assert (second.verdict, second.latest) == (Verdict.DELEVERAGING, Verdict.DELEVERAGING)
    assert second.verdict_since == second.session


def test_a_session_without_the_dollar_is_passed_over() -> None:
    crash = {"BTC": [-0.1, 0, 0], "ES": [-0.1, 0, 0], "GC": [-0.05, 0, 0], "DXY": [0.05, 0, 0]}
    closes = made(42, **crash)
    holiday = closes["DXY"].pop(-2).date
    result = assess(closes, as_of=after(closes))
    assert (result.verdict, result.verdict_since) == (Verdict.DELEVERAGING, result.session)
    # On the holiday itself there is nothing to say, and the reason is named.
    assert result.session > holiday
    closed_at = next(close.closed_at for close in closes["BTC"] if close.date == holiday)
    result = assess(closes, as_of=closed_at + timedelta(hours=7))
    assert (result.session, result.verdict, result.verdict_since) == (holiday, Verdict.UNKNOWN, holiday)
    assert [(one.instrument, one.last) for one in result.missing] == [("DXY", closes["DXY"][-2].date)]
    assert (result.turns, result.confidence) == ((), None)


def test_closes_still_arriving_are_waited_for() -> None:
    closes = made(40)
    late = closes["DXY"].pop()
    early = assess(closes, as_of=late.closed_at + timedelta(hours=5, minutes=59))
    assert early.session < late.date
    assert early.verdict is not Verdict.UNKNOWN
    assert early.missing == ()
    assert assess(closes, as_of=late.closed_at + timedelta(hours=6)).verdict is Verdict.UNKNOWN


def test_stale_closes_are_refused(market: Closes) -> None:
    last = session_end("2026-02-06")
    late = assess(market, as_of=last + timedelta(days=4, hours=6, seconds=-1))
    assert late.verdict is not Verdict.UNKNOWN
    stale = assess(market, as_of=last + timedelta(days=4, hours=6))
    assert (stale.verdict, stale.latest, stale.contributions) == (Verdict.UNKNOWN, Verdict.UNKNOWN, ())
    assert {one.last for one in stale.missing} == {date(2026, 2, 6)}
    assert [one.instrument for one in stale.missing] == list(INSTRUMENTS)


def test_stale_in_the_middle_of_a_week(market: Closes) -> None:
    until = {code: [one for one in closes if one.date <= date(2026, 2, 3)] for code, closes in market.items()}
    assert assess(until, as_of=utc("2026-02-05T12:00")).verdict is not Verdict.UNKNOWN
    result = assess(until, as_of=utc("2026-02-06T12:00"))
    assert (result.stale, result.verdict, result.rules, result.skipped) == (True, Verdict.UNKNOWN, (), ())
    # What is known is still on the board.
    assert len(result.moves) == 7


def test_inputs_name_their_source_and_last_close(market: Closes) -> None:
    result = assess(
        {**market, "CL": []},
        as_of=utc("2026-02-06T12:00"),
        sources={"SI": "Yahoo Finance SI=F"},
        is_sample=True,
    )
    told = {one.instrument: one for one in result.inputs}
    assert tuple(told) == INSTRUMENTS
    assert told["SI"].source == "Yahoo Finance SI=F"
    assert told["SI"].last == Close(date(2026, 2, 5), session_end("2026-02-05"), 76.529)
    assert told["CL"].last is None
    assert result.is_sample


def test_too_little_history_is_missing() -> None:
    closes = made(21)  # twenty returns: the seed, and none after it
    result = assess(closes, as_of=after(closes))
    assert result.verdict is Verdict.UNKNOWN
    assert {one.instrument for one in result.missing} == set(INSTRUMENTS)
    assert {move.sigma for move in result.moves} == {None}
    closes = made(22)
    assert assess(closes, as_of=after(closes)).verdict is not Verdict.UNKNOWN


def test_a_market_without_any_close_is_missing(market: Closes) -> None:
    result = assess({**market, "CL": []}, as_of=utc("2026-02-06T12:00"))
    assert [(one.instrument, one.last) for one in result.missing] == [("CL", None)]
    assert "CL" not in {move.instrument for move in result.moves}
    assert result.verdict is Verdict.DELEVERAGING
    without_btc = assess({**market, "BTC": []}, as_of=utc("2026-02-06T12:00"))
    assert without_btc.verdict is Verdict.UNKNOWN
    assert without_btc.correlations == ()


def test_share_of_fresh_voters_lowers_the_confidence(market: Closes) -> None:
    result = assess({**market, "SI": []}, as_of=utc("2026-02-06T12:00"))
    nearest = result.turns[0].flip
    assert result.confidence == pytest.approx(0.8 * abs(nearest.border - nearest.z5))


def test_weekends_of_bitcoin_are_no_sessions(market: Closes) -> None:
    saturday = Close(date(2026, 1, 31), session_end("2026-01-31"), 1.0)
    btc = sorted([*market["BTC"], saturday], key=lambda close: close.date)
    at = utc("2026-02-06T12:00")
    assert assess({**market, "BTC": btc}, as_of=at) == assess(market, as_of=at)


def test_two_markets_alone_make_no_session(market: Closes) -> None:
    last = date(2026, 2, 5)
    holes = {code: [one for one in closes if one.date != last] for code, closes in market.items()}
    holes["SI"], holes["DXY"] = market["SI"], market["DXY"]
    assert assess(holes, as_of=utc("2026-02-06T12:00")).session == date(2026, 2, 4)
    holes["GC"] = market["GC"]
    assert assess(holes, as_of=utc("2026-02-06T12:00")).session == last


def test_what_cannot_be_answered_is_said(market: Closes) -> None:
    with pytest.raises(UserError, match="No New York close of BTC, SI, GC, ES, NQ, DXY, CL was known"):
        assess(market, as_of=utc("2025-06-01T00:00"))
    with pytest.raises(UserError, match="no New York close since 2026-02-06"):
        assess(market, as_of=utc("2026-02-06T12:00"), since=date(2026, 2, 6))


@settings(max_examples=25, deadline=None)
@given(st.datetimes(datetime(2025, 6, 10), datetime(2026, 2, 9)))  # noqa: DTZ001 - made aware below
def test_nothing_known_later_leaks(market: Closes, moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    past = {code: [close for close in one if close.closed_at <= at] for code, one in market.items()}
    result: Stress = assess(market, as_of=at)
    assert result == assess(past, as_of=at)
    assert all(move.end.date <= result.session for move in result.moves)
