"""Tail probabilities against scipy's, also where almost nothing is left of the tail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from analysis.tails import f_tail, incomplete_beta, t_tails

FREEDOM = st.integers(1, 600)


@given(st.floats(0.001, 40.0), FREEDOM, FREEDOM)
def test_f_against_scipy(x: float, d1: int, d2: int) -> None:
    assert f_tail(x, d1, d2) == pytest.approx(stats.f.sf(x, d1, d2), rel=1e-9, abs=1e-15)


@given(st.floats(-30.0, 30.0), FREEDOM)
def test_t_against_scipy(t: float, df: int) -> None:
    assert t_tails(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-9, abs=1e-15)


@given(st.floats(0.0, 1.0), st.floats(0.1, 400.0), st.floats(0.1, 400.0))
def test_incomplete_beta_against_scipy(x: float, a: float, b: float) -> None:
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


def test_a_tail_far_out_is_small_and_not_nothing() -> None:
    assert f_tail(32.0, 6, 244) == pytest.approx(stats.f.sf(32.0, 6, 244), rel=1e-9)
    assert 0 < f_tail(32.0, 6, 244) < 1e-25
    assert f_tail(0.0, 6, 244) == 1.0
