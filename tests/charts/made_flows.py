"""Flows made by hand, for pictures: what the report would hand over, without market data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import sin

from analysis.flows import DayState, Flows, Report, assess

START = date(2025, 1, 2)


def weekdays(count: int, first: date = START) -> list[date]:
    days = [first + timedelta(days=n) for n in range(count * 2 + 7)]
    return [day for day in days if day.weekday() < 5][:count]


def waves(count: int) -> list[float]:
    """Weeks of inflow and of outflow by turns, always the same."""
    return [round(420 * sin(n / 6) + 160 * sin(n * 1.9) - 40, 1) for n in range(count)]


def report(
    day: date, total: float | None, state: DayState = DayState.FINAL, listed: Sequence[str] = ("IBIT",)
) -> Report:
    known = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(days=1)
    funds: dict[str, float | None] = dict.fromkeys(listed)
    funds["IBIT"] = total
    return Report(date=day, known_at=known, state=state, total_musd=total, funds=funds)


def flows(
    totals: Sequence[float],
    *,
    after: Sequence[Report] = (),
    silent: int = 0,
    closed: Sequence[int] = (),
    shown: int | None = None,
    asset: str = "BTC",
    source: str = "Farside Investors",
) -> Flows:
    """``totals`` on weekdays from START on but for the ``closed`` ones (by place), ``shown`` of them in the window.

    ``after``: reports behind them; ``silent``: as many sessions nobody reported at the end.
    """
    days = weekdays(len(totals) + len(closed))
    off = [days[place] for place in closed]
    open_days = [day for day in days if day not in off]
    rows = [report(day, total) for day, total in zip(open_days, totals, strict=True)] + list(after)
    quiet = weekdays(silent, max([*days, *(row.date for row in rows)]) + timedelta(days=1))
    end = max([*days, *quiet, *(row.date for row in after)])
    return assess(
        rows,
        asset=asset,
        as_of=datetime(end.year, end.month, end.day, 12, tzinfo=UTC) + timedelta(days=1),
        source=source,
        since=None if shown is None else open_days[-shown],
        sessions=quiet,
        closed=off,
    )
