"""What followed a verdict, by hand and where nothing does."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from analysis.base_rates import Rate
from analysis.verdict import Verdict
from analysis.verdict_rates import AHEAD, verdict_rates

CALM, FALL, UP = Verdict.CALM_MIXED, Verdict.DELEVERAGING, Verdict.RISK_ON
DAY = date(2026, 1, 1)


def days(verdicts: list[Verdict]) -> list[tuple[date, Verdict]]:
    return [(DAY + timedelta(days=i), verdict) for i, verdict in enumerate(verdicts)]


def test_spells_by_hand() -> None:
    # Deleveraging begins at sessions 3, 12 and 20; the last has five sessions after it, no more.
    verdicts = [CALM] * 3 + [FALL] * 6 + [UP] * 3 + [FALL] * 2 + [CALM] * 6 + [FALL] * 6
    prices = [100.0 - i for i in range(15)] + [200.0] * 11
    standing = days(verdicts)
    bitcoin = dict(zip([day for day, _ in standing], prices, strict=True))
    rates = verdict_rates(standing, bitcoin)
    assert rates is not None
    assert (rates.first, rates.last, rates.sessions) == (DAY, DAY + timedelta(days=25), 26)
    fall = rates.after(FALL)
    assert fall is not None
    # Six sessions and two; the third has not ended.
    assert (fall.began, fall.lasted) == (3, 2)
    week, month = fall.later
    assert (week.sessions, month.sessions) == AHEAD
    # Five later: 8 still, 17 calm, 25 still. 92 < 97; 200 > 88; 200 = 200 is not lower.
    assert week.still.rate == Rate(times=2, cases=3)
    assert week.lower.rate == Rate(times=1, cases=3)
    # Twenty later only the first is known: session 23, deleveraging again, at 200.
    assert month.still.rate == Rate(times=1, cases=1)
    assert month.lower.rate == Rate(times=0, cases=1)
    # Any session: the ten of 0 to 9 were lower five later, of 21 that are known.
    assert week.lower.chance is not None
    assert week.lower.chance.share == 10 / 21
    # The verdict of the first session began who knows when.
    calm = rates.after(CALM)
    assert calm is not None
    assert calm.began == 1
    assert rates.after(Verdict.ROTATION) is None


def test_a_session_without_bitcoin_is_no_case() -> None:
    standing = days([CALM, FALL, FALL, FALL, FALL, FALL, FALL])
    found = verdict_rates(standing, {standing[1][0]: 1.0})
    assert found is not None
    fall = found.after(FALL)
    assert fall is not None
    assert fall.later[0].still.rate == Rate(times=1, cases=1)
    assert fall.later[0].lower.rate is None
    assert fall.lasted is None


def test_too_few_sessions_say_nothing() -> None:
    assert verdict_rates(days([CALM]), {}) is None


def test_verdicts_that_mean_nothing_are_told_from_chance_by_nothing() -> None:
    """Verdicts drawn without looking at prices that wander: bitcoin was lower as often as after any session."""
    chance = np.random.default_rng(41)
    verdicts = [(CALM, FALL, UP)[i] for i in np.repeat(chance.integers(3, size=700), 3).tolist()]
    standing = days(verdicts)
    prices = np.exp(np.cumsum(chance.standard_normal(len(standing)) * 0.02)).tolist()
    rates = verdict_rates(standing, dict(zip([day for day, _ in standing], prices, strict=True)))
    assert rates is not None
    for one in rates.followed:
        for later in one.later:
            assert later.lower.rate is not None
            assert later.lower.rate.cases > 100
            assert later.lower.chance is not None
            assert later.lower.chance.low <= later.lower.rate.share <= later.lower.chance.high
            assert later.lower.chance.p_value > 0.05


def test_what_comes_later_decides_nothing_that_was_decided() -> None:
    chance = np.random.default_rng(42)
    verdicts = [(CALM, FALL)[i] for i in np.repeat(chance.integers(2, size=60), 4).tolist()]
    standing = days(verdicts)
    prices = np.exp(np.cumsum(chance.standard_normal(len(standing)))).tolist()
    bitcoin = dict(zip([day for day, _ in standing], prices, strict=True))
    for cut in chance.integers(30, len(standing), 10).tolist():
        now, later = verdict_rates(standing[:cut], bitcoin), verdict_rates(standing, bitcoin)
        assert now is not None
        assert later is not None
        # Prices after the last session known then are not looked at.
        known = {day: bitcoin[day] for day, _ in standing[:cut]}
        assert now == verdict_rates(standing[:cut], known)
        for then, hindsight in zip(now.followed, later.followed, strict=True):
            for old, new in zip(then.later, hindsight.later, strict=True):
                if old.lower.rate is not None:
                    assert new.lower.rate is not None
                    assert new.lower.rate.times >= old.lower.rate.times
                    assert new.lower.rate.cases >= old.lower.rate.cases
