"""The week of the sample, played through the bot: what happens in it, by scripts of the tests' own."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SetClock
from bot.language import LOCALES, Speech
from bot.replay import Playing, Replay
from bot.reports import REPORTS
from bot.reports.shapes import Asked
from storage import migrate, sample
from storage.store import Store

if TYPE_CHECKING:
    from typer.testing import Result

Event = dict[str, Any]
SAMPLE = Path(sample.__file__).parent
FROM, TO = datetime(2026, 1, 28, tzinfo=UTC), datetime(2026, 2, 7, tzinfo=UTC)
LEVELS = (83_500.0, 77_000.0, 73_600.0, 56_100.0, 40_000.0)


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(gzip.decompress((SAMPLE / name).read_bytes()).decode().splitlines()))


def closes() -> Iterator[tuple[str, float, float]]:
    """Close of the bar (ISO), its price and ATR14, of every half hour once there is one."""
    ranges: list[float] = []
    average = before = 0.0
    for row in rows("btc_30m.csv.gz"):
        high, low, close = float(row["high"]), float(row["low"]), float(row["close"])
        ranges.append(max(high - low, abs(high - before), abs(low - before)) if ranges else high - low)
        average = sum(ranges) / 14 if len(ranges) <= 14 else (13 * average + ranges[-1]) / 14
        before = close
        closed = datetime.fromisoformat(row["open_time"]) + timedelta(minutes=30)
        if len(ranges) >= 14:
            yield f"{closed:%Y-%m-%dT%H:%M:%SZ}", close, average


def judged(level: float, to_break: int = 2, to_hold: int = 8) -> list[tuple[str, str, str]]:
    """Closing time, state before and after, by the rule as it is written down, not by ours."""
    told, state, count = [], "unknown", 0
    for at, close, atr in closes():
        d, was = max(0.001 * level, 0.25 * atr), state
        if state == "unknown":
            state = "above" if close > level + d else "broken" if close < level - d else state
            continue
        if state in {"above", "reclaimed"} and close < level - d:
            state, count = "breaking", 0
        elif state == "breaking" and close > level + d:
            state = "above"
        elif state == "broken" and close > level + d:
            state, count = "reclaiming", 0
        elif state == "reclaiming" and close < level - d:
            state = "broken"
        told += [(at, was, state)] if state != was else []
        if state in {"breaking", "reclaiming"}:
            falls = state == "breaking"
            count = count + 1 if (close < level if falls else close > level) else 0
            if count == (to_break if falls else to_hold):
                told.append((at, state, "broken" if falls else "reclaimed"))
                state = told[-1][2]
    return told


def in_the_week(at: str) -> bool:
    return "2026-01-28T00:00:00Z" < at <= "2026-02-07T00:00:00Z"


@pytest.fixture(scope="module")
def happened(command_line: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """What ``leadline replay --jsonl`` prints for the week."""
    nothing = str(tmp_path_factory.mktemp("none") / "leadline.db")
    done = command_line(
        "--database-url", nothing, "replay", "--from", "2026-01-28", "--to", "2026-02-07", "--jsonl"
    )
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(happened: list[Event], kind: str) -> list[Event]:
    return [event for event in happened if event["kind"] == kind]


def test_levels_break_and_are_reclaimed_as_the_bars_say(happened: list[Event]) -> None:
    expected = sorted(
        (at, level, before, after)
        for level in LEVELS
        for at, before, after in judged(level)
        if in_the_week(at)
    )
    found = [(event["time"], event["level"], event["from"], event["to"]) for event in of(happened, "level")]
    assert sorted(found) == expected
    # Twenty-two, the first of them known from elsewhere: the half hour that opened at 01:30 on the 30th.
    assert len(found) == 22
    assert found[0] == ("2026-01-30T02:00:00Z", 83_500.0, "reclaimed", "breaking")


def test_one_digest_a_day_and_no_other(happened: list[Event]) -> None:
    expected = [f"{FROM + timedelta(days=day, hours=10):%Y-%m-%dT%H:%M:%SZ}" for day in range(10)]
    digests = of(happened, "digest")
    assert [event["time"] for event in digests] == expected
    assert [event["due"] for event in digests] == expected
    assert all(event["reports"] == ["levels", "flows"] for event in digests)
    # On the morning of the 6th: the last half hour closed at 65,758.
    assert digests[-1]["text"].startswith("**BTC 65,758**")


def test_each_alert_once_at_the_close_that_went_through(happened: list[Event]) -> None:
    """A close alert tells the first close beyond one edge after one beyond the other: nothing in between."""
    expected = []
    for level in (77_000.0, 73_600.0):
        side = ""
        for at, close, atr in closes():
            d = max(0.001 * level, 0.25 * atr)
            now = "up" if close > level + d else "down" if close < level - d else side
            if side and now != side and in_the_week(at):
                expected.append((at, level, now, close))
            side = now
    found = [
        (crossing["time"], event["level"], crossing["what"], crossing["close"])
        for event in of(happened, "alert")
        for crossing in event["crossings"]
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) == 12
    # Told with the bar, not later.
    assert all(event["time"] == event["crossings"][0]["time"] for event in of(happened, "alert"))


def test_flows_are_told_when_they_are_known(happened: list[Event]) -> None:
    """At 09:00 UTC of the following day; a day without figures is not told."""
    expected = []
    for asset in ("BTC", "ETH"):
        for row in rows(f"{asset.lower()}_flows.csv.gz"):
            known = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC) + timedelta(days=1, hours=9)
            if FROM < known <= TO and row["Total"]:
                expected.append((f"{known:%Y-%m-%dT%H:%M:%SZ}", asset, row["date"], float(row["Total"])))
    found = [
        (event["time"], event["asset"], event["day"], event["total_musd"])
        for event in of(happened, "flow")
        if event["what"] == "final"
    ]
    assert sorted(found) == sorted(expected)
    [regime] = [event for event in of(happened, "flow") if event["what"] == "regime"]
    assert (regime["asset"], regime["day"], regime["now"]) == ("BTC", "2026-01-29", "DISTRIBUTION")


def test_margins_are_told_on_the_notice_and_on_the_eve(happened: list[Event]) -> None:
    """A notice is known when its day ends in New York (05:00 UTC); a change is in force at 17:00 there (22:00)."""
    found = [
        (event["time"], event["product"], event["what"], event["initial"]) for event in of(happened, "margin")
    ]
    assert sorted(found) == [
        ("2026-01-28T05:00:00Z", "SI", "recorded", 11.0),
        ("2026-01-28T05:00:00Z", "SI", "tomorrow", 11.0),
        ("2026-01-31T05:00:00Z", "GC", "recorded", 6.0),
        ("2026-01-31T05:00:00Z", "GC", "recorded", 8.0),
        ("2026-01-31T05:00:00Z", "SI", "recorded", 15.0),
        ("2026-02-01T22:00:00Z", "GC", "tomorrow", 8.0),
        ("2026-02-01T22:00:00Z", "SI", "tomorrow", 15.0),
        ("2026-02-06T05:00:00Z", "GC", "recorded", 9.0),
        ("2026-02-06T05:00:00Z", "GC", "tomorrow", 9.0),
        ("2026-02-06T05:00:00Z", "SI", "recorded", 18.0),
        ("2026-02-06T05:00:00Z", "SI", "tomorrow", 18.0),
    ]


def test_events_come_in_order_of_time_each_of_a_known_kind(happened: list[Event]) -> None:
    times = [event["time"] for event in happened]
    assert times == sorted(times)
    assert {event["kind"] for event in happened} == {"level", "flow", "margin", "verdict", "digest", "alert"}
    verdicts = of(happened, "verdict")
    assert [event["now"] for event in verdicts][-1] == "DELEVERAGING"
    # A verdict is of a session, and known when that has closed: at 22:00 UTC, in winter.
    assert all(event["time"] == f"{event['day']}T22:00:00Z" for event in verdicts)


def test_words_for_people_and_an_order_that_is_wrong(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    store = ("--database-url", str(tmp_path / "none.db"))
    hours = ("--from", "2026-01-30T01:40:00Z", "--to", "2026-01-30T02:10:00Z")
    done = command_line(*store, "replay", *hours)
    assert done.stdout == (
        "2026-01-30 02:00 level   instrument=BTC interval=30m level=83500.0 "
        "label=first layer from=reclaimed to=breaking\n"
    )
    wrong = command_line(*store, "replay", "--from", "2026-01-30", "--to", "2026-01-30")
    assert wrong.exit_code == 2
    assert "--from must lie before --to." in wrong.stderr
    endless = command_line(*store, "replay", "--from", "2026-02-06T23:00", "--to", "2100-01-01")
    assert (endless.exit_code, endless.stdout) == (2, "")
    assert "--to lies in the future." in endless.stderr


@asynccontextmanager
async def replaying(start: datetime) -> AsyncIterator[tuple[Store, Replay]]:
    source = await sample.open_in_memory()
    store = await Store.open("sqlite+aiosqlite://")
    try:
        await migrate.prepare(store)
        played = Replay(source, store, SetClock(start))
        await played.begin()
        yield source, played
    finally:
        await store.close()
        await source.close()


async def told(store: Store, at: datetime) -> dict[str, Any]:
    """Every report in both languages and as JSON; on levels also by other bars and with levels found in them."""
    asked = Asked(store=store, at=at)
    found: dict[str, Any] = {}
    for name, words in (
        ("levels", {}),
        ("levels", {"interval": "4h", "auto": "yes"}),
        ("levels", {"instrument": "SI", "interval": "1d"}),
        ("flows", {}),
        ("flows", {"asset": "ETH"}),
        ("silver-margin", {}),
        ("stress", {}),
    ):
        report = REPORTS[name]
        result = await report.answer(report.read(words, at), asked)
        key = f"{name} {words}"
        found[f"{key} as JSON"] = report.as_json(result, at)
        for locale in LOCALES:
            found[f"{key} in {locale}"] = report.say(result, Speech(locale, ZoneInfo("UTC")), at)
    return found


async def test_at_any_pause_it_answers_as_of_that_instant() -> None:
    """Three instants forward and one back: what the store does not hold yet is what ``--at`` leaves out."""
    dice = Random(20260205)  # noqa: S311 -- chooses instants
    week = int((TO - FROM).total_seconds())
    pauses = sorted(FROM + timedelta(seconds=dice.randrange(week)) for _ in range(3))
    async with replaying(FROM) as (source, played):
        for pause in pauses:
            while await played.step(pause) is not None:
                pass
            assert played.clock.now() == pause
            assert await told(played.store, pause) == await told(source, pause)
        earlier = pauses[0] + (pauses[1] - pauses[0]) / 3
        await played.back(earlier)
        assert await told(played.store, earlier) == await told(source, earlier)


async def test_nothing_is_in_the_store_before_its_time_and_nothing_is_missing_after() -> None:
    """Whatever is asked with the latest instant there is, the answer ends where the replay stands."""
    start = datetime(2026, 2, 5, 17, 59, tzinfo=UTC)
    late = datetime(2026, 3, 1, tzinfo=UTC)
    async with replaying(start) as (source, played):
        report = REPORTS["levels"]

        async def newest(store: Store) -> str:
            result = await report.answer(report.read({}, late), Asked(store=store, at=late))
            return str(report.as_json(result, late)["price_at"])

        assert await newest(played.store) == "2026-02-05T17:30:00Z"
        news = await played.step(start + timedelta(hours=1))
        assert news is not None
        assert news.at == start + timedelta(minutes=1)
        assert await newest(played.store) == "2026-02-05T18:00:00Z"
        while await played.step(played.end) is not None:
            pass
        assert await told(played.store, late) == await told(source, late)


def test_time_goes_as_it_is_set_and_rests_at_the_end() -> None:
    played = Replay.__new__(Replay)
    played.clock, played.start, played.end = SetClock(FROM), FROM, TO
    played.playing = Playing(speed=600)
    assert played.target(1.0) == FROM + timedelta(minutes=10)
    assert played.target(1e6) == TO
    played.playing = Playing(speed=600, paused=True)
    assert played.target(1.0) == FROM
    played.playing = Playing(paused=True, to=TO)
    assert played.target(1.0) == TO
    played.clock.set(TO)
    played.arrived(TO)
    assert played.playing == Playing(paused=True)
    played.playing = Playing()
    assert played.target(1.0) == TO + timedelta(seconds=1)
