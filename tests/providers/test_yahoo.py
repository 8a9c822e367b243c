from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analysis.levels import Interval
from providers import yahoo
from providers.errors import Malformed, Refused
from providers.shapes import Bar, BarQuery, Bars

# In February New York is five hours behind UTC, in July four.
THURSDAY = 1770267600  # 5 February 2026, 00:00 in New York
DAY = 86_400

# Opening in epoch seconds, open, high, low, close, volume.
Row = Sequence[float | None]


def ask(symbol: str = "SI=F", interval: Interval = Interval.D1, days: int = 30) -> BarQuery:
    until = datetime(2026, 2, 28, tzinfo=UTC)
    return BarQuery(symbol=symbol, interval=interval, since=until - timedelta(days=days), until=until)


def chart(
    rows: Sequence[Row],
    *,
    symbol: str = "SI=F",
    granularity: str = "1d",
    quoted_at: int | None = None,
    zone: str = "America/New_York",
    **result: Any,
) -> bytes:
    """An answer in the order and with the fields of the source."""
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "CMX",
        "fullExchangeName": "COMEX",
        "instrumentType": "FUTURE",
        "firstTradeDate": 967608000,
        "regularMarketTime": quoted_at,
        "hasPrePostMarketData": False,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": zone,
        "regularMarketPrice": 76.53,
        "chartPreviousClose": 84.17,
        "priceHint": 2,
        "dataGranularity": granularity,
        "range": "",
        "validRanges": ["1d", "5d", "1mo"],
    }
    made = {
        "meta": meta,
        "timestamp": columns[0],
        "indicators": {
            "quote": [
                {
                    "high": columns[2],
                    "low": columns[3],
                    "volume": columns[5],
                    "open": columns[1],
                    "close": columns[4],
                }
            ],
            "adjclose": [{"adjclose": columns[4]}],
        },
        **result,
    }
    return json.dumps({"chart": {"result": [made], "error": None}}).encode()


def days(
    *rows: Row,
    now: datetime,
    **more: Any,
) -> Bars:
    return yahoo.parse(chart(rows, **more), ask(), now)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc] # year to second


def key(*parts: int) -> int:
    return int(utc(*parts).timestamp())


class TestRequest:
    @pytest.mark.parametrize(
        ("interval", "asked"), [(Interval.M30, "15m"), (Interval.H1, "1h"), (Interval.D1, "1d")]
    )
    def test_never_asks_for_half_hours(self, interval: Interval, asked: str) -> None:
        request = yahoo.request(ask("GC=F", interval))
        assert (request.host, request.path) == ("query1.finance.yahoo.com", "/v8/finance/chart/GC=F")
        assert dict(request.params) == {
            "interval": asked,
            "period1": str(key(2026, 1, 29)),
            "period2": str(key(2026, 2, 28)),
        }


