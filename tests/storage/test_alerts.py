"""What the store keeps of alerts: nobody's but their own, and a bar finds those it moves without the others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.dialects import sqlite

from analysis.alerts import Bar, Direction, Kind, Phase, Step
from analysis.levels import Interval
from storage import alert_watch, alerts, outbox, privacy, schema, servers
from storage.alert_watch import Group, Judged
from storage.alerts import Acting, Alert, Crossing
from storage.outbox import Post
from storage.store import Store

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BTC = Group("BTC", Interval.M30)
OWNER, MODERATOR, OTHER = 501, 502, 503
ALERT = Alert(
    server_id=7,
    channel_id=70,
    kind=Kind.CLOSE,
    subject="BTC",
    interval=Interval.M30,
    price=73_600.0,
    direction=Direction.EITHER,
    since=NOW,
    added_by=MODERATOR,
    added_at=NOW,
)
OWN = replace(ALERT, channel_id=71, owner_id=OWNER, added_by=OWNER, price=70_000.0)
THEIRS = Acting(server_id=7, user_id=MODERATOR, moderates=True)
MINE = Acting(server_id=7, user_id=OWNER, moderates=False)
STRANGERS = [
    Acting(server_id=7, user_id=OTHER, moderates=False),
    Acting(server_id=8, user_id=MODERATOR, moderates=True),
    Acting(server_id=8, user_id=OWNER, moderates=False),
]


async def added(store: Store, *wanted: Alert) -> list[int]:
    async with store.write() as db:
        return [await alerts.add(db, alert) for alert in wanted]


async def test_an_alert_comes_back_as_it_was(store: Store) -> None:
    whole = replace(
        ALERT, bars=4, language="both", zone="Asia/Taipei", ping_role=9, kind=Kind.HOLD, interval=Interval.H4
    )
    [number] = await added(store, whole)
    async with store.read() as db:
        assert await alerts.find(db, number, acting=THEIRS) == replace(whole, id=number)
        assert await alerts.count(db, server_id=7, owner_id=None) == 1
        assert await alerts.count(db, server_id=7, owner_id=OWNER) == 0


async def test_a_number_is_never_given_twice(store: Store) -> None:
    [first] = await added(store, ALERT)
    async with store.write() as db:
        assert await alerts.remove(db, first, acting=THEIRS)
    assert await added(store, ALERT) == [first + 1]


async def test_each_sees_their_own_and_moderators_the_channels(store: Store) -> None:
    channel, own = await added(store, ALERT, OWN)
    async with store.read() as db:
        seen = [[one.id for one in await alerts.visible(db, who)] for who in (THEIRS, MINE, *STRANGERS)]
    # Not even moderators see what is told to somebody by direct message.
    assert seen == [[channel], [own], [], [], []]


@pytest.mark.parametrize("who", STRANGERS, ids=["member", "moderator elsewhere", "owner elsewhere"])
async def test_a_foreign_number_touches_nothing(store: Store, who: Acting) -> None:
    numbers = await added(store, ALERT, OWN)
    async with store.write() as db:
        for number in numbers:
            assert await alerts.find(db, number, acting=who) is None
            assert not await alerts.edit(db, replace(ALERT, id=number, price=1.0), acting=who, now=LATER)
            assert not await alerts.mute(db, number, LATER, acting=who, now=LATER)
            assert not await alerts.remove(db, number, acting=who)
            await alert_watch.happened(
                db, replace(ALERT, id=number), [Crossing(name="1:up", at=NOW, what="up")],
                state="told", post_key=None, now=NOW,
            )  # fmt: skip
            assert await alerts.crossings(db, number, acting=who) == []
    async with store.read() as db:
        kept = [
            await alerts.find(db, numbers[0], acting=THEIRS),
            await alerts.find(db, numbers[1], acting=MINE),
        ]
    assert kept == [
        replace(ALERT, id=numbers[0], fired_at=NOW),
        replace(OWN, id=numbers[1], fired_at=NOW),
    ]


async def test_moderators_do_not_touch_what_is_somebodys_own(store: Store) -> None:
    [own] = await added(store, OWN)
    async with store.write() as db:
        assert not await alerts.remove(db, own, acting=THEIRS)
        assert await alerts.remove(db, own, acting=MINE)


async def test_another_price_begins_anew_and_another_place_does_not(store: Store) -> None:
    [number] = await added(store, ALERT)
    async with store.write() as db:
        await alert_watch.move(db, number, Step(Phase.ABOVE, None))
        await alert_watch.note(db, number, "refused", now=NOW)
        kept = await alerts.find(db, number, acting=THEIRS)
        assert kept is not None
        elsewhere = replace(kept, channel_id=72, ping_role=5)
        assert await alerts.edit(db, elsewhere, acting=THEIRS, now=LATER)
        kept = await alerts.find(db, number, acting=THEIRS)
        assert kept is not None
        assert (kept.channel_id, kept.ping_role, kept.phase, kept.since) == (72, 5, Phase.ABOVE, NOW)
        assert (kept.note, kept.changed_by, kept.changed_at) == (None, MODERATOR, LATER)
        assert await alerts.edit(db, replace(kept, price=74_000.0), acting=THEIRS, now=LATER)
        kept = await alerts.find(db, number, acting=THEIRS)
        assert kept is not None
        assert (kept.price, kept.phase, kept.since) == (74_000.0, Phase.NEW, LATER)


async def test_an_edit_moves_nothing_to_another_server_or_person(store: Store) -> None:
    [number] = await added(store, ALERT)
    async with store.write() as db:
        stolen = replace(ALERT, id=number, server_id=8, owner_id=OTHER)
        assert await alerts.edit(db, stolen, acting=THEIRS, now=LATER)
        kept = await alerts.find(db, number, acting=THEIRS)
    assert kept is not None
    assert (kept.server_id, kept.owner_id) == (7, None)


async def test_muted_until_and_again_not(store: Store) -> None:
    [number] = await added(store, ALERT)
    async with store.write() as db:
        for until in (LATER, None):
            assert await alerts.mute(db, number, until, acting=THEIRS, now=NOW)
            kept = await alerts.find(db, number, acting=THEIRS)
            assert kept is not None
            assert kept.muted_until == until


async def test_who_is_forgotten_takes_their_own_alerts_along(store: Store) -> None:
    channel, own = await added(store, replace(ALERT, added_by=OWNER), OWN)
    async with store.write() as db:
        await alert_watch.happened(
            db, replace(OWN, id=own), [Crossing(name="1:up", at=NOW, what="up")],
            state="told", post_key="alert:x", now=NOW,
        )  # fmt: skip
        for number, place in ((channel, 70), (own, 71)):
            post = Post(
                key=f"alert:{number}:1:up", kind="alert", subject=number, server_id=7, channel_id=place,
                due_at=NOW, post_until=LATER, next_at=NOW,
            )  # fmt: skip
            await outbox.add(db, post)
    async with store.read() as db:
        held = await privacy.held(db, OWNER)
    assert [len(held[kind]) for kind in ("alerts_owned", "alerts_added", "alerts_changed")] == [1, 2, 0]
    await privacy.forget(store, OWNER, interaction_id=1, now=NOW)
    async with store.read() as db:
        assert not any((await privacy.held(db, OWNER)).values())
        assert await alerts.visible(db, MINE) == []
        [kept] = await alerts.visible(db, THEIRS)
        assert (kept.id, kept.added_by) == (channel, None)
        assert await outbox.find(db, f"alert:{own}:1:up") is None
        assert await outbox.find(db, f"alert:{channel}:1:up") is not None


async def test_a_forgotten_server_takes_its_alerts_along(store: Store) -> None:
    await added(store, ALERT, OWN, replace(ALERT, server_id=8))
    async with store.write() as db:
        await servers.forget(db, 7)
        assert await alerts.visible(db, THEIRS) == []
        assert await alerts.count(db, server_id=7, owner_id=OWNER) == 0
        assert await alerts.count(db, server_id=8, owner_id=None) == 1
        # A server that left a bot which was not looking is noticed by its alerts alone.
        await servers.look_around(db, {1}, now=NOW)
        rows = await db.exec_driver_sql("SELECT server_id FROM servers_left", [()])
        assert [row[0] for row in rows] == [8]


async def test_what_happened_is_kept_for_a_month(store: Store) -> None:
    [number] = await added(store, ALERT)
    alert = replace(ALERT, id=number)
    async with store.write() as db:
        for day, state in ((0, "told"), (1, "held"), (20, "told")):
            at = NOW + timedelta(days=day)
            found = [Crossing(name=f"{day}:up", at=at, what="up", figures={"close": 1.5})]
            await alert_watch.happened(db, alert, found, state=state, post_key=None, now=at)
        await alert_watch.tidy(db, NOW + timedelta(days=31, seconds=1))
        kept = await alerts.crossings(db, number, acting=THEIRS)
    # What is still to be told stays however long it takes.
    assert [(one.name, one.state, dict(one.figures)) for one in kept] == [
        ("20:up", "told", {"close": 1.5}),
        ("1:up", "held", {"close": 1.5}),
    ]


def bar(number: int, close: float, **other: object) -> Bar:
    plain = Bar(
        number=number, opened_at=number, closed_at=number + 1, high=close, low=close, close=close, atr=100.0
    )
    return replace(plain, **other)  # type: ignore[arg-type]


PHASES = [
    # phase, kind, and where the price has to be for a close at 70,000 to move it
    (Phase.ABOVE, Kind.CLOSE, [71_000.0]),
    (Phase.RECLAIMED, Kind.HOLD, [71_000.0]),
    (Phase.BROKEN, Kind.CLOSE, [69_000.0]),
    (Phase.UNKNOWN, Kind.CLOSE, [69_000.0, 71_000.0]),
    (Phase.OVER, Kind.TOUCH, [70_000.0, 70_010.0, 71_000.0]),
    (Phase.UNDER, Kind.TOUCH, [69_000.0, 69_990.0, 70_000.0]),
    (Phase.TOUCHED, Kind.TOUCH, [69_000.0, 71_000.0]),
    (Phase.BREAKING, Kind.HOLD, [69_000.0, 70_010.0, 71_000.0]),
    (Phase.RECLAIMING, Kind.HOLD, [69_000.0, 69_990.0, 71_000.0]),
    (Phase.NEW, Kind.CLOSE, []),
]


@pytest.mark.parametrize(("phase", "kind", "expected"), PHASES, ids=[str(one[0]) for one in PHASES])
async def test_a_bar_moves_those_it_is_beyond(
    store: Store, phase: Phase, kind: Kind, expected: list[float]
) -> None:
    """d is 100 x 0.25 = 25, but 0.1 % of the price is more: about 70."""
    levels = [69_000.0, 69_990.0, 70_000.0, 70_010.0, 71_000.0]
    await added(store, *(replace(ALERT, kind=kind, price=price, phase=phase) for price in levels))
    async with store.read() as db:
        moved = await alert_watch.moved_by(db, BTC, bar(9, 70_000.0))
        other = await alert_watch.moved_by(db, Group("ETH", Interval.M30), bar(9, 70_000.0))
    assert ([alert.price for alert in moved], other) == (expected, [])


async def test_a_count_that_is_full_is_found_by_its_bar(store: Store) -> None:
    counting = [
        replace(ALERT, kind=Kind.HOLD, price=70_010.0, phase=Phase.BREAKING, due=due) for due in (8, 9, 10)
    ]
    await added(store, *counting)
    async with store.read() as db:
        moved = await alert_watch.moved_by(db, BTC, bar(9, 70_000.0))
    assert [alert.due for alert in moved] == [8, 9]


async def test_after_a_gap_all_that_was_known_is_asked(store: Store) -> None:
    await added(store, *(replace(ALERT, phase=phase) for phase in (Phase.ABOVE, Phase.UNKNOWN, Phase.NEW)))
    async with store.read() as db:
        for gap in (bar(9, 70_000.0, after_gap=True), bar(9, 70_000.0, atr=None)):
            assert [alert.phase for alert in await alert_watch.moved_by(db, BTC, gap)] == [Phase.ABOVE]


async def test_how_far_a_group_is_judged_is_kept(store: Store) -> None:
    async with store.write() as db:
        assert await alert_watch.judged(db, BTC) is None
        for close in (70_000.0, 71_000.0):
            await alert_watch.keep_judged(db, BTC, Judged(instrument_id=1, last=bar(7, close)))
        assert await alert_watch.judged(db, BTC) == Judged(instrument_id=1, last=bar(7, 71_000.0))
        await alert_watch.forget_judged(db, BTC)
        assert await alert_watch.judged(db, BTC) is None


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts what SQLite does, in its own instructions, not in time."""
    counted = [0]
    connect = sqlite3.connect

    def counting(*arguments: object, **named: object) -> sqlite3.Connection:
        opened = connect(*arguments, **named)  # type: ignore[call-overload]

        def more() -> int:
            counted[0] += 1
            return 0

        opened.set_progress_handler(more, 10)
        return opened  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", counting)
    return counted


