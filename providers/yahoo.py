"""Yahoo Finance: futures and the dollar index, from the unofficial feed of its charts.

Asked for 30 minutes it answers with 60: they are built from 15. Quotes come late, so
that a bar is taken for closed only when a quote after its end, or half an hour, went by.
A day is a trade date and closes at 17:00 New York, like the store's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, Strict, TypeAdapter

from analysis.levels import Interval
from providers import gate
from providers.build import build
from providers.errors import Malformed, Refused
from providers.shapes import Bar, BarQuery, Bars, Request

NAME: Final = "Yahoo Finance"
HOST: Final = "query1.finance.yahoo.com"
INTERVALS: Final = frozenset({Interval.M30, Interval.H1, Interval.D1})
# Quarters of an hour reach back 60 days; hours and days further than anybody asks.
LIMIT: Final = 2_800
REACH: Final[int | None] = 2_800

_ASKED: Final[Mapping[Interval, str]] = MappingProxyType(
    {Interval.M30: "15m", Interval.H1: "1h", Interval.D1: "1d"}
)
_QUARTER: Final = timedelta(minutes=15)
_LATEST_QUOTE: Final = timedelta(minutes=30)
"""The longest that an exchange's quotes are held back."""

_NEW_YORK: Final = ZoneInfo("America/New_York")
_SESSION_OPENS: Final = time(18)
_SESSION_CLOSES: Final = time(17)
# An index: the volume is sent as 0.
_NO_VOLUME: Final = frozenset({"DX-Y.NYB"})

_Text = Annotated[str, Strict()]
_Prices = list[gate.Number | None]


class _Meta(BaseModel):
    symbol: _Text
    zone: _Text = Field(alias="exchangeTimezoneName")
    granularity: _Text | None = Field(None, alias="dataGranularity")
    quoted_at: gate.Whole | None = Field(None, alias="regularMarketTime")


class _Quote(BaseModel):
    open: _Prices = []
    high: _Prices = []
    low: _Prices = []
    close: _Prices = []
    volume: list[gate.Whole | None] = []


class _Indicators(BaseModel):
    quote: list[_Quote] = Field(min_length=1, max_length=1)


class _Result(BaseModel):
    meta: _Meta
    # Not there at all when nothing was traded in the span.
    timestamp: list[gate.Whole] = []
    indicators: _Indicators


class _Error(BaseModel):
    code: _Text
    description: _Text = ""


class _Chart(BaseModel):
    error: _Error | None
    result: list[_Result] | None


class _Reply(BaseModel):
    chart: _Chart


_REPLY: Final = TypeAdapter(_Reply)


def request(query: BarQuery) -> Request:
    return Request(
        host=HOST,
        path=f"/v8/finance/chart/{query.symbol}",
        params={
            "interval": _ASKED[query.interval],
            "period1": str(int(query.since.timestamp())),
            "period2": str(int(query.until.timestamp())),
        },
    )


def parse(body: bytes, query: BarQuery, now: datetime) -> Bars:
    value = gate.read(body)
    chart = gate.shaped(_REPLY, value, body=body).chart
    if chart.error is not None:
        raise Refused(gate.words(f"{chart.error.code}: {chart.error.description}"))
    if chart.result is None or len(chart.result) != 1:
        raise Malformed("not one result", body=body)
    [result] = chart.result
    meta = result.meta
    asked = _ASKED[query.interval]
    if meta.symbol != query.symbol or meta.granularity not in {None, asked}:
        raise Malformed(
            gate.words(f"{meta.symbol} by {meta.granularity} instead of {query.symbol} by {asked}"),
            body=body,
        )
    step = _QUARTER if query.interval is Interval.M30 else query.interval.length
    rows = list(_rows(result, body))
    if query.interval is Interval.D1:
        bars = _days(rows, meta.zone, body)
    else:
        bars = _slots(rows, step, meta.quoted_at)
    quoted_at = now if meta.quoted_at is None else _instant(meta.quoted_at, body)
    settled = max(min(now, quoted_at), now - _LATEST_QUOTE)
    if meta.quoted_at is None:
        settled = now - _LATEST_QUOTE
    found = gate.bars(bars, query, now, body=body, step=step, traded=True, settled=settled)
    return found if step == query.interval.length else build(found, query.interval)
