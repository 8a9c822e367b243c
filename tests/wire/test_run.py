"""``leadline run``: started, asked, asked by many, killed and started again."""

from __future__ import annotations

import asyncio
import io
import shutil
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bot.reports import REPORTS
from storage import lock
from tests.wire import rules
from tests.wire.conftest import Launch, Open
from tests.wire.loopback import Answer, Discord
from tests.wire.payloads import (
    ALICE,
    APPLICATION,
    BOB,
    CHANNEL,
    DEFERRED,
    DEFERRED_EDIT,
    EDIT,
    GUILD,
    MESSAGE,
    MODERATOR,
    Person,
)
from tests.wire.stalls import Stalls

GLOBAL = f"/applications/{APPLICATION}/commands"
DEV = f"/applications/{APPLICATION}/guilds/{GUILD}/commands"
LATER = 30.0
"""Seconds after which a machine that stalled may be well again, and a server may ask fifty times anew."""
EARLIER = {"id": "1", "name": "levels"}
"""A command that Discord knows from an earlier start."""


def synced(discord: Discord) -> list[str]:
    return [request.path for request in discord.requests if request.method == "PUT"]


async def test_first_start_first_answers_kill_and_restart(
    launch: Launch, discord: Discord, tmp_path: Path
) -> None:
    database = tmp_path / "new" / "leadline.db"
    bot = await launch(discord, database)
    identify = await discord.connected()

    # Guilds alone: no message, no member, no presence.
    assert identify["d"]["intents"] == 1
    await bot.logged("the store was empty: the sample is loaded")
    known = [command["name"] for command in discord.commands[GLOBAL]]
    assert known[: len(REPORTS)] == list(REPORTS)

    card = await discord.slash(ALICE, "levels", since="2026-01-28")
    message = await card.answer()
    assert not card.ephemeral
    assert rules.texts(message).endswith("sample, ends 2026-02-06")
    assert "**BTC 70,544** · " in rules.texts(message)
    assert Image.open(io.BytesIO(card.picture)).size == (1280, 720)
    assert list(rules.buttons(message)) == [
        "30m",
        "1h",
        "4h",
        "1d",
        "Details",
        "CSV",
        "中文",
        "Alert at this level",
        "Delete",
    ]

    before = card.picture
    for presser in (ALICE, MODERATOR):
        pressed = await discord.press(presser, card, "4h")
        assert (await pressed.answer())["id"] == message["id"]
        assert pressed.kind in {EDIT, DEFERRED_EDIT}
        assert pressed.picture != before

    for presser, label in ((BOB, "1h"), (BOB, "中文"), (ALICE, "Details"), (ALICE, "CSV")):
        pressed = await discord.press(presser, card, label)
        await pressed.answer()
        assert pressed.kind in {MESSAGE, DEFERRED}
        assert pressed.ephemeral

    wrong = await discord.slash(ALICE, "levels", instrument="DOGE")
    assert "DOGE" in (await wrong.answer())["content"]
    assert wrong.ephemeral

    # Nothing but the log was said, and nothing in it is worse than information.
    assert {line["level"] for line in bot.log()} == {"info"}
    assert bot.out == []

    bot.process.kill()
    assert await bot.ended() == -signal.SIGKILL
    # The file stays; the lock went with the process.
    assert lock.held(database.with_name("leadline.db.lock")) is False

    again = await launch(discord, database)
    await discord.connected()
    await again.logged("commands unchanged")
    assert synced(discord) == [GLOBAL]
    pressed = await discord.press(ALICE, card, "1d")
    assert (await pressed.answer())["id"] == message["id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How Discord does not take the commands, and what the log says of it."""

    answer: Answer
    reason: str
    path: str = GLOBAL


ONE_SERVER = Refusal(answer=(403, {"message": "Missing Access", "code": 50001}), reason="50001", path=DEV)
# discord.py repeats such a call for 25 s.
REPEATED = Refusal(answer=(500, {"message": "Internal Server Error", "code": 0}), reason="TimeoutError")
REFUSALS = [
    ONE_SERVER,
    Refusal(answer=(400, {"message": "Invalid Form Body", "code": 50035, "errors": {}}), reason="50035"),
    # A day's allowance of new commands used up: longer than the bot is willing to wait.
    Refusal(
        answer=(429, {"message": "You are being rate limited.", "retry_after": 500.0}),
        reason="Too many requests",
    ),
    REPEATED,
]


async def test_without_its_commands_taken_the_bot_answers_and_tries_again_at_the_next_start(
    launch: Launch, opened: Open, database: Path, tmp_path: Path
) -> None:
    async def refused(number: int, refusal: Refusal) -> None:
        discord = await opened()
        store = shutil.copy(database, tmp_path / f"{number}.db")
        settings = {"DEV_GUILD_ID": GUILD} if refusal.path == DEV else {}
        if refusal is REPEATED:
            settings["REAL_LIMITS"] = "START_SECONDS"
        discord.commands[GLOBAL] = [EARLIER]
        discord.trouble["PUT", refusal.path] = refusal.answer

        bot = await launch(discord, store, **settings)
        await discord.connected()
        failed = await bot.logged("commands not synced")
        assert failed["level"] == "warning"
        assert refusal.reason in failed["reason"]
        asked = await discord.slash(ALICE, "levels")
        assert "**BTC 70,544** · " in rules.texts(await asked.answer())

        if refusal is ONE_SERVER:
            bot.interrupt(signal.SIGTERM)
            assert await bot.ended() == 0
            discord.trouble.clear()
            await launch(discord, store, **settings)
            await discord.connected()
            known = [command["name"] for command in discord.commands[DEV]]
            assert known[: len(REPORTS)] == list(REPORTS)
        assert set(synced(discord)) == {refusal.path}

    await asyncio.gather(*(refused(number, refusal) for number, refusal in enumerate(REFUSALS)))


async def test_fifty_at_once(launch: Launch, discord: Discord, database: Path) -> None:
    bot = await launch(discord, database, LOG_LEVEL="DEBUG")
    await discord.connected()

    people = [Person(id=str(500000000000000000 + n), name=f"member {n}") for n in range(50)]
    # The plainest question, which is also drawn ahead at the start: all the same it is drawn once.
    # Asked anew, of other days, once the machine no longer stalls.
    for asking, of in enumerate(({}, *({"since": f"2026-01-{day}"} for day in range(18, 24)))):
        # Each for themselves: of fifty cards for all, all but the first would be links to it.
        async with Stalls() as stalls:
            many = [await discord.slash(person, "levels", private=True, **of) for person in people]
            cards = [await asked.answer() for asked in many]

        assert {asked.kind for asked in many} <= {MESSAGE, DEFERRED}
        assert Counter(asked.followups for asked in many) == {0: 50}
        assert all(asked.ephemeral for asked in many)
        assert len({rules.texts(card) for card in cards}) == 1
        assert len({asked.picture for asked in many}) == 1
        # One for the fifty; the other is the plainest question, asked by the bot itself to warm up.
        assert sum(event.startswith("drew levels") for event in bot.events()) <= 2 + asking
        slowest = max(asked.waited for asked in many)
        if slowest < 3 or not stalls.seen:
            break
        await asyncio.sleep(LATER)
    assert slowest < 3
    # At DEBUG, too, a line stays a line: no payload, no rows of the store.
    assert max(len(line) for line in bot.err) < 1000


async def test_the_same_question_twice_while_the_first_card_is_being_drawn(
    launch: Launch, discord: Discord, database: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    bot = await launch(discord, database, DRAWING_GATE=str(gate))
    await discord.connected()
    for since in (f"2026-01-{day}" for day in range(29, 23, -1)):
        async with Stalls() as stalls:
            first = await discord.slash(ALICE, "levels", since=since)
            again = await discord.slash(BOB, "levels", since=since)
            for asked in (first, again):
                await asked.first_answer()
                assert asked.kind == DEFERRED
        gate.touch()
        # One card for all; whoever asked meanwhile has their own.
        assert rules.texts(await first.answer()) == rules.texts(await again.answer())
        assert (first.ephemeral, again.ephemeral) == (False, True)
        slowest = max(first.waited, again.waited)
        if slowest < 3 or not stalls.seen:
            break
        # Asked anew, of another day, once the machine no longer stalls.
        gate.unlink()
        await asyncio.sleep(LATER)
    # In time, although the second had waited for the first before it began.
    assert slowest < 3
    # Now that it is there, it is pointed at, as soon as the bot knows.
    await bot.logged("interaction", interaction=int(first.id))
    third = await discord.slash(MODERATOR, "levels", since=since)
    told = rules.texts(await third.answer())
    assert told.endswith(f"https://discord.com/channels/{GUILD}/{CHANNEL}/{first.message['id']}")
    assert third.ephemeral
    assert third.followups == first.followups == again.followups == 0
