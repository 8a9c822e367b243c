"""Days that are known beforehand: decisions of the Federal Reserve and releases of consumer prices.

Kept by hand, checked on 22 November 2026. To carry it on: the Federal Reserve announces
a year's meetings about sixteen months ahead, the Bureau of Labor Statistics a year's
releases in the autumn before. With a key, ``providers/fred.py`` reads the releases
instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_NEW_YORK: Final = ZoneInfo("America/New_York")

# The second day of each scheduled meeting. Federal Reserve, press releases of 9 August 2024
# (2025 and 2026) and of 5 September 2025 (2027 and January 2028), both called tentative;
# www.federalreserve.gov/monetarypolicy/fomccalendars.htm. Those of 2022 to 2024 are borne out
# by the seventeen days since on which the target range changed, each the day after one.
_FOMC: Final = (
    date(2022, 1, 26),
    date(2022, 3, 16),
    date(2022, 5, 4),
    date(2022, 6, 15),
    date(2022, 7, 27),
    date(2022, 9, 21),
    date(2022, 11, 2),
    date(2022, 12, 14),
    date(2023, 2, 1),
    date(2023, 3, 22),
    date(2023, 5, 3),
    date(2023, 6, 14),
    date(2023, 7, 26),
    date(2023, 9, 20),
    date(2023, 11, 1),
    date(2023, 12, 13),
    date(2024, 1, 31),
    date(2024, 3, 20),
    date(2024, 5, 1),
    date(2024, 6, 12),
    date(2024, 7, 31),
    date(2024, 9, 18),
    date(2024, 11, 7),
    date(2024, 12, 18),
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


# What the schedule said of a month before that, and the day on which it was changed: Bureau of
# Labor Statistics, "Revised news release dates following the lapse in appropriations" (10 October
# and 21 November 2025) and the notice of 4 February 2026.
_BEFORE: Final[Mapping[date, tuple[date, date]]] = MappingProxyType(
    {
        date(2025, 9, 1): (date(2025, 10, 15), date(2025, 10, 10)),
        date(2025, 10, 1): (date(2025, 11, 13), date(2025, 11, 21)),
        date(2025, 11, 1): (date(2025, 12, 10), date(2025, 11, 21)),
        date(2026, 1, 1): (date(2026, 2, 11), date(2026, 2, 4)),
    }
)


class Release(NamedTuple):
    """The first of the month that prices are of, and the instant of their release."""

    month: date
    at: datetime


def decisions() -> tuple[datetime, ...]:
    """When each scheduled meeting tells its decision, oldest first: 14:00 New York."""
    return tuple(datetime.combine(day, time(14), _NEW_YORK).astimezone(UTC) for day in _FOMC)


def cpi_releases(now: datetime) -> tuple[Release, ...]:
    """Releases of consumer prices as the schedule stood at ``now``, oldest first: 08:30 New York.

    A change of the schedule counts from the end of its day on: the hour is not kept.
    """
    days = dict(CPI_RELEASED)
    for month, (before, changed) in _BEFORE.items():
        if now < datetime.combine(changed + timedelta(days=1), time(), _NEW_YORK):
            days[month] = before
    releases = (
        Release(month, datetime.combine(day, time(8, 30), _NEW_YORK).astimezone(UTC))
        for month, day in days.items()
    )
    return tuple(sorted(releases, key=lambda release: release.at))
