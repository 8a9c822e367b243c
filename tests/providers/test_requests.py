"""What each venue is asked, in its own words."""

from __future__ import annotations

from datetime import timedelta

from analysis.levels import Interval
from providers import binance, binance_perps, bitstamp, coinbase, kraken
from providers.shapes import BarQuery, BarSource
from tests.providers.subjects import NOW

VENUES: list[BarSource] = [kraken, coinbase, bitstamp, binance, binance_perps]


def test_what_each_venue_is_asked() -> None:
    at_1600 = NOW.replace(hour=16, second=0)
    query = BarQuery(
        symbol="XBTUSD", interval=Interval.M30, since=at_1600, until=at_1600 + timedelta(hours=2)
    )

    asked = {venue.NAME: dict(venue.request(query).params) for venue in VENUES}

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
