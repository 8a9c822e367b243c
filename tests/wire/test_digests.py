"""Digests in the real client against the small Discord: at the hour, late, refused, doubled, by the thousand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from sqlalchemy import select
from sqlalchemy.event import listen, remove
from yarl import URL

from bot.answers import Answers
from bot.channels import Channels
from bot.client import Leadline
from bot.outbox import Timing
from bot.posts import marker_of, nonce_of
from storage import digests, outbox, schema
from storage.digests import Part, Schedule
from storage.outbox import Post, State
from storage.store import Store
from tests.conftest import SELL_OFF
from tests.patience import PATIENCE
from tests.soak import times
from tests.wire import payloads, rules
from tests.wire.conftest import Launch
from tests.wire.loopback import Answer, Discord
from tests.wire.payloads import CHANNEL, DEFERRED, GUILD, MESSAGE, MODAL, MODERATOR, TOKEN
from tests.wire.posts import Weather

SYSTEM = str(int(CHANNEL) + 999_999)
ROLE = "500000000000000001"
RETRY = Timing().retry
DUE = SELL_OFF
"""18:00 UTC is 02:00 of 6 February in Taipei."""
HOURLY = Schedule(
    server_id=int(GUILD),
    channel_id=int(CHANNEL),
    parts=(Part(report="levels"),),
    local_time=time(2),
    zone="Asia/Taipei",
    since=DUE - timedelta(hours=1),
    created_by=int(MODERATOR.id),
    created_at=DUE - timedelta(hours=1),
)
FORBIDDEN = 403, {"message": "Missing Permissions", "code": 50013}


class Hands:
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass
class Stage:
    """A bot on a Discord, its store and its clock."""

    discord: Discord
    store: Store
    clock: Hands
    bot: Leadline

    @property
    def channels(self) -> Channels:
        found = self.bot.outbox._channels
        assert isinstance(found, Channels)
        return found

    async def add(self, schedule: Schedule, *, at: datetime = DUE) -> int:
        """A digest that was there before, and then it is ``at``."""
        async with self.store.write() as db:
            number = await digests.add(db, schedule)
        await self.at(at)
        return number

    async def at(self, instant: datetime) -> None:
        """Sets the clock; both halves of the outbox look at it."""
        self.clock.at = instant
        self.bot.outbox.changed()
        self.bot.outbox._to_deliver.wake()

    async def schedule(self, number: int) -> Schedule:
        async with self.store.read() as db:
            found = await digests.find(db, number)
        assert found is not None
        return found

    async def refused(self, number: int, times: int) -> None:
        """Once so many refusals are counted."""
        await self._until(number, lambda schedule: schedule.refused == times)

    async def planned(self, number: int, next_at: datetime) -> None:
        """Once what is due has been planned, and then that is the next."""
        await self._until(number, lambda schedule: schedule.next_at == next_at)

    async def _until(self, number: int, is_so: Callable[[Schedule], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so(await self.schedule(number)):  # noqa: ASYNC110 -- a store has none
                await asyncio.sleep(0.02)

    async def unsure(self, key: str, *, since: datetime = DUE) -> Post:
        """The post of that key, once it is noted that nobody knows whether it arrived; the clock may then be set on."""
        return await self.post(key, lambda post: post.attempt == 1 and post.next_at == since + RETRY)

    async def post(self, key: str, is_so: Callable[[Post], bool]) -> Post:
        """The post of that key, once it is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.store.read() as db:
                    found = await outbox.find(db, key)
                if found is not None and is_so(found):
                    return found
                await asyncio.sleep(0.02)

    async def settled(self, key: str) -> Post:
        return await self.post(key, lambda post: post.settled_at is not None)

    def said(self, channel: str = CHANNEL) -> list[str]:
        return [message["content"] for message in self.discord.posts.messages(channel)]


