"""The sources of what is no bitcoin price, and then all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from analysis.levels import Interval
from providers import bybit, farside, fred, fredgraph, okx, sosovalue, yahoo
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import BarQuery, Bars, FlowDays, FlowQuery, MacroQuery, Observations, TierQuery, Tiers
from tests.providers import farside_pages as pages
from tests.providers.loopback import HTML
from tests.providers.subjects import NOW, SUBJECTS, Subject, checked_bars, count_bars, half_hours, of_bars

NEW_YORK = ZoneInfo("America/New_York")
KEY = SecretStr("abcdefghijklmnopqrstuvwxyz012345")

# Quarters of an hour of the silver future from 16:00 UTC on, as of 17:50; the last row is the price of then.
YAHOO = b"""{"chart":{"result":[{"meta":{"currency":"USD","symbol":"SI=F","exchangeName":"CMX",
"instrumentType":"FUTURE","regularMarketTime":1770313800,"gmtoffset":-18000,"timezone":"EST",
"exchangeTimezoneName":"America/New_York","regularMarketPrice":76.53,"chartPreviousClose":84.17,
"dataGranularity":"15m","range":""},
"timestamp":[1770307200,1770308100,1770309000,1770309900,1770310800,1770311700,1770312600,1770313500,1770313800],
"indicators":{"quote":[{
"open":[77.41000366210938,77.2300033569336,77.0199966430664,76.55999755859375,76.11000061035156,76.4000015258789,76.52999877929688,76.6500015258789,76.52999877929688],
"volume":[902,811,1401,1200,1204,640,881,120,0],
"low":[77.0999984741211,76.9000015258789,76.41999816894531,75.87999725341797,75.91000366210938,76.30000305175781,76.30000305175781,76.5,76.52999877929688],
"high":[77.62000274658203,77.30999755859375,77.05000305175781,76.63999938964844,76.69999694824219,76.58000183105469,76.94000244140625,76.66000366210938,76.52999877929688],
"close":[77.2300033569336,77.0199966430664,76.55999755859375,76.11000061035156,76.4000015258789,76.52999877929688,76.6500015258789,76.54000091552734,76.52999877929688]}]}}],
"error":null}}"""

# Its days, a null among them; the session of the 5th is running.
YAHOO_DAYS = b"""{"chart":{"result":[{"meta":{"currency":"USD","symbol":"SI=F","regularMarketTime":1770313800,
"gmtoffset":-18000,"exchangeTimezoneName":"America/New_York","dataGranularity":"1d","range":""},
"timestamp":[1769749200,1770008400,1770094800,1770181200,1770267600],
"indicators":{"quote":[{"open":[115.0,81.5,null,87.11000061035156,84.0],
"high":[117.70999908447266,86.5,null,90.97000122070312,85.0],
"low":[74.0,71.19999694824219,null,83.62999725341797,75.80000305175781],
"close":[78.29000091552734,76.79000091552734,null,84.16999816894531,76.52999877929688],
"volume":[4100,2011,null,20112,9000]}],
"adjclose":[{"adjclose":[78.29000091552734,76.79000091552734,null,84.16999816894531,76.52999877929688]}]}}],
"error":null}}"""

FRED = b"""{"realtime_start":"2026-02-05","realtime_end":"2026-02-05","observation_start":"2025-09-01",
"observation_end":"9999-12-31","units":"lin","output_type":1,"file_type":"json","order_by":"observation_date",
"sort_order":"asc","count":4,"offset":0,"limit":100000,"observations":[
{"realtime_start":"2026-02-05","realtime_end":"2026-02-05","date":"2025-09-01","value":"324.245"},
{"realtime_start":"2026-02-05","realtime_end":"2026-02-05","date":"2025-10-01","value":"."},
{"realtime_start":"2026-02-05","realtime_end":"2026-02-05","date":"2025-11-01","value":"325.063"},
{"realtime_start":"2026-02-05","realtime_end":"2026-02-05","date":"2025-12-01","value":"326.031"}]}"""

RELEASES = b"""{"realtime_start":"2025-12-01","realtime_end":"9999-12-31","order_by":"release_date","sort_order":"asc",
"count":4,"offset":0,"limit":10000,"release_dates":[{"release_id":10,"date":"2025-12-18"},
{"release_id":10,"date":"2026-01-13"},{"release_id":10,"date":"2026-02-13"},{"release_id":10,"date":"2026-03-11"}]}"""

FREDGRAPH = b"""observation_date,T10YIE
2026-01-29,2.36
2026-01-30,2.34
2026-02-02,
2026-02-03,2.35
2026-02-04,2.35
"""

SOSOVALUE = b"""{"code":0,"msg":null,"traceId":"3f2a","data":{"list":[
{"date":"2026-02-05","totalNetInflow":-125100000.0,"totalValueTraded":9.9e9,"totalNetAssets":8.1e10,"cumNetInflow":5.43e10},
{"date":"2026-02-04","totalNetInflow":-544940000.0,"totalValueTraded":8.1e9,"totalNetAssets":9.3e10,"cumNetInflow":5.47e10},
{"date":"2026-02-03","totalNetInflow":-272020000,"totalValueTraded":7.1e9,"totalNetAssets":9.6e10,"cumNetInflow":5.52e10},
{"date":"2026-02-02","totalNetInflow":561890000.0,"totalValueTraded":6.1e9,"totalNetAssets":9.9e10,"cumNetInflow":5.55e10},
{"date":"2026-01-30","totalNetInflow":-509700000.0,"totalValueTraded":8e9,"totalNetAssets":1.0e11,"cumNetInflow":5.49e10},
{"date":"2026-01-29","totalNetInflow":-817870000.0,"totalValueTraded":8e9,"totalNetAssets":1.1e11,"cumNetInflow":5.54e10}
]}}"""

# The running day's total is that of the funds that have reported.
FARSIDE = pages.btc(
    [
        *pages.rows(pages.BTC_ROWS)[-4:-1],
        ["05 Feb 2026", "-", "(109.5)", "(15.6)", *["-"] * 8, "(125.1)"],
    ]
)
FARSIDE_ETH = pages.eth()


# The lowest two as the venue sent them on 25 September 2026; the third follows its rule of deductions.
BYBIT = b"""{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[
{"id":1,"symbol":"BTCUSDT","riskLimitValue":"300000","maintenanceMargin":"0.0033","initialMargin":"0.0066",
"isLowestRisk":1,"maxLeverage":"150.00","mmDeduction":""},
{"id":2,"symbol":"BTCUSDT","riskLimitValue":"2000000","maintenanceMargin":"0.005","initialMargin":"0.01",
"isLowestRisk":0,"maxLeverage":"100.00","mmDeduction":"510"},
{"id":3,"symbol":"BTCUSDT","riskLimitValue":"2600000","maintenanceMargin":"0.0056","initialMargin":"0.0111",
"isLowestRisk":0,"maxLeverage":"90.00","mmDeduction":"1710"}],"nextPageCursor":""},
"retExtInfo":{},"time":1770314405000}"""


def okx_tiers(family: str, lines: str) -> bytes:
    """From tier, first and last size in contracts, maintenance, initial margin and highest leverage."""
    rows = [
        f'{{"baseMaxLoan":"","imr":"{imr}","instFamily":"{family}","instId":"","maxLever":"{lever}",'
        f'"maxSz":"{ends}","minSz":"{begins}","mmr":"{mmr}","optMgnFactor":"0","quoteMaxLoan":"","tier":"{tier}",'
        f'"uly":"{family}"}}'
        for tier, begins, ends, mmr, imr, lever in (line.split() for line in lines.strip().splitlines())
    ]
    return f'{{"code":"0","msg":"","data":[{",".join(rows)}]}}'.encode()


# The lowest five as others read them in August 2026.
OKX = okx_tiers(
    "BTC-USDT",
    """
