"""Alerts in the real client against the small Discord: to a channel, by direct message, refused, lost and found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from analysis.alerts import Direction, Kind
from analysis.levels import Interval
from bot.posts import marker_of, nonce_of
from storage import alerts
from storage.alerts import Acting, Alert
from storage.outbox import State
from tests.wire import payloads, rules, test_digests
from tests.wire.payloads import CHANNEL, GUILD, MODERATOR
from tests.wire.posts import Weather
from tests.wire.test_digests import DUE, FORBIDDEN, ROLE, Stage

stage = test_digests.stage

DIRECT = str(int(CHANNEL) + 777_777)
BLOCKED = 403, {"message": "Cannot send messages to this user", "code": 50007}
SINCE = DUE - timedelta(minutes=30)
# The bar that closed at 17:30 stood at 67,378.5; the one of 18:00 at 66,153.9.
ALERT = Alert(
    server_id=int(GUILD),
    channel_id=int(CHANNEL),
    kind=Kind.CLOSE,
    subject="BTC",
    interval=Interval.M30,
    price=67_000.0,
    direction=Direction.DOWN,
    zone="Asia/Taipei",
    since=SINCE,
    added_by=int(MODERATOR.id),
    added_at=SINCE,
)
OWN = replace(ALERT, channel_id=int(DIRECT), owner_id=int(MODERATOR.id))
CROSSING = f"{int(DUE.timestamp())}:down"
THEIRS = Acting(server_id=int(GUILD), user_id=int(MODERATOR.id), moderates=True)


async def added(stage: Stage, *wanted: Alert) -> list[str]:
    """Alerts that were set half an hour ago, by the keys of the posts that they will have; and then it is due."""
    async with stage.store.write() as db:
        numbers = [await alerts.add(db, alert) for alert in wanted]
    await stage.at(DUE)
    return [f"alert:{number}:{CROSSING}" for number in numbers]


async def kept(stage: Stage, key: str) -> Alert:
    async with stage.store.read() as db:
        found = await alerts.find(db, int(key.split(":")[1]), acting=THEIRS)
    assert found is not None
    return found


async def test_an_alert_comes_when_its_bar_has_closed(stage: Stage) -> None:
    await stage.at(DUE - timedelta(seconds=1))
    async with stage.store.write() as db:
        number = await alerts.add(db, replace(ALERT, language="both", ping_role=int(ROLE)))
    stage.bot.outbox.changed()
    await asyncio.sleep(0.3)
    assert stage.said() == []
    await stage.at(DUE)
    post = await stage.settled(f"alert:{number}:{CROSSING}")
    assert post.state is State.DONE
    [message] = stage.discord.posts.messages(CHANNEL)
    assert post.message_id == int(message["id"])
    lines = message["content"].splitlines()
    assert lines[0] == "**BTC 收盤跌破 67,000** · 66,154 · 2/6（五）02:00 台北"
    assert lines[1] == "**BTC closed below 67,000** · 66,154 · 6 Feb 02:00 Taipei"
    assert lines[-1] == f"<@&{ROLE}>"
    muting = rules.buttons(message)
    assert list(muting) == ["靜音 1 小時", "靜音 1 天"]
    assert all(custom_id.endswith(f"|{GUILD}|{marker_of(post)}") for custom_id in muting.values())
    sent = next(request for request in stage.discord.requests if request.method == "POST")
    assert sent.body["allowed_mentions"] == {"parse": [], "roles": [int(ROLE)]}
    assert (sent.body["nonce"], sent.body["enforce_nonce"]) == (nonce_of(post), True)
    assert not sent.body.get("flags")
    # The next bar is no second crossing.
    await stage.at(DUE + timedelta(minutes=30))
    await asyncio.sleep(0.3)
    assert len(stage.said()) == 1


async def test_by_direct_message_and_to_nobody_else(stage: Stage) -> None:
    channel, own = await added(stage, ALERT, OWN)
    assert (await stage.settled(own)).state is State.DONE
    assert (await stage.settled(channel)).state is State.DONE
    assert [len(stage.said(place)) for place in (CHANNEL, DIRECT)] == [1, 1]
    for request in stage.discord.requests:
        if request.method == "POST":
            assert request.body["allowed_mentions"] == {"parse": []}


async def test_who_takes_no_direct_messages_finds_a_note_and_others_their_post(stage: Stage) -> None:
    stage.discord.posts.refusing[DIRECT] = BLOCKED
    own, channel = await added(stage, OWN, ALERT)
    post = await stage.settled(own)
    assert (post.state, post.reason) == (State.FAILED, "blocked")
    noted = await kept(stage, own)
    assert (noted.note, noted.noted_at) == ("blocked", DUE)
    async with stage.store.read() as db:
        [missed] = await alerts.crossings(db, noted.id, acting=THEIRS)
    assert (missed.at, missed.what) == (DUE, "down")
    assert (await stage.settled(channel)).state is State.DONE
    assert stage.said(DIRECT) == []


async def test_a_direct_message_whose_answer_was_lost_is_looked_up(stage: Stage) -> None:
    stage.discord.posts.window = 0.0  # the nonce does not help
    stage.discord.posts.weather = Weather(reset_after=1.0)
    [own] = await added(stage, OWN)
    await stage.unsure(own)
    assert len(stage.said(DIRECT)) == 1
    stage.discord.posts.weather = Weather()
    await stage.at(DUE + timedelta(seconds=6))
    post = await stage.settled(own)
    assert (post.state, post.attempt) == (State.DONE, 2)
    assert len(stage.discord.posts.posted) == 1


async def test_a_direct_message_that_never_arrived_is_sent_again(stage: Stage) -> None:
    """Its channel is none of the server's: Discord is asked whether its history may be believed."""
    direct = {"id": DIRECT, "type": 1, "last_message_id": None, "recipients": [MODERATOR.user()]}
    stage.discord.trouble["GET", f"/channels/{DIRECT}"] = 200, direct
    stage.discord.posts.weather = Weather(reset_before=1.0)
    [own] = await added(stage, OWN)
    await stage.unsure(own)
    stage.discord.posts.weather = Weather()
    await stage.at(DUE + timedelta(minutes=2))
    post = await stage.settled(own)
    assert (post.state, post.attempt) == (State.DONE, 2)
    assert len(stage.said(DIRECT)) == 1


async def test_a_channel_that_is_mended_gets_its_alert_within_hours(stage: Stage) -> None:
    stage.discord.posts.refusing[CHANNEL] = FORBIDDEN
    stage.discord.gateway.guild = payloads.guild(CHANNEL)
    [key] = await added(stage, ALERT)
    await stage.post(key, lambda post: post.next_at == DUE + timedelta(hours=1))
    assert (await kept(stage, key)).note == "refused"
    stage.discord.posts.refusing.clear()
    await stage.at(DUE + timedelta(hours=1))
    assert (await stage.settled(key)).state is State.DONE
    assert (await kept(stage, key)).note is None
    assert len(stage.said()) == 1


async def test_after_six_hours_it_is_too_late_and_a_note_says_so(stage: Stage) -> None:
    stage.discord.posts.refusing[CHANNEL] = FORBIDDEN
    [key] = await added(stage, ALERT)
    await stage.post(key, lambda post: post.next_at == DUE + timedelta(hours=1))
    await stage.at(DUE + timedelta(hours=6, seconds=1))
    post = await stage.settled(key)
    assert (post.state, post.reason) == (State.SKIPPED, "late")
    assert (await kept(stage, key)).note == "late"
    assert stage.said() == []
