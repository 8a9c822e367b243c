"""What followed streaks of daily flows of one sign, beside what followed any day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Final

from analysis.base_rates import Compared, among_any

LONGEST: Final = 8
AHEAD: Final = 5
"""Final days whose sum is looked at after a streak has reached its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Streaks that reached ``days`` (negative: of outflow), each counted once, and what came of them.

    ``went_on``: the next final day that was not zero had the same sign. ``same_sum``: the sum of
    the next ``AHEAD`` final days had it. Chance is as many days, whatever the streak, drawn at random.
    """

    days: int
    went_on: Compared
    same_sum: Compared


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRates:
    """Of ``days`` final days from ``first`` to ``last``; ``followed`` for 1 to ``LONGEST`` days of either sign."""

    first: date
    last: date
    days: int
    followed: tuple[Followed, ...]

    def after(self, streak: int) -> Followed | None:
        """What followed streaks of that length; the longest asked about where this one is longer."""
        reached = max(-LONGEST, min(LONGEST, streak))
        return next((one for one in self.followed if one.days == reached), None)


def flow_rates(dates: Sequence[date], totals: Sequence[float]) -> FlowRates:
    """``totals``: final days known by the instant asked about, oldest first, at least one, US$ million.

    A day of exactly zero neither breaks nor lengthens a streak.
    """
    # Flows are published to a tenth: rounded, what is zero on paper has no sign.
    signs = [_sign(total) for total in totals]
    streaks = _streaks(signs)
    following = _following(signs)
    whole = len(totals) - AHEAD
    sums = [
        _sign(fsum(totals[day + 1 : day + 1 + AHEAD])) if day < whole else None for day in range(len(totals))
    ]
    return FlowRates(
        first=dates[0],
        last=dates[-1],
        days=len(dates),
        followed=tuple(
            Followed(
                days=streak,
                went_on=_compared(streak, streaks, following),
                same_sum=_compared(streak, streaks, sums),
            )
            for streak in (*range(-LONGEST, 0), *range(1, LONGEST + 1))
        ),
    )


def _compared(streak: int, streaks: Sequence[int | None], later: Sequence[int | None]) -> Compared:
    """How often ``later`` had the streak's sign, after the days that reached it and after any."""
    sign = _sign(streak)
    known = [(reached, after) for reached, after in zip(streaks, later, strict=True) if after is not None]
    told = [after == sign for reached, after in known if reached == streak]
    return among_any(
        sum(told), len(told), any_times=sum(after == sign for _, after in known), any_cases=len(known)
    )


def _streaks(signs: Sequence[int]) -> list[int | None]:
    """k_t = k_(t-1) + s_t if the signs agree, else s_t; null on a day of zero, which reaches nothing."""
    streaks: list[int | None] = []
    streak = 0
    for sign in signs:
        if sign:
            streak = streak + sign if streak * sign > 0 else sign
        streaks.append(streak if sign else None)
    return streaks


def _following(signs: Sequence[int]) -> list[int | None]:
    """The sign of the next day that has one; null where none has come yet."""
    following: list[int | None] = []
    later: int | None = None
    for sign in reversed(signs):
        following.append(later)
        later = sign or later
    return following[::-1]


def _sign(value: float) -> int:
    rounded = round(value, 6)
    return (rounded > 0) - (rounded < 0)
