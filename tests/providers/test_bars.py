"""Each venue's true answers become the bars they tell of, in whatever order; half truths become nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from analysis.levels import Interval
from providers import binance, binance_perps, bitstamp, coinbase, kraken
from providers.build import build
from providers.errors import Malformed
from providers.hosts import HOSTS
from providers.shapes import Bar, BarQuery, Bars, BarSource
from tests.providers.subjects import (
    BINANCE,
    BITSTAMP,
    COINBASE,
    KRAKEN,
    NOW,
    SILVER,
    half_hours,
    klines,
)

AT_1600, AT_1630, AT_1700, AT_1730, AT_1800 = range(1770307200, 1770316200, 1800)
DAY = 86_400

VENUES: list[tuple[BarSource, str, bytes]] = [
    (kraken, "XBTUSD", KRAKEN),
    (coinbase, "BTC-USD", COINBASE),
    (bitstamp, "btcusd", BITSTAMP),
    (binance, "BTCUSDT", BINANCE),
    (binance_perps, "XAGUSDT", SILVER),
]
every_venue = pytest.mark.parametrize(
    ("venue", "symbol", "body"), VENUES, ids=[venue.NAME for venue, _, _ in VENUES]
)


def rows_of(value: Any) -> list[Any]:
    """The list of rows in an answer of any of the venues, to be changed in place."""
    if isinstance(value, dict):
        inner = value.get("result") or value["data"]
        found: list[Any] = inner.get("XXBTZUSD") or inner["ohlc"]
        return found
    assert isinstance(value, list)
    return value


def place(venue: BarSource, name: str) -> Any:
    """Where in a row of ``venue`` the field stands."""
    if venue is bitstamp:
        return name
    order = ("low", "high", "open", "close") if venue is coinbase else ("open", "high", "low", "close")
    return 1 + order.index(name)


def text(venue: BarSource, price: float) -> Any:
    """A price as ``venue`` writes it."""
    return price if venue is coinbase else str(price)


def move(venue: BarSource, row: Any, seconds: int) -> None:
    """Lets a row open so much later."""
    if isinstance(row, dict):
        row["timestamp"] = str(int(row["timestamp"]) + seconds)
    elif venue in {binance, binance_perps}:
        row[0] += seconds * 1000
        row[6] += seconds * 1000
    else:
        row[0] += seconds


def rounded(bar: Bar) -> Bar:
    """Without what adding two volumes leaves behind the eighth digit."""
    return bar._replace(volume=None if bar.volume is None else round(bar.volume, 8))


def changed(body: bytes, change: Any) -> bytes:
    value = json.loads(body)
    change(rows_of(value))
    return json.dumps(value).encode()


def test_kraken_text_and_an_average_that_is_no_close() -> None:
    found = kraken.parse(KRAKEN, half_hours("XBTUSD"), NOW)

    assert [bar.opened_at for bar in found.closed] == [AT_1600, AT_1630, AT_1700, AT_1730]
    assert found.closed[-1] == Bar(AT_1730, AT_1800, 66102.5, 66890.0, 65911.4, 66740.1, 312.40311)
    assert found.unfinished == Bar(AT_1800, AT_1800 + 1800, 66740.1, 66741.0, 66738.2, 66738.2, 0.812)


def test_krakens_last_row_is_never_closed_whatever_the_clock_says() -> None:
    """An answer that lay in a cache over the end of a bar would pass for the whole of it."""
    much_later = NOW + timedelta(hours=3)

    found = kraken.parse(KRAKEN, half_hours("XBTUSD"), much_later)

    assert found.closed[-1].opened_at == AT_1730
    assert found.unfinished is not None
    assert found.unfinished.opened_at == AT_1800


def test_coinbase_low_comes_first_and_two_quarters_make_a_half_hour() -> None:
    """16:45 has no quarter before it in the answer, so that half hour is not made."""
    found = coinbase.parse(COINBASE, half_hours("BTC-USD"), NOW)

    assert [rounded(bar) for bar in found.closed] == [
        Bar(AT_1630, AT_1700, 66901.8, 67010.2, 66205.01, 66310.7, 475.88),
        Bar(AT_1700, AT_1730, 66310.7, 66580.42, 66050.0, 66101.9, 382.43),
        Bar(AT_1730, AT_1800, 66101.9, 66890.11, 65911.4, 66740.2, 812.4619),
    ]
    assert found.unfinished == Bar(AT_1800, AT_1800 + 1800, 66740.2, 66741.3, 66737.9, 66738.01, 1.10480021)


def test_bitstamp_numbers_are_text() -> None:
    found = bitstamp.parse(BITSTAMP, half_hours("btcusd"), NOW)

    assert len(found.closed) == 4
    assert found.closed[-1] == Bar(AT_1730, AT_1800, 66102.0, 66890.0, 65911.0, 66740.0, 104.41)
    assert found.unfinished is not None


def test_binance_rows_of_twelve_in_milliseconds() -> None:
    found = binance.parse(BINANCE, half_hours("BTCUSDT"), NOW)

    assert len(found.closed) == 4
    assert found.closed[-1] == Bar(AT_1730, AT_1800, 66120.01, 66905.12, 65930.0, 66755.3, 1400.90113)
    assert found.unfinished == Bar(AT_1800, AT_1800 + 1800, 66755.3, 66757.0, 66750.1, 66752.2, 3.2011)


def test_a_perpetual_of_silver() -> None:
    found = binance_perps.parse(SILVER, half_hours("XAGUSDT"), NOW)

    assert found.closed[0] == Bar(AT_1600, AT_1630, 77.41, 77.62, 76.90, 77.02, 90211.21)


def test_what_each_venue_is_asked() -> None:
    at_1600 = NOW.replace(hour=16, second=0)
    query = BarQuery(
        symbol="XBTUSD", interval=Interval.M30, since=at_1600, until=at_1600 + timedelta(hours=2)
    )

    asked = {venue.NAME: dict(venue.request(query).params) for venue, _, _ in VENUES}

    assert asked == {
        "Kraken": {"pair": "XBTUSD", "interval": "30", "since": "1770307199"},
        "Coinbase": {"granularity": "900", "start": "2026-02-05T16:00:00Z", "end": "2026-02-05T18:00:00Z"},
        "Bitstamp": {"step": "1800", "limit": "1000", "start": "1770307200", "end": "1770314400"},
        "Binance": {
            "symbol": "XBTUSD",
            "interval": "30m",
            "startTime": "1770307200000",
            "endTime": "1770314399999",
            "limit": "1000",
        },
        "Binance USD-M": {
            "symbol": "XBTUSD",
            "interval": "30m",
            "startTime": "1770307200000",
            "endTime": "1770314399999",
            "limit": "499",
        },
    }


def test_a_long_span_is_asked_for_from_its_beginning_and_no_further_than_one_call_holds() -> None:
    """Coinbase holds 300 rows and Bitstamp 1,000, and neither says whether the end is counted."""
    query = BarQuery(symbol="x", interval=Interval.M30, since=NOW - timedelta(days=400), until=NOW)

    quarters = coinbase.request(query).params
    rows = bitstamp.request(query).params

    assert quarters["start"] == "2025-01-01T18:00:05Z"
    assert quarters["end"] == "2025-01-04T16:00:05Z"  # 280 quarters later
    assert (int(rows["end"]) - int(rows["start"])) // 1800 + 1 == 1000


@every_venue
def test_every_venue_is_called_where_it_may_be(venue: BarSource, symbol: str, body: bytes) -> None:
    request = venue.request(half_hours(symbol))

    assert request.host == venue.HOST
    assert request.cost <= HOSTS[request.host].calls


@every_venue
def test_a_bar_is_closed_two_seconds_after_its_end(venue: BarSource, symbol: str, body: bytes) -> None:
    end = NOW.replace(second=0)

    early = venue.parse(body, half_hours(symbol), end + timedelta(seconds=1.9))
    late = venue.parse(body, half_hours(symbol), end + timedelta(seconds=2))

    assert early.unfinished is not None
    assert (early.closed[-1].opened_at, early.unfinished.opened_at) == (AT_1700, AT_1730)
    assert late.unfinished is not None
    assert (late.closed[-1].opened_at, late.unfinished.opened_at) == (AT_1730, AT_1800)


@every_venue
def test_only_what_was_asked_for_is_given(venue: BarSource, symbol: str, body: bytes) -> None:
    """Coinbase may send what opened before the start, Kraken cannot be told an end."""
    at_1700 = NOW.replace(hour=17, second=0)
    query = BarQuery(
        symbol=symbol, interval=Interval.M30, since=at_1700, until=at_1700 + timedelta(minutes=30)
    )

    found = venue.parse(body, query, NOW)

    assert [bar.opened_at for bar in found.closed] == [AT_1700]
    assert found.unfinished is None


@every_venue
def test_order_and_repetition_do_not_matter(venue: BarSource, symbol: str, body: bytes) -> None:
    query = half_hours(symbol)

    def shuffled(rows: list[Any]) -> None:
        rows.reverse()
        rows.append(rows[2])
        rows.insert(0, rows[1])

    assert venue.parse(changed(body, shuffled), query, NOW) == venue.parse(body, query, NOW)


@every_venue
def test_two_stories_of_one_bar_are_none(venue: BarSource, symbol: str, body: bytes) -> None:
    def contradicted(rows: list[Any]) -> None:
        rows.append(rows[2].copy())
        rows[-1][place(venue, "close")] = rows[-1][place(venue, "low")]

    with pytest.raises(Malformed, match="two different bars"):
        venue.parse(changed(body, contradicted), half_hours(symbol), NOW)


@every_venue
def test_a_row_that_lost_a_field_or_holds_a_new_one(venue: BarSource, symbol: str, body: bytes) -> None:
    """By place a new one could be any of them; by name it is passed over and told."""
    query = half_hours(symbol)

    def shorter(rows: list[Any]) -> None:
        rows[1].pop("close" if venue is bitstamp else -1)

    def longer(rows: list[Any]) -> None:
        if isinstance(rows[1], dict):
            rows[1]["trades"] = "7"
        else:
            rows[1].append("7")

    with pytest.raises(Malformed) as caught:
        venue.parse(changed(body, shorter), query, NOW)
    assert caught.value.body == changed(body, shorter)
    if venue is bitstamp:
        assert venue.parse(changed(body, longer), query, NOW).closed == venue.parse(body, query, NOW).closed
    else:
        with pytest.raises(Malformed):
            venue.parse(changed(body, longer), query, NOW)


@every_venue
@pytest.mark.parametrize(
    "nonsense", ["NaN", "Infinity", "1e999", '"1_000"', "null", "true", '"\uff16\uff16"', "-5"]
)
def test_what_is_no_price_spoils_the_whole_batch(
    venue: BarSource, symbol: str, body: bytes, nonsense: str
) -> None:
    def marked(rows: list[Any]) -> None:
        rows[3][place(venue, "low")] = "HERE"

    with pytest.raises(Malformed):
        venue.parse(changed(body, marked).replace(b'"HERE"', nonsense.encode()), half_hours(symbol), NOW)


@every_venue
@pytest.mark.parametrize(
    ("what", "shift"),
    [
        ("off the grid", 60),
        ("no time it can have", 2 * DAY),
        ("no time it can have|another shape", -20_500 * DAY),
    ],
)
def test_a_bar_at_a_time_that_cannot_be(
    venue: BarSource, symbol: str, body: bytes, what: str, shift: int
) -> None:
    def shifted(rows: list[Any]) -> None:
        move(venue, rows[1], shift)

    with pytest.raises(Malformed, match=what):
        venue.parse(changed(body, shifted), half_hours(symbol), NOW)


@every_venue
def test_hours_for_half_hours_are_noticed(venue: BarSource, symbol: str, body: bytes) -> None:
    """A source that answers with longer bars than asked fits the grid all the same."""
    step = 900 if venue is coinbase else 1800

    def hourly(rows: list[Any]) -> None:
        in_order = rows[::-1] if venue is coinbase else rows
        for number, row in enumerate(in_order):
            move(venue, row, (number - len(rows)) * step)

    with pytest.raises(Malformed, match=f"{2 * step} s apart"):
        venue.parse(changed(body, hourly), half_hours(symbol), NOW)


@every_venue
def test_a_leap_is_marked_and_kept(venue: BarSource, symbol: str, body: bytes) -> None:
    price = 40.0 if venue is binance_perps else 40000.0

    def leap(rows: list[Any]) -> None:
        # 17:30 is row 3; of Coinbase's quarters, the newest first, row 2.
        rows[2 if venue is coinbase else 3][place(venue, "low")] = text(venue, price)

    found = venue.parse(changed(body, leap), half_hours(symbol), NOW)

    assert found.jumps == (AT_1730,)
    assert found.closed[-1].low == price
    assert venue.parse(body, half_hours(symbol), NOW).jumps == ()


def test_the_bound_of_a_leap() -> None:
    """From 100, a low of 80 and a high of 120 are within 20 %; 79.99 is not."""

    def at(second_low: str, second_high: str) -> tuple[int, ...]:
        body = klines(f"{AT_1700} 100 100 100 100 1\n{AT_1730} 100 {second_high} {second_low} 100 1")
        return binance.parse(body, half_hours("BTCUSDT"), NOW).jumps

    assert at("80", "120") == ()
    assert at("79.99", "120") == (AT_1730,)
    assert at("80", "120.01") == (AT_1730,)


def test_a_price_carried_over_a_time_without_trades_is_no_bar() -> None:
    value = json.loads(BINANCE)
    value[2][1:6] = ["66325.41", "66325.41", "66325.41", "66325.41", "0.00000000"]

    found = binance.parse(json.dumps(value).encode(), half_hours("BTCUSDT"), NOW)

    assert [bar.opened_at for bar in found.closed] == [AT_1600, AT_1630, AT_1730]


def test_bars_of_another_pair_are_refused() -> None:
    with pytest.raises(Malformed, match="bars of ETH/USD"):
        bitstamp.parse(BITSTAMP.replace(b"BTC/USD", b"ETH/USD"), half_hours("btcusd"), NOW)


def test_new_names_are_told_but_nothing_hostile_in_them() -> None:
    body = BITSTAMP.replace(b'{"data":{', b'{"notice":"x","data":{"<b>@everyone":1,')

    assert bitstamp.parse(body, half_hours("btcusd"), NOW).unknown == {"notice", "?b??everyone"}
    assert kraken.parse(KRAKEN, half_hours("XBTUSD"), NOW).unknown == frozenset()


def part(opened: int, price: float, volume: float | None = 2.0) -> Bar:
    return Bar(opened, opened + 900, price, price + 3, price - 1, price + 2, volume)


def test_no_half_hour_is_made_of_one_quarter() -> None:
    quarters = Bars(
        closed=(part(AT_1600, 100), part(AT_1600 + 900, 110), part(AT_1630, 120), part(AT_1700 + 900, 140)),
        unfinished=part(AT_1730, 150),
    )

    found = build(quarters, Interval.M30)

    assert found.closed == (Bar(AT_1600, AT_1630, 100, 113, 99, 112, 4.0),)
    assert found.unfinished == Bar(AT_1730, AT_1800, 150, 153, 149, 152, 2.0)


def test_the_half_hour_still_running_has_what_is_over_of_it() -> None:
    first, second = part(AT_1600, 100), part(AT_1600 + 900, 110)

    assert build(Bars(closed=(first,), unfinished=second), Interval.M30) == Bars(
        closed=(), unfinished=Bar(AT_1600, AT_1630, 100, 113, 99, 112, 4.0)
    )
    assert build(Bars(closed=(first,)), Interval.M30).unfinished == Bar(
        AT_1600, AT_1630, 100, 103, 99, 102, 2.0
    )
    assert build(Bars(closed=(), unfinished=second), Interval.M30) == Bars(closed=())


def test_no_volume_is_no_nought() -> None:
    parts = Bars(closed=(part(AT_1600, 100), part(AT_1600 + 900, 110, None)))

    assert build(parts, Interval.M30).closed[0].volume is None
