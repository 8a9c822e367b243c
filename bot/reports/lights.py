"""``lights``: is the line held, are flows steady, is macro calm, are silver and its margin quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from analysis import five_days, levels, lights
from analysis import macro as macro_line
from analysis.errors import NoData
from analysis.five_days import FiveDays
from analysis.freshness import DAILY, Rhythm, freshness, of_bars
from analysis.levels import Interval, Level, Rule
from analysis.lights import (
    Coming,
    EventKind,
    FlowLight,
    Light,
    Lights,
    LineLight,
    Rise,
    State,
    Thresholds,
    Why,
)
from analysis.macro import FRED_DAILY, Point
from analysis.margin import PRODUCTS, Change, cost
from bot.language import N_, Speech, iso
from bot.reports import daily_closes, flows, level_past, macro, missing
from bot.reports.flows import FlowsQuery
from bot.reports.level_past import SeriesPast
from bot.reports.level_series import BOOK_INSTRUMENT
from bot.reports.lights_words import say, words_of
from bot.reports.shapes import Asked, Report, Words, rounded
from bot.reports.silver_margin import change_of
from providers import announced
from storage import instruments, margins, servers
from storage import macro as macro_store
from storage.instants import utc
from storage.servers import ServerSettings
from storage.store import Db

NAMES: Final = ("line", "flows", "macro", "silver")
SINCE_LAUNCH: Final = date(2024, 1, 11)
HISTORY: Final = timedelta(days=400)
"""Of daily values: far more than volatility remembers."""
SILVER: Final = "SI"


@dataclass(frozen=True, slots=True, kw_only=True)
class LightsQuery:
    """There is nothing to choose: the thresholds are the server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A daily series out of the store; ``points`` oldest first."""

    points: Sequence[Point]
    source: str
    is_sample: bool
    rhythm: Rhythm


def read(words: Words, now: datetime) -> LightsQuery:  # noqa: ARG001 -- the same for every question
    return LightsQuery()


def write(query: LightsQuery) -> dict[str, str]:  # noqa: ARG001
    return {}


def thresholds(settings: ServerSettings | None) -> Thresholds:
    """What a server chose, and the rest by default."""
    default = Thresholds()
    if settings is None:
        return default

    def chosen(value: float | None, otherwise: float) -> float:
        return otherwise if value is None else value

    return Thresholds(
        line=chosen(settings.light_line, default.line),
        closes=default.closes if settings.light_closes is None else settings.light_closes,
        flows_musd=chosen(settings.light_flows_musd, default.flows_musd),
        macro_sigma=chosen(settings.light_macro_sigma, default.macro_sigma),
        silver_sigma=chosen(settings.light_silver_sigma, default.silver_sigma),
    )


async def answer(query: LightsQuery, asked: Asked) -> Lights:  # noqa: ARG001
    """Rows -> four results -> four lights. Raises NoData where no light has anything to go by."""
    at = asked.at
    async with asked.store.read() as db:
        chosen = thresholds(await servers.settings(db, asked.server_id))
        breakeven = _published(
            await macro_store.known(db, macro.BREAKEVEN, at=at, since=(at - HISTORY).date())
        )
        dollar, silver = await _market(db, macro.DOLLAR, at), await _market(db, SILVER, at)
        changes = [
            change_of(row) for row in await margins.known(db, SILVER, at=at, server_id=asked.server_id)
        ]
    line, line_is_sample = await _line(asked, chosen)
    flow, flow_is_sample = await _flows(asked, chosen)
    result = Lights(
        as_of=at,
        thresholds=chosen,
        is_own=chosen != Thresholds(),
        line=line,
        flows=flow,
        macro=lights.macro(
            _five_days(dollar, chosen.macro_sigma, at),
            _five_days(breakeven, chosen.macro_sigma, at, prices=False),
            _calendar(at),
            threshold=chosen.macro_sigma,
            as_of=at,
        ),
        silver=lights.silver(
            _five_days(silver, chosen.silver_sigma, at),
            _rises(changes, silver.points, at),
            threshold=chosen.silver_sigma,
            as_of=at,
        ),
        is_sample=any((line_is_sample, flow_is_sample, dollar.is_sample, silver.is_sample)),
    )
    if all(light.why is Why.MISSING and light.since is None for light in result.all):
        raise NoData("Nothing that the four lights go by was known at that time.")
    return result


async def _line(asked: Asked, chosen: Thresholds) -> tuple[LineLight, bool]:
    """The line judged by every closed 30-minute bar of the series that answers for bitcoin."""
    at = asked.at
    async with asked.store.read() as db:
        series = await instruments.find(db, BOOK_INSTRUMENT, Interval.M30, at=at, reach=timedelta(days=7))
    unknown = LineLight(light=Light(state=State.UNKNOWN, since=None, why=Why.MISSING), level=None)
    if series is None:
        return unknown, False
    level = Level(price=chosen.line, label="", rule=Rule(bars_to_hold=chosen.closes))

    async def nothing(db: Db) -> None:  # noqa: ARG001 -- bars are all it takes
        return None

    def judged(known: SeriesPast, _: None) -> LineLight:
        if not len(known.base):
            return unknown
        result = levels.assess_past(
            known.past(Interval.M30),
            base=known.base,
            daily=known.days.part(0, 0),
            book=[level],
            as_of=at,
            window_start=utc(int(known.base.opened_at[-1])),
            instrument=series.code,
            venue=series.venue,
            quote=series.quote,
            source=series.source,
        )
        return lights.line(
            result.levels[0],
            price=result.price,
            price_at=result.price_at,
            source=series.source,
            fresh=freshness(result.price_at, at, of_bars(Interval.M30.length, rests=series.rests)),
        )

    found = await level_past.judged(asked.store, series, nothing, judged, at=at)
    return found, found is not unknown and series.is_sample


async def _flows(asked: Asked, chosen: Thresholds) -> tuple[FlowLight, bool]:
    try:
        result = await flows.answer(FlowsQuery(asset=BOOK_INSTRUMENT, since=SINCE_LAUNCH), asked)
    except NoData:
        return FlowLight(light=Light(state=State.UNKNOWN, since=None, why=Why.MISSING)), False
    return lights.flows(result, threshold=chosen.flows_musd), result.is_sample


async def _market(db: Db, code: str, at: datetime) -> Daily:
    series, closes = await daily_closes.read(db, code, at, since=at - HISTORY)
    return Daily(
        points=[Point(close.date, close.closed_at, close.price) for close in closes],
        source="" if series is None else series.source,
        is_sample=series is not None and series.is_sample,
        rhythm=DAILY,
    )


def _published(rows: Sequence[macro_store.Observation]) -> Daily:
    return Daily(
        points=macro.points(rows),
        source=rows[-1].source if rows else "",
        is_sample=bool(rows) and rows[-1].is_sample,
        rhythm=FRED_DAILY,
    )


def _five_days(series: Daily, threshold: float, at: datetime, *, prices: bool = True) -> FiveDays | None:
    if not series.points:
        return None
    judge = five_days.of_prices if prices else five_days.of_levels
    fresh = macro_line.fresh_by(series.points[-1], at, series.rhythm)
    return judge(series.points, threshold=threshold, source=series.source, freshness=fresh)


def _calendar(at: datetime) -> list[Coming]:
    events = [Coming(kind=EventKind.DECISION, at=decision) for decision in announced.decisions()]
    events += [Coming(kind=EventKind.CPI, at=release.at) for release in announced.cpi_releases(at)]
    return sorted(events, key=lambda event: event.at)


def _rises(changes: Sequence[Change], closes: Sequence[Point], at: datetime) -> list[Rise]:
    """Changes that ask for more than the rule before them, at the last close before they were known."""
    product, found = PRODUCTS[SILVER], []
    for before, after in pairwise(changes):
        if after.effective is None:
            continue
        told = after.known_at or after.effective
        price = next((point.value for point in reversed(closes) if point.known_at <= min(told, at)), None)
        if price is None or told > at:
            continue
        pct = 100 * (cost(after, product, price).initial_usd / cost(before, product, price).initial_usd - 1)
        if pct > 0:
            found.append(Rise(known_at=min(told, after.effective), effective=after.effective, pct=pct))
    return sorted(found, key=lambda rise: rise.known_at)


def as_json(result: Lights, now: datetime) -> dict[str, Any]:
    speech = Speech("en", ZoneInfo("UTC"))
    newest = result.line.price_at
    return {
        "as_of": iso(result.as_of),
        "thresholds": {
            "line": result.thresholds.line,
            "closes": result.thresholds.closes,
            "flows_musd": result.thresholds.flows_musd,
            "macro_sigma": result.thresholds.macro_sigma,
            "silver_sigma": result.thresholds.silver_sigma,
            "own": result.is_own,
        },
        "lights": [
            {
                "name": name,
                "state": light.state.value,
                "since": None if light.since is None else iso(light.since),
                "why_unknown": None if light.why is None else light.why.value,
                "rule": words.rule,
                "reading": words.reading,
                "flips_when": words.flips,
                "inputs": inputs,
            }
            for name, light, words, inputs in zip(
                NAMES, result.all, words_of(result, speech), _inputs(result), strict=True
            )
        ],
        "green": sum(light.state is State.GREEN for light in result.all),
        "source": "sample" if result.is_sample else "live",
        "data_source": " · ".join(result.sources),
        "age_s": None if newest is None else int((now - newest).total_seconds()),
        "freshness": result.freshness.value,
    }


def _inputs(result: Lights) -> list[list[dict[str, Any]]]:
    line, flow, silver = result.line, result.flows, result.silver
    level = line.level
    return [
        [
            {
                "what": "price",
                "value": line.price,
                "at": None if line.price_at is None else iso(line.price_at),
                "state": None if level is None else level.state.value,
                "bars_held": None if level is None else level.bars_held,
                "bars_needed": None if level is None else level.bars_needed,
                "turns_at": None if level is None else rounded(level.invalidation),
                "freshness": line.freshness.value,
            }
        ],
        [
            {
                "what": "sum of five final days",
                "musd": flow.sum_musd,
                "date": None if flow.last_date is None else flow.last_date.isoformat(),
                "next_needed_musd": flow.next_needed,
                "latest": None
                if flow.latest is None
                else {"date": flow.latest.date.isoformat(), "state": flow.latest.state.value},
                "freshness": flow.freshness.value,
            }
        ],
        [_move("dollar index", result.macro.dollar), _move("10-year breakeven", result.macro.breakeven)]
        + [{"what": event.kind.value, "at": iso(event.at)} for event in (result.macro.coming,) if event],
        [_move("silver", silver.silver)]
        + [
            {
                "what": "margin rise", "pct": rounded(rise.pct), "known_at": iso(rise.known_at),
                "effective": iso(rise.effective), "ends": iso(rise.ends),
            }
            for rise in (silver.rise,)
            if rise
        ],
    ]  # fmt: skip


def _move(what: str, one: FiveDays | None) -> dict[str, Any]:
    if one is None:
        return {"what": what, "freshness": "missing"}
    return {
        "what": what,
        "date": one.last.dated.isoformat(),
        "value": one.last.value,
        "z5": rounded(one.z),
        "quiet_between": [rounded(one.low), rounded(one.high)],
        "source": one.source,
        "freshness": one.freshness.value,
    }


def as_table(result: Lights) -> Sequence[Sequence[object]]:
    """One row a light."""
    header = ["light", "state", "since_utc", "why_unknown", "reading", "rule", "flips_when"]
    speech = Speech("en", ZoneInfo("UTC"))
    rows: list[list[object]] = [[*header]]
    for name, light, words in zip(NAMES, result.all, words_of(result, speech), strict=True):
        since = None if light.since is None else iso(light.since)
        why = None if light.why is None else light.why.value
        rows.append([name, light.state.value, since, why, words.reading, words.rule, words.flips])
    return rows


def _feeds(query: LightsQuery) -> list[str]:  # noqa: ARG001
    return ["BTC:30m", "BTC:flows", f"{macro.DOLLAR}:1d", macro.BREAKEVEN, f"{SILVER}:1d"]


REPORT: Final = Report(
    name="lights",
    about=N_("The line, flows, macro, silver: each on or off, why, and what would change it"),
    options=(),
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, _feeds),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
