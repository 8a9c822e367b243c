"""When a bar is closed and when a value is known: pure calendar arithmetic.

Every instant is epoch seconds UTC. Where a rule is a choice of ours and not a fact of
the source, it is the later of the plausible instants, so that an answer as of an
instant never holds what nobody could have read by then.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

CloseRule = Literal["utc", "new_york_17"]

_DAY = 86_400


def new_york(day: date, at: time) -> int:
    """The wall clock in New York as epoch seconds; the first of two equal times in autumn."""
    return int(datetime.combine(day, at, ZoneInfo("America/New_York")).timestamp())


def midnight_utc(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def utc(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def epoch(at: datetime) -> int:
    """Whole seconds, rounded down, so that nothing after ``at`` is let in.

    Raises ValueError for a datetime without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("a datetime without a zone is not an instant")
    return int(at.timestamp() // 1)


def day_closes(day: date, rule: CloseRule) -> int:
    """The close of a daily bar: 24:00 UTC, or 17:00 New York of the trade date."""
    if rule == "new_york_17":
        return new_york(day, time(17))
    return midnight_utc(day) + _DAY


def flow_known(trade_date: date) -> int:
    """09:00 UTC of the day after the trade date, when all issuers have reported."""
    return midnight_utc(trade_date) + _DAY + 9 * 3_600


def margin_effective(effective: date) -> int:
    """After the close: 17:00 New York of the date."""
    return new_york(effective, time(17))


def margin_in_force_undated(notice: date) -> int:
    """A change of unknown date: from 00:00 New York of the notice that first calls it current."""
    return new_york(notice, time(0))


def margin_known(notice: date) -> int:
    """24:00 New York of the notice date: the hour of a notice is not kept."""
    return new_york(notice + timedelta(days=1), time(0))


def macro_known(series: str, day: date, released: date | None) -> int:
    """When the value of ``series`` dated ``day`` could first be read.

    * any series with a release day: 08:30 New York of it;
    * CPI: 08:30 New York of the 15th of the following month;
    * the federal funds target range: 00:00 UTC of its own date, because it is decided
      and announced the day before it applies;
    * everything else (daily FRED series): 09:00 UTC of the next Monday to Friday, the
      morning after the source's evening update.
    """
    if released is not None:
        return new_york(released, time(8, 30))
    if series.startswith("CPI"):
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=15)
        return new_york(following, time(8, 30))
    if series.startswith("DFEDTAR"):
        return midnight_utc(day)
    following = day + timedelta(days=1)
    while following.weekday() >= 5:
        following += timedelta(days=1)
    return midnight_utc(following) + 9 * 3_600
