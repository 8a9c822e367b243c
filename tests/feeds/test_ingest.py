"""What the coordinator does with good answers and bad ones, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs
from typer.testing import Result

from analysis.charts import levels as chart
from analysis.charts.look import Look
from analysis.levels import Interval
from bot.every_feed import every_feed, named
from bot.reports import levels as levels_report
from bot.reports.shapes import Asked
from storage import bars, feeds, instruments, quarantine, unfinished
from storage.feeds import FeedState
from storage.store import Store
from tests.feeds import venues
from tests.feeds.conftest import Run
from tests.feeds.venues import HALF_HOUR, utc
from tests.providers.loopback import HTML, Loopback, Reply

NOW = utc(2026, 9, 14, 12, 10)
MINUTE = timedelta(minutes=1)
KRAKEN = named(["kraken:BTC:30m"], every_feed())
COINBASE = named(["coinbase:BTC:30m"], every_feed())


def at_kraken(now: datetime, *, days: float = 2) -> Reply:
    since = str(int((now - timedelta(days=days)).timestamp()) - 1)
    return Reply(body=venues.kraken({"interval": "30", "since": since}, now))


def at_coinbase(now: datetime, *, days: float = 2) -> Reply:
    span = {"start": (now - timedelta(days=days)).isoformat(), "end": now.isoformat()}
    return Reply(body=venues.coinbase({"granularity": "900", **span}, now))


async def kept(store: Store, at: datetime, venue: str = "Kraken") -> list[bars.BarRow]:
    async with store.read() as db:
        series = await instruments.at_venue(db, venue, "BTC/USD", Interval.M30)
        return await bars.closed(db, series, Interval.M30, at=at)


async def status(store: Store) -> feeds.FeedStatus:
    async with store.read() as db:
        (only,) = await feeds.status(db)
    return only


async def test_the_running_bar_is_kept_apart(store: Store, source: Loopback, run: Run) -> None:
    source.always = at_kraken(NOW)
    version = store.version
    await run(KRAKEN, NOW, NOW + MINUTE)
    assert store.version > version  # so that answers made before are not given again
    rows = await kept(store, NOW + timedelta(days=1))
    assert rows[-1].closed_at == int(utc(2026, 9, 14, 12).timestamp())
    async with store.read() as db:
        series = await instruments.at_venue(db, "Kraken", "BTC/USD", Interval.M30)
        running = await unfinished.running(db, series, at=NOW)
        assert running is not None
        assert running[0].opened_at == rows[-1].closed_at
        assert running[1] == int(NOW.timestamp())
        # Nobody had seen it a minute before, and it runs no more once its time is over.
        assert await unfinished.running(db, series, at=NOW - MINUTE) is None
        assert await unfinished.running(db, series, at=NOW + 20 * MINUTE) is None
    told = await status(store)
    assert (told.name, told.source, told.state) == ("kraken:BTC:30m", "Kraken BTC/USD", FeedState.OK)
    assert told.newest_at == utc(2026, 9, 14, 12)
    assert told.next_try_at is not None
    assert utc(2026, 9, 14, 12, 30) < told.next_try_at < utc(2026, 9, 14, 12, 31)


async def test_the_first_stored_copy_of_a_bar_stands(store: Store, source: Loopback, run: Run) -> None:
    source.always = at_kraken(NOW)
    await run(KRAKEN, NOW, NOW + MINUTE)
    before = await kept(store, NOW)
    later = NOW + 30 * MINUTE
    changed = json.loads(at_kraken(later).body)
    changed["result"]["XXBTZUSD"][-5][6] = "99.00000000"
    source.always = Reply(body=json.dumps(changed).encode())
    with capture_logs() as logged:
        await run(KRAKEN, later, later + MINUTE)
    assert (await kept(store, NOW)) == before
    assert len(await kept(store, later)) == len(before) + 1
    assert [line["bars"] for line in logged if "other values" in line["event"]] == [1]


async def test_an_outage_of_two_hours_is_told_by_its_age(
    store: Store, file: Path, source: Loopback, run: Run, command_line: Callable[..., Result]
) -> None:
    source.always = at_kraken(NOW, days=10)
    await run(KRAKEN, NOW, NOW + MINUTE)
    source.always = Reply(cut="before")
    with capture_logs() as logged:
        await run(KRAKEN, NOW + MINUTE, NOW + timedelta(hours=2))
    assert [line["log_level"] for line in logged] == ["warning"]
    assert len(source.asked) > 5
    told = await status(store)
    assert told.state in {FeedState.FAILING, FeedState.STOPPED}
    assert told.newest_at == utc(2026, 9, 14, 12)
    assert told.failures >= 3

    def levels(*more: str) -> str:
        asked = ("--database-url", str(file), "report", "levels", "--at", "2026-09-14T14:10:00Z", *more)
        said = command_line(*asked)
        assert said.exit_code == 0, said.output
        return said.stdout

    answer = json.loads(await asyncio.to_thread(levels, "--json"))
    assert (answer["age_s"], answer["freshness"]) == (7_800, "late")
    assert answer["price_at"] == "2026-09-14T12:00:00Z"
    words = await asyncio.to_thread(levels)
    assert "Kraken BTC/USD" in words
    assert "2 h old · late" in words

    # The picture, too, is drawn at once, and says up to when its bars are closed.
    query = levels_report.read({}, NOW)
    answered = await levels_report.answer(query, Asked(store=store, at=NOW + timedelta(hours=2)))
    canvas = chart.compose(answered, Look(), str)
    assert canvas.words[-1].text == "Kraken BTC/USD · time zone UTC · closed bars to 14 Sep 12:00 · late"
    png = file.with_name("levels.png")
    await asyncio.to_thread(levels, "--png", str(png))
    assert png.read_bytes() == chart.draw(answered, Look(), str).png

    source.always = at_kraken(NOW + timedelta(hours=4))
    with capture_logs() as logged:
        await run(KRAKEN, NOW + timedelta(hours=4), NOW + timedelta(hours=4, minutes=1))
    rows = await kept(store, NOW + timedelta(hours=4))
    openings = [row.opened_at for row in rows]
    assert openings == list(range(openings[0], int(utc(2026, 9, 14, 16).timestamp()), HALF_HOUR))


async def test_who_asks_us_to_stay_away_is_not_called_before_that_by_the_next_process_either(
    store: Store, source: Loopback, run: Run
) -> None:
    source.always = Reply(status=429, headers={"Retry-After": "3600"})
    await run(KRAKEN, NOW, NOW + timedelta(minutes=59))
    assert len(source.asked) == 1
    assert (await status(store)).state is FeedState.STOPPED
    source.always = at_kraken(NOW + timedelta(hours=1))
    await run(KRAKEN, NOW + timedelta(minutes=30), NOW + timedelta(minutes=60))
    assert len(source.asked) == 1
    await run(KRAKEN, NOW + timedelta(minutes=59), NOW + timedelta(minutes=61))
    assert len(source.asked) == 2
    assert (await status(store)).state is FeedState.OK


async def test_what_makes_no_sense_is_set_aside_whole(store: Store, source: Loopback, run: Run) -> None:
    source.always = at_kraken(NOW)
    await run(KRAKEN, NOW, NOW + MINUTE)
    good = await kept(store, NOW)
    wrong = json.loads(at_kraken(NOW + timedelta(hours=1)).body)
    wrong["result"]["XXBTZUSD"][-2][2] = "1.0"  # a high below the low
    body = json.dumps(wrong).encode()
    source.always = Reply(body=body)
    with capture_logs() as logged:
        await run(KRAKEN, NOW + 30 * MINUTE, NOW + timedelta(hours=9))
    assert [line["event"] for line in logged] == ["an answer was set aside"]
    assert await kept(store, NOW + timedelta(hours=9)) == good
    async with store.read() as db:
        aside = await quarantine.read(db, "kraken:BTC:30m")
    assert {one.body for one in aside} == {body}
    assert len(aside) == min(len(source.asked) - 1, quarantine.NEWEST)
    assert "prices out of bounds" in aside[0].reason

    back = NOW + timedelta(hours=11)
    source.always = Reply(body=b"<html>no</html>", kind=HTML)
    await run(KRAKEN, back - MINUTE, back)
    async with store.read() as db:
        assert (await quarantine.read(db, "kraken:BTC:30m"))[0].body == b"<html>no</html>"


async def test_the_next_venue_answers_while_the_first_is_stale(
    store: Store, source: Loopback, run: Run
) -> None:
    source.hosts = {"api.kraken.com": at_kraken(NOW), "api.exchange.coinbase.com": at_coinbase(NOW)}
    await run([*KRAKEN, *COINBASE], NOW, NOW + MINUTE)
    later = NOW + timedelta(hours=4)
    source.hosts = {"api.kraken.com": Reply(status=500), "api.exchange.coinbase.com": at_coinbase(later)}
    await run([*KRAKEN, *COINBASE], later, later + MINUTE)
    async with store.read() as db:
        answered = {
            at: await instruments.find(db, "BTC", Interval.M30, at=at)
            for at in (NOW, later - MINUTE * 70, later)
        }
    venue = {at: series.venue for at, series in answered.items() if series is not None}
    # Three hours after its last bar Kraken is still late, four hours after it is stale.
    assert venue == {NOW: "Kraken", later - MINUTE * 70: "Kraken", later: "Coinbase"}


async def test_a_jump_waits_until_another_venue_tells_of_it(store: Store, source: Loopback, run: Run) -> None:
    source.hosts = {"api.kraken.com": at_kraken(NOW), "api.exchange.coinbase.com": at_coinbase(NOW)}
    await run([*KRAKEN, *COINBASE], NOW, NOW + MINUTE)
    before = await kept(store, NOW)

    later = NOW + 30 * MINUTE
    fallen = json.loads(at_kraken(later).body)
    bar = fallen["result"]["XXBTZUSD"][-2]
    low = float(bar[4]) * 0.7
    bar[3], bar[4] = f"{low - 20:.1f}", f"{low:.1f}"
    running = fallen["result"]["XXBTZUSD"][-1]
    running[1:5] = [f"{low:.1f}", f"{low + 20:.1f}", f"{low - 20:.1f}", f"{low:.1f}"]
    source.hosts["api.kraken.com"] = Reply(body=json.dumps(fallen).encode())
    source.hosts["api.exchange.coinbase.com"] = Reply(status=500)
    await run([*KRAKEN, *COINBASE], later, later + 2 * MINUTE)
    assert await kept(store, later) == before

    quarters = json.loads(at_coinbase(later).body)
    for row in quarters[:2]:
        row[1:5] = [low - 10, low + 10, low, low]
    at = next(place for place, row in enumerate(quarters) if row[0] == bar[0] + 900)
    quarters[at][1:5] = [low - 10, quarters[at][3], quarters[at][3], low]
    source.hosts["api.exchange.coinbase.com"] = Reply(body=json.dumps(quarters).encode())
    await run([*KRAKEN, *COINBASE], later + 10 * MINUTE, later + 19 * MINUTE)
    for venue in ("Kraken", "Coinbase"):
        newest = (await kept(store, later, venue))[-1]
        assert (newest.opened_at, newest.close) == (bar[0], round(low, 1) if venue == "Kraken" else low)


async def test_a_host_that_comes_back_brings_all_its_series_back(
    store: Store, source: Loopback, run: Run
) -> None:
    every = named(["kraken:BTC"], every_feed())
    source.always = Reply(status=500)
    with capture_logs() as logged:
        await run(every, NOW, NOW + 5 * MINUTE)
    assert [line["event"] for line in logged] == ["a source fails"]
    async with store.read() as db:
        assert {one.state for one in await feeds.status(db)} == {FeedState.STOPPED}
    later = NOW + timedelta(hours=1, minutes=30)
    source.always = at_kraken(later)
    calls = len(source.asked)
    await run(every, later, later + timedelta(milliseconds=500))
    async with store.read() as db:
        told = await feeds.status(db)
    assert len(source.asked) == calls + 1
    assert sorted(one.state for one in told) == [FeedState.OK, FeedState.WAITING, FeedState.WAITING]
    assert {one.reason for one in told} == {None}


async def test_a_jump_that_nobody_else_can_tell_of_is_believed_once_it_has_held(
    store: Store, source: Loopback, run: Run
) -> None:
    """Of an instrument with a single source; the bar that jumps is left out for good."""

    def fallen(now: datetime) -> Reply:
        rows = json.loads(at_kraken(now).body)
        for row in rows["result"]["XXBTZUSD"]:
            if row[0] >= NOW.timestamp() - 600:
                row[1:5] = [f"{float(price) * 0.7:.1f}" for price in row[1:5]]
        return Reply(body=json.dumps(rows).encode())

    source.always = at_kraken(NOW)
    await run(KRAKEN, NOW, NOW + MINUTE)
    before = await kept(store, NOW)
    for hours, stored in ((6, 0), (11, 0), (14, 27)):
        later = NOW + timedelta(hours=hours)
        source.always = fallen(later)
        await run(KRAKEN, later, later + MINUTE)
        assert len(await kept(store, later)) == len(before) + stored
    first_new = (await kept(store, later))[len(before)]
    assert first_new.opened_at == before[-1].opened_at + 2 * HALF_HOUR
