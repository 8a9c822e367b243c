"""Where a post's fate is open: nobody may look it up, or the bot is stopped in the middle of sending it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot import client
from bot.answers import Answers
from bot.client import Leadline
from storage.outbox import State
from tests.patience import PATIENCE, until
from tests.wire import payloads
from tests.wire.payloads import CHANNEL, TOKEN
from tests.wire.posts import Weather
from tests.wire.test_digests import DUE, HOURLY, Stage, key_of, stage  # noqa: F401 -- a fixture


async def lost(stage: Stage) -> int:  # noqa: F811
    """A digest whose first post has arrived although the answer was lost, in a channel nobody may look into."""
    no_history = payloads.channel("trading", deny=payloads.HISTORY)
    await stage.discord.gateway.dispatch("CHANNEL_UPDATE", no_history)
    stage.discord.posts.blind.add(CHANNEL)
    stage.discord.posts.weather = Weather(reset_after=1.0)
    number = await stage.add(HOURLY)
    await stage.unsure(key_of(number))
    assert len(stage.said()) == 1
    stage.discord.posts.weather = Weather()
    return number


async def test_soon_after_the_nonce_alone_keeps_it_from_being_posted_twice(stage: Stage) -> None:  # noqa: F811
    number = await lost(stage)
    await stage.at(DUE + timedelta(seconds=59))
    post = await stage.settled(key_of(number))
    assert (post.state, post.attempt) == (State.DONE, 2)
    assert len(stage.discord.posts.posted) == 1


async def test_later_nothing_is_tried_and_moderators_are_told_that_it_is_not_known(
    stage: Stage,  # noqa: F811
) -> None:
    number = await lost(stage)
    await stage.at(DUE + timedelta(seconds=61))
    post = await stage.settled(key_of(number))
    assert (post.state, post.reason) == (State.FAILED, "unsure")
    assert len(stage.discord.posts.posted) == 1
    kept = await stage.schedule(number)
    assert (kept.note, kept.noted_at) == ("unsure", DUE + timedelta(seconds=61))
    # Not paused: the next one is another post.
    assert kept.paused is None


async def test_a_send_without_an_answer_is_given_up_and_looked_up(stage: Stage) -> None:  # noqa: F811
    """After 20 s; here after three. It arrives all the same, and is posted once."""
    assert client.POST_SECONDS == stage.channels._seconds == 20
    stage.channels._seconds = 3
    stage.discord.posts.window = 0.0  # the nonce does not help
    stage.discord.posts.committing.clear()
    number = await stage.add(HOURLY)
    unsure = await stage.unsure(key_of(number))
    assert (unsure.state, unsure.attempt) == (State.SENDING, 1)
    assert stage.discord.posts.seen["POST"] == 1
    assert stage.said() == []
    stage.discord.posts.committing.set()
    await until(lambda: len(stage.said()) == 1)
    stage.channels._seconds = 20
    await stage.at(DUE + timedelta(seconds=6))
    post = await stage.settled(key_of(number))
    assert (post.state, post.attempt) == (State.DONE, 2)
    assert len(stage.discord.posts.posted) == 1


async def test_stopped_in_the_middle_of_a_send_it_waits_for_the_answer(stage: Stage) -> None:  # noqa: F811
    stage.bot.outbox._timing = replace(stage.bot.outbox._timing, finish=PATIENCE)
    stage.discord.posts.committing.clear()
    number = await stage.add(HOURLY)
    await until(lambda: stage.discord.posts.seen["POST"] == 1)
    assert (await stage.post(key_of(number), lambda _: True)).state is State.SENDING
    closing = asyncio.create_task(stage.bot.close())
    await asyncio.sleep(0.3)
    assert not closing.done()
    assert stage.said() == []
    stage.discord.posts.committing.set()
    await closing
    assert len(stage.said()) == 1
    assert (await stage.settled(key_of(number))).state is State.DONE


async def test_what_arrives_after_the_bot_is_gone_is_not_posted_again(stage: Stage) -> None:  # noqa: F811
    stage.bot.outbox._timing = replace(stage.bot.outbox._timing, finish=0.05)
    stage.discord.posts.committing.clear()
    number = await stage.add(HOURLY)
    await until(lambda: stage.discord.posts.seen["POST"] == 1)
    await stage.bot.close()
    assert stage.said() == []
    assert (await stage.post(key_of(number), lambda _: True)).state is State.SENDING
    stage.discord.posts.committing.set()
    await until(lambda: len(stage.said()) == 1)

    answers = stage.bot.answers
    again = Leadline(Answers(answers.store, answers.pictures, stage.clock))
    again._connection.guild_ready_timeout = 0.01
    running = asyncio.create_task(again.start(TOKEN))
    post = await stage.settled(key_of(number))
    assert (post.state, post.attempt) == (State.DONE, 2)
    assert len(stage.discord.posts.posted) == 1
    await again.close()
    await running
