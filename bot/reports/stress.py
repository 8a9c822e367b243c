"""``stress``: is it stress or rotation, and does bitcoin move with stocks, gold or the dollar."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from analysis import stress
from analysis.charts import stress_words
from analysis.closes import Alignment, Close, comparable
from analysis.correlation import distinguishable
from analysis.freshness import Rhythm, freshness
from analysis.levels import Interval
from analysis.stress import INSTRUMENTS, WINDOWS, Input, Move, Pair, Stress
from analysis.verdict import VOTERS
from bot.language import N_, iso
from bot.reports import missing
from bot.reports.shapes import Asked, Option, Report, Words, rounded
from bot.reports.stress_words import say
from bot.reports.windows import start_date
from storage import bars, instruments
from storage.instants import utc
from storage.instruments import Series
from storage.store import Db

SINCE = Option(
    name="since", help=N_("Compare with the close of: 7d, 1/28 or 2026-01-28 (default five New York days)")
)
HISTORY: Final = timedelta(days=180)
"""How far back bitcoin should be known: windows of 90 sessions and what they are compared with."""
PRINTS: Final = timedelta(days=50)
"""The same for prices within the day, of which some sources tell no more than the last sixty days."""
_BEHIND: Final = (4, 5)
"""Hours from New York to UTC, in summer and in winter."""
_NEW_YORK: Final = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True, kw_only=True)
class StressQuery:
    """A checked question; ``since`` is a New York trade date, null for five of them."""

    since: date | None = None


def read(words: Words, now: datetime) -> StressQuery:
    since = words.get("since", "").strip()
    return StressQuery(since=start_date(since, now) if since else None)


def write(query: StressQuery) -> dict[str, str]:
    return {"since": query.since.isoformat()} if query.since else {}


async def answer(query: StressQuery, asked: Asked) -> Stress:
    """Query -> rows -> closes -> result. Raises UserError when it cannot be answered."""
    async with asked.store.read() as db:
        series = await _within_the_day(db, asked.at)
        alignment = Alignment.PRINT
        closes = await _closes(db, series, alignment, asked.at)
        if not comparable(closes, INSTRUMENTS, asked.at):
            series = await _daily(db, asked.at)
            alignment = Alignment.DAILY
            closes = await _closes(db, series, alignment, asked.at)
    # In a thread: the verdict is found anew at every close there is, some 40 ms of arithmetic.
    return await asyncio.to_thread(
        stress.assess,
        closes,
        as_of=asked.at,
        since=query.since,
        sources={code: one.source for code, one in series.items()},
        alignment=alignment,
        is_sample=any(one.is_sample for one in series.values()),
    )


async def _within_the_day(db: Db, at: datetime) -> dict[str, Series]:
    """Live series that tell what a market traded at, at any full hour; empty unless all seven have one."""
    found = {}
    for code in INSTRUMENTS:
        series = await _first(db, code, (Interval.H1, Interval.M30), at, PRINTS)
        if series is None or series.is_sample:
            return {}
        found[code] = series
    return found


async def _daily(db: Db, at: datetime) -> dict[str, Series]:
    """Bitcoin never closes: its bar that ends with the New York day stands for its close."""
    found = {}
    for code in INSTRUMENTS:
        intervals = (Interval.H1, Interval.M30) if code == "BTC" else (Interval.D1,)
        series = await _first(db, code, intervals, at, HISTORY)
        if series is not None:
            found[code] = series
    return found


async def _first(
    db: Db, code: str, intervals: Sequence[Interval], at: datetime, reach: timedelta
) -> Series | None:
    for interval in intervals:
        series = await instruments.find(db, code, interval, at=at, reach=reach)
        if series is not None:
            return series
    return None


async def _closes(
    db: Db, series: Mapping[str, Series], alignment: Alignment, at: datetime
) -> dict[str, list[Close]]:
    """By instrument code, oldest first, dated in New York: the bars that end at the hour of ``alignment``."""
    hours = [alignment.hour.hour + behind for behind in _BEHIND]
    made = await bars.closes(db, series.values(), at=at, hours=hours)
    return {
        code: [
            Close(local.date(), instant, close)
            for closed_at, close in made[one]
            if (local := (instant := utc(closed_at)).astimezone(_NEW_YORK)).time() == alignment.hour
        ]
        for code, one in series.items()
    }


def as_json(result: Stress, now: datetime) -> dict[str, Any]:
    rhythm = result.alignment.rhythm
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    return {
        "as_of": iso(result.as_of),
        "since": result.since.isoformat(),
        "session": result.session.isoformat(),
        "alignment": result.alignment.value,
        "source": "sample" if result.is_sample else stress_words.publishers(result),
        "data_source": stress_words.publishers(result),
        "age_s": int((now - result.closed_at).total_seconds()),
        "freshness": freshness(result.closed_at, now, rhythm).value,
        "moves": [
            {
                "instrument": move.instrument,
                "from": {"date": move.start.date.isoformat(), "price": move.start.price},
                "to": {"date": move.end.date.isoformat(), "price": move.end.price},
                "pct": round(move.pct, 4),
                "sigma": rounded(move.sigma),
            }
            for move in result.moves
        ],
        "verdict": result.verdict.value,
        "verdict_since": result.verdict_since.isoformat(),
        "last_close_alone": result.latest.value,
        "confidence": rounded(result.confidence),
        "contributions": [
            {"instrument": one.instrument, "z5": round(one.z5, 4), "votes": one.votes}
            for one in result.contributions
        ],
        "quantities": {
            "R": rounded(result.quantities.risk),
            "M": rounded(result.quantities.metal),
            "H": rounded(result.quantities.hedge),
            "D": rounded(result.quantities.dollar),
            "dispersion": rounded(result.quantities.dispersion),
        },
        "rules": [
            {
                "verdict": rule.value,
                "fits": all(check.met for check in checks),
                "conditions": [
                    {
                        "measure": check.measure.value,
                        "sign": check.sign,
                        "border": check.border,
                        "value": rounded(check.value),
                        "met": check.met,
                    }
                    for check in checks
                ],
            }
            for rule, checks in result.rules
        ],
        "skipped": [
            {"verdict": skip.verdict.value, "measure": skip.measure.value} for skip in result.skipped
        ],
        "flips": [
            {
                "instrument": turn.flip.instrument,
                "z5": round(turn.flip.z5, 4),
                "border": round(turn.flip.border, 4),
                "price": round(turn.price, 4),
                "verdict": turn.flip.verdict.value,
            }
            for turn in result.turns
        ],
        "missing": [missing.instrument for missing in result.missing],
        "reasons": stress_words.reasons(result, date.isoformat, str),
        "inputs": [_input(one, rhythm, now) for one in result.inputs],
        "correlations": [
            {
                "instrument": pair.instrument,
                "window": pair.window,
                "r": round(pair.correlation.r, 4),
                "low": round(pair.correlation.low, 4),
                "high": round(pair.correlation.high, 4),
                "n": pair.correlation.n,
            }
            for pair in result.correlations
        ],
        "es_and_gc_distinguishable": {
            str(window): distinguishable(one.correlation, other.correlation)
            for window in WINDOWS
            if (one := pairs.get(("ES", window))) and (other := pairs.get(("GC", window)))
        },
        "inverse_to_dollar": {
            str(window): pair.correlation.high < 0
            for window in WINDOWS
            if (pair := pairs.get(("DXY", window)))
        },
    }


def _input(one: Input, rhythm: Rhythm, now: datetime) -> dict[str, Any]:
    last = one.last
    return {
        "instrument": one.instrument,
        "source": one.source or None,
        "date": last.date.isoformat() if last else None,
        "closed_at": iso(last.closed_at) if last else None,
        "price": last.price if last else None,
        "age_s": int((now - last.closed_at).total_seconds()) if last else None,
        "freshness": freshness(last.closed_at, now, rhythm).value if last else "missing",
    }


def as_table(result: Stress) -> Sequence[Sequence[object]]:
    """One row a market: move, sigmas, vote and its correlations with bitcoin."""
    header = ["instrument", "from_date", "from_price", "to_date", "to_price", "move_pct", "move_sigma"]
    header += ["z5_sigma", "votes"]
    header += [f"{name}_{window}" for window in WINDOWS for name in ("r", "low", "high", "n")]
    moves = {move.instrument: move for move in result.moves}
    weeks = {one.instrument: one for one in result.contributions}
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    rows: list[list[object]] = [[*header]]
    for code in INSTRUMENTS:
        move, week = moves.get(code), weeks.get(code)
        row: list[object] = [code, *([None] * 6 if move is None else _move_cells(move))]
        row += [week and rounded(week.z5), "yes" if code in VOTERS else "no"]
        for window in WINDOWS:
            row += _pair_cells(pairs.get((code, window)))
        rows.append(row)
    return rows


def _move_cells(move: Move) -> list[object]:
    start, end = move.start, move.end
    dated = [start.date.isoformat(), start.price, end.date.isoformat(), end.price]
    return [*dated, rounded(move.pct), rounded(move.sigma)]


def _pair_cells(pair: Pair | None) -> list[object]:
    if pair is None:
        return [None] * 4
    found = pair.correlation
    return [rounded(found.r), rounded(found.low), rounded(found.high), found.n]


def _feeds(query: StressQuery) -> list[str]:  # noqa: ARG001 -- the same for every question
    return [f"{code}:{Interval.H1 if code == 'BTC' else Interval.D1}" for code in INSTRUMENTS]


REPORT: Final = Report(
    name="stress",
    options=(SINCE,),
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, _feeds),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
