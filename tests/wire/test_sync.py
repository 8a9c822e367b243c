"""``leadline sync`` as an operator runs it: told, told to one server, taken away, refused."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import errands
from bot.errors import UserError
from bot.reports import REPORTS
from bot.settings import Settings
from storage import marks
from storage.store import Store
from tests.patience import PATIENCE
from tests.wire.conftest import Launch
from tests.wire.loopback import Answer, Discord
from tests.wire.payloads import APPLICATION, GUILD, TOKEN
from tests.wire.process import PROGRAM, ROOT

GLOBAL = f"/applications/{APPLICATION}/commands"
ONE = f"/applications/{APPLICATION}/guilds/{GUILD}/commands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    status: int
    out: str
    err: str


async def leadline(discord: Discord, database: Path, *arguments: str, token: str = TOKEN) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        discord.rest,
        discord.gateway.address,
        *arguments,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default,ignore:'audioop' is deprecated:DeprecationWarning",
            "DISCORD_TOKEN": token,
            "DATABASE_URL": str(database),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    ended = Ended(status=process.returncode or 0, out=out.decode(), err=err.decode())
    assert token not in ended.out + ended.err
    assert "Traceback" not in ended.err
    return ended


def names(discord: Discord, path: str) -> list[str]:
    return [command["name"] for command in discord.commands[path]]


def told(discord: Discord) -> list[str]:
    return [request.path for request in discord.requests if request.method == "PUT"]


async def test_told_now_and_not_again_by_the_next_start(
    discord: Discord, launch: Launch, database: Path
) -> None:
    ended = await leadline(discord, database, "sync")
    known = names(discord, GLOBAL)
    assert (ended.status, ended.out, ended.err) == (0, f"Commands for all servers: {len(known)}.\n", "")
    assert set(REPORTS) | {"settings", "help"} <= set(known)

    bot = await launch(discord, database)
    await discord.connected()
    await bot.logged("commands unchanged")
    assert told(discord) == [GLOBAL]
    ended = await leadline(discord, database, "sync", "--clear")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("A bot is already running on this store")


@pytest.fixture
def settings(discord: Discord, database: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an installation whose Discord is ours, in this process."""
    monkeypatch.setattr("discord.http.Route.BASE", discord.rest)
    return Settings(discord_token=SecretStr(TOKEN), database_url=str(database))


async def test_taken_away_and_forgotten(discord: Discord, settings: Settings) -> None:
    """What Discord was told last is remembered, also that it was nothing: the next start tells it again."""
    told_one = await errands.sync(settings, guild_id=int(GUILD), clear=False)
    known = names(discord, ONE)
    assert told_one == {int(GUILD): len(known)}
    assert set(REPORTS) <= set(known)
    assert GLOBAL not in discord.commands
    one, everybody = await remembered(settings, GUILD), await remembered(settings, "global")
    assert one["ids"] == {command["name"]: int(command["id"]) for command in discord.commands[ONE]}
    assert everybody == {}

    assert await errands.sync(settings, guild_id=int(GUILD), clear=True) == {None: 0, int(GUILD): 0}
    assert (names(discord, GLOBAL), names(discord, ONE)) == ([], [])
    assert told(discord) == [ONE, GLOBAL, ONE]
    assert (await remembered(settings, GUILD))["ids"] == {}
    assert (await remembered(settings, GUILD))["payload"] != one["payload"]


async def remembered(settings: Settings, scope: str) -> dict[str, Any]:
    store = await Store.open(settings.database_url, readonly=True)
    async with store.read() as db:
        text = await marks.read(db, f"commands:{APPLICATION}:{scope}")
    await store.close()
    return {} if text is None else dict(json.loads(text))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            (403, {"message": "Missing Access", "code": 50001}),
            "Discord refused it: the bot is not in that server",
        ),
        (
            (400, {"message": "Invalid Form Body", "code": 50035, "errors": {}}),
            "Discord does not take these commands",
        ),
        (
            (429, {"message": "You are being rate limited.", "retry_after": 500.0}),
            "Discord takes no more commands for now",
        ),
    ],
)
async def test_a_refusal_is_one_sentence_and_remembered_as_nothing(
    discord: Discord, settings: Settings, answer: Answer, sentence: str
) -> None:
    discord.trouble["PUT", ONE] = answer
    with pytest.raises(UserError, match=sentence) as refusal:
        await errands.sync(settings, guild_id=int(GUILD), clear=False)
    assert refusal.value.msgid.format(**refusal.value.values)
    assert await remembered(settings, GUILD) == {}


async def test_a_limit_says_when_it_ends(discord: Discord, settings: Settings) -> None:
    discord.trouble["PUT", GLOBAL] = (429, {"message": "You are being rate limited.", "retry_after": 500.0})
    with pytest.raises(UserError) as refusal:
        await errands.sync(settings, guild_id=None, clear=False)
    assert refusal.value.values == {"minutes": 9}


async def test_a_wrong_token_and_none_are_told(discord: Discord, settings: Settings) -> None:
    wrong = settings.model_copy(update={"discord_token": SecretStr("canary-not-this-one")})
    with pytest.raises(UserError, match="Discord refused the token"):
        await errands.sync(wrong, guild_id=None, clear=False)
    with pytest.raises(UserError, match="There is no DISCORD_TOKEN"):
        await errands.sync(wrong.model_copy(update={"discord_token": None}), guild_id=None, clear=False)
    assert told(discord) == []
