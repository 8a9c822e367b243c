"""``stress``: is it stress or rotation, and does bitcoin move with stocks, gold or the dollar."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from analysis import stress
from analysis.charts import stress_words
from analysis.closes import Close
from analysis.correlation import distinguishable
from analysis.levels import Interval
from analysis.stress import CLOSE, INSTRUMENTS, NEW_YORK, WINDOWS, Input, Move, Pair, Stress
from analysis.verdict import VOTERS
from bot.language import N_, iso
from bot.reports.shapes import Asked, Option, Report, Words, rounded
from bot.reports.stress_words import freshness_of, say
from bot.reports.windows import start_date
from storage import bars, instruments
from storage.store import Db

ALIGNMENT: Final = "daily close"
SINCE = Option(
    name="since", help=N_("Compare with the close of: 7d, 1/28 or 2026-01-28 (default five New York days)")
)
HISTORY: Final = timedelta(days=180)
"""How far back bitcoin should be known: windows of 90 sessions and what they are compared with."""
_UTC_HOURS: Final = (21, 22)
"""17:00 New York in summer and in winter."""


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
    closes: dict[str, list[Close]] = {}
    sources: dict[str, str] = {}
    is_sample = False
    async with asked.store.read() as db:
        for code in INSTRUMENTS:
            series = await _series(db, code, asked.at)
            if series is None:
                continue
            # Bitcoin never closes: its bar that ends with the New York day stands for its close.
            rows = await bars.closed_at_hours(db, series, _UTC_HOURS, at=asked.at)
            closes[code] = [close for row in rows if (close := _close(row.closed_at, row.close)) is not None]
            sources[code] = series.source
            is_sample = is_sample or series.is_sample
    # In a thread: the verdict is found anew at every close there is, some 40 ms of arithmetic.
    return await asyncio.to_thread(
        stress.assess,
        closes,
        as_of=asked.at,
        since=query.since,
        sources=sources,
        is_sample=is_sample,
    )


async def _series(db: Db, code: str, at: datetime) -> instruments.Series | None:
    for interval in (Interval.H1, Interval.M30) if code == "BTC" else (Interval.D1,):
        series = await instruments.find(db, code, interval, at=at, reach=HISTORY)
        if series is not None:
            return series
    return None


def _close(closed_at: int, price: float) -> Close | None:
    """A close of 17:00 New York, dated there; null for one of another hour."""
    instant = datetime.fromtimestamp(closed_at, UTC)
    local = instant.astimezone(NEW_YORK)
    return Close(local.date(), instant, price) if local.time() == CLOSE else None


def as_json(result: Stress, now: datetime) -> dict[str, Any]:
    newest = max(one.last.closed_at for one in result.inputs if one.last and one.last.date == result.session)
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    return {
        "as_of": iso(result.as_of),
        "since": result.since.isoformat(),
        "session": result.session.isoformat(),
        "alignment": ALIGNMENT,
        "source": "sample" if result.is_sample else stress_words.publishers(result),
        "data_source": stress_words.publishers(result),
        "age_s": int((now - newest).total_seconds()),
        "freshness": freshness_of(result.session, now),
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
        "inputs": [_input(one, now) for one in result.inputs],
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


def _input(one: Input, now: datetime) -> dict[str, Any]:
    last = one.last
    return {
        "instrument": one.instrument,
        "source": one.source or None,
        "date": last.date.isoformat() if last else None,
        "closed_at": iso(last.closed_at) if last else None,
        "price": last.price if last else None,
        "age_s": int((now - last.closed_at).total_seconds()) if last else None,
        "freshness": freshness_of(last.date, now) if last else "missing",
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


REPORT: Final = Report(
    name="stress",
    options=(SINCE,),
    read=read,
    write=write,
    answer=answer,
    say=say,
    as_json=as_json,
    as_table=as_table,
)