@pytest.fixture
async def stage(discord: Discord, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(Route, "BASE", discord.rest)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(discord.gateway.address))
    discord.gateway.guild = payloads.guild(CHANNEL, SYSTEM, system=SYSTEM)
    discord.posts.may_ping = frozenset({ROLE})
    clock = Hands(DUE - timedelta(minutes=30))
    bot = Leadline(Answers(answers.store, answers.pictures, clock))
    bot._connection.guild_ready_timeout = 0.01
    running = asyncio.create_task(bot.start(TOKEN))
    await discord.connected()
    await bot.wait_until_ready()
    yield Stage(discord, answers.store, clock, bot)
    await bot.close()
    await running


def key_of(number: int, day: str = "2026-02-06") -> str:
    return f"digest:{number}:{day}"


async def test_a_digest_comes_at_its_hour_in_both_languages(stage: Stage) -> None:
    both = replace(HOURLY, language="both", ping_role=int(ROLE))
    number = await stage.add(both, at=DUE - timedelta(seconds=1))
    await stage.planned(number, DUE)
    assert stage.said() == []

    await stage.at(DUE)
    post = await stage.settled(key_of(number))
    assert post.state is State.DONE
    [message] = stage.discord.posts.messages(CHANNEL)
    assert post.message_id == int(message["id"])
    lines = message["content"].splitlines()
    assert lines[0].startswith("**BTC 66,154")
    assert "24 小時" in lines[0]
    [english] = [line for line in lines if " in 24 h " in line]
    assert english.startswith("**BTC 66,154")
    assert lines[-1] == f"<@&{ROLE}>"
    assert not [line for line in lines if "Late" in line or "延遲" in line]
    sent = next(request for request in stage.discord.requests if request.method == "POST")
    assert sent.body["allowed_mentions"] == {"parse": [], "roles": [int(ROLE)]}
    assert sent.body["nonce"] == nonce_of(post)
    assert sent.body["enforce_nonce"] is True
    [attachment] = sent.body["attachments"]
    assert attachment["filename"] == f"levels-1-{marker_of(post)}.png"
    assert 20 < len(attachment["description"]) <= 256
    [(_, png)] = sent.files.values()
    assert png.startswith(b"\x89PNG")
    buttons = rules.buttons(message)
    assert list(buttons) == ["30 分", "1 小時", "4 小時", "日線", "詳細", "CSV", "在此價位提醒我"]
    assert buttons["在此價位提醒我"] == "al1|at|BTC|73600"
    assert marker_of(post) in "".join(buttons.values())

    # A press never changes what all have been told.
    card: Any = type("Card", (), {"message": message})()
    form = await stage.discord.press(MODERATOR, card, "在此價位提醒我")
    await form.first_answer()
    assert form.kind == MODAL
    for label in list(buttons)[:-1]:
        pressed = await stage.discord.press(MODERATOR, card, label)
        await pressed.answer()
        assert pressed.kind in {MESSAGE, DEFERRED}
        assert pressed.ephemeral
    assert len(stage.said()) == 1


async def test_two_reports_on_one_level_offer_one_alert(stage: Stage) -> None:
    """Discord refuses a message that has the same button twice."""
    parts = tuple(Part(report="levels", words={"interval": interval}) for interval in ("30m", "4h"))
    number = await stage.add(replace(HOURLY, parts=parts))
    assert (await stage.settled(key_of(number))).state is State.DONE
    [message] = stage.discord.posts.messages(CHANNEL)
    rows = [[button["custom_id"] for button in row["components"]] for row in message["components"]]
    assert [[one for one in row if one.startswith("al1|at|BTC|")] for row in rows] == [
        ["al1|at|BTC|73600"],
        [],
    ]


async def test_several_reports_are_one_message_and_what_fails_is_said(stage: Stage) -> None:
    parts = (
        Part(report="levels", words={"instrument": "DOGE"}),
        Part(report="flows"),
        Part(report="silver-margin"),
        Part(report="stress"),
    )
    number = await stage.add(replace(HOURLY, parts=parts))
    await stage.settled(key_of(number))
    [message] = stage.discord.posts.messages(CHANNEL)
    assert message["content"].startswith("levels: ")
    assert "DOGE" in message["content"]
    assert len(message["attachments"]) == 3
    assert len(message["components"]) == 4
    assert len(message["content"]) <= 2000