async def cost(file: Path, many: int, work: list[int]) -> tuple[int, int]:
    """How many alerts a bar moves, and the work of finding them, where ``many`` more lie further away."""
    opened = await Store.open(f"sqlite+aiosqlite:///{file}")
    try:
        far = [
            replace(ALERT, price=80_000.0 + place, phase=Phase.BROKEN)
            if place % 2
            else replace(ALERT, price=60_000.0 - place, phase=Phase.ABOVE)
            for place in range(many)
        ]
        near = [replace(ALERT, price=70_500.0 + place, phase=Phase.ABOVE) for place in range(10)]
        rows = [{**alerts._row(alert), "id": number} for number, alert in enumerate(far + near, 1)]
        async with opened.write() as db:
            await db.execute(insert(schema.alerts), rows)
        async with opened.read() as db:
            await alert_watch.moved_by(db, BTC, bar(9, 70_000.0))
            before = work[0]
            moved = await alert_watch.moved_by(db, BTC, bar(9, 70_000.0))
            return len(moved), work[0] - before
    finally:
        await opened.close()


async def test_a_bar_costs_what_it_moves_and_not_what_there_is(
    migrated_file: Path, tmp_path: Path, work: list[int]
) -> None:
    found = []
    for many in (0, 5_000):
        file = tmp_path / f"{many}.db"
        file.write_bytes(migrated_file.read_bytes())
        found.append(await cost(file, many, work))
    (few, little), (most, much) = found
    assert few == most == 10
    assert little > 0
    assert much < 1.5 * little, (little, much)


