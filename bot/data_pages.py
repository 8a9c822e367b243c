"""The pages of ``/data status``: a select to turn them, and an Undo for what moderators entered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import data_status
from bot.data_buttons import undo_button
from bot.errors import UserError
from bot.handlers import Pressable
from bot.permissions import Right, is_moderator, open_to
from bot.reader import speech_of
from bot.tell import Said, tell

if TYPE_CHECKING:
    from bot.client import Leadline

PAGE: Final = "data1|status"


@open_to(Right.MEMBER)
class StatusPage(Pressable[ui.Select[Any]], template=re.escape(PAGE)):
    """Turns the pages of the status."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        page = next((value for value in self.item.values if value in data_status.PAGES), None)
        if page is None:
            raise UserError(
                "This page is from another version of Leadline. Type /data status to get a new one."
            )
        await tell(interaction, page_of(interaction, page), in_place=True)


async def page_of(interaction: discord.Interaction[Leadline], page: str) -> Said:
    """One page of the status; for moderators with what they can undo."""
    bot, server_id = interaction.client, interaction.guild_id or 0
    speech = await speech_of(interaction)
    found = await data_status.status(
        bot.answers.store, server_id=server_id, fetches=bot.fetches, at=bot.clock.now()
    )
    options = [
        discord.SelectOption(label=speech._(title), value=value, default=value == page)
        for value, title in data_status.PAGES.items()
    ]
    select: ui.Select[Any] = ui.Select(custom_id=PAGE, options=options)
    rows: list[tuple[ui.Item[Any], ...]] = [(select,)]
    entered = found.entered[: data_status.SHOWN_ENTRIES]
    text = data_status.words(found, page, speech)
    if page == "all" and is_moderator(interaction, await bot.answers.server(server_id)):
        text += "\n-# " + speech._(
            "Moderators enter what is missing: /data margin, /data flow, /data upload."
        )
        label = speech._("Undo {n}")
        undo = tuple(undo_button(entry.id, label.format(n=n)) for n, entry in enumerate(entered, start=1))
        # Discord refuses a row without anything in it.
        rows += [undo] if undo else []
    return Said(text=text, rows=tuple(rows))
