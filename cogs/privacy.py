"""``/privacy``: what is kept about whoever asks, and how to be rid of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord
from discord import app_commands, ui
from discord.app_commands import locale_str
from discord.ext import commands

from bot import privacy
from bot.forget_me import FORGET
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.tell import Said, tell
from storage import privacy as kept

if TYPE_CHECKING:
    from bot.client import Leadline

FILE: Final = "leadline-privacy.json"


class PrivacyCog(
    commands.GroupCog,
    group_name="privacy",
    group_description=locale_str("What Leadline keeps about you"),
    group_extras={QUESTION: N_("What is kept about me?")},
):
    @app_commands.command(name="show", description=locale_str("What Leadline keeps about you"))
    @open_to(Right.MEMBER)
    async def show(self, interaction: discord.Interaction[Leadline]) -> None:
        speech = await speech_of(interaction)

        async def showing() -> Said:
            return Said(text=privacy.words(await _held(interaction), speech))

        await tell(interaction, showing())

    @app_commands.command(name="export", description=locale_str("All that is kept about you, as a file"))
    @open_to(Right.MEMBER)
    async def export(self, interaction: discord.Interaction[Leadline]) -> None:
        speech, now = await speech_of(interaction), interaction.client.clock.now()

        async def exporting() -> Said:
            held = await _held(interaction)
            content = privacy.export(held, interaction.user.id, now)
            return Said(text=privacy.words(held, speech), file_name=FILE, file=content)

        await tell(interaction, exporting())

    @app_commands.command(name="delete", description=locale_str("Take your user id out of all that is kept"))
    @open_to(Right.MEMBER)
    async def delete(self, interaction: discord.Interaction[Leadline]) -> None:
        speech = await speech_of(interaction)

        async def asking() -> Said:
            held = await _held(interaction)
            if not any(held.values()):
                return Said(text=privacy.words(held, speech))
            label = speech._("Delete")
            button: ui.Button[Any] = ui.Button(
                label=label, style=discord.ButtonStyle.danger, custom_id=FORGET
            )
            return Said(text=privacy.question(held, speech), button=button)

        await tell(interaction, asking())


async def _held(interaction: discord.Interaction[Leadline]) -> kept.Held:
    async with interaction.client.answers.store.read() as db:
        return await kept.held(db, interaction.user.id)


async def setup(bot: Leadline) -> None:
    await bot.add_cog(PrivacyCog())