class TestDays:
    # The silver future's true days, in numbers of 32 bits as they are sent.
    WEDNESDAY = (THURSDAY - DAY, 87.11000061035156, 90.97000122070312, 83.62999725341797, 84.16999816894531)

    def test_are_keyed_by_trade_date_and_close_at_17_in_new_york(self) -> None:
        july = (1783569600, 58.5, 59.0, 58.0, 58.75, 100)  # 9 July 2026, 00:00 in New York
        query = BarQuery(symbol="SI=F", interval=Interval.D1, since=utc(2026, 1, 1), until=utc(2026, 8, 1))
        found = yahoo.parse(chart([(*self.WEDNESDAY, 20112), july]), query, utc(2026, 8, 1))
        assert found.closed == (
            Bar(key(2026, 2, 4), key(2026, 2, 4, 22), 87.11, 90.97, 83.63, 84.17, 20112.0),
            Bar(key(2026, 7, 9), key(2026, 7, 9, 21), 58.5, 59.0, 58.0, 58.75, 100.0),
        )
        assert found.unfinished is None

    def test_the_day_of_the_running_session_is_unfinished(self) -> None:
        running = (THURSDAY, 84.0, 85.0, 76.0, 76.5, 9000)
        found = days((*self.WEDNESDAY, 20112), running, now=utc(2026, 2, 5, 18))
        assert [bar.opened_at for bar in found.closed] == [key(2026, 2, 4)]
        assert found.unfinished == Bar(key(2026, 2, 5), key(2026, 2, 5, 22), 84.0, 85.0, 76.0, 76.5, 9000.0)

    @pytest.mark.parametrize(
        ("now", "closed"),
        [
            (utc(2026, 2, 5, 21, 59, 59), False),
            # Closed, but quotes are held back for up to half an hour.
            (utc(2026, 2, 5, 22, 29, 59), False),
            (utc(2026, 2, 5, 22, 30, 0), True),
        ],
    )
    def test_it_is_closed_when_nothing_can_be_held_back_any_more(self, now: datetime, closed: bool) -> None:
        found = days((THURSDAY, 84.0, 85.0, 76.0, 76.5, 9000), now=now)
        assert (len(found.closed) == 1) is closed
        assert (found.unfinished is None) is closed

    def test_the_session_from_18_on_is_the_next_trade_date_s(self) -> None:
        # Sunday 8 February 2026, 18:40 in New York: stamped with the time of its price.
        price = (key(2026, 2, 8, 23, 40), 77.0, 77.5, 76.9, 77.25, 310)
        found = days((THURSDAY, 84.0, 85.0, 76.0, 76.5, 9000), price, now=utc(2026, 2, 8, 23, 50))
        assert len(found.closed) == 1
        assert found.unfinished == Bar(key(2026, 2, 9), key(2026, 2, 9, 22), 77.0, 77.5, 76.9, 77.25, 310.0)

    def test_a_session_s_row_and_the_row_of_its_price_are_one_day(self) -> None:
        session = (THURSDAY, 84.0, 85.0, 76.5, 77.0, 9000)
        price = (key(2026, 2, 5, 18), 76.4, 76.4, 76.4, 76.4, 9010)
        found = days(session, price, now=utc(2026, 2, 5, 18, 10))
        assert found.closed == ()
        assert found.unfinished == Bar(key(2026, 2, 5), key(2026, 2, 5, 22), 84.0, 85.0, 76.4, 76.4, 9010.0)

    def test_the_zone_is_the_exchange_s(self) -> None:
        chicago = (THURSDAY + 3_600, 84.0, 85.0, 76.5, 77.0, 9000)
        found = days(chicago, now=utc(2026, 2, 9), zone="America/Chicago")
        assert [bar.opened_at for bar in found.closed] == [key(2026, 2, 5)]

    def test_nulls_are_days_that_are_not_there(self) -> None:
        found = days(
            (THURSDAY - DAY, None, None, None, None, None),
            (THURSDAY, 84.0, 85.0, 76.0, 76.5, None),
            (THURSDAY + DAY, 76.5, 78.0, None, 77.0, 10),
            now=utc(2026, 2, 9),
        )
        assert [bar.opened_at for bar in found.closed] == [key(2026, 2, 5)]
        assert found.closed[0].volume is None

    def test_a_flat_day_keeps_its_close(self) -> None:
        # Gold on 27 and 28 January 2026: the range is wrong, the close is not.
        rows = [
            (THURSDAY - 9 * DAY, *[5079.89990234375] * 4, 0),
            (THURSDAY - 8 * DAY, *[5301.60009765625] * 4, 210),
        ]
        found = yahoo.parse(chart(rows, symbol="GC=F"), ask("GC=F", days=40), utc(2026, 2, 9))
        assert [(bar.high, bar.low, bar.close) for bar in found.closed] == [
            (5079.9, 5079.9, 5079.9),
            (5301.6, 5301.6, 5301.6),
        ]

    def test_the_dollar_index_has_no_volume(self) -> None:
        body = chart([(THURSDAY, 97.62, 97.99, 97.5, 97.632, 0)], symbol="DX-Y.NYB")
        assert yahoo.parse(body, ask("DX-Y.NYB"), utc(2026, 2, 9)).closed[0].volume is None

    def test_only_the_asked_span(self) -> None:
        query = BarQuery(symbol="SI=F", interval=Interval.D1, since=utc(2026, 2, 5), until=utc(2026, 2, 6))
        body = chart([(THURSDAY + n * DAY, 84.0, 85.0, 76.0, 76.5, 9000) for n in (-1, 0, 1)])
        found = yahoo.parse(body, query, utc(2026, 2, 9))
        assert [bar.opened_at for bar in found.closed] == [key(2026, 2, 5)]

    def test_a_week_without_trading_is_no_rows_and_no_mistake(self) -> None:
        body = chart([], indicators={"quote": [{}], "adjclose": [{}]})
        without_times = json.loads(body)
        del without_times["chart"]["result"][0]["timestamp"]
        for sent in (body, json.dumps(without_times).encode()):
            assert yahoo.parse(sent, ask(), utc(2026, 2, 9)) == Bars(closed=())

    @pytest.mark.parametrize(
        ("sent", "meant"),
        [
            (78.29000091552734, 78.29),
            (5079.89990234375, 5079.9),
            (97.63200378417969, 97.632),
            (25012.75, 25012.75),
            (0.01899999938905239, 0.019),
            (66102.5, 66102.5),
            # Not a number of 32 bits: already what was quoted.
            (5079.9, 5079.9),
            (66102.123456789, 66102.123456789),
        ],
    )
    def test_prices_lose_what_32_bits_added(self, sent: float, meant: float) -> None:
        [bar] = days((THURSDAY, sent, sent, sent, sent, 5), now=utc(2026, 2, 9)).closed
        assert (bar.open, bar.high, bar.low, bar.close) == (meant,) * 4


