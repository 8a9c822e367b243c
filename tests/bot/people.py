"""People in a simulated server, and how to read what they are shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import discord
import simcord
from simcord.components import walk_components

from bot.client import Leadline

Speaking = Callable[[str], AbstractContextManager[None]]


@dataclass
class Server:
    """A server with a channel, two members and a moderator."""

    env: simcord.Env
    channel: Any
    alice: simcord.MemberActor
    bob: simcord.MemberActor
    moderator: simcord.MemberActor


def people_of(env: simcord.Env) -> Server:
    guild = env.create_guild("Trading group")
    keeper = guild.create_role("keeper", permissions=discord.Permissions(manage_guild=True))
    return Server(
        env=env,
        channel=guild.create_text_channel("trading"),
        alice=guild.add_member(env.create_user("alice")),
        bob=guild.add_member(env.create_user("bob")),
        moderator=guild.add_member(env.create_user("mod"), roles=[keeper]),
    )


def texts(message: simcord.ResponseMessage) -> list[str]:
    """All text of a card, in order."""
    return [part["content"] for part in walk_components(message.components) if part.get("type") == 10]


def buttons(message: simcord.ResponseMessage) -> dict[str, str]:
    """Labels of the buttons of a card, with their custom_id."""
    return {
        part["label"]: part["custom_id"]
        for part in walk_components(message.components)
        if part.get("type") == 2
    }


def pictures_of(message: simcord.ResponseMessage) -> list[dict[str, Any]]:
    galleries = [part for part in walk_components(message.components) if part.get("type") == 12]
    return [item for gallery in galleries for item in gallery["items"]]


def sent(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    """The message an interaction was answered with; there must be one."""
    assert result.response is not None
    return result.response


def changed_in_place(pressed: simcord.InteractionResult, card: simcord.InteractionResult) -> bool:
    """Whether a press on a card led to no other message than that card."""
    return pressed.response is None or pressed.response.id == sent(card).id


def bot_of(server: Server) -> Leadline:
    assert isinstance(server.env.bot, Leadline)
    return server.env.bot


def body_of(request: simcord.HttpLogEntry) -> dict[str, Any]:
    assert isinstance(request.json, dict)
    return request.json


async def pressed_alone(
    actor: simcord.MemberActor, asked: simcord.InteractionResult
) -> tuple[simcord.InteractionResult, simcord.InteractionResult, simcord.InteractionResult]:
    """What Details, CSV and the other language answer: to whoever pressed, and the card stays as it was."""
    shown = texts(sent(asked))
    details = await actor.click(sent(asked), label="Details")
    numbers = await actor.click(sent(asked), label="CSV")
    chinese = await actor.click(sent(asked), label="中文")
    assert [answer.ephemeral for answer in (details, numbers, chinese)] == [True] * 3
    assert texts(sent(asked)) == shown
    return details, numbers, chinese
