"""What holds for the net flows of US spot ETFs, whoever publishes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from analysis import trading_days
from providers.errors import Malformed
from providers.shapes import FlowDay

FIRST_TRADED: Final[Mapping[str, date]] = MappingProxyType(
    {"BTC": date(2024, 1, 11), "ETH": date(2024, 7, 23)}
)

LIMIT_MUSD: Final = 3_000.0
"""No day and no fund came near it (the largest day up to February 2026: 1,373.8): a mistake of unit or page."""

_NEW_YORK: Final = ZoneInfo("America/New_York")


def all_reported_by(trade_date: date) -> datetime:
    """09:00 UTC of the next day: issuers report through the night, the largest of them late."""
    return datetime.combine(trade_date + timedelta(days=1), time(9), UTC)


def checked(days: Iterable[FlowDay], *, asset: str, now: datetime, body: bytes) -> list[FlowDay]:
    """``days`` oldest first, one a session; what publishers print for a closed market is left out.

    Raises Malformed for no day at all, for a day that cannot be one of ``asset``'s, for a
    flow out of bounds and for two accounts of one day.
    """
    today = now.astimezone(_NEW_YORK).date()
    found: dict[date, FlowDay] = {}
    for day in days:
        if not FIRST_TRADED[asset] <= day.trade_date <= today:
            raise Malformed(f"a day out of bounds, {day.trade_date}", body=body)
        flows = [flow for flow in (day.total_musd, *day.funds.values()) if flow is not None]
        # Written so that NaN is out of bounds as well.
        if not all(abs(flow) < LIMIT_MUSD for flow in flows):
            raise Malformed(f"a flow out of bounds on {day.trade_date}", body=body)
        if found.setdefault(day.trade_date, day) != day:
            raise Malformed(f"two accounts of {day.trade_date}", body=body)
        if any(flows) and not _is_session(day.trade_date):
            raise Malformed(f"flows on {day.trade_date}, when the market was closed", body=body)
    if not found:
        raise Malformed("no days", body=body)
    return [found[day] for day in sorted(found) if _is_session(day)]


def _is_session(day: date) -> bool:
    return day.weekday() < 5 and day not in _closures(day.year)


@cache
def _closures(year: int) -> frozenset[date]:
    last_minute = datetime(year, 12, 31, 23, 59, tzinfo=_NEW_YORK)
    return frozenset(trading_days.closures(date(year, 1, 1), last_minute))
