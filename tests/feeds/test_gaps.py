"""Bars that are missing between others: asked for again a few times, and never made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from analysis.levels import Interval
from bot.backfill import fill
from bot.clock import FixedClock
from bot.every_feed import every_feed, named
from bot.feeds import BarFeed
from bot.fetching import Call, Fetching
from providers.client import Client
from providers.errors import Unreachable
from storage import bars, feeds, gaps, instruments
from storage.store import Store
from tests.feeds import sources, venues
from tests.feeds.venues import HALF_HOUR, utc
from tests.providers.conftest import HURRIED

NOW = utc(2026, 9, 14, 12, 10)
HOUR = timedelta(hours=1)


class Source:
    """One source by the clock of a test; ``told`` says which bars it has."""

    def __init__(self, store: Store, name: str, *, days: float) -> None:
        (feed,) = named([name], every_feed())
        assert isinstance(feed, BarFeed)
        self.feed = replace(feed, depth=timedelta(days=days))
        self.now = NOW
        self.told: Callable[[int], bool] = lambda _: True
        self.broken = False
        self.asked: list[httpx.Request] = []
        self.client = Client(hosts=HURRIED, transport=httpx.MockTransport(self._answer))
        self.fetching = Fetching(store, self.client)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.broken:
            raise httpx.ReadError("reset")
        body = sources.body(request, self.now, self.told)
        return httpx.Response(200, stream=httpx.ByteStream(body))

    async def call(self, *, again: bool = False, older: bool = False) -> datetime | None:
        """One call of that kind; when to ask again."""
        call = Call(now=self.now, next_try_at=self.now + HOUR, older=older, again=again)
        return (await self.fetching.page(self.feed, call)).again_at


async def openings(store: Store, feed: BarFeed) -> list[int]:
    async with store.read() as db:
        series = await instruments.at_venue(db, feed.venue, feed.symbol, feed.interval)
        return [
            row.opened_at for row in await bars.closed(db, series, feed.interval, at=NOW + 90 * 24 * HOUR)
        ]


async def test_a_hole_in_an_older_page_is_filled_when_the_source_has_it(store: Store) -> None:
    source = Source(store, "bitstamp:BTC:30m", days=40)
    await source.fetching.register((source.feed,))
    hole = {int(utc(2026, 8, 10, hour).timestamp()) for hour in (3, 4)}
    source.told = lambda at: at not in hole
    assert await source.call() is None
    noticed = await source.call(older=True)
    assert noticed == NOW + HOUR
    assert not hole & set(await openings(store, source.feed))
    # Long before the bars that a poll asks for again: the polls do not mend it.
    source.told = lambda _: True
    source.now += HOUR
    await source.call()
    assert not hole & set(await openings(store, source.feed))
    with capture_logs() as logged:
        assert await source.call(again=True) is None
    assert [(line["event"], line["bars"]) for line in logged] == [("bars that were missing came", 2)]
    stored = await openings(store, source.feed)
    assert stored == list(range(stored[0], stored[-1] + 1, HALF_HOUR))
    closes = [venues.price(at + HALF_HOUR) for at in sorted(hole)]
    async with store.read() as db:
        series = await instruments.at_venue(db, "Bitstamp", "BTC/USD", Interval.M30)
        rows = {row.opened_at: row.close for row in await bars.closed(db, series, Interval.M30, at=NOW)}
    assert [rows[at] for at in sorted(hole)] == closes


async def test_what_a_venue_never_had_is_asked_for_three_times_and_stays_a_gap(store: Store) -> None:
    source = Source(store, "bitstamp:BTC:30m", days=10)
    await source.fetching.register((source.feed,))
    hole = {int(utc(2026, 9, 10, 3, 30).timestamp()), int(utc(2026, 9, 11).timestamp())}
    source.told = lambda at: at not in hole
    at = await source.call()
    waits = []
    while at is not None:
        waits.append(at - source.now)
        # A moment before it is too early: nobody is called.
        source.now = at - timedelta(seconds=1)
        calls = len(source.asked)
        assert await source.call(again=True) == at
        assert len(source.asked) == calls
        source.now = at
        at = await source.call(again=True)
        # Both are in the reach of one call.
        assert len(source.asked) == calls + 1
    assert waits == [HOUR, 6 * HOUR, 24 * HOUR]
    stored = await openings(store, source.feed)
    assert not hole & set(stored)
    # Given up, and not noted anew by the polls that follow.
    source.now += HOUR
    assert await source.call() is None


async def test_the_command_asks_again_for_what_is_due(store: Store) -> None:
    source = Source(store, "bitstamp:BTC:30m", days=40)
    hole = {int(utc(2026, 8, 10, hour).timestamp()) for hour in (3, 4)}

    async def nobody_waits(_: datetime) -> None:
        pass

    async def fetched() -> int:
        (done,) = await fill(
            store,
            source.client,
            every_feed(),
            [source.feed],
            venues=("kraken",),
            clock=FixedClock(source.now),
            told=lambda _name, _share: None,
            until=nobody_waits,
        )
        assert done.reason is None
        return done.added

    source.told = lambda at: at not in hole
    assert await fetched() > 1_900
    source.told = lambda _: True
    # Not due yet: a poll, and nothing else.
    calls = len(source.asked)
    assert await fetched() == 0
    assert len(source.asked) == calls + 1
    source.now += 2 * HOUR
    assert await fetched() == 4 + len(hole)
    assert hole <= set(await openings(store, source.feed))


async def test_a_call_that_fails_is_no_try(store: Store) -> None:
    source = Source(store, "bitstamp:BTC:30m", days=10)
    await source.fetching.register((source.feed,))
    missing = int(utc(2026, 9, 10, 3, 30).timestamp())
    source.told = lambda at: at != missing
    await source.call()
    source.now += HOUR
    source.broken = True
    with pytest.raises(Unreachable):
        await source.call(again=True)
    async with store.read() as db:
        assert await gaps.newest_due(db, source.feed.name, since=0, now=source.now) == missing
        (told,) = (one for one in await feeds.status(db) if one.name == source.feed.name)
    assert told.last_success_at == NOW


async def test_a_market_that_rests_is_no_gap(store: Store) -> None:
    """Over a weekend, the hour of every day, and Labor Day, on which some trade for half of it."""
    source = Source(store, "yahoo:SI:30m", days=12)
    await source.fetching.register((source.feed,))
    assert await source.call() is not None
    async with store.read() as db:
        noted = await gaps.newest_due(db, source.feed.name, since=0, now=NOW + 90 * 24 * HOUR)
    # What is missing is what Yahoo has no prices of, a quarter of an hour now and then.
    assert noted is not None
    assert any(sources.has_null(part) for part in (noted, noted + 900))
    assert all(
        source.feed.expects(at) == sources.trades(at) for at in range(noted - 86_400 * 4, noted, 1_800)
    )
    holiday = int(utc(2026, 9, 7, 14).timestamp())
    assert holiday in await openings(store, source.feed)
    assert not source.feed.expects(holiday)


async def test_days_are_missing_where_a_session_was(store: Store) -> None:
    (feed,) = named(["yahoo:SI:1d"], every_feed())
    assert isinstance(feed, BarFeed)
    days = [int(utc(2026, 9, day).timestamp()) for day in range(3, 10)]
    assert [feed.expects(at) for at in days] == [True, True, False, False, False, True, True]