async def test_late_is_said_and_too_late_is_told_to_moderators_once(stage: Stage) -> None:
    late = await stage.add(HOURLY, at=DUE + timedelta(hours=5, minutes=59))
    post = await stage.settled(key_of(late))
    assert post.state is State.DONE
    assert "Late: due at 6 Feb 02:00 Taipei; the figures are those of 6 Feb 07:59 Taipei." in stage.said()[0]

    await stage.at(DUE + timedelta(hours=6, minutes=1))
    missed = await stage.add(HOURLY, at=stage.clock.at)
    assert (await stage.settled(key_of(missed))).state is State.SKIPPED
    notice = await stage.settled(f"notice:skipped:{missed}:2026-02-06")
    assert notice.state is State.DONE
    assert len(stage.said()) == 1
    [told] = stage.said(SYSTEM)
    assert "The digest levels of 6 Feb 02:00 Taipei" in told
    assert "The next one comes at 7 Feb 02:00 Taipei." in told
    assert (await stage.schedule(missed)).note == "skipped"


async def test_of_days_without_the_bot_only_the_newest_is_posted(stage: Stage) -> None:
    number = await stage.add(HOURLY, at=DUE + timedelta(days=3, hours=1))
    await stage.settled(key_of(number, "2026-02-09"))
    await stage.settled(f"notice:skipped:{number}:2026-02-08")
    assert len(stage.said()) == 1
    assert len(stage.said(SYSTEM)) == 1
    async with stage.store.read() as db:
        rows = await db.execute(select(schema.outbox.c.key, schema.outbox.c.state))
        states = {row.key: row.state for row in rows}
    skipped = [key for key, state in states.items() if state == State.SKIPPED]
    assert skipped == [key_of(number, f"2026-02-0{day}") for day in (6, 7, 8)]


async def test_a_change_of_time_or_zone_brings_no_second_post_that_day(stage: Stage) -> None:
    number = await stage.add(HOURLY)
    await stage.settled(key_of(number))
    for change in ({"local_time": time(3)}, {"zone": "Asia/Tokyo", "local_time": time(4)}):
        async with stage.store.write() as db:
            kept = await digests.find(db, number)
            assert kept is not None
            assert await digests.change(db, replace(kept, since=stage.clock.at, **change))
        await stage.at(stage.clock.at + timedelta(hours=1, minutes=30))
        # 3:00 of 7 February in Taipei, 4:00 in Tokyo.
        await stage.planned(number, datetime(2026, 2, 6, 19, tzinfo=UTC))
    async with stage.store.read() as db:
        posts = [row.key for row in await db.execute(select(schema.outbox.c.key))]
    assert posts == [key_of(number)]
    assert len(stage.said()) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (FORBIDDEN, "forbidden"),
        ((404, {"message": "Unknown Channel", "code": 10003}), "gone"),
        ((403, {"message": "Missing Access", "code": 50001}), "hidden"),
    ],
)
async def test_three_confirmed_refusals_pause_and_tell_where_it_can_be_told(
    stage: Stage, answer: Answer, reason: str
) -> None:
    stage.discord.posts.refusing[CHANNEL] = answer
    number = await stage.add(HOURLY)
    for hour in range(3):
        await stage.at(DUE + timedelta(hours=hour, seconds=hour))
        await stage.refused(number, hour + 1)
    post = await stage.settled(key_of(number))
    assert (post.state, post.reason) == (State.FAILED, reason)
    kept = await stage.schedule(number)
    assert (kept.paused, kept.note) == ("refused", "refused")
    async with stage.store.read() as db:
        keys = list(await db.execute(select(schema.outbox.c.key).where(schema.outbox.c.kind == "notice")))
    await stage.settled(keys[0].key)
    assert f"refused it three times in <#{CHANNEL}>" in stage.said(SYSTEM)[0]


