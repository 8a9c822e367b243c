"""Kraken: bars in USD, the newest 720 only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Strict, TypeAdapter

from analysis.levels import Interval
from providers import gate
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import Bar, BarQuery, Bars, Request

NAME: Final = "Kraken"
HOST: Final = "api.kraken.com"
INTERVALS: Final = frozenset(Interval)
# The 720th is the bar still running.
LIMIT: Final = 719
REACH: Final[int | None] = 719

_WAIT: Final = ("Too many requests", "Rate limit exceeded", "Temporary lockout")

# Time, open, high, low, close, average price, volume, trades.
_Row = tuple[
    gate.Whole, gate.Decimal, gate.Decimal, gate.Decimal, gate.Decimal, gate.Decimal, gate.Decimal, gate.Whole
]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")

    error: list[Annotated[str, Strict()]]
    result: dict[str, object] = {}


_REPLY: Final = TypeAdapter(_Reply)
_ROWS: Final = TypeAdapter(list[_Row])


def request(query: BarQuery) -> Request:
    return Request(
        host=HOST,
        path="/0/public/OHLC",
        params={
            "pair": query.symbol,
            "interval": str(int(query.interval.length.total_seconds()) // 60),
            # It answers with what opened after this instant, not at it.
            "since": str(int(query.since.timestamp()) - 1),
        },
    )


def parse(body: bytes, query: BarQuery, now: datetime) -> Bars:
    value = gate.read(body)
    reply = gate.shaped(_REPLY, value, body=body)
    if reply.error:
        said = gate.words(" ".join(reply.error))
        raise TooMany(said) if any(mark in said for mark in _WAIT) else Refused(said)
    # The pair stands there by another of its names: XXBTZUSD for XBTUSD.
    pairs = [name for name in reply.result if name != "last"]
    if len(pairs) != 1:
        raise Malformed(f"{len(pairs)} pairs instead of one", body=body)
    rows = gate.shaped(_ROWS, reply.result[pairs[0]], body=body)
    if not rows:
        raise Malformed("not even the bar still running", body=body)
    length = int(query.interval.length.total_seconds())
    return gate.bars(
        (
            Bar(at, at + length, open_, high, low, close, volume)
            for at, open_, high, low, close, _average, volume, _trades in rows
        ),
        query,
        now,
        body=body,
        # The last row is never committed, even if its time is over by our clock.
        last_runs=True,
        traded=True,
        unknown=gate.unknown(value, _Reply.model_fields),
    )