async def test_no_search_walks_the_table(file: Path) -> None:
    """Each of the ways to be moved is a range of an index."""
    with closing(sqlite3.connect(file)) as db:
        for way in alert_watch._ways(bar(9, 70_000.0)):
            t = schema.alerts.c
            query = select(t.id).where(t.subject == "BTC", t.interval == "30m", *way)
            text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
            plans = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}")]
            assert all("USING" in plan and "INDEX alerts_" in plan for plan in plans), (text, plans)
            assert any("price" in plan or "due" in plan for plan in plans), (text, plans)


async def test_with_an_alert_by_direct_message_goes_what_was_posted_of_it(store: Store) -> None:
    """Afterwards nothing would tell whose the channel was, and ``/privacy delete`` could not find it."""
    own, channel = await added(store, OWN, ALERT)
    posts = [
        Post(
            key=f"alert:{number}:1",
            kind="alert",
            subject=number,
            server_id=7,
            channel_id=70 + (number == own),
            due_at=NOW,
            post_until=LATER,
        )
        for number in (own, channel)
    ]
    async with store.write() as db:
        for post in posts:
            assert await outbox.add(db, post)
        assert not await alerts.remove(db, own, acting=THEIRS)
        assert await outbox.find(db, posts[0].key) is not None
        assert await alerts.remove(db, own, acting=MINE)
        assert await outbox.find(db, posts[0].key) is None
        assert await alerts.remove(db, channel, acting=THEIRS)
        assert await outbox.find(db, posts[1].key) is not None
