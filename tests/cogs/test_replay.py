"""``/replay``: only where there is a replay, for everybody there, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from discord import app_commands
from people import Server, Speaking, bot_of, sent, texts
from simcord.asserts import assert_error

from bot import questions
from bot.answers import Answers
from bot.client import Leadline
from bot.clock import SetClock
from bot.cooldowns import Cooldowns, Rate
from bot.errors import UserError
from bot.permissions import Right, right_of
from bot.pictures import Pictures
from bot.replay import Playing, Replay
from bot.tree import Translator
from storage.store import Store

START = datetime(2026, 2, 3, 16, tzinfo=UTC)
MANY = Rate(burst=10**6, seconds=1)


@pytest.fixture
def simcord_bot(store: Store, pictures: Pictures) -> Leadline:
    replay = Replay(store, store, SetClock(START), Playing(speed=600))
    replay.end = START + timedelta(days=3)
    return Leadline(
        Answers(store, pictures, replay.clock),
        cooldowns=Cooldowns(person=MANY, server=MANY),
        replay=replay,
    )


def playing(server: Server) -> Playing:
    replay = bot_of(server).replay
    assert replay is not None
    return replay.playing


async def test_without_a_replay_there_is_no_such_command(server: Server, answers: Answers) -> None:
    assert "replay" in {command.name for command in bot_of(server).tree.get_commands()}
    plain = Leadline(answers, tells_commands=False)
    await plain.setup_hook()
    known = {command.name for command in plain.tree.get_commands()}
    assert "levels" in known
    assert "replay" not in known


async def test_its_names_question_and_rights_are_declared(server: Server) -> None:
    bot = bot_of(server)
    group = bot.tree.get_command("replay")
    assert isinstance(group, app_commands.Group)
    told = dict(await group.get_translated_payload(bot.tree, Translator(names=True)))
    parts = [
        told,
        *told["options"],
        *(option for leaf in told["options"] for option in leaf.get("options", ())),
    ]
    assert [part["name_localizations"]["zh-TW"] for part in parts] == [
        "重播", "檢視", "暫停", "恢復", "速度", "跳至", "倍數", "時點"
    ]  # fmt: skip
    assert all(re.search(r"[\u4e00-\u9fff]", part["description_localizations"]["zh-TW"]) for part in parts)
    assert questions.undeclared(bot.tree.get_commands()) == []
    leaves = [leaf for leaf in group.commands if isinstance(leaf, app_commands.Command)]
    assert len(leaves) == len(group.commands)
    assert {right_of(leaf.callback) for leaf in leaves} == {Right.MEMBER}


async def test_pause_speed_jump_and_show(server: Server, speaking: Speaking) -> None:
    async def said(name: str, **options: object) -> str:
        answer = sent(await server.alice.slash(server.channel, f"replay {name}", **options))
        return "\n".join([*texts(answer), answer.content])

    assert (await said("show")).splitlines() == [
        "**Replay** · 2026-02-03 16:00 UTC",
        "600 times real time.",
        "It reaches from 2026-02-03 16:00 to 2026-02-06 16:00 UTC.",
    ]
    assert "Paused. `/replay resume` lets it go on." in await said("pause")
    assert playing(server) == Playing(speed=600, paused=True)
    await said("resume")
    assert playing(server) == Playing(speed=600)
    assert "60 times real time." in await said("speed", times=60)
    # Full-width digits, and a zone of one's own.
    assert "On the way to 2026-02-05 10:00 UTC" in await said(
        "jump", to="\uff12\uff10\uff12\uff16-02-05T18:00+08:00"
    )
    assert playing(server).to == datetime(2026, 2, 5, 10, tzinfo=UTC)
    with speaking("zh-TW"):
        assert "速度為實際時間的 60 倍。" in await said("show")
        assert await said("jump", to="明天") == "「明天」不是時點：請寫成 2026-02-05 18:00。"
    assert_error(server.env, UserError)
    assert playing(server).to == datetime(2026, 2, 5, 10, tzinfo=UTC)
    offered = await server.alice.autocomplete(server.channel, "replay jump", "to", "02-0")
    assert [choice["value"] for choice in offered] == [f"2026-02-0{day} 00:00" for day in (4, 5, 6)]