async def test_a_channel_that_is_mended_gets_its_post_and_refusals_are_forgotten(stage: Stage) -> None:
    stage.discord.posts.refusing[CHANNEL] = FORBIDDEN
    # No history either: where nothing was posted, nothing need be looked for.
    stage.discord.posts.blind.add(CHANNEL)
    stage.discord.gateway.guild = payloads.guild(CHANNEL, permissions=payloads.VIEW | payloads.SEND)
    number = await stage.add(HOURLY)
    await stage.post(key_of(number), lambda post: post.next_at == DUE + timedelta(hours=1))
    assert (await stage.schedule(number)).refused == 1
    stage.discord.posts.refusing.clear()
    await stage.at(DUE + timedelta(hours=1))
    assert (await stage.settled(key_of(number))).state is State.DONE
    assert len(stage.said()) == 1
    assert (await stage.schedule(number)).refused == 0


async def test_an_empty_memory_of_the_server_refuses_nobody(stage: Stage) -> None:
    """The channel is not among those we were told of, and yet it is posted to."""
    unknown = str(int(CHANNEL) + 5)
    number = await stage.add(replace(HOURLY, channel_id=int(unknown)))
    assert (await stage.settled(key_of(number))).state is State.DONE
    assert len(stage.said(unknown)) == 1


async def test_an_answer_that_was_lost_is_looked_up_before_a_second_try(stage: Stage) -> None:
    stage.discord.posts.window = 0.0  # the nonce does not help
    stage.discord.posts.weather = Weather(reset_after=1.0)
    number = await stage.add(HOURLY)
    assert (await stage.unsure(key_of(number))).state is State.SENDING
    assert len(stage.said()) == 1
    stage.discord.posts.weather = Weather()
    await stage.at(DUE + timedelta(seconds=6))
    post = await stage.settled(key_of(number))
    assert post.state is State.DONE
    assert post.attempt == 2
    assert str(post.message_id) == stage.discord.posts.messages(CHANNEL)[0]["id"]
    assert len(stage.discord.posts.posted) == 1


async def test_what_a_moderator_has_deleted_is_not_posted_again(stage: Stage) -> None:
    stage.discord.posts.weather = Weather(reset_after=1.0)
    number = await stage.add(HOURLY)
    await stage.unsure(key_of(number))
    stage.discord.posts.weather = Weather()
    stage.discord.posts.delete(CHANNEL, stage.discord.posts.messages(CHANNEL)[0]["id"])
    await stage.at(DUE + timedelta(seconds=6))
    assert (await stage.settled(key_of(number))).state is State.DONE
    assert stage.said() == []
    assert len(stage.discord.posts.posted) == 1


async def test_doubles_are_deleted_and_the_first_stays(stage: Stage) -> None:
    stage.discord.posts.weather = Weather(reset_after=1.0)
    number = await stage.add(HOURLY)
    await stage.unsure(key_of(number))
    stage.discord.posts.weather = Weather()
    stage.discord.posts.double(CHANNEL)
    first = stage.discord.posts.messages(CHANNEL)[0]["id"]
    await stage.at(DUE + timedelta(seconds=6))
    post = await stage.settled(key_of(number))
    assert str(post.message_id) == first
    assert len(stage.said()) == 2
    await stage.at(DUE + timedelta(minutes=2, seconds=7))
    swept = await stage.post(key_of(number), lambda post: (post.next_at or DUE) > DUE + timedelta(minutes=9))
    assert swept.next_at is not None
    assert [message["id"] for message in stage.discord.posts.messages(CHANNEL)] == [first]


