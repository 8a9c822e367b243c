"""How far back a first start goes, against how far back the reports look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analysis import absorption
from analysis.levels import Interval
from bot import spans
from bot.every_feed import every_feed
from bot.feeds import BarFeed
from bot.ingest import pace
from bot.reports import lights, macro, stress_read
from bot.reports.level_series import DEFAULT_DAYS
from bot.settings import Settings
from providers.hosts import HOSTS
from storage.instants import epoch
from tests.feeds.venues import utc

NOW = utc(2026, 11, 23, 3, 20)
FEEDS = [feed for feed in every_feed() if isinstance(feed, BarFeed)]
FUTURES = ("SI", "GC", "ES", "NQ", "DXY", "CL")
M30, H1, D1 = Interval.M30, Interval.H1, Interval.D1
NEEDS = [
    *(("stress", code, (D1,), stress_read.LONG) for code in FUTURES),
    ("stress", "BTC", (H1, M30), stress_read.LONG),
    *(("stress within the day", code, (H1, M30), stress_read.PRINTS) for code in ("BTC", *FUTURES)),
    *(
        (f"levels {interval}", code, (M30,), timedelta(days=DEFAULT_DAYS[interval]))
        for interval in Interval
        for code in ("BTC", "ETH")
    ),
    *(
        ("levels by days", code, (D1,), timedelta(days=DEFAULT_DAYS[D1]))
        for code in ("BTC", "ETH", "SI", "GC")
    ),
    *(("lights", code, (D1,), lights.HISTORY) for code in (lights.SILVER, macro.DOLLAR)),
    *(("macro", code, (D1,), macro.CLOSES_SINCE) for code in (macro.OIL, macro.DOLLAR)),
]


def reach(feed: BarFeed) -> timedelta:
    """What a first start asks for, and its source can give."""
    return timedelta(seconds=epoch(NOW) - spans.floor(feed, NOW, None))


@pytest.mark.parametrize(("report", "code", "intervals", "need"), NEEDS)
def test_what_a_report_looks_back_for_is_fetched_by_a_first_start(
    report: str, code: str, intervals: tuple[Interval, ...], need: timedelta
) -> None:
    venues = {*Settings(_env_file=None).venues, "yahoo"}
    reaching = {
        feed.name: reach(feed)
        for feed in FEEDS
        if feed.code == code and feed.interval in intervals and feed.key in venues
    }
    assert max(reaching.values()) >= need, report


def test_the_long_measures_are_whole_whichever_deep_venue_is_preferred() -> None:
    """500 days of window before the first of 250 ratios: 750 closes, some 250 a year: three years."""
    assert absorption.WINDOW + absorption.LONG == 750
    assert timedelta(days=3 * 365) <= stress_read.LONG <= timedelta(days=1_200)
    deep = {
        feed.key
        for feed in FEEDS
        if (feed.code, feed.interval) == ("BTC", H1) and reach(feed) >= stress_read.LONG
    }
    assert deep == {"coinbase", "bitstamp", "binance"}


@pytest.mark.parametrize(
    ("key", "interval", "most"),
    [
        # Kraken documents 720 bars of anything; Yahoo has sixty days of what is shorter than an hour.
        ("kraken", M30, timedelta(days=15)),
        ("kraken", H1, timedelta(days=30)),
        ("kraken", D1, timedelta(days=720)),
        ("yahoo", M30, timedelta(days=60)),
    ],
)
def test_nothing_is_asked_that_a_source_does_not_have(key: str, interval: Interval, most: timedelta) -> None:
    ours = [feed for feed in FEEDS if (feed.key, feed.interval) == (key, interval)]
    assert ours
    assert all(reach(feed) <= most for feed in ours)


def test_a_first_start_has_fetched_it_all_within_a_quarter_of_an_hour() -> None:
    """One call after the other at each host's pace, all hosts beside each other."""
    lasts: dict[str, timedelta] = {}
    for feed in FEEDS:
        bars = reach(feed) / timedelta(seconds=feed.step)
        # A page overlaps the one before by a bar.
        calls = 1 + int(bars / (feed.source.LIMIT - 1))
        lasts[feed.host] = lasts.get(feed.host, timedelta(0)) + calls * pace(feed.host, HOSTS)
    assert max(lasts.values()) < timedelta(minutes=15), lasts
