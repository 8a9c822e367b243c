"""Every source as a test sees it: what it is asked, a true answer of it, and what may come of any answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.levels import Interval
from providers import binance, binance_perps, bitstamp, coinbase, kraken
from providers.errors import ProviderError, Refused, TooMany
from providers.shapes import BarQuery, Bars, BarSource, Request

NOW = datetime(2026, 2, 5, 18, 0, 5, tzinfo=UTC)
"""Five seconds into a half hour: the bar before is closed, the next has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``check`` raises AssertionError for a result that no true answer could give; ``rows`` counts it.

    ``says_no``: bodies with status 200 that are errors, and as what they are to be raised.
    ``empty``: a body in which there is nothing, if the source has such; ``nothing`` what it
    is to be raised as, None when it is simply no rows.
    """

    name: str
    request: Request
    body: bytes
    parse: Callable[[bytes, datetime], Any]
    check: Callable[[Any], None]
    rows: Callable[[Any], int]
    says_no: tuple[tuple[bytes, type[ProviderError]], ...] = ()
    empty: bytes | None = None
    nothing: type[ProviderError] | None = None
    kind: str = "application/json"


def checked_bars(query: BarQuery) -> Callable[[Bars], None]:
    """What must hold of bars whatever was sent; written without a look at the gate."""
    step = int(query.interval.length.total_seconds())

    def check(found: Bars) -> None:
        bars = [*found.closed, *([found.unfinished] if found.unfinished else [])]
        for bar in bars:
            assert all(math.isfinite(price) for price in (bar.open, bar.high, bar.low, bar.close))
            assert 0 < bar.low <= bar.open <= bar.high <= 1e9
            assert bar.low <= bar.close <= bar.high
            assert bar.volume is None or 0 <= bar.volume <= 1e15
            assert type(bar.opened_at) is int
            assert bar.opened_at % step == 0
            assert bar.closed_at == bar.opened_at + step
            assert query.since.timestamp() <= bar.opened_at < query.until.timestamp()
            assert bar.opened_at <= NOW.timestamp() + 300
        assert [bar.opened_at for bar in bars] == sorted({bar.opened_at for bar in bars})
        assert all(bar.closed_at <= NOW.timestamp() - 2 for bar in found.closed)
        assert set(found.jumps) <= {bar.opened_at for bar in bars}

    return check


def count_bars(found: Bars) -> int:
    return len(found.closed) + (found.unfinished is not None)


def half_hours(symbol: str) -> BarQuery:
    return BarQuery(
        symbol=symbol, interval=Interval.M30, since=NOW - timedelta(hours=6), until=NOW + timedelta(hours=1)
    )


def of_bars(source: BarSource, query: BarQuery, **more: Any) -> Subject:
    return Subject(
        name=source.NAME,
        request=source.request(query),
        parse=lambda body, now: source.parse(body, query, now),
        check=checked_bars(query),
        rows=count_bars,
        **more,
    )


# Openings 16:00 to 18:00 UTC of 5 February 2026; the last one is still running at NOW.
KRAKEN = b"""{"error":[],"result":{"XXBTZUSD":[
[1770307200,"67110.0","67410.5","66840.1","66902.3","67121.0","190.11840213",4102],
[1770309000,"66902.3","67010.0","66205.0","66311.8","66590.2","240.75100000",5127],
[1770310800,"66311.8","66580.4","66050.0","66102.5","66301.7","205.33318805",4488],
[1770312600,"66102.5","66890.0","65911.4","66740.1","66402.2","312.40311000",6411],
[1770314400,"66740.1","66741.0","66738.2","66738.2","66739.9","0.81200000",14]],"last":1770312600}}"""

# Quarters of an hour, newest first, the lowest before the highest.
COINBASE = b"""[
[1770314400,66737.9,66741.3,66740.2,66738.01,1.10480021],
[1770313500,66102.6,66890.11,66180.2,66740.2,402.4419],
[1770312600,65911.4,66240,66101.9,66180.2,410.02],
[1770311700,66050,66390.5,66377.12,66101.9,180.5],
[1770310800,66210.3,66580.42,66310.7,66377.12,201.93],
[1770309900,66205.01,66620,66601.4,66310.7,260.18],
[1770309000,66540.1,67010.2,66901.8,66601.4,215.7]]"""

BITSTAMP = b"""{"data":{"pair":"BTC/USD","ohlc":[
{"timestamp":"1770307200","open":"67108","high":"67405","low":"66838","close":"66900","volume":"61.22018854"},
{"timestamp":"1770309000","open":"66900","high":"67002","low":"66201","close":"66310","volume":"80.10000000"},
{"timestamp":"1770310800","open":"66310","high":"66577","low":"66044","close":"66102","volume":"71.90441100"},
{"timestamp":"1770312600","open":"66102","high":"66890","low":"65911","close":"66740","volume":"104.41000000"},
{"timestamp":"1770314400","open":"66740","high":"66741","low":"66738","close":"66738","volume":"0.22000000"}]}}"""


def klines(lines: str) -> bytes:
    """Binance's rows of twelve from opening, open, high, low, close and volume; each lasts half an hour."""
    rows = []
    for line in lines.strip().splitlines():
        opened, *prices = line.split()
        texts = ",".join(f'"{price}"' for price in prices)
        rows.append(f'[{opened}000,{texts},{int(opened) + 1799}999,"133402211.90",48112,"1.5","99000.1","0"]')
    return f"[{','.join(rows)}]".encode()


