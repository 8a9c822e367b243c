"""Where a report answers for all to see, where for the asker alone, and how it gets from there into the channel."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import simcord
from people import Server, Speaking, bot_of, buttons, changed_in_place, sent, texts
from raw import COMPONENT, Asked, message_of

from bot.reports import REPORTS
from storage import servers
from storage.servers import ServerSettings

MAY_NOT = "This card cannot be posted here: you may not write in this channel."


async def choose(server: Server, *channels: Any) -> None:
    """The server's public channels are these."""
    chosen = ServerSettings(
        server_id=server.alice.guild.id, public_channels=tuple(channel.id for channel in channels)
    )
    async with bot_of(server).answers.store.write() as db:
        await servers.keep(db, chosen)


def thread_in(server: Server, channel: Any) -> Any:
    server.env.backend.create_thread(channel.id, "a thread", server.alice.id)
    return channel.threads[-1]


async def test_every_channel_is_public_until_some_are_chosen(server: Server) -> None:
    assert not (await server.alice.slash(server.channel, "levels")).ephemeral
    async with bot_of(server).answers.store.write() as db:
        await servers.keep(db, ServerSettings(server_id=server.alice.guild.id))
    assert not (await server.alice.slash(server.channel, "stress")).ephemeral


@pytest.mark.parametrize("report", sorted(set(REPORTS) - {"ladder"}))  # which is never public
async def test_elsewhere_only_the_asker_sees_it(server: Server, report: str) -> None:
    other = server.alice.guild.create_text_channel("lounge")
    await choose(server, server.channel)
    public = await server.alice.slash(server.channel, report)
    quiet = await server.alice.slash(other, report)
    assert not public.ephemeral
    assert quiet.ephemeral
    assert list(buttons(sent(public)))[-1] == "Delete"
    assert list(buttons(sent(quiet)))[-1] == "Post here"
    assert texts(sent(public)) == texts(sent(quiet))


async def test_nowhere_is_a_choice_too(server: Server) -> None:
    await choose(server)
    assert (await server.alice.slash(server.channel, "levels")).ephemeral


async def test_a_thread_is_as_its_channel(server: Server) -> None:
    quiet = server.alice.guild.create_text_channel("lounge")
    inside, outside = thread_in(server, server.channel), thread_in(server, quiet)
    await choose(server, server.channel)
    assert not (await server.alice.slash(inside, "levels")).ephemeral
    assert (await server.alice.slash(outside, "levels")).ephemeral
    # A thread can be chosen by itself.
    await choose(server, outside)
    assert not (await server.alice.slash(outside, "stress")).ephemeral
    assert (await server.alice.slash(inside, "stress")).ephemeral


async def test_in_a_private_chat_there_is_nothing_to_hide(server: Server) -> None:
    await choose(server)
    asked = await server.alice.user.slash("levels")
    assert not asked.ephemeral
    assert list(buttons(sent(asked)))[-1] == "Delete"
    chinese = await server.alice.user.click(sent(asked), label="中文")
    assert "Post here" not in buttons(sent(chinese))
    assert "貼到頻道" not in buttons(sent(chinese))
    await server.alice.user.click(sent(asked), label="Delete")
    assert asked.response is None


@pytest.mark.parametrize("report", sorted(set(REPORTS) - {"ladder"}))  # which is never public
async def test_private_is_for_the_asker_alone(server: Server, report: str) -> None:
    asked = await server.alice.slash(server.channel, report, private=True)
    assert asked.ephemeral
    assert server.channel.history(viewer=server.bob) == []
    assert "Post here" in buttons(sent(asked))
    plain = await server.alice.slash(server.channel, report, private=False)
    assert not plain.ephemeral


async def test_post_here_posts_the_same_card(server: Server) -> None:
    await choose(server)
    asked = await server.alice.slash(server.channel, "levels", since="2026-01-28", interval="4h")
    posted = await server.alice.click(sent(asked), label="Post here")
    assert not posted.ephemeral
    assert texts(sent(posted)) == texts(sent(asked))
    assert await sent(posted).attachments[0].read() == await sent(asked).attachments[0].read()
    assert [message.id for message in server.channel.history(viewer=server.bob)] == [sent(posted).id]
    # It is the asker's: it changes in place, and goes again.
    pressed = await server.alice.click(sent(posted), label="1d")
    assert changed_in_place(pressed, posted)
    assert list(buttons(sent(posted)))[-1] == "Delete"
    await server.alice.click(sent(posted), label="Delete")
    assert server.channel.history(viewer=server.bob) == []


