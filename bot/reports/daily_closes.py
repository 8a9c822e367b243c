"""Daily closes of one market by their trade dates, out of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analysis.closes import Close
from analysis.levels import Interval
from storage import bars, instruments
from storage.bars import BarRow
from storage.instruments import Series
from storage.store import Db


async def read(
    db: Db, code: str, at: datetime, *, since: datetime | None = None
) -> tuple[Series | None, list[Close]]:
    """The series of daily bars that answers for ``code`` at that instant, and its closes, oldest first."""
    series = await instruments.find(db, code, Interval.D1, at=at)
    if series is None:
        return None, []
    rows = await bars.closed(db, series, Interval.D1, at=at, since=since)
    return series, [_close(row, series) for row in rows]


def _close(row: BarRow, series: Series) -> Close:
    zone = ZoneInfo("America/New_York") if series.rests else UTC
    # A second before its close a bar is still in its own trade date.
    day = datetime.fromtimestamp(row.closed_at - 1, zone).date()
    return Close(day, datetime.fromtimestamp(row.closed_at, UTC), row.close)