BINANCE = klines("""
1770307200 67130.01000000 67432.50000000 66850.00000000 66915.99000000 801.18334000
1770309000 66915.99000000 67030.00000000 66215.20000000 66325.41000000 990.77120000
1770310800 66325.40000000 66600.00000000 66060.00000000 66120.00000000 870.10001000
1770312600 66120.01000000 66905.12000000 65930.00000000 66755.30000000 1400.90113000
1770314400 66755.30000000 66757.00000000 66750.10000000 66752.20000000 3.20110000
""")

SILVER = klines("""
1770307200 77.410 77.620 76.900 77.020 90211.210
1770309000 77.020 77.050 75.880 76.110 140112.004
1770310800 76.110 76.700 75.910 76.530 120400.120
1770312600 76.530 76.940 76.300 76.810 88121.900
1770314400 76.810 76.820 76.790 76.800 120.010
""")

SUBJECTS: list[Subject] = [
    of_bars(
        kraken,
        half_hours("XBTUSD"),
        body=KRAKEN,
        says_no=(
            (b'{"error":["EGeneral:Too many requests"]}', TooMany),
            (b'{"error":["EAPI:Rate limit exceeded"]}', TooMany),
            (b'{"error":["EGeneral:Temporary lockout"]}', TooMany),
            (b'{"error":["EService:Unavailable"]}', Refused),
            (b'{"error":["EQuery:Unknown asset pair"],"result":{}}', Refused),
        ),
        empty=b'{"error":[],"result":{"XXBTZUSD":[],"last":1770312600}}',
        nothing=ProviderError,  # the running bar is always there
    ),
    of_bars(
        coinbase,
        half_hours("BTC-USD"),
        body=COINBASE,
        says_no=(
            (b'{"message":"Public rate limit exceeded"}', TooMany),
            (b'{"message":"NotFound"}', Refused),
        ),
        empty=b"[]",
    ),
    of_bars(
        bitstamp,
        half_hours("btcusd"),
        body=BITSTAMP,
        says_no=(
            (b'{"code":"400.002","errors":[{"field":"step","message":"Invalid"}]}', Refused),
            (b'{"status":"error","reason":"Internal"}', Refused),
        ),
        empty=b'{"data":{"pair":"BTC/USD","ohlc":[]}}',
    ),
    of_bars(
        binance,
        half_hours("BTCUSDT"),
        body=BINANCE,
        says_no=(
            (b'{"code":-1121,"msg":"Invalid symbol."}', Refused),
            (b'{"code":-1003,"msg":"Too many requests; current limit is 6000."}', TooMany),
            (b'{"code":0,"msg":"Service unavailable from a restricted location"}', Refused),
        ),
        empty=b"[]",
    ),
    of_bars(
        binance_perps,
        half_hours("XAGUSDT"),
        body=SILVER,
        says_no=((b'{"code":-1121,"msg":"Invalid symbol."}', Refused),),
        empty=b"[]",
    ),
]
