"""What lies behind the verdict: the index, turbulence and absorption, each over all closes there are.

All of it is judged by daily closes, whose history is long; none of it votes, save that the
shift of the absorption ratio is a condition of ROTATION.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from analysis.absorption import AbsorptionPoint, absorption
from analysis.closes import Close
from analysis.links import FOLLOWED, Rolling, returns, rolling
from analysis.sessions import INSTRUMENTS, Quotes, quotes_of, series_of, sessions_of
from analysis.standing import Standing, standing
from analysis.stress_index import IndexPoint, stress_index
from analysis.turbulence import TurbulencePoint, turbulence

MARKETS = ("BTC", "SI", "GC", "ES", "DXY", "CL")
"""Whose days are judged together. The Nasdaq would only count the S&P 500 a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every point there is, oldest first, each made of what was known at its close.

    ``chain`` has a mark for each session, made of all closes up to it: two histories with
    the same mark at a session are the same up to it.
    """

    chain: tuple[tuple[date, str], ...]
    index: tuple[IndexPoint, ...]
    turbulence: tuple[TurbulencePoint, ...]
    absorption: tuple[AbsorptionPoint, ...]
    rolling: tuple[Rolling, ...]

    def until(self, last: date) -> History:
        """Without what came after the session ``last``."""
        return History(
            chain=tuple(one for one in self.chain if one[0] <= last),
            index=tuple(one for one in self.index if one.date <= last),
            turbulence=tuple(one for one in self.turbulence if one.date <= last),
            absorption=tuple(one for one in self.absorption if one.date <= last),
            rolling=tuple(_cut(one, last) for one in self.rolling),
        )

    @property
    def shifts(self) -> Mapping[date, float]:
        """The shift of the absorption ratio at each close that has one."""
        return {one.date: one.shift for one in self.absorption if one.shift is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The last point of each and where it stands in its own past; null where the last close has none.

    ``history`` is there where somebody wants to see it.
    """

    session: date
    sessions: int
    index: IndexPoint | None
    index_standing: Standing | None
    turbulence: TurbulencePoint | None
    turbulence_standing: Standing | None
    absorption: AbsorptionPoint | None
    absorption_standing: Standing | None
    history: History | None = None


def history(closes: Mapping[str, Sequence[Close]], as_of: datetime) -> History:
    """From daily closes (oldest first, dated in New York) as known at ``as_of``."""
    quotes = quotes_of(closes, as_of)
    sessions = sessions_of(quotes, as_of)
    dates, columns = returns(quotes, sessions, MARKETS)
    rows = np.array(columns, np.float64).T.reshape(-1, len(MARKETS))
    return History(
        chain=chain(quotes, sessions),
        index=stress_index({code: series_of(quotes[code], sessions) for code in MARKETS}),
        turbulence=turbulence(dates, rows),
        absorption=absorption(dates, rows),
        rolling=tuple(rolling(quotes, sessions, code) for code in FOLLOWED),
    )


def known_history(closes: Mapping[str, Sequence[Close]], as_of: datetime, kept: History | None) -> History:
    """The same as ``history``, taken from one that was ``kept`` as far as that is of the same closes."""
    quotes = quotes_of(closes, as_of)
    ours = chain(quotes, sessions_of(quotes, as_of))
    if kept is not None and (not ours or ours[-1] in kept.chain):
        return kept.until(ours[-1][0] if ours else date.min)
    return history(closes, as_of)


def chain(quotes: Quotes, sessions: Sequence[date]) -> tuple[tuple[date, str], ...]:
    """A mark for each session, made of the mark before and the closes of the session."""
    mark, found = "", []
    for day in sessions:
        closes = [repr(quotes[code][day].price) if day in quotes[code] else "" for code in INSTRUMENTS]
        mark = hashlib.sha256("|".join((mark, day.isoformat(), *closes)).encode()).hexdigest()[:16]
        found.append((day, mark))
    return tuple(found)


def depth(found: History) -> Depth | None:
    """The end of a history; null where there was no session."""
    if not found.chain:
        return None
    session = found.chain[-1][0]
    index = found.index[-1] if found.index and found.index[-1].date == session else None
    turbulent = found.turbulence[-1] if found.turbulence and found.turbulence[-1].date == session else None
    absorbed = found.absorption[-1] if found.absorption and found.absorption[-1].date == session else None
    return Depth(
        session=session,
        sessions=len(found.chain),
        index=index,
        index_standing=standing([one.value for one in found.index]) if index else None,
        turbulence=turbulent,
        turbulence_standing=standing([one.ratio for one in found.turbulence]) if turbulent else None,
        absorption=absorbed,
        absorption_standing=standing([one.ratio for one in found.absorption]) if absorbed else None,
    )


def _cut(one: Rolling, last: date) -> Rolling:
    kept = sum(day <= last for day in one.dates)
    return replace(one, dates=one.dates[:kept], r=one.r[:kept], beta=one.beta[:kept])
