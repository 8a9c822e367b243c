"""Tail probabilities of the F and t distributions, by the incomplete beta function."""

from __future__ import annotations

from math import exp, lgamma, log

_TINY = 1e-300
_CLOSE = 1e-16
_MOST_STEPS = 500


def f_tail(x: float, d1: float, d2: float) -> float:
    """P(F > x) for F with ``d1`` and ``d2`` degrees of freedom."""
    if x <= 0:
        return 1.0
    return _beta(d2 / (d2 + d1 * x), d1 * x / (d2 + d1 * x), d2 / 2, d1 / 2)


def t_tails(t: float, df: float) -> float:
    """How often Student's t is at least so far from 0: both tails."""
    return f_tail(t * t, 1, df)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1."""
    return _beta(x, 1 - x, a, b)


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """``rest`` is 1 - x, which the caller may know better than by subtracting.

    Continued fraction by Lentz's method (Press et al., Numerical Recipes, 6.4), from the
    side on which it converges quickly.
    """
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _kept_off_zero(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1 / _kept_off_zero(1 + part * d)
            c = _kept_off_zero(1 + part / c)
            found *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return found


def _kept_off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
