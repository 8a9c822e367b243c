"""Two weeks with sources that break at random: nothing is missing afterwards, and nobody was called too often.

Every feed there is takes part. ``make test`` runs eighteen hours of it, ``make soak`` all of them,
with more dice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest
import stamina
from pydantic import SecretStr
from structlog.testing import capture_logs

from analysis.levels import Interval
from bot.every_feed import every_feed
from bot.feeds import BarFeed, Feed, FlowFeed, MacroFeed, TierFeed
from bot.ingest import Coordinator
from providers.client import Client
from providers.hosts import HOSTS
from storage import bars, feeds, flows, instruments, macro, migrate, tiers
from storage.flows import FlowState
from storage.store import Store
from tests.feeds import sources
from tests.feeds.simulated import KINDS, Time, World
from tests.feeds.venues import price, utc
from tests.soak import times

START = utc(2026, 9, 1, 7, 13)
DAYS = times(short=18, long=14 * 24) / 24
END = START + timedelta(days=DAYS)
DEPTH = timedelta(hours=times(short=36, long=20 * 24))
KEY = SecretStr("k" * 32)
HOLED = ("api.kraken.com", "www.bitstamp.net", "fapi.binance.com", "query1.finance.yahoo.com")
CALENDAR = timedelta(minutes=45)
"""By how much what is expected at the end of a series may come late: Yahoo's quotes, and the hour of a poll."""


@pytest.fixture
def one_try() -> object:
    """The client's own tries follow in fractions of a second, which do not exist here; it has tests of its own."""
    stamina.set_testing(True, attempts=1)
    yield
    stamina.set_testing(False)


@dataclass(frozen=True, slots=True)
class Lived:
    """What is to be looked at afterwards."""

    store: Store
    world: World
    feeds: Sequence[Feed]
    log: Sequence[Any]


async def lived(seed: int) -> Lived:
    """One life of the coordinator."""
    # In memory: what a disk does to a commit is tried where processes are killed.
    store = await Store.open("sqlite+aiosqlite://")
    await migrate.prepare(store)
    rng = Random(seed)  # noqa: S311 -- draws outages, hides nothing
    ours: list[Feed] = [
        replace(feed, depth=min(feed.depth, DEPTH)) if isinstance(feed, BarFeed) else feed
        for feed in every_feed(sosovalue_key=KEY)
    ]
    # Who has a key asks FRED's API, who has none its graphs: here both are asked.
    with_key = [feed for feed in every_feed(fred_key=KEY) if isinstance(feed, MacroFeed)]
    ours += [replace(feed, key="fred api") for feed in with_key]
    hosts = list(dict.fromkeys(feed.host for feed in ours))
    time = Time(START, END, parties=len(hosts))
    world = World(time, hosts, start=START, days=DAYS, rng=rng, holed=HOLED)
    with capture_logs() as logged:
        transport = httpx.MockTransport(world.answer)
        async with Client(transport=transport, now=time.now, tick=time.tick) as client:
            coordinator = Coordinator(
                store, client, ours, venues=("kraken",), clock=time, until=time.until, rng=rng
            )
            running = asyncio.create_task(coordinator.run())
            ended = asyncio.create_task(time.over.wait())
            await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
            assert not running.done(), running
            running.cancel()
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    return Lived(store, world, ours, logged)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(times(short=1, long=4)))
async def test_every_series_is_whole_again(one_try: object, seed: int) -> None:
    life = await lived(seed)
    for feed in life.feeds:
        match feed:
            case BarFeed():
                await whole_bars(life.store, feed)
            case FlowFeed():
                await whole_flows(life.store, feed)
            case MacroFeed():
                await whole_macro(life.store, feed)
            case TierFeed():
                await whole_tiers(life.store, feed)
    await life.store.close()
    within_budgets(life.world)
    quiet(life)


async def whole_bars(store: Store, feed: BarFeed) -> None:
    async with store.read() as db:
        series = await instruments.at_venue(db, feed.venue, feed.symbol, feed.interval)
        rows = await bars.closed(db, series, feed.interval, at=END)
        progress = (await feeds.progress(db))[feed.name]
    assert rows, feed.name
    assert progress.covered_since is not None
    # As deep as was asked for, less what a market that rests may have rested.
    assert rows[0].opened_at <= (END - DEPTH + timedelta(days=4)).timestamp(), feed.name
    expected = openings(feed, rows[0].opened_at, END)
    late = {at for at in expected if at >= (END - CALENDAR).timestamp() - feed.step}
    stored = [row.opened_at for row in rows]
    assert [at for at in stored if at not in late] == [at for at in expected if at not in late], feed.name
    assert set(stored) <= set(expected), feed.name
    scale = sources.SCALES[feed.code]
    if feed.rests and feed.interval is Interval.D1:
        assert [row.close for row in rows] == [price(row.closed_at, scale) for row in rows], feed.name
    else:
        assert [row.close for row in rows] == [price(row.opened_at + feed.step, scale) for row in rows], (
            feed.name
        )


