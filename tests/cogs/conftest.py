"""The real bot, on the shipped sample in a real SQLite file, inside a simulated Discord."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import simcord
import simcord.interactions
from simcord.components import walk_components

from bot.answers import Answers
from bot.client import Leadline


@dataclass
class Server:
    """A server with a channel, two members and a moderator."""

    env: simcord.Env
    channel: Any
    alice: simcord.MemberActor
    bob: simcord.MemberActor
    moderator: simcord.MemberActor


@pytest.fixture
def simcord_bot(answers: Answers) -> Leadline:
    return Leadline(answers)


@pytest.fixture
def server(simcord_env: simcord.Env) -> Server:
    return people_of(simcord_env)


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
    return {part["label"]: part["custom_id"] for part in walk_components(message.components) if part.get("type") == 2}


def pictures_of(message: simcord.ResponseMessage) -> list[dict[str, Any]]:
    galleries = [part for part in walk_components(message.components) if part.get("type") == 12]
    return [item for gallery in galleries for item in gallery["items"]]


@pytest.fixture
def speaking() -> Callable[[str], AbstractContextManager[None]]:
    """Interactions made inside ``with speaking("zh-TW")`` carry that locale; SimCord itself knows only en-US."""
    original = simcord.interactions.base_payload

    @contextmanager
    def inside(locale: str) -> Iterator[None]:
        def with_locale(*args: Any, **kwargs: Any) -> Any:
            record, payload = original(*args, **kwargs)
            return record, payload | {"locale": locale}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simcord.interactions, "base_payload", with_locale)
            yield

    return inside
