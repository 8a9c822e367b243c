"""The same question twice in a channel, and cards taken away again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import simcord
from people import Server, Speaking, bot_of, buttons, people_of, sent, texts
from raw import COMMAND, Asked, command

from analysis.charts.look import Picture
from bot import respond
from bot.answers import Answers
from bot.client import Leadline
from bot.repeats import Repeats

ONLY_ASKER = "Only the person who asked and moderators can do this."


def link_to(card: simcord.InteractionResult, server: Server) -> str:
    return f"https://discord.com/channels/{server.alice.guild.id}/{sent(card).channel_id}/{sent(card).id}"


async def test_the_second_is_shown_the_first(server: Server) -> None:
    first = await server.alice.slash(server.channel, "levels")
    again = await server.bob.slash(server.channel, "levels", interval="30m")

    assert again.ephemeral
    assert texts(sent(again)) == [f"The same was asked here less than a minute ago: {link_to(first, server)}"]
    assert len(server.channel.history()) == 1
    own = await server.bob.click(sent(again), label="Answer me all the same")
    assert own.ephemeral
    assert texts(sent(own)) == texts(sent(first))
    assert len(server.channel.history(viewer=server.alice)) == 1


async def test_in_chinese_too(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        first = await server.alice.slash(server.channel, "levels")
        again = await server.bob.slash(server.channel, "levels")
    assert texts(sent(again)) == [f"一分鐘內已有人在此問過相同問題：{link_to(first, server)}"]
    assert list(buttons(sent(again))) == ["仍要查詢"]


async def test_after_a_minute_there_is_a_new_card(server: Server) -> None:
    seconds = 0.0
    bot_of(server).repeats = Repeats(clock=lambda: seconds)
    await server.alice.slash(server.channel, "levels")
    seconds = 59.9
    assert (await server.bob.slash(server.channel, "levels")).ephemeral
    seconds = 60.0
    assert not (await server.bob.slash(server.channel, "levels")).ephemeral


async def test_another_question_place_or_language_is_answered(server: Server, speaking: Speaking) -> None:
    other = server.alice.guild.create_text_channel("lounge")
    await server.alice.slash(server.channel, "levels")
    for asked in (
        await server.bob.slash(other, "levels"),
        await server.bob.slash(server.channel, "levels", interval="4h"),
        await server.bob.slash(server.channel, "flows"),
    ):
        assert not asked.ephemeral
    with speaking("zh-TW"):
        assert not (await server.bob.slash(server.channel, "levels")).ephemeral


async def test_whoever_asks_for_themselves_is_not_sent_to_another_card(server: Server) -> None:
    await server.alice.slash(server.channel, "levels")
    asked = await server.bob.slash(server.channel, "levels", private=True)
    assert len(sent(asked).attachments) == 1


async def test_a_card_that_shows_something_else_by_now_does_not_answer(server: Server) -> None:
    first = await server.alice.slash(server.channel, "levels")
    await server.alice.click(sent(first), label="4h")
    assert not (await server.bob.slash(server.channel, "levels")).ephemeral


async def test_a_deleted_card_does_not_answer(server: Server) -> None:
    first = await server.alice.slash(server.channel, "levels")
    await server.alice.click(sent(first), label="Delete")
    assert not (await server.bob.slash(server.channel, "levels")).ephemeral


async def test_a_card_already_there_is_not_posted_again(server: Server) -> None:
    first = await server.alice.slash(server.channel, "levels")
    own = await server.bob.slash(server.channel, "levels", private=True)
    posted = await server.bob.click(sent(own), label="Post here")
    assert posted.ephemeral
    assert link_to(first, server) in texts(sent(posted))[0]


class Slow(Answers):
    """Answers that need longer than Discord waits for a first word."""

    async def picture(self, *asked: Any) -> Picture | None:
        await asyncio.sleep(respond.READY_WITHIN + 1)
        return await super().picture(*asked)


async def test_a_card_that_came_late_answers_too(answers: Answers) -> None:
    slow = Slow(answers.store, answers.pictures, answers.clock)
    async with simcord.run(Leadline(slow)) as env:
        server = people_of(env)
        first = await server.alice.slash(server.channel, "levels")
        again = await server.bob.slash(server.channel, "levels")
        assert link_to(first, server) in texts(sent(again))[0]


def both_ask(server: Server) -> tuple[Asked, Asked]:
    alice, bob = (
        Asked(server.env, COMMAND, person, server.channel, command("levels", []))
        for person in (server.alice, server.bob)
    )
    for asked in (alice, bob):
        server.env.backend.emit("INTERACTION_CREATE", asked.payload)
    return alice, bob


async def test_two_at_the_same_moment_are_one_card(server: Server) -> None:
    alice, bob = both_ask(server)
    await server.env.settle()
    first, again = alice.result(), bob.result()
    assert not first.ephemeral
    assert again.ephemeral
    assert link_to(first, server) in texts(sent(again))[0]
    assert len(server.channel.history()) == 1


@pytest.mark.parametrize("deleter", ["alice", "moderator"])
async def test_the_asker_and_moderators_delete_a_card(server: Server, deleter: str) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    pressed = await getattr(server, deleter).click(sent(asked), label="Delete")
    assert server.channel.history() == []
    assert pressed.followups == []
    # Only by way of the interaction: the channel's own route would need a permission.
    assert not any(
        request.method == "DELETE" and "/channels/" in request.path for request in server.env.http_requests
    )


async def test_nobody_else_deletes_a_card(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    pressed = await server.bob.click(sent(asked), label="Delete")
    assert pressed.ephemeral
    assert sent(pressed).content == ONLY_ASKER
    assert [message.id for message in server.channel.history(viewer=server.alice)] == [sent(asked).id]


async def test_a_card_is_deleted_after_a_restart(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await server.alice.click(sent(asked), label="Delete")
    assert server.channel.history() == []
