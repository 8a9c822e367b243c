from __future__ import annotations

import statistics
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.verdict import VOTERS, Measure, Verdict, checks, flips, quantities, skipped, verdict

CALM = {"BTC": 0.0, "SI": 0.0, "GC": 0.0, "ES": 0.0, "DXY": 0.0}


def test_the_week_of_the_source() -> None:
    # Simple moves, one week as 5 of 260 days, round volatilities.
    week = {"BTC": (-24, 55), "SI": (-34, 60), "GC": (-6, 20), "ES": (-2, 15), "DXY": (2, 7), "CL": (1.6, 35)}
    z5 = {code: move / (vol * sqrt(5 / 260)) for code, (move, vol) in week.items()}
    assert z5 == pytest.approx(
        {"BTC": -3.15, "SI": -4.09, "GC": -2.16, "ES": -0.96, "DXY": 2.06, "CL": 0.33}, abs=0.005
    )
    one = quantities(z5)
    assert (one.risk, one.hedge, one.dollar) == pytest.approx((-2.05, -2.16, 2.06), abs=0.01)
    assert one.dispersion == pytest.approx(statistics.stdev(z5[code] for code in VOTERS))
    assert verdict(z5) is Verdict.DELEVERAGING


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "CALM / MIXED"),
        ({"BTC": -1, "ES": -1, "DXY": 0.5, "GC": 0}, "DELEVERAGING"),
        ({"BTC": -2, "ES": 0, "DXY": 0.5, "GC": 0}, "DELEVERAGING"),
        ({"BTC": -1, "ES": -1, "DXY": 0.49, "GC": 0}, "RISK-OFF, UNCLEAR"),
        ({"BTC": -1, "ES": -1, "DXY": 0.5, "GC": 0.01}, "RISK-OFF, UNCLEAR"),
        ({"BTC": -1, "ES": -1, "DXY": 2, "GC": 0.5}, "FLIGHT TO SAFETY"),
        ({"BTC": -1, "ES": -0.99, "DXY": 0.5}, "CALM / MIXED"),
        ({"BTC": 1, "SI": 1, "GC": -1, "ES": -1, "DXY": 0}, "ROTATION"),
        ({"BTC": 1, "SI": 1, "GC": -0.99, "ES": -0.99, "DXY": 0}, "CALM / MIXED"),
        # R of -0.75 is too much for a rotation; so is too little dispersion.
        ({"BTC": -2.5, "SI": 2, "GC": 1, "ES": 1, "DXY": 0}, "CALM / MIXED"),
        ({"BTC": 1, "SI": 0, "GC": 0, "ES": -1, "DXY": 0}, "CALM / MIXED"),
        ({"BTC": 1.3, "ES": -1.3}, "CALM / MIXED"),  # sd 0.92
        ({"BTC": 1.42, "ES": -1.42}, "ROTATION"),  # sd 1.004
        ({"SI": -2}, "IDIOSYNCRATIC"),
        ({"SI": 2, "GC": 0.99}, "IDIOSYNCRATIC"),
        ({"SI": 2, "GC": 1}, "CALM / MIXED"),
        ({"SI": 1.99}, "CALM / MIXED"),
        # Before RISK-ON in the list: one market alone is no mood.
        ({"BTC": 2.5}, "IDIOSYNCRATIC"),
        ({"BTC": 1, "ES": 1}, "RISK-ON"),
        ({"BTC": 1, "ES": 1, "DXY": 0.01}, "CALM / MIXED"),
        ({"BTC": 3, "ES": -1, "SI": 2}, "RISK-ON"),
    ],
)
def test_every_rule_at_its_border(changed: dict[str, float], name: str) -> None:
    assert verdict({**CALM, **changed}).value == name


@pytest.mark.parametrize("code", ["BTC", "ES", "DXY"])
def test_without_one_of_three_nothing_is_said(code: str) -> None:
    assert verdict({one: 0.0 for one in VOTERS if one != code}) is Verdict.UNKNOWN


def test_four_voters_are_enough_and_three_are_not() -> None:
    falling = {"BTC": -3.0, "ES": -2.0, "DXY": 2.0}
    assert verdict(falling) is Verdict.UNKNOWN
    assert verdict({**falling, "GC": -1.0}) is Verdict.DELEVERAGING
    # Without gold nobody knows whether the hedge was sold.
    assert verdict({**falling, "SI": -1.0}) is Verdict.RISK_OFF_UNCLEAR


def test_oil_and_the_nasdaq_do_not_vote() -> None:
    assert verdict({**CALM, "CL": -9.0, "NQ": -9.0}) is Verdict.CALM_MIXED
    assert verdict({"BTC": 0.0, "ES": 0.0, "DXY": 0.0, "NQ": 0.0, "CL": 0.0}) is Verdict.UNKNOWN


