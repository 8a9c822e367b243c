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

from bot import names
from bot.answers import Answers
from bot.client import Leadline
from bot.reports import REPORTS
from bot.tree import Translator
from storage import marks

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


@pytest.mark.parametrize("localized", [False, True])
async def test_every_name_and_description_fits_and_is_translated(server: Server, localized: bool) -> None:
    assert isinstance(server.env.bot, Leadline)
    server.env.bot.translator = Translator(names=localized)
    commands = await payload(server.env.bot)
    assert 1 <= len(commands) <= MOST_COMMANDS
    assert len({command["name"] for command in commands}) == len(commands)
    for command in commands:
        for path, part in parts(command):
            is_choice = "value" in part
            if not is_choice:
                chinese_name = (part.get("name_localizations") or {}).get("zh-TW")
                assert (chinese_name is not None) is localized, f"{path}: see bot/names.py"
            for name in (part["name"], *(part.get("name_localizations") or {}).values()):
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


async def test_chinese_names_are_those_of_the_product(server: Server) -> None:
    assert isinstance(server.env.bot, Leadline)
    server.env.bot.translator = Translator(names=True)
    named = {
        path: (part.get("name_localizations") or {}).get("zh-TW")
        for command in await payload(server.env.bot)
        for path, part in parts(command)
        if "value" not in part
    }
    expected = {
        "levels": "關鍵價位",
        "levels instrument": "標的",
        "levels interval": "週期",
        "levels since": "起日",
        "flows": "資金流",
        "flows asset": "資產",
        "silver-margin": "白銀保證金",
        "silver-margin product": "商品",
        "silver-margin price": "價格",
        "silver-margin contracts": "口數",
        "silver-margin equity": "權益數",
        "stress": "市場壓力",
        "stress private": "僅自己可見",
        "level-book": "價位表",
        "ladder": "強平試算",
        "lights": "四燈",
        "macro": "總經",
        "digest": "定時快報",
        "alerts": "提醒",
        "data": "資料",
        "settings": "設定",
        "privacy": "隱私",
        "help": "說明",
        "level-book add": "新增",
        "level-book remove": "移除",
        "level-book list": "清單",
        "digest edit": "修改",
        "digest pause": "暫停",
        "digest now": "立即發布",
        "privacy show": "檢視",
        "privacy export": "匯出",
        "privacy delete": "刪除",
    }
    assert {path: named[path] for path in expected} == expected


async def test_no_two_have_the_same_name_beside_each_other(server: Server) -> None:
    """Discord refuses the whole list otherwise."""
    assert isinstance(server.env.bot, Leadline)
    server.env.bot.translator = Translator(names=True)
    commands = await payload(server.env.bot)
    besides = [commands, *(part.get("options", []) for command in commands for _, part in parts(command))]
    for beside in besides:
        for language in ("zh-TW", "en"):
            shown = [(part.get("name_localizations") or {}).get(language, part["name"]) for part in beside]
            assert len(set(shown)) == len(shown), shown


@pytest.mark.parametrize("table", [names.COMMANDS, names.OPTIONS])
def test_every_kept_name_is_one_that_discord_takes(table: dict[str, str]) -> None:
    for english, chinese in table.items():
        for name in (english, chinese):
            assert NAME.fullmatch(name), name
            assert name == name.lower()


async def test_turning_the_names_on_tells_discord_again(answers: Answers) -> None:
    for localized, expected in ((False, 1), (False, 0), (True, 1), (True, 0), (False, 1)):
        env = simcord.Env(Leadline(answers, localized_names=localized), strict_sync=False)
        await env.start()
        assert len(synced(env)) == expected
        await env.shutdown()


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


async def test_commands_are_for_servers_that_let_the_bot_in(server: Server) -> None:
    """Not for people who would take it along into servers that never asked for it."""
    assert isinstance(server.env.bot, Leadline)
    for command in await payload(server.env.bot):
        assert command["integration_types"] == [0], command["name"]
    in_servers_alone = {"settings", "level-book", "digest", "alerts"}
    named = {command["name"]: command.get("contexts") for command in await payload(server.env.bot)}
    assert {name for name, contexts in named.items() if contexts == [0]} == in_servers_alone


async def test_every_report_can_be_asked_without_an_option(server: Server) -> None:
    assert isinstance(server.env.bot, Leadline)
    for name in REPORTS:
        command = server.env.bot.tree.get_command(name)
        assert isinstance(command, app_commands.Command), name
        assert not any(parameter.required for parameter in command.parameters), name


def synced(env: simcord.Env) -> list[str]:
    return [
        request.path
        for request in env.http_requests
        if request.method == "PUT" and "commands" in request.path
    ]


async def test_commands_are_told_once_and_again_only_when_they_changed(answers: Answers) -> None:
    for expected in (1, 0):
        env = simcord.Env(Leadline(answers), strict_sync=False)
        await env.start()
        assert len(synced(env)) == expected
        await env.shutdown()

    changed = Leadline(answers)

    @changed.tree.command(name="another", description="Something new")
    async def another(interaction: discord.Interaction) -> None: ...

    env = simcord.Env(changed, strict_sync=False)
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
    env = simcord.Env(bot, strict_sync=False)
    await env.start()
    assert bot.is_ready()
    assert synced(env) == []
    async with answers.store.read() as db:
        assert await marks.read(db, f"commands:{bot.application_id}:global") is None
    await env.shutdown()


async def test_one_server_for_development(answers: Answers) -> None:
    env = simcord.Env(Leadline(answers, dev_guild_id=1), strict_sync=False)
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
