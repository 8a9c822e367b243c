"""Answers to commands that keep something: words for the person who asked, and nobody else."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import discord
from discord import ui

from bot.card import TEXT_LIMIT, fit
from bot.respond import READY_WITHIN

if TYPE_CHECKING:
    from bot.client import Leadline


class Shown(Protocol):
    """Whatever can be sent as a message of components."""

    def view(self) -> ui.LayoutView: ...

    def files(self) -> list[discord.File]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Words, perhaps with a file to keep, a button, and rows of more."""

    text: str
    file_name: str = ""
    file: bytes = b""
    button: ui.Button[Any] | None = None
    rows: tuple[tuple[ui.Item[Any], ...], ...] = ()

    def view(self) -> ui.LayoutView:
        view = ui.LayoutView(timeout=None)
        view.add_item(ui.TextDisplay(fit(self.text, TEXT_LIMIT)))
        if self.file_name:
            view.add_item(ui.File(f"attachment://{self.file_name}"))
        if self.button is not None:
            view.add_item(ui.ActionRow(self.button))
        for row in self.rows:
            view.add_item(ui.ActionRow(*row))
        view.stop()
        return view

    def files(self) -> list[discord.File]:
        return [discord.File(io.BytesIO(self.file), self.file_name)] if self.file_name else []


async def tell(
    interaction: discord.Interaction[Leadline], saying: Coroutine[Any, Any, Shown], *, in_place: bool = False
) -> None:
    """Answers with what ``saying`` returns, ephemerally; deferred when the store lets it wait.

    ``in_place`` edits the message whose button was pressed. What is being kept is kept to
    the end: a change half made is undone by the store, never by us.
    """
    async with interaction.client.answers.running():
        task = asyncio.create_task(saying)
        try:
            done, _ = await asyncio.wait({task}, timeout=READY_WITHIN)
            if done:
                said = task.result()
                if in_place:
                    await interaction.response.edit_message(view=said.view(), attachments=said.files())
                else:
                    await interaction.response.send_message(
                        view=said.view(), files=said.files(), ephemeral=True
                    )
                return
            await interaction.response.defer(ephemeral=True, thinking=not in_place)
            said = await task
            await interaction.edit_original_response(view=said.view(), attachments=said.files())
        finally:
            task.cancel()
