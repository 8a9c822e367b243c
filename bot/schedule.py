"""When something is due: calendar arithmetic on a wall clock, and nothing else.

An occurrence belongs to a local date: there is one on every date that exists in the
zone, also where the clock jumps over the time or passes it twice, and none on a date
that a zone left out (Samoa, 30 December 2011). ``now`` and the zone are given; nobody
is asked for the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analysis import trading_days

_DAY: Final = timedelta(days=1)
EVERY_DAY: Final = "every"
SESSIONS: Final = "sessions"
"""After each US trading day: on the first date whose hour comes after the close."""
_SEARCHED: Final = 400
"""Dates looked at for the next occurrence: more than the longest pause of any rhythm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A local date and the instant (UTC) at which it is due."""

    day: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A wall-clock time in a zone, on certain days.

    ``days`` is ``every``, ``sessions``, or ISO weekdays in a row such as ``12345``.
    """

    at: time
    zone: ZoneInfo
    days: str = EVERY_DAY

    def __post_init__(self) -> None:
        if self.days not in {EVERY_DAY, SESSIONS} and not (self.days and set(self.days) <= set("1234567")):
            raise ValueError(f"no such days: {self.days}")

    def on(self, day: date) -> Occurrence | None:
        """The occurrence of a date; None where the rhythm leaves it out or the zone has no such date."""
        if self.days not in {EVERY_DAY, SESSIONS} and str(day.isoweekday()) not in self.days:
            return None
        due = occurrence(day, self.at, self.zone)
        if due is None or (self.days == SESSIONS and not self._reports_session(day, due)):
            return None
        return Occurrence(day=day, at=due)

    def after(self, instant: datetime, *, later_than: date | None = None) -> Iterator[Occurrence]:
        """Occurrences after ``instant``, on dates after ``later_than``, oldest first; ends after a year without."""
        # A zone's date can run a day behind an occurrence that its own clock pushed over midnight.
        day = instant.astimezone(self.zone).date() - _DAY
        if later_than is not None:
            day = max(day, later_than + _DAY)
        looked = 0
        while looked < _SEARCHED:
            looked += 1
            found = self.on(day)
            day += _DAY
            if found is not None and found.at > instant:
                looked = 0
                yield found

    def _reports_session(self, day: date, due: datetime) -> bool:
        """Whether a session has closed since this hour of the date before."""
        before = occurrence(day - _DAY, self.at, self.zone) or due - _DAY
        first = before.date() - timedelta(days=2)
        return any(trading_days.closed_at(session) > before for session in trading_days.sessions(first, due))


def occurrence(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) at which the clock of ``zone`` shows ``at`` on ``day``; the first of two.

    A time the clock jumps over is moved on by the length of the jump, which may lead past
    midnight. None only where the whole date is left out.
    """
    due = datetime.combine(day, at, zone).astimezone(UTC)
    if due.astimezone(zone).date() != day and _begins(day, zone) >= _begins(day + _DAY, zone):
        return None
    return due


def _begins(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
