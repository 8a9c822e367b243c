"""Every source that is fetched from, as it would answer: what is true at each instant, in its own shape."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx

from providers.fred import BOUNDS
from tests.feeds import venues
from tests.feeds.venues import openings, price, row
from tests.providers import farside_pages

SCALES: Final = {
    "BTC": 1.0, "ETH": 0.05, "SI": 0.001, "GC": 0.057, "CL": 0.00091, "ES": 0.1, "NQ": 0.36, "DXY": 0.0014,
    "SPY": 0.01, "QQQ": 0.0085,
}  # fmt: skip
_SPELLED: Final = {
    "XBTUSD": "BTC", "ETHUSD": "ETH", "BTC-USD": "BTC", "ETH-USD": "ETH", "btcusd": "BTC", "ethusd": "ETH",
    "BTCUSDT": "BTC", "ETHUSDT": "ETH", "XAGUSDT": "SI", "XAUUSDT": "GC", "CLUSDT": "CL", "SPYUSDT": "SPY",
    "QQQUSDT": "QQQ", "DX-Y.NYB": "DXY",
}  # fmt: skip
LABOR_DAY: Final = date(2026, 9, 7)
HELD_BACK: Final = timedelta(minutes=10)
"""How late Yahoo's quotes are."""
_NEW_YORK: Final = ZoneInfo("America/New_York")
_DAY: Final = 86_400
_FEW_DAYS: Final = timedelta(days=45)
"""How far back the tables of flows reach here."""


def body(request: httpx.Request, now: datetime, told: venues.Told = lambda _: True) -> bytes:
    """What the host of a request says now; of what ``told`` denies it says nothing."""
    host, params = request.url.host, dict(request.url.params)
    symbol = params.get("pair") or params.get("symbol") or _in_path(request.url.path)
    code = _SPELLED.get(symbol, symbol.removesuffix("=F"))
    scale = SCALES.get(code, 1.0)
    answers: dict[str, Callable[[], bytes]] = {
        "api.kraken.com": lambda: venues.kraken(params, now, told=told, scale=scale),
        "api.exchange.coinbase.com": lambda: venues.coinbase(params, now, told=told, scale=scale),
        "www.bitstamp.net": lambda: venues.bitstamp(params, now, told=told, scale=scale, pair=f"{code}/USD"),
        "data-api.binance.vision": lambda: _klines(params, now, told, scale),
        "fapi.binance.com": lambda: _klines(params, now, told, scale),
        "query1.finance.yahoo.com": lambda: _chart(symbol, params, now, told, scale),
        "api.sosovalue.xyz": lambda: _inflows(request.content, now, told),
        "farside.co.uk": lambda: _funds_page(request.url.path, now, told),
        "api.stlouisfed.org": lambda: _observations(params, now, told),
        "fred.stlouisfed.org": lambda: _csv(params, now, told),
        "api.bybit.com": lambda: _risk_limits(params),
        "www.okx.com": lambda: _okx(request.url.path, params),
    }
    return answers[host]()


def _in_path(path: str) -> str:
    """The symbol in /products/BTC-USD/candles, /api/v2/ohlc/btcusd/ and /v8/finance/chart/SI=F."""
    parts = [part for part in unquote(path).split("/") if part]
    return next((part for part in parts if part in _SPELLED or part.endswith("=F")), "")


# --- Binance -----------------------------------------------------------------


def _klines(params: dict[str, str], now: datetime, told: venues.Told, scale: float) -> bytes:
    step = {"30m": 1_800, "1h": 3_600, "1d": _DAY}[params["interval"]]
    rows = []
    for at in openings(int(params["startTime"]) // 1000, now, step, most=100_000):
        if at * 1000 <= int(params["endTime"]) and told(at):
            prices = (f"{value:.8f}" for value in row(at, step, scale))
            ends = (at + step) * 1000 - 1
            rows.append([at * 1000, *prices, "801.1", ends, "53000000.1", 4102, "1.5", "99000.1", "0"])
    return json.dumps(rows[: int(params["limit"])]).encode()


# --- Yahoo -------------------------------------------------------------------


def trades(at: int) -> bool:
    """Whether futures trade: not from 17:00 to 18:00 New York nor at weekends; on Labor Day to 13:00."""
    wall = datetime.fromtimestamp(at, _NEW_YORK)
    if time(17) <= wall.time() < time(18):
        return False
    day = wall.date() + timedelta(days=wall.time() >= time(18))
    return day.weekday() < 5 and (day != LABOR_DAY or not time(13) <= wall.time() < time(17))


def session(day: date) -> tuple[int, int]:
    """From 18:00 of the evening before to 17:00 New York."""
    opens = datetime.combine(day - timedelta(days=1), time(18), _NEW_YORK)
    return int(opens.timestamp()), int(datetime.combine(day, time(17), _NEW_YORK).timestamp())


def is_trade_date(day: date) -> bool:
    return day.weekday() < 5 and day != LABOR_DAY


def _chart(symbol: str, params: dict[str, str], now: datetime, told: venues.Told, scale: float) -> bytes:
    daily = params["interval"] == "1d"
    span = int(params["period1"]), int(params["period2"])
    quoted = int((now - HELD_BACK).timestamp())
    while not trades(quoted - 1):
        quoted = quoted // 900 * 900 - (0 if quoted % 900 else 900)
    made = _daily_rows(*span, quoted, scale) if daily else _quarters(*span, quoted, scale)
    rows = [one for one in made if told(one[0])]
    columns = [[None if one[1] is None else _float32(one[1][at]) for one in rows] for at in range(4)]
    quote = dict(zip(("open", "high", "low", "close"), columns, strict=True))
    volumes = [None if one[1] is None else 0 if symbol == "DX-Y.NYB" else 120 for one in rows]
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "regularMarketTime": quoted,
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": params["interval"],
    }
    result = {
        "meta": meta,
        **({"timestamp": [at for at, _ in rows]} if rows else {}),
        "indicators": {"quote": [quote | {"volume": volumes} if rows else {}]},
    }
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


