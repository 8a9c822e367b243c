"""Bitstamp: bars in USD, as far back as there was bitcoin to trade."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Strict, TypeAdapter

from analysis.levels import Interval
from providers import gate
from providers.errors import Malformed, Refused
from providers.shapes import Bar, BarQuery, Bars, Request

NAME: Final = "Bitstamp"
HOST: Final = "www.bitstamp.net"
INTERVALS: Final = frozenset(Interval)
# 1,000 rows; it is not said whether the end itself is counted.
LIMIT: Final = 999
REACH: Final[int | None] = None


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    timestamp: gate.Digits
    open: gate.Decimal
    high: gate.Decimal
    low: gate.Decimal
    close: gate.Decimal
    volume: gate.Decimal


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore")

    pair: Annotated[str, Strict()]
    ohlc: list[_Row]


_DATA: Final = TypeAdapter(_Data)


def request(query: BarQuery) -> Request:
    step = int(query.interval.length.total_seconds())
    since = int(query.since.timestamp())
    return Request(
        host=HOST,
        path=f"/api/v2/ohlc/{query.symbol}/",
        params={
            "step": str(step),
            "limit": "1000",
            "start": str(since),
            "end": str(min(int(query.until.timestamp()), since + LIMIT * step)),
        },
    )


def parse(body: bytes, query: BarQuery, now: datetime) -> Bars:
    value = gate.read(body)
    if isinstance(value, dict) and "data" not in value and value.keys() & {"code", "errors", "reason"}:
        raise Refused(gate.words(str(value.get("reason") or value.get("errors") or value.get("code"))))
    told = value.get("data") if isinstance(value, dict) else None
    data = gate.shaped(_DATA, told, body=body)
    if data.pair.replace("/", "").lower() != query.symbol.lower():
        raise Malformed(f"bars of {gate.words(data.pair)}", body=body)
    length = int(query.interval.length.total_seconds())
    return gate.bars(
        (
            Bar(row.timestamp, row.timestamp + length, row.open, row.high, row.low, row.close, row.volume)
            for row in data.ohlc
        ),
        query,
        now,
        body=body,
        traded=True,
        unknown=gate.unknown(value, {"data"}) | gate.unknown(told, _Data.model_fields),
    )