async def test_post_here_keeps_the_language_of_the_card(server: Server, speaking: Speaking) -> None:
    await choose(server)
    asked = await server.alice.slash(server.channel, "levels")
    chinese = await server.alice.click(sent(asked), label="中文")
    posted = await server.alice.click(sent(chinese), label="貼到頻道")
    assert not posted.ephemeral
    assert texts(sent(posted)) == texts(sent(chinese))
    assert list(buttons(sent(posted)))[-1] == "刪除"


async def test_changed_in_place_it_stays_with_the_asker(server: Server) -> None:
    await choose(server)
    asked = await server.alice.slash(server.channel, "levels")
    pressed = await server.alice.click(sent(asked), label="4h")
    assert changed_in_place(pressed, asked)
    assert sent(asked).ephemeral
    assert "Post here" in buttons(sent(asked))


def muted_channel(server: Server, **denied: bool) -> Any:
    everyone = server.alice.guild.default_role
    return server.alice.guild.create_text_channel(
        "read only", overwrites={everyone: discord.PermissionOverwrite(**denied)}
    )


async def test_who_may_not_write_is_not_offered_to_post(server: Server) -> None:
    muted = muted_channel(server, send_messages=False)
    await choose(server)
    asked = await server.alice.slash(muted, "levels")
    assert asked.ephemeral
    assert "Post here" not in buttons(sent(asked))
    # A thread has a permission of its own.
    thread = thread_in(server, muted)
    asked = await server.alice.slash(thread, "levels")
    assert "Post here" in buttons(sent(asked))
    silent = thread_in(server, muted_channel(server, send_messages_in_threads=False))
    asked = await server.alice.slash(silent, "levels")
    assert "Post here" not in buttons(sent(asked))


async def test_the_permission_to_write_is_asked_again_when_it_is_pressed(server: Server) -> None:
    await choose(server)
    asked = await server.alice.slash(server.channel, "levels")
    custom_id = buttons(sent(asked))["Post here"]
    press = Asked(
        server.env,
        COMPONENT,
        server.alice,
        server.channel,
        {"custom_id": custom_id, "component_type": 2},
        on=message_of(sent(asked)),
    )
    may = discord.Permissions(int(press.payload["member"]["permissions"]))
    may.send_messages = False
    press.payload["member"]["permissions"] = str(may.value)
    refused = await press.deliver()
    assert refused.ephemeral
    assert sent(refused).content == MAY_NOT
    assert server.channel.history(viewer=server.bob) == []


async def test_an_account_is_never_posted(server: Server) -> None:
    await choose(server)
    asked = await server.alice.slash(server.channel, "silver-margin", contracts=3)
    assert asked.ephemeral
    assert buttons(sent(asked)) == {}
    # Nor by a custom_id that we never write.
    quiet = await server.alice.slash(server.channel, "silver-margin")
    on = message_of(sent(quiet))
    forged = "ll1|silver-margin|post||en|SI|76.53|37|2345678.91|||"
    on["components"] = [
        {"type": 1, "id": 90, "components": [{"type": 2, "id": 91, "style": 2, "custom_id": forged}]}
    ]
    press = Asked(
        server.env,
        COMPONENT,
        server.alice,
        server.channel,
        {"custom_id": forged, "component_type": 2},
        on=on,
    )
    refused = await press.deliver()
    assert refused.ephemeral
    assert sent(refused).content == MAY_NOT
    assert server.channel.history(viewer=server.bob) == []


async def test_a_bad_option_is_told_to_the_asker_alone_wherever(server: Server) -> None:
    refused = await server.alice.slash(server.channel, "levels", since="someday", private=True)
    assert refused.ephemeral
    assert "someday" in sent(refused).content
    simcord.assert_error(server.env)
