"""Interactions made by hand, for what SimCord's people would not do: the same twice, or without any right."""

from __future__ import annotations

import copy
from typing import Any

import discord
import simcord
from simcord.backend import serializers
from simcord.interactions import base_payload, build_options
from simcord.results import InteractionResult

from bot.client import Leadline

COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
Person = simcord.MemberActor | simcord.UserHandle
Payload = dict[str, Any]


class Asked:
    """An interaction that can be delivered again and again."""

    def __init__(
        self,
        env: simcord.Env,
        kind: int,
        by: Person,
        channel: Any,
        data: Payload,
        *,
        on: Payload | None = None,
    ) -> None:
        """``on`` is the message of a component."""
        guild = by.guild.id if isinstance(by, simcord.MemberActor) else None
        self.env = env
        self.record, self.payload = base_payload(
            env.backend, type=kind, channel_id=channel.id, guild_id=guild, user_id=by.id, data=data
        )
        if on is not None:
            self.payload["message"] = on
            self.record.source_message_id = int(on["id"])

    async def deliver(self, times: int = 1) -> InteractionResult:
        """As Discord would, ``times`` without waiting for an answer; the result of the first."""
        for _ in range(times):
            self.env.backend.emit("INTERACTION_CREATE", copy.deepcopy(self.payload))
        await self.env.settle()
        return self.result()

    def result(self) -> InteractionResult:
        return InteractionResult(self.env, self.record)

    def interaction(self) -> discord.Interaction[Leadline]:
        """As discord.py hands it to a handler."""
        state = self.env.bot._connection
        return discord.Interaction(data=copy.deepcopy(self.payload), state=state)  # type: ignore[arg-type]

    def answers(self) -> int:
        """How many first answers Discord was sent for it."""
        path = f"/interactions/{self.record.id}/{self.record.token}/callback"
        return sum(request.path == path for request in self.env.http_requests)


def command(name: str, options: list[Payload], resolved: Payload | None = None) -> Payload:
    """The data of a command; ``name`` is its qualified name."""
    first, *rest = name.split()
    for depth, part in reversed(list(enumerate(rest, start=1))):
        options = [{"name": part, "type": 1 if depth == len(rest) else 2, "options": options}]
    data = {"id": "1", "name": first, "type": 1, "options": options}
    return data | ({"resolved": resolved} if resolved else {})


def message_of(card: simcord.ResponseMessage) -> Payload:
    """A message as it comes with a press on it."""
    env = card._env
    return dict(serializers.message_payload(env.backend, env.backend.get_message(card.channel_id, card.id)))


def options_of(
    by: Person, channel: Any, role: Any, leaf: discord.app_commands.Command[Any, Any, Any]
) -> tuple[list[Payload], Payload]:
    """The fewest options with which a command can be asked, and what Discord resolves of them."""
    spec: Payload = {"options": [parameter_spec(parameter) for parameter in leaf.parameters]}
    given = {
        option["name"]: value_for(option, by, channel, role)
        for option in spec["options"]
        if option["required"]
    }
    return build_options(by, leaf.name, spec, given, channel_id=channel.id)


def parameter_spec(parameter: discord.app_commands.Parameter) -> Payload:
    return {
        "name": parameter.display_name,
        "type": parameter.type.value,
        "required": parameter.required,
        "choices": [choice.to_dict() for choice in parameter.choices],
    }


MEANT = {"level": "73600", "price": "61.5k", "time": "09:00"}
"""What must be typed so that a command changes something, by its option."""


def value_for(option: Payload, by: Person, channel: Any, role: Any) -> Any:
    """Something of the option's type that Discord would take."""
    if option["choices"]:
        return option["choices"][0]["value"]
    match discord.AppCommandOptionType(option["type"]):
        case discord.AppCommandOptionType.string:
            return MEANT.get(option["name"], "1")
        case discord.AppCommandOptionType.integer | discord.AppCommandOptionType.number:
            return 1
        case discord.AppCommandOptionType.boolean:
            return True
        case discord.AppCommandOptionType.user | discord.AppCommandOptionType.mentionable:
            return by
        case discord.AppCommandOptionType.channel:
            return channel
        case discord.AppCommandOptionType.role:
            return role
        case discord.AppCommandOptionType.attachment:
            return ("file.txt", b"x")
        case other:
            raise AssertionError(other)
