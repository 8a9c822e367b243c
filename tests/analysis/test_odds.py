"""The odds of so few positive days, against scipy's binomial distribution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.flows import binomial_at_most


@given(days=st.integers(1, 520), share=st.floats(0.01, 0.99), part=st.floats(0, 1))
def test_against_scipy(days: int, share: float, part: float) -> None:
    positive = round(part * days)
    expected = float(stats.binom.cdf(positive, days, share))
    assert binomial_at_most(positive, days, share) == pytest.approx(expected, rel=1e-8, abs=1e-12)
