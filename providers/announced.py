"""Days that are known beforehand: decisions of the Federal Reserve and releases of consumer prices.

Kept by hand, checked on 22 November 2026. To carry it on: the Federal Reserve announces
a year's meetings about sixteen months ahead, the Bureau of Labor Statistics a year's
releases in the autumn before. With a key, ``providers/fred.py`` reads the releases
instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

_NEW_YORK: Final = ZoneInfo("America/New_York")

# The second day of each scheduled meeting. Federal Reserve, press releases of 9 August 2024
# (2025 and 2026) and of 5 September 2025 (2027 and January 2028), both called tentative;
# www.federalreserve.gov/monetarypolicy/fomccalendars.htm
_FOMC: Final = (
    date(2025, 1, 29),
    date(2025, 3, 19),
    date(2025, 5, 7),
    date(2025, 6, 18),
    date(2025, 7, 30),
    date(2025, 9, 17),
    date(2025, 10, 29),
    date(2025, 12, 10),
    date(2026, 1, 28),
    date(2026, 3, 18),
    date(2026, 4, 29),
    date(2026, 6, 17),
    date(2026, 7, 29),
    date(2026, 9, 16),
    date(2026, 10, 28),
    date(2026, 12, 9),
    date(2027, 1, 27),
    date(2027, 3, 17),
    date(2027, 4, 28),
    date(2027, 6, 9),
    date(2027, 7, 28),
    date(2027, 9, 15),
    date(2027, 10, 27),
    date(2027, 12, 8),
    date(2028, 1, 26),
)

# The month that prices are of -> the day of their release. Bureau of Labor Statistics,
# www.bls.gov/schedule/news_release/cpi.htm, and FRED, release 10. The shutdown of autumn 2025
# moved three: October was never surveyed and has no release.
CPI_RELEASED: Final[Mapping[date, date]] = MappingProxyType(
    {
        date(2024, 12, 1): date(2025, 1, 15),
        date(2025, 1, 1): date(2025, 2, 12),
        date(2025, 2, 1): date(2025, 3, 12),
        date(2025, 3, 1): date(2025, 4, 10),
        date(2025, 4, 1): date(2025, 5, 13),
        date(2025, 5, 1): date(2025, 6, 11),
        date(2025, 6, 1): date(2025, 7, 15),
        date(2025, 7, 1): date(2025, 8, 12),
        date(2025, 8, 1): date(2025, 9, 11),
        date(2025, 9, 1): date(2025, 10, 24),
        date(2025, 11, 1): date(2025, 12, 18),
        date(2025, 12, 1): date(2026, 1, 13),
        date(2026, 1, 1): date(2026, 2, 13),
        date(2026, 2, 1): date(2026, 3, 11),
        date(2026, 3, 1): date(2026, 4, 10),
        date(2026, 4, 1): date(2026, 5, 12),
        date(2026, 5, 1): date(2026, 6, 10),
        date(2026, 6, 1): date(2026, 7, 14),
        date(2026, 7, 1): date(2026, 8, 12),
        date(2026, 8, 1): date(2026, 9, 11),
        date(2026, 9, 1): date(2026, 10, 14),
        date(2026, 10, 1): date(2026, 11, 10),
        date(2026, 11, 1): date(2026, 12, 10),
        # As others read it from the schedule in October 2026.
        date(2026, 12, 1): date(2027, 1, 13),
    }
)


def next_decision(now: datetime) -> datetime | None:
    """The first decision after ``now``: 14:00 New York; None past the end of the table."""
    return _first_after(now, (datetime.combine(day, time(14), _NEW_YORK) for day in _FOMC))


def next_cpi(now: datetime) -> datetime | None:
    """The first release of consumer prices after ``now``: 08:30 New York; None past the end of the table."""
    releases = (datetime.combine(day, time(8, 30), _NEW_YORK) for day in CPI_RELEASED.values())
    return _first_after(now, releases)


def _first_after(now: datetime, instants: Iterable[datetime]) -> datetime | None:
    return min((at for at in instants if at > now), default=None)
