"""Alerts on the sample, bar by bar and after days without the bot: told once, in order, and without storms."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from analysis.alerts import Direction, Kind, Phase, Prices, history, step, wanted, whole
from analysis.levels import Interval
from bot import alert_posts, alerts, price_alerts
from bot.alerts import AlertWriter
from bot.channels import Letter
from bot.posts import Drop, Written
from storage import alert_watch, bars, instruments, new_bars, outbox, schema, unfinished
from storage import alerts as kept
from storage.alerts import Acting, Alert, Crossing
from storage.bars import BarRow
from storage.outbox import Post, State
from storage.store import Store

START = datetime(2026, 2, 3, 12, 0, 20, tzinfo=UTC)
END = datetime(2026, 2, 5, 0, 0, 20, tzinfo=UTC)
HALF = timedelta(minutes=30)
ALERT = Alert(
    server_id=7,
    channel_id=70,
    kind=Kind.CLOSE,
    subject="BTC",
    interval=Interval.M30,
    price=73_600.0,
    direction=Direction.EITHER,
    since=START,
    added_by=1,
    added_at=START,
)
NEWS = replace(ALERT, interval=None, price=None, direction=None)
THEIRS = Acting(server_id=7, user_id=1, moderates=True)
# By the closes of their bars: see tests/analysis/test_alerts.py, where they are by the openings.
CLOSES = [
    ("02-03 19:00", "down"),
    ("02-03 19:30", "up"),
    ("02-04 17:30", "down"),
    ("02-04 20:00", "up"),
    ("02-04 21:30", "down"),
]


@pytest.fixture
def writer(store: Store) -> AlertWriter:
    return AlertWriter(store)


async def added(store: Store, alert: Alert) -> int:
    async with store.write() as db:
        return await kept.add(db, alert)


async def happened(store: Store, number: int) -> list[Crossing]:
    async with store.read() as db:
        return (await kept.crossings(db, number, acting=THEIRS, most=99))[::-1]


def brief(found: list[Crossing]) -> list[tuple[str, str]]:
    return [(f"{one.at:%m-%d %H:%M}", one.what) for one in found]


async def posts(store: Store) -> list[Post]:
    async with store.read() as db:
        keys = (await db.execute(select(schema.outbox.c.key).order_by(schema.outbox.c.id))).scalars()
        found = [await outbox.find(db, key) for key in list(keys)]
    return [post for post in found if post is not None]


async def said(writer: AlertWriter, post: Post, now: datetime) -> list[str]:
    written = await (await writer.writing([post]))(post, "MARKER", now)
    assert isinstance(written, Written)
    return written.letter.content.splitlines()


async def test_the_sell_off_bar_by_bar(store: Store, writer: AlertWriter) -> None:
    number = await added(store, ALERT)
    now = START
    while now <= END:
        await writer.plan(now)
        now += HALF
    found = await happened(store, number)
    assert brief(found) == CLOSES
    # Every one has a post of its own, and none is within an hour of two others.
    assert [(post.key, post.due_at) for post in await posts(store)] == [
        (f"alert:{number}:{one.name}", one.at + timedelta(seconds=20)) for one in found
    ]
    assert {one.state for one in found} == {"told"}


async def test_days_without_the_bot_are_told_once_in_order_with_their_own_time(
    store: Store, writer: AlertWriter
) -> None:
    number = await added(store, ALERT)
    await writer.plan(START)
    await writer.plan(END)
    assert brief(await happened(store, number)) == CLOSES
    [post] = await posts(store)
    lines = await said(writer, post, END)
    assert lines == [
        "**BTC closed below 73,600** · 73,061 · 4 Feb 21:30 UTC",
        "5 times since 3 Feb 19:00 UTC; before that:",
        "- BTC closed below 73,600 · 73,112 · 3 Feb 19:00 UTC",
        "- BTC closed above 73,600 · 74,898 · 3 Feb 19:30 UTC",
        "- BTC closed below 73,600 · 72,450 · 4 Feb 17:30 UTC",
        "- BTC closed above 73,600 · 73,895 · 4 Feb 20:00 UTC",
        "-# Closed bars of 30 m · Binance USD-M · beyond the edge of the level at 73,406",
        "-# Told late: this was known only at 5 Feb 00:00 UTC.",
        "-# That was often: until 5 Feb 01:00 UTC what happens is collected, and then told in one message.",
    ]
    # A second look, and a process that begins anew, find nothing more.
    await writer.plan(END)
    await AlertWriter(store).plan(END)
    assert len(await posts(store)) == 1
    assert len(await happened(store, number)) == 5


async def test_what_was_before_the_alert_is_not_told(store: Store, writer: AlertWriter) -> None:
    """The bar that closed at 19:00 crossed: set a second later, only what follows counts."""
    since = datetime(2026, 2, 3, 19, 0, 1, tzinfo=UTC)
    after = await added(store, replace(ALERT, since=since))
    before = await added(store, replace(ALERT, since=since - timedelta(seconds=2)))
    await writer.plan(END)
    assert brief(await happened(store, after)) == CLOSES[1:]
    assert brief(await happened(store, before)) == CLOSES


async def test_an_alert_set_among_others_sees_what_they_see(store: Store, writer: AlertWriter) -> None:
    first = await added(store, ALERT)
    noon = START + timedelta(days=1)
    await writer.plan(noon)
    second = await added(store, replace(ALERT, since=noon))
    await writer.plan(noon + HALF)
    await writer.plan(END)
    assert brief(await happened(store, first)) == CLOSES
    assert brief(await happened(store, second)) == CLOSES[2:]


async def test_who_is_left_alone_for_long_begins_anew(store: Store, writer: AlertWriter) -> None:
    number = await added(store, ALERT)
    await writer.plan(START)
    async with store.write() as db:
        assert await kept.remove(db, number, acting=THEIRS)
    later = START + timedelta(days=1, hours=5, minutes=1)
    number = await added(store, replace(ALERT, since=later))
    await writer.plan(END)
    assert brief(await happened(store, number)) == CLOSES[2:]


async def test_an_unfinished_bar_is_never_judged(store: Store, writer: AlertWriter) -> None:
    number = await added(store, ALERT)
    await writer.plan(START)
    async with store.write() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=START)
        assert series is not None
        opened_at = int(START.timestamp()) // 1800 * 1800
        running = BarRow(opened_at, opened_at + 1800, 75_000.0, 75_000.0, 50_000.0, 50_000.0, 1.0)
        await unfinished.keep(db, series, running, now=START)
    await writer.plan(START + timedelta(minutes=10))
    assert await happened(store, number) == []


async def test_while_a_series_is_stale_nothing_is_judged_and_then_all_in_order(
    store: Store, writer: AlertWriter
) -> None:
    number = await added(store, ALERT)
    await writer.plan(START)
    taken = datetime(2026, 2, 3, 19, 0, tzinfo=UTC)
    async with store.write() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=START)
        assert series is not None
        t = schema.bars.c
        late = (t.instrument_id == series.id, t.interval == "30m", t.opened_at >= int(taken.timestamp()))
        rows = [
            BarRow._make(row)
            for row in await db.execute(select(*(t[name] for name in BarRow._fields)).where(*late))
        ]
        await db.execute(delete(schema.bars).where(*late))
    # The last bar there is closed below, more than six bars ago.
    await writer.plan(taken + timedelta(hours=3, seconds=1))
    assert await happened(store, number) == []
    # One bar less old, and it is not stale.
    await writer.plan(taken + timedelta(hours=3))
    assert brief(await happened(store, number)) == CLOSES[:1]
    async with store.write() as db:
        await new_bars.store(db, series, rows, source="late", now=END)
    await writer.plan(END)
    assert brief(await happened(store, number)) == CLOSES


async def test_any_alerts_and_any_outages_are_what_one_alert_alone_would_tell(
    store: Store, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the index, kept in the store, judged in batches: the same as every bar for each alert."""
    monkeypatch.setattr(price_alerts, "AT_A_TIME", 7)
    dice = random.Random(3)  # noqa: S311 -- repeatable, no secret
    made = []
    for _ in range(50):
        kind = dice.choice([Kind.TOUCH, Kind.CLOSE, Kind.HOLD])
        made.append(
            replace(
                ALERT,
                kind=kind,
                price=dice.uniform(70_000, 80_000),
                direction=dice.choice(list(Direction)),
                bars=dice.choice([1, 2, 3, 8]) if kind is Kind.HOLD else None,
                interval=dice.choice([Interval.M30, Interval.M30, Interval.H1]),
            )
        )
    async with store.write() as db:
        numbers = [await kept.add(db, alert) for alert in made]
    now = START
    while now < END:
        await writer.plan(now)
        now += HALF * dice.choice([1, 2, 7, 20])
    await writer.plan(END)
    alone = Alone(await all_bars(store))
    expected = [alone.tells(alert) for alert in made]
    assert [brief(await happened(store, number)) for number in numbers] == expected
    assert sum(map(len, expected)) > 50


