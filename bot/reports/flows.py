"""``flows``: what spot ETFs took in or gave back, for how long, and what regime that is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from analysis import flows as analysis
from analysis import trading_days
from analysis.errors import NoData
from analysis.flows import Day, DayState, Extreme, Flows
from bot.language import N_, iso
from bot.reports import missing, rates_json
from bot.reports.flow_terms import RHYTHM, freshness_of
from bot.reports.flow_words import say
from bot.reports.shapes import Asked, Option, Report, Words, choice, rounded
from bot.reports.windows import start_date
from storage import entered_flows, flow_revisions, flows
from storage.entered_flows import EnteredFlow
from storage.flow_revisions import Replaced
from storage.flows import FlowDay, FlowState, Publisher

ENOUGH_DAYS: Final = 20
"""Final days a publisher must have before its own figures answer: the longest rolling sum."""
ASSET = Option(name="asset", help=N_("Which ETFs: BTC or ETH (default BTC)"), choices=("BTC", "ETH"))
SINCE = Option(
    name="since", help=N_("First day counted: 30d, 1/16 or 2026-01-16 (default the last 30 final days)")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowsQuery:
    """A checked question. ``since`` is a US trade date; None for the last 30 final days."""

    asset: str = "BTC"
    since: date | None = None


def read(words: Words, now: datetime) -> FlowsQuery:
    since = words.get("since", "").strip()
    return FlowsQuery(asset=choice(words, ASSET, "BTC"), since=start_date(since, now) if since else None)


def write(query: FlowsQuery) -> dict[str, str]:
    words = {"asset": query.asset}
    if query.since:
        words["since"] = query.since.isoformat()
    return words


async def answer(query: FlowsQuery, asked: Asked) -> Flows:
    """Query -> rows -> result. Raises NoData when no final day was known."""
    async with asked.store.read() as db:
        publisher = _publisher(await flows.publishers(db, query.asset, at=asked.at))
        rows = await flows.known(db, query.asset, at=asked.at, source=publisher.source) if publisher else []
        typed = await entered_flows.known(db, asked.server_id, query.asset, at=asked.at)
        earlier = (
            await flow_revisions.replaced(db, query.asset, at=asked.at, source=publisher.source)
            if publisher
            else []
        )
        empty = publisher is None and await flows.last_source(db, query.asset) is None
    if empty:
        raise NoData("The store holds no {asset} ETF flows yet.", asset=query.asset)
    if publisher is None:
        raise NoData("No final day of {asset} ETF flows was known at that time.", asset=query.asset)

    def assessed() -> Flows:
        first = rows[0].trade_date
        return analysis.assess(
            _with_manual(rows, typed, earlier),
            asset=query.asset,
            as_of=asked.at,
            source=publisher.source,
            since=query.since,
            sessions=trading_days.sessions(first, asked.at),
            closed=trading_days.closures(first, asked.at),
            rhythm=RHYTHM,
            is_sample=next((row.is_sample for row in reversed(rows) if row.state is FlowState.FINAL), False),
        )

    # In a thread: the calendar takes half a second when it is asked for the first time.
    return await asyncio.to_thread(assessed)


def _publisher(known: Sequence[Publisher]) -> Publisher | None:
    """The one publisher that answers: whose final days reach furthest, of those with enough of them."""
    return max(
        known, key=lambda one: (one.final_days >= ENOUGH_DAYS, one.last_date, one.final_days), default=None
    )


def _with_manual(
    rows: Sequence[FlowDay], typed: Sequence[tuple[EnteredFlow, datetime]], earlier: Sequence[Replaced]
) -> list[analysis.Report]:
    """Every version of every day; what was typed counts for the days of which the publisher has said
    nothing, after its first.
    """
    said = {row.trade_date for row in rows if row.state is not FlowState.PENDING}
    manual = {
        row.trade_date: _manual(row, entered_at)
        for row, entered_at in typed
        if row.trade_date not in said and row.trade_date > rows[0].trade_date
    }
    told = [_earlier(row) for row in earlier] + [_report(row) for row in rows]
    kept = [one for one in told if one.date not in manual]
    return sorted([*kept, *manual.values()], key=lambda one: one.date)


def _manual(row: EnteredFlow, entered_at: datetime) -> analysis.Report:
    return analysis.Report(
        date=row.trade_date,
        known_at=entered_at,
        state=DayState.FINAL,
        total_musd=row.total_musd,
        funds={},
        manual=True,
    )


def _report(row: FlowDay) -> analysis.Report:
    return analysis.Report(
        date=row.trade_date,
        known_at=row.known_at,
        state=DayState(row.state),
        total_musd=row.total_musd,
        funds=row.funds,
    )


def _earlier(row: Replaced) -> analysis.Report:
    return analysis.Report(
        date=row.trade_date,
        known_at=row.known_at,
        state=DayState(row.state),
        total_musd=row.total_musd,
        funds={},
    )


def as_json(result: Flows, now: datetime) -> dict[str, Any]:
    reading, cushion, odds = result.reading, result.cushion, result.odds
    return {
        "as_of": iso(result.as_of),
        "asset": result.asset,
        "since": result.since.isoformat(),
        "last_date": result.last_date.isoformat(),
        "published_to": result.last_published.isoformat(),
        "manual_days": len(result.manual),
        "last_musd": _musd(result.last_musd),
        "latest": {"date": result.latest.date.isoformat(), "state": result.latest.state.value},
        "source": "sample" if result.is_sample else result.source,
        "data_source": result.source,
        "age_s": int((now - trading_days.closed_at(result.last_published)).total_seconds()),
        "freshness": freshness_of(result, now).value,
        "final_days": result.final_days,
        "positive_days": result.positive_days,
        "negative_days": result.negative_days,
        "p_value": None if odds is None else float(f"{odds.p_value:.4g}"),
        "base_share_pct": None if odds is None else rounded(100 * odds.base_share),
        "base_days": None if odds is None else odds.base_days,
        "sum_musd": _musd(result.sum_musd),
        "streak": result.streak,
        "streak_since": None if result.streak_since is None else result.streak_since.isoformat(),
        "streak_zeros": result.streak_zeros,
        "rolling_5_musd": _musd(reading.rolling_5_musd),
        "rolling_20_musd": _musd(reading.rolling_20_musd),
        "hit_rate_20_pct": rounded(reading.hit_rate_20_pct),
        "z5": rounded(reading.z5),
        "percentile5": rounded(reading.percentile5),
        "sums5": reading.sums5,
        "cumulative_musd": _musd(result.cumulative_musd),
        "cushion_musd": _musd(cushion.musd),
        "cushion_pct": rounded(cushion.pct),
        "peak": {"date": cushion.peak_date.isoformat(), "cumulative_musd": _musd(cushion.peak_musd)},
        "days_left": rounded(cushion.days_left),
        "regime": result.regime.value,
        "waiting": result.waiting,
        "best": _extreme(result.best),
        "worst": _extreme(result.worst),
        "base_rates": rates_json.of_flows(result.base_rates, result.source),
        "days": [_day(day) for day in result.days],
        "revisions": [
            {
                "date": one.date.isoformat(),
                "before": one.before,
                "after": one.after,
                "known_at": iso(one.known_at),
                "partial": one.partial,
            }
            for one in result.revisions
        ],
        "months": [
            {
                "month": f"{month.first:%Y-%m}",
                "total_musd": _musd(month.total_musd),
                "final_days": month.final_days,
                "positive_days": month.positive_days,
                "waiting": month.waiting,
                "complete": month.complete,
            }
            for month in result.months
        ],
        "funds": [
            {
                "fund": fund.code,
                "last_musd": _musd(fund.last_musd),
                "sum_musd": _musd(fund.sum_musd),
                "cumulative_musd": _musd(fund.cumulative_musd),
            }
            for fund in result.funds
        ],
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "total_musd": day.total_musd,
        "state": day.state.value,
        "manual": day.manual,
        "cumulative_musd": _musd(day.cumulative_musd),
        "funds": dict(day.funds),
    }


def _extreme(found: Extreme | None) -> dict[str, Any] | None:
    return None if found is None else {"date": found.date.isoformat(), "total_musd": found.total_musd}


def _musd(value: float | None) -> float | None:
    """Published to a tenth of a million; a sum is no more exact than that."""
    return None if value is None else round(value, 1)


def as_table(result: Flows) -> Sequence[Sequence[object]]:
    """The days in the picture, one row each: an empty cell is not reported, 0.0 is a reported zero."""
    codes = [fund.code for fund in result.funds]
    codes += sorted({code for day in result.days for code in day.funds}.difference(codes))
    rows: list[list[object]] = [
        ["date", "state", "total_musd", "cumulative_musd", *(f"{code}_musd" for code in codes), "entered"]
    ]
    rows += [
        [
            day.date.isoformat(),
            day.state.value,
            day.total_musd,
            _musd(day.cumulative_musd),
            *(day.funds.get(code) for code in codes),
            "by hand" if day.manual else None,
        ]
        for day in result.days
    ]
    return rows


REPORT: Final = Report(
    name="flows",
    about=N_("What spot ETFs took in or gave back: day by day, streak, cushion, regime"),
    options=(ASSET, SINCE),
    switch=ASSET.name,
    buttons=ASSET.choices,
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, lambda query: [f"{query.asset}:flows"]),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