async def test_figures_that_are_not_final_are_waited_for_until_the_latest_time(stage: Stage) -> None:
    """On 5 February at 18:00 UTC the flows of the 4th are final; at 23:00 UTC those of the 5th are awaited."""
    flows = replace(
        HOURLY, parts=(Part(report="flows"),), zone="UTC", local_time=time(23), latest_time=time(23, 30)
    )
    number = await stage.add(flows, at=DUE + timedelta(hours=5))
    key = key_of(number, "2026-02-05")
    waiting = await stage.post(key, lambda post: post.next_at == DUE + timedelta(hours=5, minutes=1))
    assert waiting.state is State.PLANNED
    await stage.at(DUE + timedelta(hours=5, minutes=30))
    assert (await stage.settled(key)).state is State.DONE
    assert "Late" not in stage.said()[0]


async def test_one_picture_is_drawn_for_all_channels_with_equal_look(stage: Stage) -> None:
    drawn = stage.bot.answers.pictures.drawn
    async with stage.store.write() as db:
        for number in range(30):
            zone = "Asia/Taipei" if number % 3 else "Asia/Tokyo"
            at = time(2) if number % 3 else time(3)
            there = replace(HOURLY, channel_id=int(CHANNEL) + number, server_id=number + 1)
            await digests.add(db, replace(there, zone=zone, local_time=at))
    await stage.at(DUE)
    for number in range(30):
        assert (await stage.settled(key_of(number + 1))).state is State.DONE
    assert stage.bot.answers.pictures.drawn - drawn <= 2
    async with stage.store.read() as db:
        kept = list(await db.execute(select(schema.pictures.c.sha256)))
    assert len(kept) == 2


async def test_many_posts_take_few_statements(stage: Stage) -> None:
    """What is planned, written, claimed and settled together is told to the store together."""
    count = 64
    async with stage.store.write() as db:
        numbers = [
            await digests.add(db, replace(HOURLY, channel_id=int(CHANNEL) + each, server_id=each + 1))
            for each in range(count)
        ]
    statements: list[str] = []

    def told(*event: Any) -> None:
        statements.append(event[2])

    # With so many at once each waits for its answer behind all others.
    stage.channels._seconds = PATIENCE
    listen(stage.store.engine.sync_engine, "before_cursor_execute", told)
    await stage.at(DUE)
    for number in numbers:
        post = await stage.settled(key_of(number))
        assert (post.state, post.attempt) == (State.DONE, 1)
    remove(stage.store.engine.sync_engine, "before_cursor_execute", told)
    asked = [one for one in statements if not one.startswith(("BEGIN", "SELECT outbox.id"))]
    assert len(stage.discord.posts.posted) == count
    # One by one it would be twelve and more for each.
    assert len(asked) < 9 * count


@pytest.mark.soak
async def test_a_thousand_channels_in_one_minute(launch: Launch, discord: Discord, database: Path) -> None:
    """The whole program, with its own drawing; each server has other settings to ask for, all have the same look."""
    count, posts, idle = 1000, discord.posts, bool(times(short=0, long=1))
    # A busy machine bunches what the bot spreads over its seconds.
    posts.per_second = 50 if idle else 100
    due = (datetime.now(UTC) + timedelta(seconds=12)).replace(microsecond=0)
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    async with store.write() as db:
        for number in range(count):
            await digests.add(
                db,
                replace(
                    HOURLY,
                    channel_id=int(CHANNEL) + number,
                    server_id=number + 1,
                    local_time=due.time(),
                    zone="UTC",
                    since=due - timedelta(minutes=1),
                ),
            )
    await store.close()
    await launch(discord, database)
    async with asyncio.timeout(600):
        while len(posts.posted) < count:  # noqa: ASYNC110 -- a message has no event
            await asyncio.sleep(0.1)
    took = posts.posted[-1].at - posts.posted[0].at
    print(f"{count} posts in {took:.1f} s, {posts.limited} x 429")
    await asyncio.sleep(1)
    assert set(Counter(post.channel for post in posts.posted).values()) == {1}
    assert posts.seen == {"POST": count}
    assert posts.limited == 0
    # How long it takes is the machine's as much as ours: held where it is idle.
    if idle:
        assert took <= 1.15 * count / 50
