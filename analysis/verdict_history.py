"""The verdict that stood after each session, from the first that could be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from analysis.sessions import Series
from analysis.verdict import VOTERS, Verdict, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """What stands after the last session and since which one; ``sessions`` are those that could be judged."""

    verdict: Verdict
    since: date
    sessions: tuple[tuple[date, Verdict], ...]


def stood(series: Mapping[str, Series], sessions: Sequence[date], shifts: Mapping[date, float]) -> Stood:
    """``sessions`` oldest first, at least one; ``shifts`` of the absorption ratio where they are known.

    A new verdict takes over when two closes in a row find it. A session that cannot be
    judged, say one on which the dollar index rested, is passed over; if it is the last,
    nothing stands. What stood after a session does not depend on any later one.
    """
    places = {code: {day: i for i, day in enumerate(series[code].dates)} for code in VOTERS}
    stands, since, before = Verdict.UNKNOWN, sessions[0], Verdict.UNKNOWN
    unknown_since: date | None = None
    judged = []
    for session in sessions:
        z5 = {}
        for code in VOTERS:
            place = places[code].get(session)
            z = None if place is None else series[code].z5(place)
            if z is not None:
                z5[code] = z
        found = verdict(z5, shifts.get(session))
        if found is Verdict.UNKNOWN:
            unknown_since = unknown_since or session
            continue
        unknown_since = None
        if found is not stands and (found is before or stands is Verdict.UNKNOWN):
            stands, since = found, session
        before = found
        judged.append((session, stands))
    if unknown_since is not None:
        stands, since = Verdict.UNKNOWN, unknown_since
    return Stood(verdict=stands, since=since, sessions=tuple(judged))
