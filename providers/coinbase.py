"""Coinbase Exchange: bars in USD; it has none of 30 minutes, so that they are built from 15."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Strict, TypeAdapter

from analysis.levels import Interval
from providers import gate
from providers.build import build
from providers.errors import Refused, TooMany
from providers.shapes import Bar, BarQuery, Bars, Request

NAME: Final = "Coinbase"
HOST: Final = "api.exchange.coinbase.com"
INTERVALS: Final = frozenset({Interval.M30, Interval.H1, Interval.D1})
# A call holds 300 rows and is refused for more: half of them, for those that are built of two,
# and less a few, because it is not said whether the end itself is counted.
LIMIT: Final = 140
REACH: Final[int | None] = None

_QUARTER: Final = timedelta(minutes=15)

# Time, low, high, open, close, volume: the lowest comes first.
_Row = tuple[gate.Whole, gate.Number, gate.Number, gate.Number, gate.Number, gate.Number]
_ROWS: Final = TypeAdapter(list[_Row])
_MESSAGE: Final = TypeAdapter(Annotated[str, Strict()])


def request(query: BarQuery) -> Request:
    until = min(query.until, query.since + LIMIT * query.interval.length)
    return Request(
        host=HOST,
        path=f"/products/{query.symbol}/candles",
        params={
            "granularity": str(int(_step(query).total_seconds())),
            "start": _iso(query.since),
            "end": _iso(until),
        },
    )


def parse(body: bytes, query: BarQuery, now: datetime) -> Bars:
    value = gate.read(body)
    if isinstance(value, dict) and "message" in value:
        said = gate.words(gate.shaped(_MESSAGE, value["message"], body=body))
        raise TooMany(said) if "rate limit" in said.lower() else Refused(said)
    rows = gate.shaped(_ROWS, value, body=body)
    step = _step(query)
    length = int(step.total_seconds())
    found = gate.bars(
        (
            Bar(at, at + length, open_, high, low, close, volume)
            for at, low, high, open_, close, volume in rows
        ),
        query,
        now,
        body=body,
        step=step,
        traded=True,
    )
    return found if step == query.interval.length else build(found, query.interval)


def _step(query: BarQuery) -> timedelta:
    return _QUARTER if query.interval is Interval.M30 else query.interval.length


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
