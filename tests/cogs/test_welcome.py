"""Coming to a server and leaving it: greeted once, where the bot may write; noted, forgotten, noted again."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import simcord
from people import Server, bot_of
from simcord.backend import serializers
from sqlalchemy import select

from bot.client import Leadline
from storage import schema, servers
from storage.servers import ServerSettings

SELL_OFF = 1770314400


async def left_at(server: Server) -> dict[int, int]:
    t = schema.servers_left.c
    async with bot_of(server).answers.store.read() as db:
        return {row.server_id: row.left_at for row in await db.execute(select(t.server_id, t.left_at))}


def new_server(
    server: Server, *, locale: str = "en-US", may: discord.PermissionOverwrite | None = None
) -> tuple[simcord.GuildHandle, simcord.ChannelHandle]:
    guild = server.env.create_guild("Another group", preferred_locale=locale)
    overwrites: Any = None if may is None else {guild.default_role: may}
    channel = guild.create_text_channel("general", overwrites=overwrites)
    guild._guild.system_channel_id = channel.id
    return guild, channel


async def join(server: Server, guild: simcord.GuildHandle) -> None:
    """What Discord sends when the bot is let in: unlike after an outage, without "unavailable"."""
    payload: dict[str, Any] = dict(
        serializers.guild_create_payload(server.env.backend, server.env.backend.get_guild(guild.id))
    )
    del payload["unavailable"]
    with server.env._bot_scope():
        bot_of(server)._connection.parse_guild_create(payload)
    await server.env.settle()


async def leave(server: Server, guild: simcord.GuildHandle, *, outage: bool = False) -> None:
    payload: Any = {"id": str(guild.id)} | ({"unavailable": True} if outage else {})
    with server.env._bot_scope():
        bot_of(server)._connection.parse_guild_delete(payload)
    await server.env.settle()


def said(channel: simcord.ChannelHandle) -> list[str]:
    return [message.content for message in channel.history()]


async def test_one_welcome_in_the_system_channel_in_both_languages(server: Server) -> None:
    guild, channel = new_server(server)
    await join(server, guild)
    ids = bot_of(server).command_ids
    levels, page, settings = (f"</{name}:{ids[name]}>" for name in ("levels", "help", "settings"))
    english = (
        f"**Leadline is here.** Begin with {levels}: how far down is the next floor? {page} names all questions.\n"
        f"Moderators choose language, time zone and colours with {settings}.\n"
        "Leadline answers commands only. It reads no messages."
    )
    chinese = (
        f"**Leadline 已加入。** 先輸入 {levels}，看下一層支撐還有多深；{page} 列出所有可問的問題。\n"
        f"管理人員可用 {settings} 選擇語言、時區與配色。\n"
        "Leadline 只回應指令，不讀取任何訊息。"
    )
    assert said(channel) == [f"{english}\n\n{chinese}"]
    assert said(server.channel) == []


async def test_a_chinese_server_is_welcomed_in_chinese(server: Server) -> None:
    guild, channel = new_server(server, locale="zh-TW")
    await join(server, guild)
    [text] = said(channel)
    assert text.startswith("**Leadline 已加入。**")
    assert "Leadline is here" not in text


@pytest.mark.parametrize("denied", ["send_messages", "view_channel"])
async def test_nothing_is_said_where_the_bot_may_not(server: Server, denied: str) -> None:
    guild, channel = new_server(server, may=discord.PermissionOverwrite(**{denied: False}))
    await join(server, guild)
    sent = [request for request in server.env.http_requests if request.path.endswith("/messages")]
    assert sent == []
    assert said(channel) == []


async def test_nothing_is_said_without_a_system_channel(server: Server) -> None:
    guild = server.env.create_guild("Another group")
    guild.create_text_channel("general")
    await join(server, guild)
    assert [request for request in server.env.http_requests if request.path.endswith("/messages")] == []


async def test_never_twice_while_it_stays_and_anew_when_it_comes_back(server: Server) -> None:
    guild, channel = new_server(server)
    await join(server, guild)
    await join(server, guild)
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await join(server, guild)
    assert len(said(channel)) == 1

    await leave(server, guild)
    assert await left_at(server) == {guild.id: SELL_OFF}
    await join(server, guild)
    assert await left_at(server) == {}
    assert len(said(channel)) == 2


async def test_a_welcome_discord_refuses_harms_nothing(server: Server) -> None:
    guild, channel = new_server(server)
    server.env.inject_error("POST", f"/channels/{channel.id}/messages", status=403, code=50013)
    await join(server, guild)
    assert said(channel) == []
    assert (await server.alice.slash(server.channel, "help")).ephemeral


async def test_an_outage_is_no_leaving(server: Server) -> None:
    guild, _channel = new_server(server)
    await join(server, guild)
    await leave(server, guild, outage=True)
    assert await left_at(server) == {}


async def test_what_happened_while_the_bot_was_down_is_seen_at_the_next_start(server: Server) -> None:
    """One server was left and one come back to; the one that is there stays as it is."""
    here, gone = server.channel.guild.id, 7
    bot = bot_of(server)
    async with bot.answers.store.write() as db:
        for server_id in (here, gone):
            await servers.keep(db, ServerSettings(server_id=server_id))
        await servers.left(db, here, now=bot.clock.now())
    await server.env.restart_bot(Leadline(bot.answers))
    await server.env.settle()
    assert await left_at(server) == {gone: SELL_OFF}
