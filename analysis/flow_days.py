"""Days of ETF flows as they were published: which version counts, which session nobody reported, by month and by fund."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from math import fsum


class DayState(StrEnum):
    """How much of a day's flow has been published."""

    FINAL = "final"
    PARTIAL = "partial"
    PENDING = "pending"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One version of what was published for a US trade date, known from ``known_at`` on.

    ``total_musd`` is null while nothing is reported; in ``funds`` null means not
    reported, which 0.0 does not. ``manual``: entered by hand while the publisher was silent.
    """

    date: date
    known_at: datetime
    state: DayState
    total_musd: float | None
    funds: Mapping[str, float | None]
    manual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the window. ``sole_outflow``: the only fund with an outflow, if others had inflows or none."""

    date: date
    state: DayState
    total_musd: float | None
    cumulative_musd: float | None
    funds: Mapping[str, float | None]
    sole_outflow: str | None
    manual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """One fund: last final day (null if it did not report), sum of the window, sum since launch."""

    code: str
    last_musd: float | None
    sum_musd: float
    cumulative_musd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A calendar month of final days; ``complete`` once it is over and none of its days is waited for.

    ``waiting``: its sessions so far that are not final.
    """

    first: date
    total_musd: float
    final_days: int
    positive_days: int
    waiting: int
    complete: bool


def is_final(day: Report) -> bool:
    return day.state is DayState.FINAL


def latest(reports: Sequence[Report], as_of: datetime) -> list[Report]:
    """Of each date the last version known by ``as_of``, in order of date."""
    versions = sorted((one for one in reports if one.known_at <= as_of), key=lambda one: one.known_at)
    return sorted({one.date: one for one in versions}.values(), key=lambda one: one.date)


def with_silent(latest: list[Report], sessions: Collection[date], as_of: datetime) -> list[Report]:
    """``latest`` and, for every session since its first day that nobody reported, an empty report."""
    reported = {one.date for one in latest}
    silent = [
        Report(date=day, known_at=as_of, state=DayState.PENDING, total_musd=None, funds={})
        for day in sessions
        if latest and day > latest[0].date and day not in reported
    ]
    return sorted([*latest, *silent], key=lambda one: one.date)


def days(latest: Sequence[Report], cumulative: Mapping[date, float], closed: Collection[date]) -> list[Day]:
    """Every day since the first report, oldest first; a report overrules the calendar."""
    days = []
    for one in latest:
        out = [code for code, flow in one.funds.items() if flow is not None and flow < 0]
        days.append(
            Day(
                date=one.date,
                state=one.state,
                total_musd=one.total_musd,
                cumulative_musd=cumulative.get(one.date),
                funds=one.funds,
                sole_outflow=out[0] if is_final(one) and len(out) == 1 else None,
                manual=one.manual,
            )
        )
    reported = {one.date for one in latest}
    days += [
        Day(
            date=day,
            state=DayState.CLOSED,
            total_musd=None,
            cumulative_musd=None,
            funds={},
            sole_outflow=None,
        )
        for day in closed
        if day not in reported and day > latest[0].date
    ]
    return sorted(days, key=lambda day: day.date)


def months(latest: Sequence[Report], as_of: datetime) -> tuple[Month, ...]:
    flows: dict[date, list[float]] = {}
    waiting: Counter[date] = Counter()
    for one in latest:
        first = one.date.replace(day=1)
        if is_final(one) and one.total_musd is not None:
            flows.setdefault(first, []).append(one.total_musd)
        else:
            waiting[first] += 1
    running = as_of.date().replace(day=1)
    return tuple(
        Month(
            first=first,
            total_musd=fsum(totals),
            final_days=len(totals),
            positive_days=sum(total > 0 for total in totals),
            waiting=waiting[first],
            complete=first != running and not waiting[first],
        )
        for first, totals in flows.items()
    )


def funds(latest: Sequence[Report], since: date) -> tuple[Fund, ...]:
    """In the order in which the funds appeared."""
    final = [day for day in latest if is_final(day)]
    codes = list(dict.fromkeys(code for day in final for code in day.funds))
    return tuple(
        Fund(
            code=code,
            last_musd=final[-1].funds.get(code),
            sum_musd=fsum(day.funds.get(code) or 0.0 for day in final if day.date >= since),
            cumulative_musd=fsum(day.funds.get(code) or 0.0 for day in final),
        )
        for code in codes
    )
