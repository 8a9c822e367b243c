"""A history as plain lists, to be kept, and back again: not a digit is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from analysis.absorption import AbsorptionPoint
from analysis.closes import Close
from analysis.depth import History, history
from analysis.links import Rolling
from analysis.stress_index import IndexPoint
from analysis.turbulence import TurbulencePoint

METHOD: Final = 2
"""To be raised when a formula changes: what was kept of another method is not read."""


def made(closes: Mapping[str, Sequence[Close]], as_of: datetime) -> dict[str, Any]:
    """``history`` as ``to_plain`` gives it; both together are what another process is asked for."""
    return to_plain(history(closes, as_of))


def to_plain(found: History) -> dict[str, Any]:
    return {
        "method": METHOD,
        "chain": [[day.isoformat(), mark] for day, mark in found.chain],
        "index": [
            [one.date.isoformat(), one.value, one.parts, one.stresses, one.together] for one in found.index
        ],
        "turbulence": [
            [one.date.isoformat(), one.ratio, one.parts, one.magnitude, one.correlation, one.odds, one.days]
            for one in found.turbulence
        ],
        "absorption": [[one.date.isoformat(), one.ratio, one.parts, one.shift] for one in found.absorption],
        "rolling": [
            [one.instrument, one.window, [day.isoformat() for day in one.dates], one.r, one.beta]
            for one in found.rolling
        ],
    }


def from_plain(plain: Mapping[str, Any]) -> History | None:
    """Null for what another method made."""
    if plain["method"] != METHOD:
        return None
    day = date.fromisoformat
    return History(
        chain=tuple((day(when), mark) for when, mark in plain["chain"]),
        index=tuple(
            IndexPoint(
                date=day(when), value=value, parts=tuple(parts), stresses=tuple(stresses), together=together
            )
            for when, value, parts, stresses, together in plain["index"]
        ),
        turbulence=tuple(
            TurbulencePoint(
                date=day(when),
                ratio=ratio,
                parts=tuple(parts),
                magnitude=magnitude,
                correlation=correlation,
                odds=odds,
                days=days,
            )
            for when, ratio, parts, magnitude, correlation, odds, days in plain["turbulence"]
        ),
        absorption=tuple(
            AbsorptionPoint(date=day(when), ratio=ratio, parts=tuple(parts), shift=shift)
            for when, ratio, parts, shift in plain["absorption"]
        ),
        rolling=tuple(
            Rolling(
                instrument=code, window=window, dates=tuple(map(day, dates)), r=tuple(r), beta=tuple(beta)
            )
            for code, window, dates, r, beta in plain["rolling"]
        ),
    )