class TestQuarters:
    """Half hours are built of quarters of an hour; 16:00 UTC is 11:00 in New York."""

    FOUR = key(2026, 2, 5, 16)

    def found(self, *closes: float, now: datetime, last: int | None = None, **more: Any) -> Bars:
        rows = [(self.FOUR + n * 900, c, c + 0.2, c - 0.2, c + 0.1, 10 + n) for n, c in enumerate(closes)]
        if last is not None:
            rows.append((last, 80.0, 80.0, 80.0, 80.0, 0))
        body = chart(rows, granularity="15m", **more)
        return yahoo.parse(body, ask(interval=Interval.M30), now)

    def test_a_half_hour_is_two_of_them(self) -> None:
        found = self.found(77.0, 76.0, 76.5, now=utc(2026, 2, 5, 17, 15))
        [bar] = found.closed
        assert bar == Bar(self.FOUR, self.FOUR + 1800, 77.0, 77.2, 75.8, 76.1, 21.0)
        assert found.unfinished == Bar(self.FOUR + 1800, self.FOUR + 3600, 76.5, 76.7, 76.3, 76.6, 12.0)

    def test_one_of_them_alone_makes_none(self) -> None:
        rows = [(self.FOUR + 900 * n, 77.0, 77.2, 76.8, 77.1, 10) for n in (0, 2, 3)]
        found = yahoo.parse(chart(rows, granularity="15m"), ask(interval=Interval.M30), utc(2026, 2, 5, 20))
        assert [bar.opened_at for bar in found.closed] == [self.FOUR + 1800]

    @pytest.mark.parametrize(
        ("now", "quoted_at", "closed"),
        [
            # Quotes come ten minutes late: at 16:35 the last one is of 16:25.
            (utc(2026, 2, 5, 16, 35), utc(2026, 2, 5, 16, 25), 0),
            (utc(2026, 2, 5, 16, 41), utc(2026, 2, 5, 16, 31), 1),
            # Trading has stopped: after half an hour nothing more will come.
            (utc(2026, 2, 5, 16, 59), utc(2026, 2, 5, 16, 29), 0),
            (utc(2026, 2, 5, 17, 0), utc(2026, 2, 5, 16, 29), 1),
            # Nobody says when the last quote was; or its clock is ahead of ours.
            (utc(2026, 2, 5, 16, 59), None, 0),
            (utc(2026, 2, 5, 17, 0), None, 1),
            (utc(2026, 2, 5, 16, 29), utc(2026, 2, 5, 16, 40), 0),
        ],
    )
    def test_closed_when_a_later_quote_or_half_an_hour_went_by(
        self, now: datetime, quoted_at: datetime | None, closed: int
    ) -> None:
        at = None if quoted_at is None else int(quoted_at.timestamp())
        assert len(self.found(77.0, 76.0, now=now, quoted_at=at).closed) == closed

    @pytest.mark.parametrize("late", [0, 1, 899])
    def test_the_price_of_now_is_no_bar(self, late: int) -> None:
        """It belongs to the bar it falls into, and makes none where there is none."""
        at = self.FOUR + 1800 + late
        found = self.found(77.0, 76.0, last=at, quoted_at=at, now=utc(2026, 2, 5, 16, 50))
        assert [bar.opened_at for bar in found.closed] == [self.FOUR]
        assert found.unfinished is None
        inside = self.found(77.0, 76.0, 76.5, last=at, quoted_at=at, now=utc(2026, 2, 5, 16, 50))
        assert inside.unfinished is not None
        assert (inside.unfinished.high, inside.unfinished.close) == (80.0, 80.0)

    def test_where_nobody_traded_there_is_no_bar(self) -> None:
        rows = [(self.FOUR, 77.0, 77.2, 76.8, 77.1, 10), (self.FOUR + 900, *[77.1] * 4, 0)]
        found = yahoo.parse(chart(rows, granularity="15m"), ask(interval=Interval.M30), utc(2026, 2, 5, 20))
        assert found.closed == ()