1 0 1000 0.004 0.01 100
2 1000.01 5000 0.005 0.015 66.66
3 5000.01 20000 0.0075 0.02 50
4 20000.01 40000 0.0125 0.025 40
5 40000.01 60000 0.0175 0.03 33.33
""",
)
OKX_CONTRACT = b"""{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT",
"uly":"BTC-USDT","settleCcy":"USDT","ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","ctType":"linear","lotSz":"0.01",
"minSz":"0.01","tickSz":"0.1","lever":"100","state":"live"}]}"""


def _checked_days(query: BarQuery) -> Callable[[Bars], None]:
    def check(found: Bars) -> None:
        bars = [*found.closed, *([found.unfinished] if found.unfinished else [])]
        # All that holds of other bars but for their length and the hour of their end.
        whole = Bars(closed=tuple(bar._replace(closed_at=bar.opened_at + 86_400) for bar in bars))
        if whole.closed and whole.closed[-1].closed_at > NOW.timestamp() - 2:
            whole = Bars(closed=whole.closed[:-1], unfinished=whole.closed[-1])
        checked_bars(query)(whole)
        for bar in bars:
            day = datetime.fromtimestamp(bar.opened_at, UTC).date()
            assert day.weekday() < 5
            assert bar.closed_at == datetime.combine(day, time(17), NEW_YORK).timestamp()
        assert all(bar.closed_at <= NOW.timestamp() - 2 for bar in found.closed)

    return check


def _check_flows(found: FlowDays) -> None:
    assert found.days
    dates = [day.trade_date for day in found.days]
    assert dates == sorted(set(dates))
    for day in found.days:
        assert date(2024, 1, 11) <= day.trade_date <= NOW.date()
        assert day.trade_date.weekday() < 5
        flows = [flow for flow in (day.total_musd, *day.funds.values()) if flow is not None]
        assert all(math.isfinite(flow) and abs(flow) < 3_000 for flow in flows)
        nine = datetime.combine(day.trade_date + timedelta(days=1), time(9), UTC)
        if day.final:
            assert nine <= NOW
            assert day.total_musd is not None or any(flow is not None for flow in day.funds.values())
        else:
            assert day.total_musd is None
        reported = [flow for flow in day.funds.values() if flow is not None]
        if reported and day.total_musd is not None:
            assert abs(sum(reported) - day.total_musd) <= 2.0


def _check_macro(low: float, high: float) -> Callable[[Observations], None]:
    def check(found: Observations) -> None:
        dates = [row.date for row in found.rows]
        assert dates == sorted(set(dates))
        assert all(day <= NOW.date() + timedelta(days=1) for day in dates)
        assert all(row.value is None or low <= row.value <= high for row in found.rows)

    return check


def _check_releases(found: tuple[date, ...]) -> None:
    assert list(found) == sorted(set(found))
    assert all(date(1900, 1, 1) <= day <= date(2028, 2, 7) for day in found)


def _check_tiers(found: Tiers) -> None:
    assert found.rows
    assert found.rows[0].floor == 0
    for row in found.rows:
        assert all(math.isfinite(number) for number in row)
        assert 0 < row.rate <= 1
        assert row.deduction >= 0
        # What is asked for at the lower end of a tier is no negative amount.
        assert row.floor * row.rate >= row.deduction or row.deduction == 0
    for lower, higher in itertools.pairwise(found.rows):
        assert lower.floor < higher.floor <= 1e12
        assert lower.rate <= higher.rate
        if not found.by_size:
            # No step in what is asked for, but for the two decimals of a figure.
            asked = [higher.floor * row.rate - row.deduction for row in (lower, higher)]
            assert math.isclose(*asked, rel_tol=0.021)


SILVER_DAYS = BarQuery(
    symbol="SI=F",
    interval=Interval.D1,
    since=datetime(2026, 1, 20, tzinfo=UTC),
    until=datetime(2026, 2, 7, tzinfo=UTC),
)
BTC_LINEAR = TierQuery(code="BTC", inverse=False)
BTC, ETH = FlowQuery(asset="BTC"), FlowQuery(asset="ETH")
CPI, BREAKEVEN = MacroQuery(series="CPIAUCSL", since=date(2025, 9, 1)), MacroQuery(series="T10YIE")
NO_SUCH_SYMBOL = (
    b'{"chart":{"result":null,"error":{"code":"Not Found",'
    b'"description":"No data found, symbol may be delisted"}}}'
)
NO_SUCH_KEY = (
    b'{"error_code":400,"error_message":"Bad Request. The value for variable api_key is not registered."}'
)
TOO_MANY = b'{"error_code":429,"error_message":"Too Many Requests. Exceeded Rate Limit"}'

ALL: list[Subject] = [
    *SUBJECTS,
    of_bars(
        yahoo,
        half_hours("SI=F"),
        body=YAHOO,
        says_no=((NO_SUCH_SYMBOL, Refused),),
        empty=b'{"chart":{"result":[{"meta":{"symbol":"SI=F","exchangeTimezoneName":"America/New_York"},'
        b'"indicators":{"quote":[{}]}}],"error":null}}',
    ),
    Subject(
        name="Yahoo Finance, days",
        request=yahoo.request(SILVER_DAYS),
        body=YAHOO_DAYS,
        parse=lambda body, now: yahoo.parse(body, SILVER_DAYS, now),
        check=_checked_days(SILVER_DAYS),
        rows=count_bars,
    ),
    Subject(
        name="FRED",
        request=fred.request(CPI, KEY),
        body=FRED,
        parse=lambda body, now: fred.parse(body, CPI, now),
        check=_check_macro(10, 1_000),
        rows=lambda found: len(found.rows),
        says_no=((NO_SUCH_KEY, Refused), (TOO_MANY, TooMany)),
        empty=b'{"count":0,"observations":[]}',
    ),
    Subject(
        name="FRED, releases",
        request=fred.cpi_releases_request(date(2025, 12, 1), KEY),
        body=RELEASES,
        parse=fred.parse_cpi_releases,
        check=_check_releases,
        rows=len,
        says_no=((NO_SUCH_KEY, Refused),),
        empty=b'{"release_dates":[]}',
    ),
    Subject(
        name="FRED without a key",
        request=fredgraph.request(BREAKEVEN),
        body=FREDGRAPH,
        parse=lambda body, now: fredgraph.parse(body, BREAKEVEN, now),
        check=_check_macro(-5, 10),
        rows=lambda found: len(found.rows),
        empty=b"observation_date,T10YIE\n",
        kind="text/csv",
    ),
    Subject(
        name="SoSoValue",
        request=sosovalue.request(BTC, KEY),
        body=SOSOVALUE,
        parse=lambda body, now: sosovalue.parse(body, BTC, now),
        check=_check_flows,
        rows=lambda found: len(found.days),
        says_no=((b'{"code":40001,"msg":"invalid api key","data":null}', Refused),),
        empty=b'{"code":0,"msg":null,"data":{"list":[]}}',
        nothing=Malformed,
    ),
    Subject(
        name="Farside Investors",
        request=farside.request(BTC),
        body=FARSIDE,
        parse=lambda body, now: farside.parse(body, BTC, now),
        check=_check_flows,
        rows=lambda found: len(found.days),
        empty=pages.btc([]),
        nothing=Malformed,
        kind=HTML,
    ),
    Subject(
        name="Farside Investors, ether",
        request=farside.request(ETH),
        body=FARSIDE_ETH,
        parse=lambda body, now: farside.parse(body, ETH, now),
        check=_check_flows,
        rows=lambda found: len(found.days),
        empty=pages.eth([]),
        nothing=Malformed,
        kind=HTML,
    ),
    Subject(
        name="Bybit, tiers",
        request=bybit.requests(BTC_LINEAR)[0],
        body=BYBIT,
        parse=lambda body, now: bybit.parse([body], BTC_LINEAR, now),
        check=_check_tiers,
        rows=lambda found: len(found.rows),
        says_no=(
            (b'{"retCode":10006,"retMsg":"Too many visits. Exceeded the API Rate Limit."}', TooMany),
            (b'{"retCode":10001,"retMsg":"params error: symbol invalid","result":{}}', Refused),
        ),
        empty=b'{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[],"nextPageCursor":""}}',
        nothing=Malformed,
    ),
    Subject(
        name="OKX, tiers",
        request=okx.requests(BTC_LINEAR)[0],
        body=OKX,
        parse=lambda body, now: okx.parse([body, OKX_CONTRACT], BTC_LINEAR, now),
        check=_check_tiers,
        rows=lambda found: len(found.rows),
        says_no=(
            (b'{"code":"50011","msg":"Requests too frequent.","data":[]}', TooMany),
            (b'{"code":"51014","msg":"Index doesn\'t exist.","data":[]}', Refused),
        ),
        empty=b'{"code":"0","msg":"","data":[]}',
        nothing=Malformed,
    ),
    Subject(
        name="OKX, what a contract is",
        request=okx.requests(BTC_LINEAR)[1],
        body=OKX_CONTRACT,
        parse=lambda body, now: okx.parse([OKX, body], BTC_LINEAR, now),
        check=_check_tiers,
        rows=lambda found: len(found.rows),
        says_no=((b'{"code":"51001","msg":"Instrument ID does not exist","data":[]}', Refused),),
        empty=b'{"code":"0","msg":"","data":[]}',
        nothing=Malformed,
    ),
]
