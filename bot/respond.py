"""From a question on Discord to a card, and from a press on a card to the next one.

Options are checked before anything is acknowledged, because whether an answer is
ephemeral is fixed by the first acknowledgement. What is ready within 1.5 s is one
message; what is not is deferred and edited in. The main answer is never a
follow-up: discord.py repeats those on a server error, and they cannot be told apart.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import card
from bot.card import Card, Press, parse_press
from bot.errors import UserError
from bot.handlers import Pressable
from bot.permissions import Right, is_asker, is_moderator, open_to
from bot.reader import Reader
from bot.reader import of as reader_of
from bot.reports import REPORTS
from bot.reports.shapes import Report

if TYPE_CHECKING:
    from bot.client import Leadline

READY_WITHIN: Final = 1.5
"""Seconds before an answer is deferred; Discord's own limit is 3."""


async def answer(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], words: Mapping[str, str]
) -> None:
    """Answers a slash command with one card. Raises UserError before anything is acknowledged."""
    bot = interaction.client
    async with bot.answers.running():
        query = report.read(words, bot.clock.now())
        private = report.private(query)
        settings = await bot.answers.server(interaction.guild_id or 0)
        reader = reader_of(interaction, settings)
        async with _making(interaction, report, query, reader) as making:
            if await _ready(making):
                made = making.result()
                await interaction.response.send_message(view=made.view, files=made.files, ephemeral=private)
                return
            await interaction.response.defer(ephemeral=private)
            made = await making
            await interaction.edit_original_response(view=made.view, attachments=made.files)


async def _ready(making: asyncio.Task[Card]) -> bool:
    done, _ = await asyncio.wait({making}, timeout=READY_WITHIN)
    return bool(done)


@asynccontextmanager
async def _making(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable, reader: Reader
) -> AsyncIterator[asyncio.Task[Card]]:
    """A card being made; given up when Discord no longer takes our answer."""
    making = asyncio.create_task(_make(interaction, report, query, reader))
    try:
        yield making
    finally:
        making.cancel()


async def _make(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable, reader: Reader
) -> Card:
    bot = interaction.client
    answered = await bot.answers.answer(report, query, server_id=interaction.guild_id or 0)
    picture = await bot.answers.picture(report, answered.result, reader.look)
    reply = report.say(answered.result, reader.speech, bot.clock.now())
    return card.build(
        report, reply, picture, words=report.write(query), speech=reader.speech, private=report.private(query)
    )


@open_to(Right.MEMBER)
class CardButton(Pressable[ui.Button[Any]], template=r"ll\d+\|.*"):
    """Every button of every card ever sent, known by its custom_id alone."""

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 -- discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003
        /,
    ) -> CardButton:
        return cls(item)  # type: ignore[arg-type] # the template matches only buttons of ours

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        press = parse_press(self.custom_id, REPORTS)
        if press is None:
            raise UserError("This card is from another version of Leadline. Ask again to get a new one.")
        await _pressed(interaction, press)


async def _pressed(interaction: discord.Interaction[Leadline], press: Press) -> None:
    """The asker and moderators change the card in place; everybody else gets an own, ephemeral one."""
    bot = interaction.client
    report = REPORTS[press.report]
    settings = await bot.answers.server(interaction.guild_id or 0)
    own = is_asker(interaction)
    words = dict(press.words)
    locale = press.locale if own else None
    in_place = False
    match press.action:
        case "to":
            words = report.switched(words, press.argument)
            in_place = own or is_moderator(interaction, settings)
            locale = press.locale if in_place else None
        case "lang":
            locale = press.argument
        case _:
            pass
    query = report.read(words, bot.clock.now())
    # No card of ours says anything private; whatever does is shown to the presser alone.
    # A digest is no card: it stays as it was posted.
    is_card = interaction.message is not None and interaction.message.flags.components_v2
    in_place = in_place and is_card and not report.private(query)
    reader = reader_of(interaction, settings, locale=locale)
    if press.action in {"more", "csv"}:
        await _send_words(interaction, report, query, reader, press.action)
        return
    async with _making(interaction, report, query, reader) as making:
        if await _ready(making):
            made = making.result()
            if in_place:
                await interaction.response.edit_message(view=made.view, attachments=made.files)
            else:
                await interaction.response.send_message(view=made.view, files=made.files, ephemeral=True)
            return
        # For a press, "thinking" opens a message of its own; without it the edit goes to the card itself.
        await interaction.response.defer(thinking=not in_place, ephemeral=not in_place)
        made = await making
        await interaction.edit_original_response(view=made.view, attachments=made.files)


async def _send_words(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    query: Hashable,
    reader: Reader,
    action: str,
) -> None:
    bot = interaction.client
    answered = await bot.answers.answer(report, query, server_id=interaction.guild_id or 0)
    if action == "csv":
        file = card.csv_file(_csv_name(report, query), report.as_table(answered.result))
        await interaction.response.send_message(file=file, ephemeral=True)
        return
    reply = report.say(answered.result, reader.speech, bot.clock.now())
    text = "\n".join((*reply.details, "-# " + reply.data_line))
    await interaction.response.send_message(view=card.words_only(text), ephemeral=True)


def _csv_name(report: Report[Any, Any], query: Hashable) -> str:
    return "_".join((report.name, *report.write(query).values())) + ".csv"
