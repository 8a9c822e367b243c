"""Who may do what, from the tree and from every class that answers a press: nobody passes without the right.

Written over what there is: a command, button, select or form that is added later is
covered as soon as the bot loads it.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import itertools
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import discord
import hypothesis
import pytest
import simcord
from discord import app_commands, ui
from discord.ext import commands
from hypothesis import strategies as st
from people import Server, bot_of, buttons, sent
from raw import (
    COMMAND,
    COMPONENT,
    FORM,
    Asked,
    Payload,
    Person,
    command,
    message_of,
    options_of,
)
from sqlalchemy import select

import bot
import cogs
from bot.client import Leadline
from bot.errors import AlreadyDone, UserError
from bot.handlers import Form, Pressable
from bot.permissions import Right, open_to, right_of
from bot.respond import DeleteButton
from storage import handled, marks, schema, servers
from storage.servers import ServerSettings
from storage.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent
REFUSALS = {
    "Only the person who asked and moderators can do this.",
    "Only moderators can do this: whoever may manage the server, or has the role chosen in /settings.",
    "Nobody may do this.",
}


# What there is


def import_all() -> None:
    for package in (bot, cogs):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name != "bot.__main__":
                importlib.import_module(module.name)


def below(parent: type) -> Iterator[type]:
    """Every subclass, of whatever depth."""
    children: list[type] = parent.__subclasses__()
    for child in children:
        yield child
        yield from below(child)


def ours(parent: type) -> list[type]:
    """Subclasses in the product that are not themselves made to be derived from.

    Each bot loads the cogs anew: a class of an earlier one may still be there, until it is collected.
    """
    import_all()
    found = dict.fromkeys(
        child
        for child in below(parent)
        if child.__module__.split(".")[0] in {"bot", "cogs"}
        and getattr(sys.modules[child.__module__], child.__qualname__, child) is child
    )
    return [child for child in found if child not in {Pressable, Form}]


def leaves(leadline: Leadline) -> list[app_commands.Command[Any, Any, Any] | app_commands.ContextMenu]:
    """Every command that can be called, out of groups and of groups in groups."""
    tree = leadline.tree
    return [
        *(one for one in tree.walk_commands() if isinstance(one, app_commands.Command)),
        *tree.walk_commands(type=discord.AppCommandType.user),
        *tree.walk_commands(type=discord.AppCommandType.message),
    ]


# Samples, so that the sweep below is known to bite whatever the product has


@open_to(Right.MODERATOR)
class SampleButton(Pressable[ui.Button[Any]], template=r"sample-button:(?P<n>\d)"):
    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> SampleButton:
        return cls(item)  # type: ignore[arg-type] # the template matches only these

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        await count(interaction)


@open_to(Right.ASKER)
class SampleChoice(Pressable[ui.RoleSelect[Any]], template=r"sample-choice"):
    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> SampleChoice:
        return cls(item)  # type: ignore[arg-type] # the template matches only these

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        await count(interaction)


@open_to(Right.MODERATOR)
class SampleForm(Form, title="Sample"):
    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        await count(interaction)


class SampleUndeclared(Form, title="Sample"):
    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        await count(interaction)


async def count(interaction: discord.Interaction[Leadline]) -> None:
    """Changes the store as every handler that changes something does."""
    leadline = interaction.client
    now = leadline.clock.now()
    async with leadline.answers.store.write() as db:
        if not await handled.first_time(db, interaction.id, now=now):
            raise AlreadyDone("That is done already.")
        await marks.write(db, "sample", str(int(await marks.read(db, "sample") or "0") + 1))
    await interaction.response.send_message("done", ephemeral=True)


class Samples(commands.GroupCog, group_name="sample"):
    inner = app_commands.Group(name="inner", description="A group in a group")

    @inner.command(description="Changes something")
    @open_to(Right.MODERATOR)
    async def change(
        self,
        interaction: discord.Interaction[Leadline],
        text: str,
        number: app_commands.Range[int, 1, 9],
        role: discord.Role,
        channel: discord.TextChannel,
        member: discord.Member,
    ) -> None:
        await count(interaction)

    @app_commands.command(description="Nobody has said who may")
    async def undeclared(self, interaction: discord.Interaction[Leadline]) -> None:
        await count(interaction)


@pytest.fixture
async def sampled(server: Server) -> Server:
    leadline = bot_of(server)
    await leadline.add_cog(Samples())
    leadline.add_dynamic_items(SampleButton, SampleChoice)
    return server


# (a) the registry


async def test_every_command_declares_its_right(server: Server) -> None:
    found = leaves(bot_of(server))
    assert len(found) >= 4
    assert [one.qualified_name for one in found if right_of(one.callback) is None] == []


async def test_the_walk_finds_what_is_in_a_group_and_what_is_undeclared(sampled: Server) -> None:
    found = {one.qualified_name: right_of(one.callback) for one in leaves(bot_of(sampled))}
    assert found["sample inner change"] is Right.MODERATOR
    assert found["sample undeclared"] is None


def test_every_button_select_and_form_declares_its_right() -> None:
    found = [*ours(ui.DynamicItem), *ours(ui.Modal)]
    assert len(found) >= 2
    assert [one.__qualname__ for one in found if "__leadline_right__" not in vars(one)] == []
    assert [one.__qualname__ for one in found if right_of(one) is None] == []


def test_every_press_and_form_goes_through_the_door() -> None:
    """Only there is the right checked; nothing else of discord.py's that answers is used."""
    assert [one for one in ours(ui.DynamicItem) if not issubclass(one, Pressable)] == []
    assert [one for one in ours(ui.Modal) if not issubclass(one, Form)] == []
    doors = {"callback", "on_submit", "interaction_check", "_scheduled_task", "_dispatch_submit"}
    assert [one for one in [*ours(Pressable), *ours(Form)] if doors & set(vars(one))] == []
    others = [one for one in ours(ui.Item) if not issubclass(one, Pressable)]
    assert [one for one in others if "callback" in vars(one)] == []
    # Neither @ui.button in a class nor button.callback = something.
    holders = [one for parent in (ui.View, ui.LayoutView, ui.Item) for one in ours(parent)]
    decorated = [one for one in holders for value in vars(one).values() if hasattr(value, _DECORATED)]
    assert decorated == []
    sources = [file for folder in ("bot", "cogs") for file in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 20
    assert [file for file in sources if re.search(r"\.callback\s*=[^=]", file.read_text("utf-8"))] == []


_DECORATED = "__discord_ui_model_type__"


async def test_every_button_and_select_is_known_after_a_restart(server: Server) -> None:
    known = set(bot_of(server)._connection._view_store._dynamic_items.values())
    assert set(ours(Pressable)) <= known


# (b) handler x role x context x channel override


KINDS = {
    ui.Item: 2,  # whatever it stands on, a button says as much as any
    ui.Button: 2,
    ui.Select: 3,
    ui.UserSelect: 5,
    ui.RoleSelect: 6,
    ui.MentionableSelect: 7,
    ui.ChannelSelect: 8,
}


def kind_of(pressable: type) -> int:
    """Discord's number for what a Pressable stands on, from ``Pressable[ui.Button[Any]]``."""
    for parent in pressable.__mro__:
        for base in vars(parent).get("__orig_bases__", ()):
            for argument in get_args(base):
                if (item := get_origin(argument) or argument) in KINDS:
                    return KINDS[item]
    raise AssertionError(f"what does {pressable.__qualname__} stand on?")


@functools.cache
def custom_id_of(pressable: Any) -> str:
    """The shortest custom_id that a Pressable answers to."""
    pattern: re.Pattern[str] = pressable.__discord_ui_compiled_template__
    return hypothesis.find(
        st.from_regex(pattern, fullmatch=True).filter(lambda text: 1 <= len(text) <= 100),
        lambda _: True,
        settings=hypothesis.settings(database=None, deadline=None, max_examples=50),
    )


def component(custom_id: str, kind: int) -> Payload:
    part: Payload = {"type": kind, "id": 91, "custom_id": custom_id, "disabled": False}
    match kind:
        case 2:
            part |= {"style": 2, "label": "Sample"}
        case 3:
            part |= {"options": [{"label": "1", "value": "1"}]}
        case _:
            pass
    return part


@dataclass(frozen=True)
class Scene:
    """Who asks, where; ``asker`` when the card pressed was made for them."""

    name: str
    by: Person
    channel: Any
    asker: bool
    holds_role: bool
    let_in: bool = True
    """Whether the bot was let into the server, and not brought along by whoever asks."""


@dataclass(frozen=True)
class Handler:
    name: str
    right: Right | None
    target: Any


def handlers(leadline: Leadline) -> list[Handler]:
    pressables = [*ours(Pressable), SampleButton, SampleChoice]
    forms = [*ours(Form), SampleForm, SampleUndeclared]
    found = [
        *(Handler(one.qualified_name, right_of(one.callback), one) for one in leaves(leadline)),
        *(Handler(one.__qualname__, right_of(one), one) for one in (*pressables, *forms)),
    ]
    # Last, for the others press the same card.
    return sorted(found, key=lambda one: one.target is DeleteButton)


def may(right: Right | None, scene: Scene, permissions: int) -> bool:
    """The rule, once more and in other words than the product's."""
    in_server = isinstance(scene.by, simcord.MemberActor)
    keeps = in_server and scene.let_in and bool(permissions & (0x8 | 0x20) or scene.holds_role)
    match right:
        case Right.MEMBER:
            return True
        case Right.ASKER:
            return scene.asker or keeps
        case Right.MODERATOR:
            return keeps
        case _:
            return False


@dataclass(frozen=True)
class Matrix:
    scenes: tuple[Scene, ...]
    role: Any
    cards: dict[int, Payload]
    """A card of alice's, as it comes with a press, by channel."""


async def matrix_of(server: Server) -> Matrix:
    """Roles x contexts x overrides as Discord computes them, a moderator role chosen among them."""
    guild, env = server.alice.guild, server.env
    chosen = guild.create_role("chosen")
    admin = guild.create_role("admin", permissions=discord.Permissions(administrator=True))
    keeper = guild.roles["keeper"]
    async with bot_of(server).answers.store.write() as db:
        await servers.keep(db, ServerSettings(server_id=guild.id, moderator_role=chosen.id))
    people: dict[str, Person] = {
        "asker": server.alice,
        "other": server.bob,
        "chosen role": guild.add_member(env.create_user("chosen"), roles=[chosen]),
        "manage server": server.moderator,
        "administrator": guild.add_member(env.create_user("admin"), roles=[admin]),
    }
    nothing = discord.PermissionOverwrite.from_pair(discord.Permissions.none(), discord.Permissions.all())
    everything_but = discord.Permissions.all()
    everything_but.update(administrator=False, manage_guild=False)
    everything = discord.PermissionOverwrite.from_pair(everything_but, discord.Permissions.none())
    targets = (guild.default_role, keeper, chosen)
    channels = {
        "plain": server.channel,
        "all denied": guild.create_text_channel("denied", overwrites=dict.fromkeys(targets, nothing)),
        "all but keeping allowed": guild.create_text_channel(
            "allowed", overwrites=dict.fromkeys(targets, everything)
        ),
    }
    places = {}
    for name, channel in channels.items():
        env.backend.create_thread(channel.id, "a thread", server.alice.id)
        places[name] = channel
        places[f"thread, {name}"] = channel.threads[-1]
    scenes = [
        Scene(f"{who}, {where}", by, place, who == "asker", who == "chosen role")
        for (who, by), (where, place) in itertools.product(people.items(), places.items())
    ]
    for who in ("administrator", "chosen role"):
        place, held = server.channel, who == "chosen role"
        scenes.append(Scene(f"{who}, brought along", people[who], place, False, held, let_in=False))
    user = server.alice.user
    scenes.append(Scene("asker, private chat", user, user.dm_channel, asker=True, holds_role=False))
    card = message_of(sent(await server.alice.slash(server.channel, "levels")))
    return Matrix(tuple(scenes), chosen, {place.id: card for place in (*places.values(), user.dm_channel)})


def asked(server: Server, matrix: Matrix, scene: Scene, handler: Handler) -> Asked:
    """An interaction with this handler that Discord could send."""
    one = asked_of(server, matrix, scene, handler)
    if not scene.let_in:
        one.payload["authorizing_integration_owners"] = {"1": str(scene.by.id)}
    return one


def asked_of(server: Server, matrix: Matrix, scene: Scene, handler: Handler) -> Asked:
    env = server.env
    target = handler.target
    if isinstance(target, app_commands.Command):
        in_server = isinstance(scene.by, simcord.MemberActor)
        # Roles and channels cannot be chosen in a private chat.
        options, resolved = (
            options_of(scene.by, server.channel, matrix.role, target) if in_server else ([], {})
        )
        data = command(target.qualified_name, options, resolved)
        return Asked(env, COMMAND, scene.by, scene.channel, data)
    if issubclass(target, Form):
        return Asked(env, FORM, scene.by, scene.channel, {"custom_id": "sample", "components": []})
    kind, custom_id = kind_of(target), custom_id_of(target)
    on = matrix.cards[scene.channel.id] | {
        "channel_id": str(scene.channel.id),
        "components": [{"type": 1, "id": 90, "components": [component(custom_id, kind)]}],
    }
    data = {"custom_id": custom_id, "component_type": kind}
    if kind != KINDS[ui.Button]:
        data["values"] = ["1"] if kind == KINDS[ui.Select] else [str(matrix.role.id)]
        data["resolved"] = {}
    return Asked(env, COMPONENT, scene.by, scene.channel, data, on=on)


async def deliver(one: Asked, handler: Handler, times: int = 1) -> simcord.InteractionResult:
    """As Discord would; a form by its method, because discord.py knows only forms it has shown."""
    if not (isinstance(handler.target, type) and issubclass(handler.target, Form)):
        return await one.deliver(times)
    form = handler.target.__new__(handler.target)
    await asyncio.gather(*(handler.target.on_submit(form, one.interaction()) for _ in range(times)))
    return simcord.InteractionResult(one.env, one.record)


async def dump(store: Store) -> dict[str, list[Any]]:
    """All that is stored."""
    async with store.read() as db:
        return {
            table.name: [tuple(row) for row in await db.execute(select(table).order_by(*table.primary_key))]
            for table in schema.metadata.sorted_tables
        }


def first_words(result: simcord.InteractionResult) -> str | None:
    return None if result.response is None else result.response.content


@pytest.mark.parametrize("part", range(3))
async def test_nobody_passes_without_the_right(sampled: Server, part: int) -> None:
    """In three parts: SimCord does not settle any more after some hundred interactions."""
    matrix = await matrix_of(sampled)
    store = bot_of(sampled).answers.store
    before = await dump(store)
    refused = 0
    for handler, scene in itertools.product(handlers(bot_of(sampled))[part::3], matrix.scenes):
        one = asked(sampled, matrix, scene, handler)
        permissions = int(one.payload.get("member", {}).get("permissions", 0))
        if may(handler.right, scene, permissions):
            continue
        version = store.version
        result = await deliver(one, handler)
        where = f"{handler.name}: {scene.name}"
        assert result.ephemeral, where
        assert first_words(result) in REFUSALS, where
        assert one.answers() == 1, where
        assert result.followups == [], where
        assert store.version == version, where
        refused += 1
    assert await dump(store) == before
    # Three people keep the server in a plain channel and where all is allowed; where all is denied, the
    # role chosen and the administrator; threads the same: of 31 scenes 16 pass. Each part has several such.
    assert refused >= 3 * (31 - 16)


async def test_whoever_has_the_right_passes(sampled: Server) -> None:
    """Else the sweep above would be of interactions that nobody could send. Each handler once a role."""
    matrix = await matrix_of(sampled)
    plain = [scene for scene in matrix.scenes if scene.channel.id == sampled.channel.id and scene.let_in]
    passed = set()
    for handler, scene in itertools.product(handlers(bot_of(sampled)), plain):
        one = asked(sampled, matrix, scene, handler)
        if not may(handler.right, scene, int(one.payload["member"]["permissions"])):
            continue
        result = await deliver(one, handler)
        assert result.acknowledged, f"{handler.name}: {scene.name}"
        assert first_words(result) not in REFUSALS, f"{handler.name}: {scene.name}"
        passed.add(handler.name)
    assert passed == {handler.name for handler in handlers(bot_of(sampled)) if handler.right is not None}
    async with bot_of(sampled).answers.store.read() as db:
        # Three that keep the server, for a command, a button and a form; and the choice, also for its asker.
        assert await marks.read(db, "sample") == str(3 * 3 + 4)
    simcord.assert_error(sampled.env, UserError)  # what the first has changed, the next need not


async def test_an_autocomplete_has_the_right_of_its_command(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        (one, parameter.name)
        for one in leaves(bot_of(server))
        if isinstance(one, app_commands.Command)
        for parameter in one.parameters
        if parameter.autocomplete
    ]
    assert len(found) >= 5
    for one, name in found:
        monkeypatch.setattr(one.callback, "__leadline_right__", Right.MODERATOR)
        data = command(one.qualified_name, [{"name": name, "type": 3, "value": "", "focused": True}])
        typed = Asked(server.env, 4, server.bob, server.channel, data)
        assert (await typed.deliver()).autocomplete_choices == [], f"{one.qualified_name} {name}"
        monkeypatch.undo()


# Replayed

AT_ONCE, LATER = 20, 5


async def test_delivered_a_thousand_times_is_done_once(sampled: Server) -> None:
    """Every handler there is, asked by somebody who may: twenty at the same moment, and again later."""
    matrix = await matrix_of(sampled)
    store = bot_of(sampled).answers.store
    scene = next(scene for scene in matrix.scenes if scene.name == "administrator, plain")
    every = [one for one in handlers(bot_of(sampled)) if one.right is not None]
    assert (AT_ONCE + LATER) * len(every) >= 1_000
    for handler in every:
        one = asked(sampled, matrix, scene, handler)
        before = store.version
        first = await deliver(one, handler, AT_ONCE)
        version, words, shown = store.version, first_words(first), seen(sampled)
        assert version <= before + 1, handler.name
        again = await deliver(one, handler, LATER)
        assert store.version == version, handler.name
        assert first_words(again) == words, handler.name
        assert again.followups == [], handler.name
        assert seen(sampled) == shown, handler.name
    async with store.read() as db:
        assert await marks.read(db, "sample") == "4"  # a command, a button, a select and a form
    simcord.assert_error(sampled.env, code=40060)


async def test_a_card_pressed_again_and_again_is_pressed_once(server: Server) -> None:
    """Each button of a card that everybody sees, and of one that only the asker does."""
    public = await server.alice.slash(server.channel, "levels")
    own = await server.alice.slash(server.channel, "levels", private=True)
    pressed = [(card, label) for card in (own, public) for label in buttons(sent(card)) if label != "30m"]
    for card, label in sorted(pressed, key=lambda one: one[1] == "Delete"):
        data = {"custom_id": buttons(sent(card))[label], "component_type": KINDS[ui.Button]}
        one = Asked(server.env, COMPONENT, server.alice, server.channel, data, on=message_of(sent(card)))
        await one.deliver()
        version, shown = bot_of(server).answers.store.version, seen(server)
        await one.deliver(AT_ONCE)
        assert seen(server) == shown, label
        assert bot_of(server).answers.store.version == version
    assert public.response is None


def seen(server: Server) -> list[tuple[int, str]]:
    """What stands in the channel, for whoever may see the most."""
    stored = server.env.backend.messages[server.channel.id].values()
    return [(message.id, repr(message.components) + message.content) for message in stored]
