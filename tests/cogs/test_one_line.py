"""What the log says of an interaction, what it never says, and how much may be asked at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import simcord
import structlog
from people import Server, bot_of, buttons, sent
from raw import COMMAND, COMPONENT, Asked, command, message_of

from bot.cooldowns import Cooldowns, Rate

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def told(lines: Lines) -> Lines:
    """The lines about interactions, which are taken out."""
    found = [line for line in lines if line["event"] == "interaction"]
    lines.clear()
    return found


FIELDS = {"event", "log_level", "interaction", "what", "server", "outcome", "ack_ms", "total_ms", "cache"}


async def test_a_command_is_one_line(server: Server, lines: Lines) -> None:
    asked = await server.alice.slash(server.channel, "levels", since="2026-01-28")
    [line] = told(lines)
    assert set(line) == FIELDS
    assert line["interaction"] == asked._interaction.id
    assert line["what"] == "/levels"
    assert line["server"] == server.alice.guild.id
    assert line["outcome"] == "answered"
    assert line["log_level"] == "info"
    assert 0 <= line["ack_ms"] <= line["total_ms"]
    assert line["cache"] == "miss"

    await server.bob.slash(server.channel, "levels", since="2026-01-28", private=True)
    [line] = told(lines)
    assert line["cache"] == "hit"


async def test_a_press_is_one_line(server: Server, lines: Lines) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    told(lines)
    for label, what in (("4h", "levels to"), ("Details", "levels more"), ("中文", "levels lang")):
        await server.alice.click(sent(asked), label=label)
        [line] = told(lines)
        assert (line["what"], line["outcome"]) == (what, "answered")
        assert line["ack_ms"] is not None
    await server.bob.click(sent(asked), label="Delete")
    [line] = told(lines)
    assert (line["what"], line["outcome"]) == ("DeleteButton", "refused")
    assert line["reason"] == "Only the person who asked and moderators can do this."


async def test_an_autocomplete_is_a_line_for_those_who_look_closely(server: Server, lines: Lines) -> None:
    await server.alice.autocomplete(server.channel, "levels", "instrument", "canary")
    [line] = told(lines)
    assert (line["what"], line["outcome"], line["log_level"]) == ("/levels", "answered", "debug")
    assert line["ack_ms"] is not None


async def test_a_private_chat_has_no_server(server: Server, lines: Lines) -> None:
    await server.alice.user.slash("levels")
    [line] = told(lines)
    assert line["server"] is None


async def test_the_outcomes(server: Server, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.alice.slash(server.channel, "levels")
    await server.bob.slash(server.channel, "levels")
    assert [line["outcome"] for line in told(lines)] == ["answered", "repeated"]

    await server.alice.slash(server.channel, "levels", instrument="DOGE")
    [line] = told(lines)
    assert line["outcome"] == "refused"
    assert "{" in line["reason"]
    assert "DOGE" not in json.dumps(line)
    simcord.assert_error(server.env)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bot_of(server).answers, "answer", broken)
    await server.alice.slash(server.channel, "levels", private=True)
    events = [line["event"] for line in lines]
    assert events.count("unexpected error") == 1
    [line] = told(lines)
    assert line["outcome"] == "failed"
    simcord.assert_error(server.env)


@pytest.mark.parametrize(
    ("code", "status", "outcome"), [(10062, 404, "late"), (40060, 400, "replayed"), (10015, 404, "late")]
)
async def test_what_discord_no_longer_takes_is_not_tried_again(
    server: Server, lines: Lines, code: int, status: int, outcome: str
) -> None:
    asked = Asked(server.env, COMMAND, server.alice, server.channel, command("levels", []))
    path = f"/interactions/{asked.record.id}/{asked.record.token}/callback"
    server.env.inject_error("POST", path, status=status, code=code)
    await asked.deliver()
    assert asked.answers() == 1
    events = [line["event"] for line in lines]
    assert "unexpected error" not in events
    [line] = told(lines)
    assert (line["outcome"], line["ack_ms"]) == (outcome, None)
    simcord.assert_error(server.env)


async def test_an_interaction_delivered_twice_is_two_lines(server: Server, lines: Lines) -> None:
    asked = Asked(server.env, COMMAND, server.alice, server.channel, command("levels", [flag("private")]))
    await asked.deliver(2)
    assert [line["outcome"] for line in told(lines)] == ["answered", "replayed"]
    simcord.assert_error(server.env)


def flag(name: str) -> dict[str, Any]:
    return {"name": name, "type": 5, "value": True}


async def test_a_command_that_is_gone_is_a_line_too(server: Server, lines: Lines) -> None:
    gone = Asked(server.env, COMMAND, server.alice, server.channel, command("canary-of-old", []))
    answered = await gone.deliver()
    assert sent(answered).content == "This command has just changed. Reload Discord and ask again."
    [line] = told(lines)
    assert (line["what"], line["outcome"]) == ("unknown command", "refused")
    simcord.assert_error(server.env)


async def test_nothing_anybody_typed_stands_in_a_line(server: Server, lines: Lines) -> None:
    canary = "canary-76.53"
    await server.alice.slash(server.channel, "levels", instrument=canary, since=canary)
    await server.alice.slash(server.channel, "silver-margin", price="76.53", contracts=37, equity="2345678")
    await server.alice.autocomplete(server.channel, "levels", "instrument", canary)
    asked = await server.alice.slash(server.channel, "silver-margin", price="76.53")
    await server.alice.click(sent(asked), label="SIL")
    # A press that nobody could make: the words come from a custom_id.
    forged = f"ll1|levels|to|{canary}|en|{canary}|30m||"
    on = message_of(sent(asked))
    on["components"] = [
        {"type": 1, "id": 90, "components": [{"type": 2, "id": 91, "style": 2, "custom_id": forged}]}
    ]
    data = {"custom_id": forged, "component_type": 2}
    await Asked(server.env, COMPONENT, server.alice, server.channel, data, on=on).deliver()
    found = told(lines)
    assert len(found) == 6
    for secret in (canary, "76.53", "2345678", "alice", str(server.alice.id)):
        assert secret not in json.dumps(found)
    simcord.assert_error(server.env)


async def test_a_flood_is_told_when_to_come_back_and_disturbs_nobody(server: Server, lines: Lines) -> None:
    seconds = 0.0
    bot_of(server).cooldowns = Cooldowns(
        person=Rate(burst=3, seconds=5), server=Rate(burst=60, seconds=0.5), clock=lambda: seconds
    )
    card = await server.alice.slash(server.channel, "levels")
    await server.alice.click(sent(card), label="Details")
    await server.alice.click(sent(card), label="CSV")
    for refused in (
        await server.alice.slash(server.channel, "flows"),
        await server.alice.click(sent(card), label="Delete"),
    ):
        assert refused.ephemeral
        assert sent(refused).content == "That was a lot at once. Try again in 5 s."
    assert [line["outcome"] for line in told(lines)] == ["answered"] * 3 + ["refused"] * 2
    # Typing is not asking.
    assert await server.alice.autocomplete(server.channel, "levels", "instrument", "btc")
    # Somebody else is not slowed.
    assert not (await server.bob.slash(server.channel, "flows")).ephemeral
    seconds = 5.0
    assert not (await server.alice.slash(server.channel, "stress")).ephemeral
    assert "Delete" in buttons(sent(card))


async def test_a_custom_id_of_another_version_is_not_told(server: Server, lines: Lines) -> None:
    asked = await server.alice.slash(server.channel, "levels")
    told(lines)
    on = message_of(sent(asked))
    old = "ll0|canary|to|4h|en"
    on["components"] = [
        {"type": 1, "id": 90, "components": [{"type": 2, "id": 91, "style": 2, "custom_id": old}]}
    ]
    press = Asked(
        server.env, COMPONENT, server.alice, server.channel, {"custom_id": old, "component_type": 2}, on=on
    )
    await press.deliver()
    [line] = told(lines)
    assert (line["what"], line["outcome"]) == ("CardButton", "refused")
