"""``/privacy``: what is kept about whoever asks, and how to be rid of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import app_commands, ui
from discord.app_commands import locale_str
from discord.ext import commands

from bot import privacy
from bot.errors import AlreadyDone
from bot.handlers import Pressable
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import of as reader_of
from bot.tell import Said, tell
from storage import privacy as kept

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.language import Speech

FORGET: Final = "lp1|forget"
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
        speech = await _speech(interaction)

        async def showing() -> Said:
            return Said(text=privacy.words(await _held(interaction), speech))

        await tell(interaction, showing())

    @app_commands.command(name="export", description=locale_str("All that is kept about you, as a file"))
    @open_to(Right.MEMBER)
    async def export(self, interaction: discord.Interaction[Leadline]) -> None:
        speech, now = await _speech(interaction), interaction.client.clock.now()

        async def exporting() -> Said:
            held = await _held(interaction)
            content = privacy.export(held, interaction.user.id, now)
            return Said(text=privacy.words(held, speech), file_name=FILE, file=content)

        await tell(interaction, exporting())

    @app_commands.command(name="delete", description=locale_str("Take your user id out of all that is kept"))
    @open_to(Right.MEMBER)
    async def delete(self, interaction: discord.Interaction[Leadline]) -> None:
        speech = await _speech(interaction)

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
        bot, speech = interaction.client, await _speech(interaction)

        async def forgetting() -> Said:
            first = await kept.forget(
                bot.answers.store,
                interaction.user.id,
                interaction_id=interaction.id,
                now=bot.clock.now(),
            )
            if not first:
                raise AlreadyDone("This has been done already.")
            return Said(text=privacy.gone(speech))

        await tell(interaction, forgetting(), in_place=True)


async def _held(interaction: discord.Interaction[Leadline]) -> kept.Held:
    async with interaction.client.answers.store.read() as db:
        return await kept.held(db, interaction.user.id)


async def _speech(interaction: discord.Interaction[Leadline]) -> Speech:
    return reader_of(interaction, await interaction.client.answers.server(interaction.guild_id or 0)).speech


async def setup(bot: Leadline) -> None:
    await bot.add_cog(PrivacyCog())
    bot.add_dynamic_items(ForgetMe)