_Prices = tuple[float, float, float, float]


def has_null(at: int) -> bool:
    """Quarters of an hour that Yahoo has no prices of, ever."""
    return at // 900 % 131 == 17


def _quarters(since: int, until: int, quoted: int, scale: float) -> Iterator[tuple[int, _Prices | None]]:
    """Bars of 15 minutes whose quotes are there, then the price of now as a row of its own."""
    for at in range(-(-since // 900) * 900, min(until, quoted), 900):
        if trades(at):
            yield at, None if has_null(at) else row(at, 900, scale)
    if quoted < until and trades(quoted):
        now = price(quoted, scale)
        yield quoted, (now, now, now, now)


def _daily_rows(since: int, until: int, quoted: int, scale: float) -> Iterator[tuple[int, _Prices | None]]:
    day = datetime.fromtimestamp(since, UTC).date() - timedelta(days=1)
    while (opens := session(day)[0]) < min(until, quoted):
        closes = session(day)[1]
        midnight = int(datetime.combine(day, time(0), _NEW_YORK).timestamp())
        if is_trade_date(day) and since <= midnight:
            # The session that runs has the time of its price.
            yield (midnight if closes <= quoted else quoted), row(opens, min(closes, quoted) - opens, scale)
        day += timedelta(days=1)


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


# --- maintenance tiers -------------------------------------------------------

BYBIT_TIERS: Final = ((0.0, 0.0033, 0.0), (300_000.0, 0.005, 510.0), (2_000_000.0, 0.0056, 1_710.0))
"""Floor, rate and deduction; of inverse contracts the same in coins."""
OKX_TIERS: Final = ((0.0, 0.004), (1_000.0, 0.005), (5_000.0, 0.0075))
"""Floor in contracts, and rate."""


def _risk_limits(params: dict[str, str]) -> bytes:
    ends = [floor for floor, _, _ in BYBIT_TIERS[1:]] + [9_000_000.0]
    rows = [
        {
            "id": number,
            "symbol": params["symbol"],
            "riskLimitValue": f"{end:.0f}",
            "maintenanceMargin": str(rate),
            "initialMargin": str(rate * 2),
            "isLowestRisk": int(number == 1),
            "maxLeverage": f"{1 / rate / 2:.2f}",
            "mmDeduction": f"{deduction:.0f}" if deduction else "",
        }
        for number, ((_, rate, deduction), end) in enumerate(zip(BYBIT_TIERS, ends, strict=True), start=1)
    ]
    result = {"category": params["category"], "list": rows, "nextPageCursor": ""}
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}).encode()


def _okx(path: str, params: dict[str, str]) -> bytes:
    return _contract(params) if path.endswith("instruments") else _position_tiers(params)


def _position_tiers(params: dict[str, str]) -> bytes:
    ends = [floor for floor, _ in OKX_TIERS[1:]] + [20_000.0]
    rows = [
        {
            "instFamily": params["instFamily"],
            "tier": str(number),
            "minSz": f"{floor + 0.01 if floor else 0:g}",
            "maxSz": f"{end:g}",
            "mmr": str(rate),
            "imr": str(rate * 2.5),
            "maxLever": f"{0.4 / rate:g}",
        }
        for number, ((floor, rate), end) in enumerate(zip(OKX_TIERS, ends, strict=True), start=1)
    ]
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def _contract(params: dict[str, str]) -> bytes:
    code, quote, _ = params["instId"].split("-")
    linear = quote == "USDT"
    listed = {
        "instId": params["instId"],
        "ctType": "linear" if linear else "inverse",
        "ctVal": "0.01" if linear else "100",
        "ctValCcy": code if linear else "USD",
        "ctMult": "1",
    }
    return json.dumps({"code": "0", "msg": "", "data": [listed]}).encode()


