"""``/replay``: the preview's time, in the reader's hands. It exists nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import replay_words
from bot.errors import AlreadyDone, UserError
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.replay import FASTEST, SLOWEST, Playing, Replay
from bot.tell import Said, tell
from storage import handled

if TYPE_CHECKING:
    from bot.client import Leadline


class ReplayCog(
    commands.GroupCog,
    group_name="replay",
    group_description=locale_str("The preview's time: pause it, change its speed, jump"),
    group_extras={QUESTION: N_("How do I pause this replay, or jump to another day?")},
):
    @app_commands.command(name="show", description=locale_str("How far the replay is, and how fast it goes"))
    @open_to(Right.MEMBER)
    async def show(self, interaction: discord.Interaction[Leadline]) -> None:
        await _told(interaction, _of(interaction))

    @app_commands.command(
        name="pause", description=locale_str("Stop the replay's time; what you ask is answered")
    )
    @open_to(Right.MEMBER)
    async def pause(self, interaction: discord.Interaction[Leadline]) -> None:
        played = _of(interaction)
        await _change(interaction, played, replace(played.playing, paused=True, to=None))

    @app_commands.command(name="resume", description=locale_str("Let the replay's time go on"))
    @open_to(Right.MEMBER)
    async def resume(self, interaction: discord.Interaction[Leadline]) -> None:
        played = _of(interaction)
        await _change(interaction, played, replace(played.playing, paused=False))

    @app_commands.command(name="speed", description=locale_str("How fast the replay's time goes"))
    @app_commands.describe(times=locale_str("Times real time: 1 to 3600; 600 is ten minutes a second"))
    @open_to(Right.MEMBER)
    async def speed(
        self, interaction: discord.Interaction[Leadline], times: app_commands.Range[int, SLOWEST, FASTEST]
    ) -> None:
        played = _of(interaction)
        await _change(interaction, played, replace(played.playing, speed=float(times), paused=False))

    @app_commands.command(
        name="jump", description=locale_str("Go to an instant, through all that happens until then, or back")
    )
    @app_commands.describe(to=locale_str("An instant in UTC, such as 2026-02-05 18:00, or a day"))
    @open_to(Right.MEMBER)
    async def jump(self, interaction: discord.Interaction[Leadline], to: str) -> None:
        played = _of(interaction)
        await _change(interaction, played, replace(played.playing, to=replay_words.instant(to, played)))

    @jump.autocomplete("to")
    async def _days(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=value, value=value)
            for value in replay_words.days(_of(interaction))
            if typed.strip() in value
        ][:25]


def _of(interaction: discord.Interaction[Leadline]) -> Replay:
    found = interaction.client.replay
    if found is None:
        raise UserError("Nothing is replayed here.")
    return found


async def _change(interaction: discord.Interaction[Leadline], played: Replay, playing: Playing) -> None:
    async with interaction.client.answers.store.write() as db:
        if not await handled.first_time(db, interaction.id, now=interaction.client.clock.now()):
            raise AlreadyDone("This has been done already.")
    played.playing = playing
    await _told(interaction, played)


async def _told(interaction: discord.Interaction[Leadline], played: Replay) -> None:
    speech = await speech_of(interaction)

    async def saying() -> Said:
        return Said(text=replay_words.told(played, speech))

    await tell(interaction, saying())


async def setup(bot: Leadline) -> None:
    await bot.add_cog(ReplayCog())