class TestDrift:
    ROWS = ((THURSDAY - DAY, 84.0, 85.0, 76.0, 76.5, 9000), (THURSDAY, 76.5, 78.0, 76.0, 77.0, 8000))

    def answer(self, **result: Any) -> bytes:
        return chart(self.ROWS, **result)

    def test_an_error_inside_a_200(self) -> None:
        body = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
        with pytest.raises(Refused, match="Not Found: No data found"):
            yahoo.parse(body, ask(), utc(2026, 2, 9))

    @pytest.mark.parametrize(
        "body",
        [
            b"Too Many Requests",
            b"{}",
            b'{"chart":{"result":null,"error":null}}',
            b'{"chart":{"result":[],"error":null}}',
            chart(ROWS, symbol="GC=F"),
            chart(ROWS, granularity="60m"),
            chart(ROWS, zone="Mars/Olympus"),
            chart(ROWS, zone="../../etc/passwd"),
            chart(ROWS, timestamp=[THURSDAY]),
            chart(ROWS, timestamp=["1770267600", "1770354000"]),
            chart(ROWS, timestamp=[-1, THURSDAY]),
            chart(ROWS, timestamp=[THURSDAY, 10**18]),
            chart(ROWS, indicators={"quote": []}),
            # A Saturday, and a day that has not come.
            chart([(THURSDAY + 2 * DAY, 84.0, 85.0, 76.0, 76.5, 9000)]),
            chart([(THURSDAY + 5 * DAY, 84.0, 85.0, 76.0, 76.5, 9000)]),
            # A high below the close, a price of nought, one in cents, NaN, infinity.
            chart([(THURSDAY, 84.0, 85.0, 76.0, 85.5, 9000)]),
            chart([(THURSDAY, 84.0, 85.0, 0.0, 76.5, 9000)]),
            chart([(THURSDAY, 84.0, 1e300, 76.0, 76.5, 9000)]),
            chart([(THURSDAY, 84.0, float("nan"), 76.0, 76.5, 9000)]),
            chart([(THURSDAY, 84.0, 85.0, 76.0, 76.5, -1)]),
            # Two accounts of one day, neither of them the last.
            chart([(THURSDAY - DAY, 84.0, 85.0, 76.0, 76.5, 9), (THURSDAY - DAY, 84.0, 85.0, 76.0, 76.6, 9), (THURSDAY, 76.5, 78.0, 76.0, 77.0, 8)]),
        ],
    )  # fmt: skip
    def test_nothing_of_it_is_taken(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            yahoo.parse(body, ask(), utc(2026, 2, 9))

    def test_a_new_field_is_named_and_changes_nothing(self) -> None:
        found = yahoo.parse(self.answer(events={}, comparisons=[]), ask(), utc(2026, 2, 9))
        as_sent = yahoo.parse(self.answer(), ask(), utc(2026, 2, 9))
        assert found.unknown == {"comparisons"}
        assert as_sent.unknown == frozenset()
        assert found.closed == as_sent.closed

    def test_the_same_row_twice_and_another_order_are_no_matter(self) -> None:
        as_sent = yahoo.parse(self.answer(), ask(), utc(2026, 2, 9))
        twice = chart([self.ROWS[1], self.ROWS[0], self.ROWS[0]])
        assert yahoo.parse(twice, ask(), utc(2026, 2, 9)) == as_sent