def openings(feed: BarFeed, first: int, now: datetime) -> list[int]:
    """What bars the source has closed by now, from the first on."""
    every = range(first, int(now.timestamp()) - feed.step, feed.step)
    if not feed.rests:
        return [at for at in every if at + feed.step <= (now - timedelta(minutes=2)).timestamp()]
    if feed.interval is Interval.D1:
        days = (datetime.fromtimestamp(at, START.tzinfo).date() for at in every)
        return [
            at
            for at, day in zip(every, days, strict=True)
            if sources.is_trade_date(day) and sources.session(day)[1] <= now.timestamp()
        ]
    return [
        at
        for at in every
        if all(sources.trades(part) and not sources.has_null(part) for part in (at, at + 900))
    ]


async def whole_flows(store: Store, feed: FlowFeed) -> None:
    async with store.read() as db:
        days = await flows.known(db, feed.asset, at=END, source=feed.published_by)
    then = END - timedelta(hours=1)
    # Final from 09:00 UTC of the day after.
    reported = [day for day in sources.flow_days(then) if day < (then - timedelta(hours=9)).date()]
    # The tables begin a day later each day.
    final = {
        day.trade_date: day.total_musd
        for day in days
        if day.state is FlowState.FINAL and day.trade_date >= reported[0]
    }
    assert sorted(final) == reported, feed.name
    assert final == {day: pytest.approx(sources.total(feed.asset, day, then)) for day in reported}, feed.name


async def whole_macro(store: Store, feed: MacroFeed) -> None:
    async with store.read() as db:
        known = {row.dated: row.value for row in await macro.known(db, feed.series, at=END)}
    published = sources.macro(feed.series, END - timedelta(hours=12))
    values = {day: value for day, value in published.items() if value is not None}
    assert {day: known.get(day) for day in values} == values, feed.name
    every = sources.macro(feed.series, END)
    # The tables begin a day later each day.
    assert {day for day in known if day >= min(every)} <= set(every), feed.name


async def whole_tiers(store: Store, feed: TierFeed) -> None:
    contract = tiers.Contract(venue=feed.key, code=feed.query.code, kind=feed.kind)
    async with store.read() as db:
        table = await tiers.known(db, contract, at=END)
    assert table is not None, feed.name
    if feed.key == "bybit":
        assert table.rows == sources.BYBIT_TIERS, feed.name
    else:
        one = 100 if feed.query.inverse else 0.01
        floors = [floor * one for floor, _ in sources.OKX_TIERS]
        assert [row.floor for row in table.rows] == pytest.approx(floors), feed.name
        assert [row.rate for row in table.rows] == [rate for _, rate in sources.OKX_TIERS], feed.name
    assert table.seen_at >= END - timedelta(hours=9), feed.name
    assert table.known_at < START + timedelta(days=1), feed.name


def within_budgets(world: World) -> None:
    assert world.too_soon == []
    for host, calls in world.calls.items():
        cost = 2 if "binance" in host else 1
        rules, recent = HOSTS[host], deque[float]()
        for at in calls:
            recent.append(at.timestamp())
            while recent[0] <= recent[-1] - rules.per_s:
                recent.popleft()
            assert len(recent) * cost <= rules.calls, f"{host} at {at}"


def quiet(life: Lived) -> None:
    """A line when something begins to fail and one when it is well again; never one a try."""
    outages = life.world.outages
    assert sum(len(each) for each in outages.values()) >= 10
    assert len(life.world.kinds) > len(KINDS) // 3
    fed = Counter(feed.host for feed in life.feeds)
    lines = [line for line in life.log if line["log_level"] == "warning"]
    # A source that fails in two ways during one outage says so each time; an answer that
    # makes no sense is told of each series it was for.
    assert 0 < len(lines) <= sum(len(each) * (1 + fed[host]) for host, each in outages.items())
    assert not [line for line in life.log if line["log_level"] == "error"]