def test_what_would_flip_a_deleveraging() -> None:
    # R = -2.05, H = -2.16, D = 2.06 of the source's week.
    z5 = {"BTC": -3.15, "SI": -4.09, "GC": -2.16, "ES": -0.96, "DXY": 2.06}
    found = {flip.instrument: (flip.border, flip.verdict) for flip in flips(z5)}
    assert found["DXY"] == (0.5, Verdict.RISK_OFF_UNCLEAR)
    assert found["GC"] == (0.0, Verdict.RISK_OFF_UNCLEAR)
    # R reaches -1 with BTC at -1.04, or with ES at 1.15.
    assert found["BTC"][0] == pytest.approx(-1.04)
    assert found["ES"][0] == pytest.approx(1.15)
    assert "SI" not in found  # silver has no say in it


def test_an_unknown_verdict_has_no_flips() -> None:
    assert flips({"BTC": 0.0, "ES": 0.0}) == ()


def test_on_a_border_a_hair_is_enough() -> None:
    (nearest, *_) = flips({"BTC": -1.0, "SI": 0.0, "GC": -1.0, "ES": -1.0, "DXY": 2.0})
    assert nearest.border == pytest.approx(nearest.z5)


sigmas = st.integers(-40, 40).map(lambda tenths: tenths / 10 + 0.013)


def walk(z5: dict[str, float], code: str, now: Verdict) -> float | None:
    """How far one voter has to be walked out, in steps of a twentieth up to 12, to another verdict."""
    for step in range(1, 241):
        for sign in (1, -1):
            if verdict({**z5, code: z5[code] + sign * step / 20}) is not now:
                return step / 20
    return None


@settings(max_examples=30, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(VOTERS, sigmas)))
def test_flips_against_a_walk(z5: dict[str, float]) -> None:
    now = verdict(z5)
    told = {flip.instrument: flip for flip in flips(z5)}
    for code in VOTERS:
        walked = walk(z5, code, now)
        # No walk comes upon another verdict before the one that is told, and that one is real.
        assert walked is None or abs(told[code].border - z5[code]) <= walked + 1e-6
        if code in told:
            around = {verdict({**z5, code: told[code].border + hair}) for hair in (-1e-6, 0.0, 1e-6)}
            assert told[code].verdict in around - {now}


def test_each_rule_tells_what_it_found() -> None:
    # R = -2.05, H = -2.16, D = 2.06 of the source's week.
    z5 = {"BTC": -3.15, "SI": -4.09, "GC": -2.16, "ES": -0.96, "DXY": 2.06}
    found = dict(checks(z5))
    assert [
        (one.measure.value, one.sign, one.border, one.value, one.met) for one in found[Verdict.DELEVERAGING]
    ] == [
        ("R", "<=", -1.0, pytest.approx(-2.055), True),
        ("D", ">=", 0.5, 2.06, True),
        ("H", "<=", 0.0, -2.16, True),
    ]
    assert [one.met for one in found[Verdict.FLIGHT_TO_SAFETY]] == [True, False]
    sizes = [(one.measure, one.value, one.met) for one in found[Verdict.IDIOSYNCRATIC]]
    assert sizes == [(Measure.LARGEST, 4.09, True), (Measure.SECOND, 3.15, False)]
    assert [one.value for one in found[Verdict.ROTATION]] == [
        pytest.approx(2.055),
        pytest.approx(statistics.stdev(z5.values())),
        2.06,
        -4.09,
    ]


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(VOTERS, st.integers(-40, 40).map(lambda tenths: tenths / 10))))
def test_the_verdict_is_the_first_rule_whose_conditions_are_met(z5: dict[str, float]) -> None:
    fitting = [rule for rule, found in checks(z5) if all(one.met for one in found)]
    assert verdict(z5) is (fitting[0] if fitting else Verdict.CALM_MIXED)


def test_what_was_not_asked_is_named() -> None:
    assert [(one.verdict, one.measure) for one in skipped(CALM)] == [(Verdict.ROTATION, Measure.ABSORPTION)]
    without_gold = {code: z for code, z in CALM.items() if code != "GC"}
    assert [(one.verdict.value, one.measure.value) for one in skipped(without_gold)] == [
        ("DELEVERAGING", "H"),
        ("FLIGHT TO SAFETY", "H"),
        ("ROTATION", "dAR"),
    ]
    assert not any(one.met for _, found in checks(without_gold) for one in found if one.value is None)
    assert skipped({}) == ()
    assert checks({}) == ()


def test_rotation_asks_whether_one_factor_has_risen() -> None:
    """dAR < 1, where it is known; where it is not, the condition is left out and that is said."""
    turning = {"BTC": 0.5, "SI": 1.5, "GC": 0.2, "ES": -0.5, "DXY": -1.5}
    assert verdict(turning) is Verdict.ROTATION
    assert verdict(turning, 0.99) is Verdict.ROTATION
    assert verdict(turning, 1.0) is Verdict.CALM_MIXED
    [unknown] = skipped(turning)
    assert (unknown.verdict, unknown.measure) == (Verdict.ROTATION, Measure.ABSORPTION)
    assert skipped(turning, 0.99) == ()
    asked = dict(checks(turning, 1.0))[Verdict.ROTATION]
    assert [one.met for one in asked if one.measure is Measure.ABSORPTION] == [False]
    assert all(one.measure is not Measure.ABSORPTION for one in dict(checks(turning))[Verdict.ROTATION])
    # What would turn it is judged by the same shift.
    assert all(flip.verdict is not Verdict.ROTATION for flip in flips(turning, 1.0))