# --- flows -------------------------------------------------------------------


def flow_days(now: datetime) -> list[date]:
    """Sessions that have closed in New York by now."""
    wall = now.astimezone(_NEW_YORK)
    last = wall.date() if wall.time() >= time(16) else wall.date() - timedelta(days=1)
    days = (last - timedelta(days=back) for back in range(_FEW_DAYS.days, -1, -1))
    return [day for day in days if is_trade_date(day)]


def funds(asset: str, day: date, now: datetime) -> dict[str, float | None]:
    """By fund, US$ million: the largest tells last, and one is corrected a day later now and then."""
    names = farside_pages.BTC if asset == "BTC" else farside_pages.ETH
    total = 300 * math.sin(day.toordinal() * 0.9) * (1.0 if asset == "BTC" else 0.4)
    told: dict[str, float | None] = {name: round(total / (at + 2), 1) for at, name in enumerate(names)}
    midnight = datetime.combine(day + timedelta(days=1), time(0), UTC)
    if now < midnight + timedelta(hours=8, minutes=30):
        told[names[0]] = None
    if now < midnight + timedelta(hours=2):
        told = dict.fromkeys(names)
    corrected = told[names[1]]
    if corrected is not None and day.toordinal() % 5 == 0 and now >= midnight + timedelta(hours=35):
        told[names[1]] = round(corrected + 10, 1)
    return told


def total(asset: str, day: date, now: datetime) -> float:
    return round(sum(flow for flow in funds(asset, day, now).values() if flow is not None), 1)


def _inflows(question: bytes, now: datetime, told: venues.Told) -> bytes:
    asset = "BTC" if json.loads(question)["type"] == "us-btc-spot" else "ETH"
    days = [
        {"date": day.isoformat(), "totalNetInflow": round(total(asset, day, now) * 1e6), "cumNetInflow": 5e10}
        for day in reversed(flow_days(now))
        if told(_midnight(day))
    ]
    return json.dumps({"code": 0, "msg": None, "data": {"list": days}}).encode()


def _funds_page(path: str, now: datetime, told: venues.Told) -> bytes:
    asset = "BTC" if "bitcoin" in path else "ETH"
    rows = [
        [f"{day:%d %b %Y}", *map(_cell, funds(asset, day, now).values()), _cell(total(asset, day, now))]
        for day in flow_days(now)
        if told(_midnight(day))
    ]
    return farside_pages.btc(rows) if asset == "BTC" else farside_pages.eth(rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"({-value:,.1f})" if value < 0 else f"{value:,.1f}"


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# --- FRED --------------------------------------------------------------------


def macro(series: str, now: datetime) -> dict[date, float | None]:
    """What is published by now: months on the 12th of the next, days on the next day at 13:00 UTC."""
    low, high = BOUNDS[series]
    found: dict[date, float | None] = {}
    day = now.date() - timedelta(days=500)
    while day <= now.date():
        monthly = series == "CPIAUCSL"
        out = day + timedelta(days=42) if monthly else day + timedelta(days=1)
        published = datetime.combine(out.replace(day=12) if monthly else out, time(13), UTC)
        if (day.day == 1 if monthly else series.startswith("DFED") or day.weekday() < 5) and published <= now:
            value = round((low + high) / 2 + (high - low) / 100 * math.sin(day.toordinal()), 2)
            found[day] = None if day.toordinal() % 23 == 0 else value
        day += timedelta(days=1)
    return found


def _since(told: venues.Told, series: str, now: datetime, since: str | None) -> dict[date, float | None]:
    first = date.min if since is None else date.fromisoformat(since)
    return {day: value for day, value in macro(series, now).items() if day >= first and told(_midnight(day))}


def _observations(params: dict[str, str], now: datetime, told: venues.Told) -> bytes:
    today = now.date().isoformat()
    rows = [
        {
            "realtime_start": today,
            "realtime_end": today,
            "date": day.isoformat(),
            "value": "." if value is None else str(value),
        }
        for day, value in _since(told, params["series_id"], now, params.get("observation_start")).items()
    ]
    return json.dumps({"units": "lin", "count": len(rows), "observations": rows}).encode()


def _csv(params: dict[str, str], now: datetime, told: venues.Told) -> bytes:
    series = params["id"]
    rows = _since(told, series, now, params.get("cosd"))
    lines = [f"{day.isoformat()},{'' if value is None else value}" for day, value in rows.items()]
    return "\n".join([f"observation_date,{series}", *lines, ""]).encode()