async def all_bars(store: Store) -> list[Prices]:
    async with store.read() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=END)
        assert series is not None
        rows = await bars.closed(db, series, Interval.M30, at=END)
    return [Prices(row.opened_at, row.closed_at, row.high, row.low, row.close) for row in rows]


class Alone:
    """Every bar for one alert after the other."""

    def __init__(self, rows: list[Prices]) -> None:
        self._bars = {
            interval: history(of, interval, weekends=True, last_number=len(of))
            for interval, of in ((Interval.M30, rows), (Interval.H1, whole(rows, Interval.H1)))
        }

    def tells(self, alert: Alert) -> list[tuple[str, str]]:
        watched = replace(price_alerts.watch_of(alert), phase=Phase.UNKNOWN)
        found = []
        for bar in self._bars[alert.interval or Interval.M30]:
            to = step(watched, bar)
            watched = replace(watched, phase=to.phase, due=to.due)
            at = datetime.fromtimestamp(bar.closed_at, UTC)
            if to.crossed is not None and wanted(watched, to.crossed) and at > alert.since:
                found.append((f"{at:%m-%d %H:%M}", str(to.crossed)))
        return found


async def test_one_series_that_cannot_be_judged_silences_no_other(
    store: Store, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = await added(store, replace(ALERT, subject="SI", interval=Interval.D1, price=100.0))
    number = await added(store, ALERT)
    judge = price_alerts.judge

    async def failing(db: Any, group: Any, now: datetime) -> Any:
        if group.subject == "SI":
            raise ValueError("a defect")
        return await judge(db, group, now)

    monkeypatch.setattr(price_alerts, "judge", failing)
    await writer.plan(START)
    await writer.plan(END)
    assert brief(await happened(store, number)) == CLOSES
    monkeypatch.setattr(price_alerts, "judge", judge)
    # Silver closed under 100 on Friday 30 January, long before; on 4 February under 88.
    await writer.plan(END)
    assert await happened(store, days) == []


async def test_what_cannot_be_planned_is_judged_again(
    store: Store, writer: AlertWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far an alert is judged and what is told of it are one transaction."""
    number = await added(store, ALERT)
    await writer.plan(START)

    async def full(*_: Any) -> bool:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "add", full)
        await writer.plan(END)
    assert (await posts(store), await happened(store, number)) == ([], [])
    await writer.plan(END)
    assert brief(await happened(store, number)) == CLOSES


async def test_days_are_judged_by_their_trade_dates(store: Store, writer: AlertWriter) -> None:
    """Silver: 113 on 28 January, 78 on the 30th (Friday, 17:00 New York); the weekend is no gap."""
    since = datetime(2026, 1, 29, 12, tzinfo=UTC)
    number = await added(store, replace(ALERT, subject="SI", interval=Interval.D1, price=100.0, since=since))
    await writer.plan(since)
    await writer.plan(datetime(2026, 2, 3, 12, tzinfo=UTC))
    assert brief(await happened(store, number)) == [("01-30 22:00", "down")]


# Storms


def crossed(number: int, at: datetime) -> Crossing:
    return Crossing(
        name=f"{number}", at=at, what="down",
        figures={"close": 73_000.0 + number, "edge": 73_500.0, "venue": "Binance", "quote": "USDT"},
    )  # fmt: skip


async def fire(store: Store, alert: Alert, number: int, now: datetime) -> None:
    async with store.write() as db:
        [current] = await alert_watch.by_id(db, [alert.id])
        await alerts.tell(db, current, [crossed(number, now)], now)


async def states(store: Store, alert: Alert) -> list[str]:
    return [one.state for one in await happened(store, alert.id)]


async def test_the_third_time_within_an_hour_is_told_with_a_word_and_the_rest_in_one_message(
    store: Store, writer: AlertWriter
) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    minute = timedelta(minutes=1)
    lines = []
    for number, after in enumerate((0, 20, 60)):
        now = START + after * minute
        await fire(store, alert, number, now)
        lines.append((await said(writer, (await posts(store))[-1], now))[-1])
    quiet_until = START + 120 * minute
    assert ["collected" in line for line in lines] == [False, False, True]
    assert lines[-1].startswith("-# That was often: until 3 Feb 14:00 UTC what happens is collected")
    for number, after in enumerate((61, 90, 119), 3):
        await fire(store, alert, number, START + after * minute)
    assert await states(store, alert) == ["told"] * 3 + ["held"] * 3
    assert len(await posts(store)) == 3
    assert await writer.plan(START + 119 * minute) == quiet_until.replace(microsecond=0)
    await writer.plan(quiet_until)
    *_, last = await posts(store)
    lines = await said(writer, last, quiet_until)
    assert lines[:4] == [
        "**BTC closed below 73,600** · 73,005 · 3 Feb 13:59 UTC",
        "3 times since 3 Feb 13:01 UTC; before that:",
        "- BTC closed below 73,600 · 73,003 · 3 Feb 13:01 UTC",
        "- BTC closed below 73,600 · 73,004 · 3 Feb 13:30 UTC",
    ]
    # Three more: it stays quiet for another hour, in which nothing happens, and then is as before.
    await fire(store, alert, 9, quiet_until + minute)
    assert (await states(store, alert))[-1] == "held"
    await writer.plan(quiet_until + 61 * minute)
    await writer.plan(quiet_until + 62 * minute)
    await fire(store, alert, 10, quiet_until + 180 * minute)
    assert await states(store, alert) == ["told"] * 8
    assert len(await posts(store)) == 6


async def test_twice_within_an_hour_is_no_storm(store: Store) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    for number, after in enumerate((0, 30, 61, 100)):
        await fire(store, alert, number, START + timedelta(minutes=after))
    assert await states(store, alert) == ["told"] * 4


async def test_what_is_muted_is_noted_and_never_told(store: Store, writer: AlertWriter) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    async with store.write() as db:
        until = START + timedelta(hours=1)
        assert await kept.mute(db, alert.id, until, acting=THEIRS, now=START)
    await fire(store, alert, 1, START + timedelta(minutes=59))
    assert (await states(store, alert), await posts(store)) == (["muted"], [])
    await writer.plan(START + timedelta(hours=1))
    assert await posts(store) == []
    await fire(store, alert, 2, START + timedelta(hours=1))
    assert await states(store, alert) == ["muted", "told"]


async def test_who_mutes_gets_neither_what_was_collected_nor_what_is_on_its_way(
    store: Store, writer: AlertWriter
) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    for number in range(4):
        await fire(store, alert, number, START)
    async with store.write() as db:
        assert await kept.mute(db, alert.id, START + timedelta(days=1), acting=THEIRS, now=START)
    planned = await posts(store)
    writing = await writer.writing(planned)
    assert await writing(planned[0], "MARKER", START) == Drop("muted")
    await writer.plan(START + timedelta(hours=1))
    assert await states(store, alert) == ["told"] * 3 + ["muted"]
    assert await posts(store) == planned


async def test_the_same_crossing_is_told_once(store: Store) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    for _ in range(2):
        await fire(store, alert, 1, START)
    assert len(await posts(store)) == 1
    assert len(await happened(store, alert.id)) == 1


async def test_who_takes_no_direct_messages_finds_a_note_and_is_left_alone_for_a_day(
    store: Store, writer: AlertWriter
) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    await fire(store, alert, 1, START)
    [post] = await posts(store)
    async with store.write() as db:
        assert await writer.refused(db, post, "blocked", START)
        await writer.unposted(db, post, State.FAILED, "blocked", START)
        noted = await kept.find(db, alert.id, acting=THEIRS)
    assert noted is not None
    assert (noted.note, noted.noted_at) == ("blocked", START.replace(microsecond=0))
    await fire(store, alert, 2, START + timedelta(hours=23))
    assert len(await posts(store)) == 1
    await fire(store, alert, 3, START + timedelta(hours=24))
    *_, again = await posts(store)
    assert await states(store, alert) == ["told", "blocked", "told"]
    async with store.write() as db:
        await writer.posted(db, [again], START)
        noted = await kept.find(db, alert.id, acting=THEIRS)
    assert noted is not None
    assert noted.note is None


@pytest.mark.parametrize(
    ("state", "reason", "note"),
    [
        (State.SKIPPED, "late", "late"),
        (State.FAILED, "unsure", "unsure"),
        (State.FAILED, "400/50035", "failed"),
        (State.SKIPPED, "muted", None),
    ],
)
async def test_what_became_of_a_post_is_noted(
    store: Store, writer: AlertWriter, state: State, reason: str, note: str | None
) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    await fire(store, alert, 1, START)
    [post] = await posts(store)
    async with store.write() as db:
        await writer.unposted(db, post, state, reason, START)
        noted = await kept.find(db, alert.id, acting=THEIRS)
    assert noted is not None
    assert noted.note == note


async def test_a_channel_that_refuses_is_tried_again_unless_it_is_gone(
    store: Store, writer: AlertWriter
) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    await fire(store, alert, 1, START)
    [post] = await posts(store)
    async with store.write() as db:
        assert [await writer.refused(db, post, why, START) for why in ("forbidden", "gone")] == [False, True]


async def test_an_alert_that_is_removed_is_not_posted(store: Store, writer: AlertWriter) -> None:
    alert = replace(ALERT, id=await added(store, ALERT))
    await fire(store, alert, 1, START)
    [post] = await posts(store)
    async with store.write() as db:
        assert await kept.remove(db, alert.id, acting=THEIRS)
    assert await (await writer.writing([post]))(post, "MARKER", START) == Drop("removed")


def test_the_role_is_pinged_and_the_words_fit() -> None:
    alert = replace(ALERT, language="both", zone="Asia/Taipei", ping_role=9)
    found = [crossed(number, START) for number in range(400)]
    letter = alert_posts.letter(alert, found, START)
    assert isinstance(letter, Letter)
    lines = letter.content.splitlines()
    assert lines[0] == "**BTC 收盤跌破 73,600** · 73,399 · 2/3（二）20:00 台北"
    assert lines[1] == "**BTC closed below 73,600** · 73,399 · 3 Feb 20:00 Taipei"
    assert lines[-1] == "<@&9>"
    assert (letter.role, letter.rows) == (9, ())
    assert len(letter.content) < 2_000 - 15
