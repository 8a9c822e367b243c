"""Binance spot, by its host for market data only: bars in USDT, which is not USD."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Strict, TypeAdapter

from analysis.levels import Interval
from providers import gate
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import Bar, BarQuery, Bars, Request

NAME: Final = "Binance"
HOST: Final = "data-api.binance.vision"
INTERVALS: Final = frozenset(Interval)
LIMIT: Final = 1000
REACH: Final[int | None] = None

_TOO_MANY: Final = -1003

# Opens at (ms), open, high, low, close, volume, ends at (ms), in quote, trades, bought, in quote, unused.
_Row = tuple[
    gate.Whole,
    gate.Decimal,
    gate.Decimal,
    gate.Decimal,
    gate.Decimal,
    gate.Decimal,
    gate.Whole,
    gate.Decimal,
    gate.Whole,
    gate.Decimal,
    gate.Decimal,
    gate.Decimal,
]
_ROWS: Final = TypeAdapter(list[_Row])


class _Error(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: gate.Whole
    msg: Annotated[str, Strict()]


_ERROR: Final = TypeAdapter(_Error)


def request(query: BarQuery) -> Request:
    return klines(query, host=HOST, path="/api/v3/klines", limit=LIMIT, cost=2)


def parse(body: bytes, query: BarQuery, now: datetime) -> Bars:
    value = gate.read(body)
    if isinstance(value, dict):
        error = gate.shaped(_ERROR, value, body=body)
        said = gate.words(f"{error.code} {error.msg}")
        raise TooMany(said) if error.code == _TOO_MANY else Refused(said)
    rows = gate.shaped(_ROWS, value, body=body)
    length = int(query.interval.length.total_seconds())
    for row in rows:
        # A bar ends a millisecond before the next: one of another length shows itself.
        if row[0] % 1000 or row[6] - row[0] != length * 1000 - 1:
            raise Malformed(f"a bar from {row[0]} to {row[6]} ms", body=body)
    return gate.bars(
        (Bar(row[0] // 1000, row[0] // 1000 + length, *row[1:6]) for row in rows),
        query,
        now,
        body=body,
        traded=True,
    )


def klines(query: BarQuery, *, host: str, path: str, limit: int, cost: int) -> Request:
    """The one call for bars that all of Binance's markets share."""
    return Request(
        host=host,
        path=path,
        params={
            "symbol": query.symbol,
            # Case counts: 1m is a minute, 1M a month. Ours are spelt as theirs.
            "interval": query.interval.value,
            "startTime": str(int(query.since.timestamp()) * 1000),
            # The end is counted.
            "endTime": str(int(query.until.timestamp()) * 1000 - 1),
            "limit": str(limit),
        },
        cost=cost,
    )
