"""What every button, select and modal shares: cool-down, right, errors told, one line logged, closing waits.

Commands have the same from ``bot/tree.py``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import discord
from discord import ui

from bot.interaction_log import one_line
from bot.permissions import require, right_of
from bot.tree import explain

if TYPE_CHECKING:
    from bot.client import Leadline

_Item = TypeVar("_Item", bound=ui.Item[Any])


async def handle(
    interaction: discord.Interaction[Leadline],
    handler: type,
    work: Callable[[discord.Interaction[Leadline]], Awaitable[None]],
) -> None:
    """One press or one form: refused while closing, too often or without the right; errors are told."""
    with one_line(interaction, handler.__name__):
        try:
            bot = interaction.client
            bot.refuse_when_closing()
            async with bot.answers.running():
                bot.cooldowns.take(interaction.user.id, interaction.guild_id)
                require(interaction, right_of(handler), await bot.answers.server(interaction.guild_id or 0))
                await work(interaction)
        except Exception as error:
            await explain(interaction, error)


class Pressable(ui.DynamicItem[_Item], Generic[_Item], template=r"(?!)"):
    """A button or select known by its custom_id alone, so that it works after a restart.

    A subclass gives its ``template``, declares its right with ``open_to`` and says in
    ``pressed`` what happens; it is made known in ``bot/client.py``. Nothing in a
    custom_id is trusted: who may do what is read from the interaction.
    """

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 -- discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003 -- ``said`` asks the custom_id itself
        /,
    ) -> Self:
        return cls(item)  # type: ignore[arg-type] # the template matches only items of this kind

    def said(self, group: str) -> str:
        """What the custom_id says in a named group of the template."""
        match = self.template.fullmatch(self.custom_id)
        if match is None:
            raise ValueError(f"{self.custom_id} is none of {type(self).__name__}'s")
        return match[group]

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await handle(interaction, type(self), self.pressed)

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        """What a press does; each subclass says it."""
        raise NotImplementedError


class Form(ui.Modal):
    """A modal. A subclass declares its right with ``open_to`` and says in ``submitted`` what happens.

    The right is checked again when it is sent: it may have been taken away while the form stood open.
    """

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await handle(interaction, type(self), self.submitted)

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        """What sending it does; each subclass says it."""
        raise NotImplementedError
