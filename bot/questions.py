"""What can be asked, by question. Each command declares its own question where it is made:

    @app_commands.command(name="levels", extras={QUESTION: N_("How far down is the next floor?")})

A group declares one for all its subcommands, or each subcommand its own. A test fails for a
command without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from discord import Locale, app_commands
from discord.app_commands import (
    Command,
    ContextMenu,
    Group,
    TranslationContext,
    TranslationContextLocation,
    locale_str,
)

from bot.language import Speech
from bot.permissions import Right, right_of

QUESTION: Final = "question"
"""The key of a command's ``extras`` under which its question stands, a msgid."""

_Known = Command[Any, ..., Any] | Group | ContextMenu


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A question and the command that answers it. ``local`` is the command's name in Chinese, if it has one."""

    question: str
    command: str
    right: Right | None
    local: str | None = None


def mention(command: str, ids: Mapping[str, int]) -> str:
    """A command to be pressed, ``</levels:1>``, or its bare name while Discord's number is unknown."""
    number = ids.get(command.partition(" ")[0])
    return f"`/{command}`" if number is None else f"</{command}:{number}>"


async def lines(commands: Iterable[_Known], translator: app_commands.Translator) -> list[Line]:
    """Every declared question, in the order of the commands."""
    return [
        Line(
            question=question,
            command=command.qualified_name,
            right=right_of(command.callback),
            local=await _local_name(command, translator),
        )
        for question, command in _declared(commands)
    ]


def undeclared(commands: Iterable[_Known]) -> list[str]:
    """The commands no question leads to."""
    return [
        leaf.qualified_name
        for leaf in _leaves(commands)
        if not any(QUESTION in part.extras for part in _with_groups(leaf))
    ]


def words(known: Iterable[Line], ids: Mapping[str, int], speech: Speech, *, moderator: bool) -> str:
    """The page: everybody's questions, then those of moderators, for them alone."""
    _ = speech._

    def said(line: Line) -> str:
        local = f" `{line.local}`" if line.local and speech.locale != "en" else ""
        return f"- {_(line.question)} {mention(line.command, ids)}{local}"

    listed = list(known)
    page = ["### " + _("What would you like to know?")]
    page += [said(line) for line in listed if line.right is not Right.MODERATOR]
    if moderator:
        page.append("### " + _("For moderators"))
        page += [said(line) for line in listed if line.right is Right.MODERATOR]
    page.append("-# " + _("Options are explained while you type. Leadline reads no messages."))
    return "\n".join(page)


def _declared(commands: Iterable[_Known]) -> Iterator[tuple[str, Command[Any, ..., Any]]]:
    """Questions with the command that stands for them: for a group, its first that everybody may use."""
    for command in commands:
        if isinstance(command, ContextMenu):
            continue
        question = command.extras.get(QUESTION)
        if isinstance(command, Group):
            if question is None:
                yield from _declared(command.commands)
                continue
            leaves = sorted(_leaves([command]), key=lambda leaf: right_of(leaf.callback) is Right.MODERATOR)
            yield question, leaves[0]
        elif question is not None:
            yield question, command


def _leaves(commands: Iterable[_Known]) -> Iterator[Command[Any, ..., Any]]:
    for command in commands:
        if isinstance(command, Group):
            yield from _leaves(command.commands)
        elif isinstance(command, Command):
            yield command


def _with_groups(command: Command[Any, ..., Any]) -> Iterator[Command[Any, ..., Any] | Group]:
    yield command
    yield from _groups_of(command)


def _groups_of(command: Command[Any, ..., Any]) -> list[Group]:
    """The groups a command is in, the outermost first."""
    return [group for group in (command.root_parent, command.parent) if group is not None]


async def _local_name(command: Command[Any, ..., Any], translator: app_commands.Translator) -> str | None:
    """What Discord calls the command where it is in Chinese, if that differs; a group's name first."""
    parts: list[tuple[str, TranslationContext[Any, Any]]] = [
        (group.name, TranslationContext(location=TranslationContextLocation.group_name, data=group))
        for group in dict.fromkeys(_groups_of(command))
    ]
    own: TranslationContext[Any, Any] = TranslationContext(
        location=TranslationContextLocation.command_name, data=command
    )
    names = [
        await translator.translate(locale_str(name), Locale.taiwan_chinese, context) or name
        for name, context in (*parts, (command.name, own))
    ]
    local = " ".join(names)
    return None if local == command.qualified_name else f"/{local}"
