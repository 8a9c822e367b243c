"""The whole command tree, walked once for all: names, descriptions, translations, Discord's limits, syncing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import discord
import pytest
import simcord
from discord import app_commands
from people import Server, body_of

from bot.answers import Answers
from bot.client import Leadline
from storage import marks

pytestmark = pytest.mark.simcord(settle_timeout=30)

# Discord's own rule, with the scripts it names; discord.py does not check translated names.
NAME = re.compile(r"[-_'\w]{1,32}")
MOST_CHOICES, MOST_OPTIONS, MOST_COMMANDS, MOST_CHARACTERS = 25, 25, 100, 8000


async def payload(bot: Leadline) -> list[dict[str, Any]]:
    """What Discord is told, every translation in it."""
    return [
        dict(await command.get_translated_payload(bot.tree, bot.translator))
        for command in bot.tree.get_commands()
    ]


def parts(of: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A command with its subcommands, options and choices, each with its path."""

    def walk(path: str, part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield path, part
        for option in part.get("options", ()):
            yield from walk(f"{path} {option['name']}", option)
        for choice in part.get("choices", ()):
            yield f"{path}={choice['value']}", choice

    return walk(of["name"], of)


async def test_every_name_and_description_fits_and_is_translated(server: Server) -> None:
    assert isinstance(server.env.bot, Leadline)
    commands = await payload(server.env.bot)
    assert 1 <= len(commands) <= MOST_COMMANDS
    assert len({command["name"] for command in commands}) == len(commands)
    for command in commands:
        for path, part in parts(command):
            is_choice = "value" in part
            names = [part["name"], *(part.get("name_localizations") or {}).values()]
            for name in names:
                assert 1 <= len(name) <= (100 if is_choice else 32), path
                assert is_choice or (NAME.fullmatch(name) and name == name.lower()), path
            if is_choice:
                # A ticker is the same in every language.
                assert part["name"] == part["value"] or (part.get("name_localizations") or {}).get("zh-TW"), (
                    path
                )
                continue
            chinese = (part.get("description_localizations") or {}).get("zh-TW")
            assert chinese, path
            assert re.search(r"[\u4e00-\u9fff]", chinese), path
            assert all(1 <= len(text) <= 100 for text in (part["description"], chinese)), path
            assert len(part.get("options", ())) <= MOST_OPTIONS, path
            assert len(part.get("choices", ())) <= MOST_CHOICES, path


async def test_no_command_is_longer_than_discord_takes(server: Server) -> None:
    assert isinstance(server.env.bot, Leadline)
    for command in await payload(server.env.bot):
        characters = 0
        for _path, part in parts(command):
            for field in ("name", "description"):
                translated = (part.get(f"{field}_localizations") or {}).values()
                characters += max(len(text) for text in (part.get(field, ""), *translated))
            characters += len(str(part.get("value", "")))
        assert characters <= MOST_CHARACTERS, command["name"]


async def test_every_command_can_be_asked_without_an_option(server: Server) -> None:
    """Every report, that is: who changes something says what."""
    for command in server.env.bot.tree.get_commands():  # type: ignore[attr-defined] # a Leadline
        if isinstance(command, app_commands.Group):
            continue
        assert isinstance(command, app_commands.Command)
        assert not any(parameter.required for parameter in command.parameters), command.name


def synced(env: simcord.Env) -> list[str]:
    return [
        request.path
        for request in env.http_requests
        if request.method == "PUT" and "commands" in request.path
    ]


async def test_commands_are_told_once_and_again_only_when_they_changed(answers: Answers) -> None:
    for expected in (1, 0):
        env = simcord.Env(Leadline(answers), settle_timeout=30, strict_sync=False)
        await env.start()
        assert len(synced(env)) == expected
        await env.shutdown()

    changed = Leadline(answers)

    @changed.tree.command(name="another", description="Something new")
    async def another(interaction: discord.Interaction) -> None: ...

    env = simcord.Env(changed, settle_timeout=30, strict_sync=False)
    await env.start()
    assert len(synced(env)) == 1
    await env.shutdown()


async def test_a_sync_that_fails_keeps_the_old_commands_and_is_tried_again(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise app_commands.AppCommandError("50035")

    bot = Leadline(answers)
    monkeypatch.setattr(bot.tree, "sync", refuse)
    env = simcord.Env(bot, settle_timeout=30, strict_sync=False)
    await env.start()
    assert bot.is_ready()
    assert synced(env) == []
    async with answers.store.read() as db:
        assert await marks.read(db, f"commands:{bot.application_id}:global") is None
    await env.shutdown()


async def test_one_server_for_development(answers: Answers) -> None:
    env = simcord.Env(Leadline(answers, dev_guild_id=1), settle_timeout=30, strict_sync=False)
    guild = env.create_guild("dev")
    env.bot._dev_guild_id = guild.id  # type: ignore[attr-defined] # known only now
    await env.start()
    assert [path for path in synced(env) if f"/guilds/{guild.id}/" in path] == synced(env)
    await env.shutdown()


async def test_a_card_is_nothing_but_a_card(server: Server) -> None:
    """The callback carries nothing but the card: no content, no embed, no ping."""
    result = await server.alice.slash(server.channel, "levels")
    assert result.response is not None
    [request] = [request for request in server.env.http_requests if request.path.endswith("/callback")]
    data = body_of(request)["data"]
    assert data["flags"] & discord.MessageFlags.components_v2.flag
    assert not data.get("content")
    assert not data.get("embeds")
    assert data["allowed_mentions"] == {"parse": []}
