"""The table of feeds against the store and against the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from analysis.errors import UserError
from analysis.levels import Interval
from bot.every_feed import every_feed, named
from bot.feeds import BarFeed, FlowFeed, MacroFeed, TierFeed
from bot.fetching import Fetching
from providers.client import Client
from providers.hosts import HOSTS
from providers.shapes import BarQuery, FlowQuery, MacroQuery
from storage import bars, feeds, instruments, new_bars
from storage.bars import BarRow
from storage.store import Store
from tests.feeds.venues import utc

NOW = utc(2026, 9, 14, 12, 10)


async def test_the_store_knows_what_every_feed_fills(store: Store) -> None:
    every = every_feed()
    async with Client() as client:
        await Fetching(store, client).register(every)
        await Fetching(store, client).register(every)
    async with store.read() as db:
        told = {one.name: one for one in await feeds.status(db)}
    assert set(told) == {feed.name for feed in every}
    assert len(told) == len(every)
    assert told["yahoo:SI:1d"].label == "SI 1d · Silver futures, front month, COMEX"
    assert told["perpetual:SI:30m"].label == "SI 30m · XAGUSDT perpetual, Binance USD-M"


@pytest.mark.parametrize("key", [None, SecretStr("k" * 32)])
def test_every_feed_asks_a_host_that_may_be_called(key: SecretStr | None) -> None:
    for feed in every_feed(fred_key=key, sosovalue_key=key):
        match feed:
            case BarFeed():
                assert feed.interval in feed.source.INTERVALS
                query = BarQuery(
                    symbol=feed.asked, interval=feed.interval, since=NOW - timedelta(days=1), until=NOW
                )
                request = feed.source.request(query)
            case FlowFeed():
                request = feed.source.request(FlowQuery(asset=feed.asset))
            case MacroFeed():
                request = feed.source.request(MacroQuery(series=feed.series))
            case TierFeed():
                request = feed.source.requests(feed.query)[0]
        assert request.host == feed.host
        assert feed.host in HOSTS


@pytest.mark.parametrize(
    ("name", "now", "due"),
    [
        ("kraken:BTC:30m", utc(2026, 9, 14, 12, 10), utc(2026, 9, 14, 12, 30, 10)),
        ("kraken:BTC:30m", utc(2026, 9, 14, 12, 30, 10), utc(2026, 9, 14, 13, 0, 10)),
        ("kraken:BTC:1d", utc(2026, 9, 14, 12, 10), utc(2026, 9, 15, 0, 0, 10)),
        # 17:00 New York and ten minutes; on Friday evening that of Monday.
        ("yahoo:SI:1d", utc(2026, 9, 14, 12, 10), utc(2026, 9, 14, 21, 10)),
        ("yahoo:SI:1d", utc(2026, 9, 11, 21, 10), utc(2026, 9, 14, 21, 10)),
        # The last half hour of the week is still asked for, then nothing until Sunday evening.
        ("yahoo:SI:30m", utc(2026, 9, 11, 20, 45), utc(2026, 9, 11, 21, 0, 10)),
        ("yahoo:SI:30m", utc(2026, 9, 11, 21, 0, 11), utc(2026, 9, 13, 22, 0, 10)),
        ("farside:BTC:flows", utc(2026, 9, 12, 12, 10), utc(2026, 9, 12, 12, 30)),
        ("fred:T10YIE", utc(2026, 9, 12, 12, 10), utc(2026, 9, 12, 18)),
    ],
)
def test_when_there_is_something_new(name: str, now: datetime, due: datetime) -> None:
    (feed,) = named([name], every_feed())
    assert feed.due(now) == due


def test_series_are_named_by_parts() -> None:
    every = every_feed()
    assert [feed.name for feed in named(["btc:FLOWS"], every)] == ["sosovalue:BTC:flows", "farside:BTC:flows"]
    assert named([], every) == list(every)
    with pytest.raises(UserError) as refused:
        named(["kraken", "stooq"], every)
    assert refused.value.values["name"] == "stooq"


async def bars_until(
    store: Store, venue: str, symbol: str, last: datetime, *, count: int, interval: Interval = Interval.M30
) -> None:
    step = int(interval.length.total_seconds())
    end = int(last.timestamp())
    async with store.write() as db:
        series = await instruments.at_venue(db, venue, symbol, interval)
        rows = [BarRow(at, at + step, 9, 9, 9, 9, 1) for at in range(end - count * step, end, step)]
        await new_bars.store(db, series, rows, source=venue, now=NOW)


async def test_which_venue_answers(store: Store) -> None:
    async def answering(at: datetime, **more: timedelta) -> str | None:
        async with store.read() as db:
            found = await instruments.find(db, "BTC", Interval.M30, at=at, **more)
        return None if found is None else found.venue

    assert await answering(NOW) is None
    await bars_until(store, "Bitstamp", "BTC/USD", utc(2026, 9, 14, 12), count=3_000)
    await bars_until(store, "Kraken", "BTC/USD", utc(2026, 9, 14, 12), count=700)
    assert await answering(NOW) == "Kraken"  # by rank, while nobody prefers anything
    # What reaches further back answers a question that does.
    assert await answering(NOW, reach=timedelta(days=60)) == "Bitstamp"
    assert await answering(NOW, better=timedelta(days=60)) == "Bitstamp"
    assert await answering(NOW, better=timedelta(days=90)) == "Kraken"  # which nobody reaches
    # Before Kraken's first bar there was only Bitstamp.
    assert await answering(utc(2026, 8, 20)) == "Bitstamp"
    async with store.write() as db:
        await instruments.prefer(db, ["bitstamp", "kraken"])
    assert await answering(NOW) == "Bitstamp"
    # To be old is worse than to be short: Kraken goes on, and Bitstamp stops.
    await bars_until(store, "Kraken", "BTC/USD", utc(2026, 9, 16), count=48 * 2)
    assert await answering(utc(2026, 9, 16), better=timedelta(days=60)) == "Kraken"
    # All of them stale: the newest, whoever it is of.
    await bars_until(store, "Coinbase", "BTC/USD", utc(2026, 9, 16, 0, 30), count=3)
    assert await answering(utc(2026, 9, 20)) == "Coinbase"


async def test_futures_are_not_stale_over_a_weekend(store: Store) -> None:
    await bars_until(store, "COMEX", "SI", utc(2026, 9, 11, 21), count=50)
    await bars_until(store, "Binance USD-M", "XAGUSDT", utc(2026, 9, 14, 4), count=300)

    async def answering(at: datetime) -> str:
        async with store.read() as db:
            found = await instruments.find(db, "SI", Interval.M30, at=at)
        assert found is not None
        return found.label

    assert await answering(utc(2026, 9, 13, 12)) == "Silver futures, front month, COMEX"
    # Sunday 22:00 UTC they trade again; three hours later without a bar they are stale.
    assert await answering(utc(2026, 9, 13, 21, 59)) == "Silver futures, front month, COMEX"
    assert await answering(utc(2026, 9, 14, 4)) == "XAGUSDT perpetual, Binance USD-M"


async def test_days_that_a_venue_gives_fill_in_for_those_not_made_of_half_hours(store: Store) -> None:
    await bars_until(store, "Kraken", "BTC/USD", utc(2026, 9, 14), count=48 * 3)
    await bars_until(store, "Kraken", "BTC/USD", utc(2026, 9, 14), count=30, interval=Interval.D1)
    async with store.read() as db:
        series = await instruments.at_venue(db, "Kraken", "BTC/USD", Interval.M30)
        days = await bars.daily(db, series, at=NOW)
    assert [row.opened_at for row in days] == [
        int(utc(2026, 9, 14).timestamp()) - 86_400 * back for back in range(30, 0, -1)
    ]
    # Made of half hours where there are all 48, each of a volume of 1.
    assert [row.volume for row in days] == [1.0] * 27 + [48.0] * 3
