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
from typing import Annotated, Final, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter

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
_NO_TIME: Final = 4_102_444_800  # the year 2100, beyond which nobody's calendar need reach
_LARGEST_FLOAT32: Final = 3.4028234e38
# An index: the volume is sent as 0.
_NO_VOLUME: Final = frozenset({"DX-Y.NYB"})

_Text = Annotated[str, Strict()]
_Numbers = list[gate.Number | None]


class _Meta(BaseModel):
    symbol: _Text
    zone: _Text = Field(alias="exchangeTimezoneName")
    granularity: _Text | None = Field(None, alias="dataGranularity")
    quoted_at: gate.Whole | None = Field(None, alias="regularMarketTime")


class _Quote(BaseModel):
    open: _Numbers = []
    high: _Numbers = []
    low: _Numbers = []
    close: _Numbers = []
    volume: _Numbers = []


class _Indicators(BaseModel):
    quote: list[_Quote] = Field(min_length=1, max_length=1)


class _Result(BaseModel):
    model_config = ConfigDict(extra="allow")

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
    chart = gate.shaped(_REPLY, gate.read(body), body=body).chart
    if chart.error is not None:
        raise Refused(gate.words(f"{chart.error.code}: {chart.error.description}"))
    if chart.result is None or len(chart.result) != 1:
        raise Malformed("not one result", body=body)
    [result] = chart.result
    meta, asked = result.meta, _ASKED[query.interval]
    if meta.symbol != query.symbol or meta.granularity not in {None, asked}:
        raise Malformed("another symbol or interval", body=body)

    daily = query.interval is Interval.D1
    step = _QUARTER if query.interval is Interval.M30 else query.interval.length
    rows = _rows(result, body)
    found = gate.bars(
        _days(rows, meta.zone, body) if daily else _slots(rows, int(step.total_seconds()), meta.quoted_at),
        query,
        now,
        body=body,
        step=step,
        # A day without a trade has a settlement for a close all the same.
        traded=not daily,
        settled=_settled(meta.quoted_at, now),
        unknown=gate.unknown(result.model_extra, {"events"}),
    )
    return found if step == query.interval.length else build(found, query.interval)


def _settled(quoted_at: int | None, now: datetime) -> datetime:
    """Up to when the answer tells of everything: its last quote, or what can no longer be held back."""
    held_back = now - _LATEST_QUOTE
    if quoted_at is None or not held_back.timestamp() < quoted_at < _NO_TIME:
        return held_back
    return min(now, datetime.fromtimestamp(quoted_at, UTC))


class _Row(NamedTuple):
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None

    def with_later(self, later: Self) -> Self:
        """Both rows are of one bar: the bar, and the price it has now."""
        volumes = [volume for volume in (self.volume, later.volume) if volume is not None]
        return self._replace(
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=max(volumes, default=None),
        )


def _rows(result: _Result, body: bytes) -> list[_Row]:
    """What has all four prices, oldest first: a null is a bar that is not there."""
    [quote] = result.indicators.quote
    columns = (quote.open, quote.high, quote.low, quote.close, quote.volume)
    if any(len(column) != len(result.timestamp) for column in columns):
        raise Malformed("columns of different lengths", body=body)
    has_volume = result.meta.symbol not in _NO_VOLUME
    rows: list[_Row] = []
    for at, open_, high, low, close, volume in zip(result.timestamp, *columns, strict=True):
        if open_ is None or high is None or low is None or close is None:
            continue
        if not 0 < at < _NO_TIME:
            raise Malformed("a time out of bounds", body=body)
        traded = volume if has_volume else None
        rows.append(_Row(at, _decimal(open_), _decimal(high), _decimal(low), _decimal(close), traded))
    return sorted(rows, key=lambda row: row.at)


def _decimal(price: float) -> float:
    """The price as it was quoted, which came as a number of 32 bits: 78.29 for 78.29000091552734.

    It is the shortest decimal that makes the same number of 32 bits, whatever its
    magnitude. What is no such number is left as it is.
    """
    if not abs(price) <= _LARGEST_FLOAT32 or _float32(price) != price:
        return price
    shorter = (float(f"{price:.{digits}g}") for digits in range(1, 9))
    return next((decimal for decimal in shorter if _float32(decimal) == price), price)


def _float32(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def _slots(rows: list[_Row], step: int, quoted_at: int | None) -> Iterator[Bar]:
    """Bars within the day. The last row may be no bar but the price of now: it belongs to the bar before."""
    if rows and (rows[-1].at % step or rows[-1].at == quoted_at):
        *rows, price = rows
        if rows and rows[-1].at == price.at // step * step:
            rows[-1] = rows[-1].with_later(price)
    for row in rows:
        yield Bar(row.at, row.at + step, *row[1:])


def _days(rows: list[_Row], zone_name: str, body: bytes) -> Iterator[Bar]:
    """Days by trade date, keyed by 00:00 UTC of it. The last one may have come twice, as the price of now."""
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed("an unknown time zone", body=body) from error
    days = [(_trade_date(row.at, zone), row) for row in rows]
    if len(days) > 1 and days[-1][0] == days[-2][0]:
        (day, session), (_, price) = days[-2:]
        days[-2:] = [(day, session.with_later(price))]
    for day, row in days:
        if day.weekday() >= 5:
            raise Malformed(f"a session on a weekend, {day}", body=body)
        opened = datetime(day.year, day.month, day.day, tzinfo=UTC)
        closed = datetime.combine(day, _SESSION_CLOSES, _NEW_YORK)
        yield Bar(int(opened.timestamp()), int(closed.timestamp()), *row[1:])


def _trade_date(at: int, zone: ZoneInfo) -> date:
    """A day's row has 00:00 of the exchange's zone; that of the running session may have the time of its price."""
    wall = datetime.fromtimestamp(at, zone)
    if wall.time() == time(0):
        return wall.date()
    new_york = wall.astimezone(_NEW_YORK)
    # From 18:00 on it is the next session's, on Sundays Monday's.
    return new_york.date() + timedelta(days=new_york.time() >= _SESSION_OPENS)
