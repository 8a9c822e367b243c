"""``leadline fetch``: what is missing, page by page; again where it was left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from analysis.levels import Interval
from bot.backfill import Filled, fill
from bot.every_feed import every_feed, named
from bot.feeds import BarFeed
from providers.client import Client
from storage import bars, instruments, lock
from storage.store import Store
from tests.feeds import venues
from tests.feeds.simulated import Time
from tests.feeds.venues import utc
from tests.providers.conftest import HURRIED
from tests.providers.loopback import Loopback, Reply

NOW = utc(2026, 9, 14, 12, 10)


class Bitstamp:
    """Answers from its first day on; ``broken`` makes the n-th call fail, ``asked`` counts."""

    def __init__(self, *, since: datetime, broken: frozenset[int] = frozenset()) -> None:
        self.asked = 0
        self._since = int(since.timestamp())
        self._broken = broken

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked in self._broken:
            return httpx.Response(404, stream=httpx.ByteStream(b"no"))
        told = partial(int.__le__, self._since)
        body = venues.bitstamp(dict(request.url.params), NOW, told=told)
        return httpx.Response(200, stream=httpx.ByteStream(body))


async def filled(
    store: Store, source: Bitstamp, *, since: datetime | None = None, depth_days: int = 60
) -> tuple[Filled, list[float]]:
    (feed,) = named(["bitstamp:btc:30m"], every_feed())
    assert isinstance(feed, BarFeed)
    feed = replace(feed, depth=timedelta(days=depth_days))
    shares: list[float] = []
    time = Time(NOW, NOW + timedelta(hours=1), parties=1)
    async with Client(hosts=HURRIED, transport=httpx.MockTransport(source.answer)) as client:
        (done,) = await fill(
            store,
            client,
            every_feed(),
            [feed],
            venues=("kraken",),
            clock=time,
            until=time.until,
            since=since,
            told=lambda _, share: shares.append(share),
        )
    return done, shares


async def openings(store: Store) -> list[int]:
    async with store.read() as db:
        series = await instruments.at_venue(db, "Bitstamp", "BTC/USD", Interval.M30)
        return [row.opened_at for row in await bars.closed(db, series, Interval.M30, at=NOW)]


def half_hours(since: datetime) -> list[int]:
    return list(range(int(since.timestamp()), int(utc(2026, 9, 14, 12).timestamp()), 1_800))


async def test_a_first_fetch_reaches_back_and_a_second_asks_only_for_what_is_new(store: Store) -> None:
    source = Bitstamp(since=utc(2020, 1, 1))
    done, shares = await filled(store, source)
    assert done.reason is None
    assert source.asked == 3  # 60 days are 2,880 half hours, and a call brings 999
    assert await openings(store) == half_hours(utc(2026, 7, 16, 12))
    assert done.added == len(half_hours(utc(2026, 7, 16, 12)))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    again, _ = await filled(store, source)
    assert (again.added, again.reason, source.asked) == (0, None, 4)
    # Further back than the first time: only what is before it.
    more, _ = await filled(store, source, since=utc(2026, 7, 1))
    assert (more.reason, source.asked) == (None, 6)
    assert await openings(store) == half_hours(utc(2026, 7, 1))


async def test_it_goes_on_where_it_broke_off(store: Store) -> None:
    source = Bitstamp(since=utc(2020, 1, 1), broken=frozenset({2, 3, 4}))
    done, _ = await filled(store, source)
    assert done.reason == "answered 404: no"
    assert source.asked == 4
    assert len(await openings(store)) == 998  # the first page; the 999th bar still runs
    done, _ = await filled(store, source)
    assert done.reason is None
    assert await openings(store) == half_hours(utc(2026, 7, 16, 12))


async def test_a_host_that_does_not_answer_is_not_asked_for_the_next_feed(
    store: Store, source: Loopback
) -> None:
    wanted = named(["kraken:btc:30m", "kraken:eth:30m"], every_feed())
    source.always = Reply(cut="before")
    time = Time(NOW, NOW + timedelta(hours=1), parties=1)
    async with Client(hosts=HURRIED, transport=source.transport) as client:
        done = await fill(
            store,
            client,
            every_feed(),
            wanted,
            venues=("kraken",),
            clock=time,
            until=time.until,
            told=lambda *_: None,
        )
    first, second = [one.reason for one in done]
    assert first == second
    assert first is not None
    assert first.startswith("no answer (")
    pairs = [dict(asked.url.params)["pair"] for asked in source.asked]
    assert len(pairs) >= 3
    assert len(set(pairs)) == 1


async def test_it_ends_where_the_source_begins(store: Store) -> None:
    begins = utc(2026, 8, 10)
    source = Bitstamp(since=begins)
    done, shares = await filled(store, source)
    assert (done.reason, shares[-1]) == (None, 1.0)
    assert await openings(store) == half_hours(begins)
    asked = source.asked
    await filled(store, source)
    assert source.asked == asked + 1


def test_a_series_that_is_not_there_is_named_with_those_that_are(command_line: Callable[..., Result]) -> None:
    said = command_line("fetch", "kraken:SOL:30m")
    assert said.exit_code == 1
    assert said.stderr.startswith(
        "There is no series “kraken:SOL:30m”. There are: kraken:BTC:30m, kraken:ETH:30m,"
    )
    assert not Path("var").exists()


async def test_the_command_says_what_it_did_and_fails_when_something_failed(
    file: Path, source: Loopback, monkeypatch: pytest.MonkeyPatch, command_line: Callable[..., Result]
) -> None:
    monkeypatch.setattr("providers.client.Client", lambda: Client(hosts=HURRIED, transport=source.transport))
    now = datetime.now(UTC)
    since = str(int((now - timedelta(hours=10)).timestamp()))
    source.hosts = {
        "api.kraken.com": Reply(body=venues.kraken({"interval": "30", "since": since}, now)),
        "www.bitstamp.net": Reply(status=404),
    }
    fetch = ("--database-url", str(file), "fetch", "kraken:BTC:30m")
    said = await asyncio.to_thread(command_line, *fetch)
    assert said.exit_code == 0, said.output
    assert said.stdout in {f"kraken:BTC:30m: {n} added, 0 unchanged, 0 revised\n" for n in (19, 20)}
    said = await asyncio.to_thread(command_line, *fetch, "bitstamp:ETH:1d")
    assert said.exit_code == 1
    assert "kraken:BTC:30m: 0 added, " in said.stdout
    assert said.stderr.endswith(
        "bitstamp:ETH:1d: answered 404\n1 of 2 series could not be fetched to the end; run it again later.\n"
    )
    path = lock.path_for(f"sqlite+aiosqlite:///{file}")
    assert path is not None
    with lock.RunningLock(path):
        said = await asyncio.to_thread(command_line, *fetch)
    assert said.exit_code == 1
    assert "A bot is already running on this store" in said.stderr
