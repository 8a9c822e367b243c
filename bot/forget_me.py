"""The button that takes a person out of all that is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import privacy
from bot.handlers import Pressable
from bot.permissions import Right, open_to
from bot.reader import speech_of
from bot.tell import Said, tell
from storage import privacy as kept

if TYPE_CHECKING:
    from bot.client import Leadline

FORGET: Final = "lp1|forget"


@open_to(Right.MEMBER)
class ForgetMe(Pressable[ui.Button[Any]], template=re.escape(FORGET)):
    """Forgets whoever presses it, whoever it was shown to."""

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
