"""What followed the verdicts of stress, beside what followed any session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import median_low
from typing import Final

from analysis.base_rates import Compared, among_any
from analysis.verdict import Verdict

AHEAD: Final = (5, 20)
"""Judged sessions after which is looked: a week and a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What was ``sessions`` judged sessions after a verdict began to stand.

    ``still``: the same verdict stood. ``lower``: bitcoin closed lower than on the session on which it
    began. Chance is as many judged sessions, whatever stood there, drawn at random.
    """

    sessions: int
    still: Compared
    lower: Compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """``began`` times ``verdict`` began to stand; ``lasted`` is the median of sessions until another did.

    The lower of two middle ones; null while none has ended.
    """

    verdict: Verdict
    began: int
    lasted: int | None
    later: tuple[Later, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRates:
    """Of ``sessions`` judged sessions from ``first`` to ``last``; verdicts that stood, in alphabetical order.

    ``sources``: of the closes they were judged by.
    """

    first: date
    last: date
    sessions: int
    followed: tuple[Followed, ...]
    sources: tuple[str, ...] = ()

    def after(self, verdict: Verdict) -> Followed | None:
        return next((one for one in self.followed if one.verdict is verdict), None)


def verdict_rates(
    standing: Sequence[tuple[date, Verdict]], bitcoin: Mapping[date, float], *, sources: Sequence[str] = ()
) -> VerdictRates | None:
    """``standing``: the verdict that stood after each session that could be judged, oldest first.

    ``bitcoin``: its closes; ``sources`` are passed on. The verdict of the first session is not counted as one that began
    there. Null without two sessions.
    """
    if len(standing) < 2:
        return None
    verdicts = [verdict for _, verdict in standing]
    closes = [bitcoin.get(session) for session, _ in standing]
    begins = [i for i in range(1, len(verdicts)) if verdicts[i] is not verdicts[i - 1]]
    ends = dict(pairwise(begins))
    followed = []
    for verdict in sorted(set(verdicts)):
        ours = [i for i in begins if verdicts[i] is verdict]
        lengths = [ends[i] - i for i in ours if i in ends]
        followed.append(
            Followed(
                verdict=verdict,
                began=len(ours),
                lasted=median_low(lengths) if lengths else None,
                later=tuple(
                    Later(
                        sessions=ahead,
                        still=_compared(ours, _same(verdicts, ahead)),
                        lower=_compared(ours, _lower(closes, ahead)),
                    )
                    for ahead in AHEAD
                ),
            )
        )
    return VerdictRates(
        first=standing[0][0],
        last=standing[-1][0],
        sessions=len(standing),
        followed=tuple(followed),
        sources=tuple(sources),
    )


def _same(verdicts: Sequence[Verdict], ahead: int) -> list[bool | None]:
    return [now is later for now, later in zip(verdicts, verdicts[ahead:], strict=False)]


def _lower(closes: Sequence[float | None], ahead: int) -> list[bool | None]:
    pairs = zip(closes, closes[ahead:], strict=False)
    return [None if now is None or later is None else later < now for now, later in pairs]


def _compared(ours: Sequence[int], outcomes: Sequence[bool | None]) -> Compared:
    """``outcomes`` ends where nothing is known yet."""
    told = [outcome for i in ours if i < len(outcomes) and (outcome := outcomes[i]) is not None]
    known = [outcome for outcome in outcomes if outcome is not None]
    return among_any(sum(told), len(told), any_times=sum(known), any_cases=len(known))
