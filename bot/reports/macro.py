"""``macro``: the Federal Reserve's range and meetings, consumer prices, breakevens, oil and the dollar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from analysis import macro as analysis
from analysis.macro import Gauge, Inflation, Macro, Point, Target, Track, closes_track
from bot.language import N_, iso
from bot.reports import daily_closes, missing
from bot.reports.macro_words import say
from bot.reports.shapes import Asked, Report, Words, rounded
from providers import announced
from storage import macro
from storage.macro import Observation

LOWER, UPPER, CPI, BREAKEVEN = "DFEDTARL", "DFEDTARU", "CPIAUCSL", "T10YIE"
OIL, DOLLAR = "CL", "DXY"
CLOSES_SINCE: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroQuery:
    """There is nothing to choose: what is known is told."""


def read(words: Words, now: datetime) -> MacroQuery:  # noqa: ARG001 -- the same for every question
    return MacroQuery()


def write(query: MacroQuery) -> dict[str, str]:  # noqa: ARG001
    return {}


async def answer(query: MacroQuery, asked: Asked) -> Macro:  # noqa: ARG001
    """Rows -> result. Raises NoData when nothing at all was known."""
    at = asked.at
    async with asked.store.read() as db:
        rows = {code: await macro.known(db, code, at=at) for code in (LOWER, UPPER, CPI, BREAKEVEN)}
        markets: dict[str, Track] = {}
        for code in (OIL, DOLLAR):
            series, closes = await daily_closes.read(db, code, at, since=at - CLOSES_SINCE)
            markets[code] = closes_track(
                closes,
                source="" if series is None else series.source,
                is_sample=series is not None and series.is_sample,
            )
    published = [row for code in (UPPER, CPI) for row in rows[code]]
    return analysis.assess(
        lower=points(rows[LOWER]),
        upper=points(rows[UPPER]),
        cpi=points(rows[CPI]),
        breakeven=track(rows[BREAKEVEN]),
        oil=markets[OIL],
        dollar=markets[DOLLAR],
        decisions=announced.decisions(),
        releases=announced.cpi_releases(at),
        as_of=at,
        source=published[-1].source if published else "",
        is_sample=bool(published) and published[-1].is_sample,
    )


def points(rows: Sequence[Observation]) -> list[Point]:
    return [Point(row.dated, row.known_at, row.value) for row in rows]


def track(rows: Sequence[Observation]) -> Track:
    return Track(
        points=points(rows),
        source=rows[-1].source if rows else "",
        is_sample=bool(rows) and rows[-1].is_sample,
    )


def as_json(result: Macro, now: datetime) -> dict[str, Any]:
    target, meetings = result.target, result.meetings
    before = None if target is None else target.before
    return {
        "as_of": iso(result.as_of),
        "target_low": None if target is None else target.now.low,
        "target_high": None if target is None else target.now.high,
        "target_since": None if target is None else target.now.since.isoformat(),
        "target_decided": _day(None if target is None else target.decided),
        "target_before": None if before is None else {"low": before.low, "high": before.high},
        "target_date": None if target is None else target.dated.isoformat(),
        "target_freshness": None if target is None else target.freshness.value,
        "last_meeting": _new_york(meetings.last),
        "last_outcome": None if meetings.outcome is None else meetings.outcome.value,
        "next_meeting": _new_york(meetings.next),
        "next_meeting_at": None if meetings.next is None else iso(meetings.next),
        "cpi": None if result.inflation is None else _cpi(result.inflation),
        "breakeven_10y": _gauge(result.breakeven, "value_pct"),
        "oil": _gauge(result.oil, "price_usd"),
        "dollar": _gauge(result.dollar, "index"),
        "source": "sample" if result.is_sample else result.source,
        "data_source": result.source,
        "age_s": None if target is None else _age(target, now),
        "freshness": result.freshness.value,
    }


def _age(target: Target, now: datetime) -> int:
    """Of the newest date of the range, from its beginning in New York."""
    began = datetime.combine(target.dated, time(), ZoneInfo("America/New_York"))
    return max(0, int((now - began).total_seconds()))


def _new_york(at: datetime | None) -> str | None:
    return _day(None if at is None else at.astimezone(ZoneInfo("America/New_York")).date())


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _cpi(one: Inflation) -> dict[str, Any]:
    then = next((month for month in one.months if month.first == one.year_ago), None)
    return {
        "month": f"{one.last.first:%Y-%m}",
        "index": one.last.index,
        "month_year_ago": f"{one.year_ago:%Y-%m}",
        "index_year_ago": None if then is None else then.index,
        "yoy_pct": rounded(one.last.yoy_pct),
        "released": iso(one.released),
        "missing": [f"{month:%Y-%m}" for month in one.missing],
        "next_month": None if one.next_month is None else f"{one.next_month:%Y-%m}",
        "next_release": None if one.next_at is None else iso(one.next_at),
        "freshness": one.freshness.value,
        "months": [
            {"month": f"{month.first:%Y-%m}", "index": month.index, "yoy_pct": rounded(month.yoy_pct)}
            for month in one.months
        ],
    }


def _gauge(one: Gauge | None, unit: str) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "date": one.last.dated.isoformat(),
        unit: one.last.value,
        "before": None
        if one.before is None
        else {"date": one.before.dated.isoformat(), unit: one.before.value},
        "source": one.source,
        "freshness": one.freshness.value,
    }


def as_table(result: Macro) -> Sequence[Sequence[object]]:
    """Every figure in the picture, one row each; an empty value is one that was not published."""
    rows: list[list[object]] = [["series", "date", "value", "low", "high", "yoy_pct", "unit", "known_utc"]]
    if result.target is not None:
        rows += [
            ["fed_target", span.since.isoformat(), None, span.low, span.high, None, "percent", None]
            for span in result.target.spans
        ]
    if result.inflation is not None:
        rows += [
            [
                "cpi", month.first.isoformat(), month.index, None, None, rounded(month.yoy_pct), "index",
                iso(result.inflation.released) if month is result.inflation.last else None,
            ]
            for month in result.inflation.months
        ]  # fmt: skip
    gauges: Mapping[str, tuple[Gauge | None, str]] = {
        "breakeven_10y": (result.breakeven, "percent"),
        "oil": (result.oil, "usd_barrel"),
        "dollar": (result.dollar, "index"),
    }
    for name, (gauge, unit) in gauges.items():
        rows += [
            [name, point.dated.isoformat(), point.value, None, None, None, unit, iso(point.known_at)]
            for point in (() if gauge is None else gauge.shown)
        ]
    return rows


def _feeds(query: MacroQuery) -> list[str]:  # noqa: ARG001
    return [UPPER, CPI, BREAKEVEN, f"{OIL}:1d", f"{DOLLAR}:1d"]


REPORT: Final = Report(
    name="macro",
    about=N_("Fed range and meetings, consumer prices, breakevens, oil, dollar: facts"),
    options=(),
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, _feeds),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
