"""The button that takes a person out of all that is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import privacy
from bot.handlers import Pressable
from bot.permissions import Right, open_to
from bot.reader import of as reader_of
from bot.tell import Said, tell
from storage import privacy as kept

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.language import Speech

FORGET: Final = "lp1|forget"


@open_to(Right.MEMBER)
class ForgetMe(Pressable[ui.Button[Any]], template=re.escape(FORGET)):
    """Forgets whoever presses it, whoever it was shown to."""

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 -- discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003
        /,
    ) -> ForgetMe:
        return cls(item)  # type: ignore[arg-type] # the template matches only buttons of ours

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        bot, speech = interaction.client, await speech_of(interaction)

        async def forgetting() -> Said:
            await kept.forget(
                bot.answers.store,
                interaction.user.id,
                interaction_id=interaction.id,
                now=bot.clock.now(),
            )
            return Said(text=privacy.gone(speech))

        await tell(interaction, forgetting(), in_place=True)


async def speech_of(interaction: discord.Interaction[Leadline]) -> Speech:
    return reader_of(interaction, await interaction.client.answers.server(interaction.guild_id or 0)).speech
