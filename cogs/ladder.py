"""``/ladder``: Discord's door to the ladder. What somebody holds is typed into a form and seen by nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from analysis.ladder_positions import Kind
from bot.errors import UserError
from bot.ladder_card import LadderForm, mark_of, show, together
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.reports.ladder import GAUGE, HOLD, NEW_MMR, NEXT, POSITIONS, REPORT, SHOCK
from bot.reports.ladder_read import (
    FEE,
    INSTRUMENT,
    KIND,
    MARGIN,
    MMR,
    MOST_CHARACTERS,
    MOST_POSITIONS,
    SIDE,
    TIERS,
    VENUE,
    VENUES,
    instrument_of,
)

if TYPE_CHECKING:
    from bot.client import Leadline

_KINDS = [
    app_commands.Choice(name=locale_str("linear (USDT)"), value="linear"),
    app_commands.Choice(name=locale_str("inverse (coin-margined)"), value="inverse"),
    app_commands.Choice(name=locale_str("futures contract"), value="futures"),
]
_SIDES = [
    app_commands.Choice(name=locale_str("long"), value="long"),
    app_commands.Choice(name=locale_str("short"), value="short"),
]
_MARGINS = [
    app_commands.Choice(name=locale_str("isolated"), value="isolated"),
    app_commands.Choice(name=locale_str("cross"), value="cross"),
]
_VENUES = [app_commands.Choice(name=venue, value=venue) for venue in VENUES]
_SAMPLE = {"entry": "1", "size": "1", "leverage": "1"}
"""Stands in for the form while the options are checked before it is shown."""


class LadderCog(commands.Cog):
    @app_commands.command(
        name="ladder",
        extras={QUESTION: N_("Where would I be liquidated?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(
        kind=locale_str(KIND.help),
        side=locale_str(SIDE.help),
        margin=locale_str(MARGIN.help),
        instrument=locale_str(INSTRUMENT.help),
        venue=locale_str(VENUE.help),
        rate=locale_str(MMR.help),
        fee=locale_str(FEE.help),
        tiers=locale_str(TIERS.help),
        hold=locale_str(HOLD.help),
        shock=locale_str(SHOCK.help),
        new_rate=locale_str(NEW_MMR.help),
        next_rule=locale_str(NEXT.help),
        gauge=locale_str(GAUGE.help),
        add=locale_str("Beside the positions you gave in the last 14 minutes"),
        positions=locale_str(POSITIONS.help),
    )
    @app_commands.choices(kind=_KINDS, side=_SIDES, margin=_MARGINS, venue=_VENUES)
    @open_to(Right.MEMBER)
    async def ladder(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        kind: app_commands.Choice[str] | None = None,
        side: app_commands.Choice[str] | None = None,
        margin: app_commands.Choice[str] | None = None,
        instrument: str | None = None,
        venue: app_commands.Choice[str] | None = None,
        rate: str | None = None,
        fee: str | None = None,
        tiers: str | None = None,
        hold: str | None = None,
        shock: str | None = None,
        new_rate: str | None = None,
        next_rule: bool | None = None,  # noqa: FBT001 -- discord.py's form of a flag
        gauge: bool | None = None,  # noqa: FBT001
        add: bool = False,  # noqa: FBT001, FBT002
        positions: discord.Attachment | None = None,
    ) -> None:
        bot = interaction.client
        typed = {
            "kind": kind.value if kind else None,
            "side": side.value if side else None,
            "margin": margin.value if margin else None,
            "instrument": instrument,
            "venue": venue.value if venue else None,
            "mmr": rate,
            "fee": fee,
            "tiers": tiers,
            "hold": hold,
            "shock": shock,
            "new_mmr": new_rate,
            "next": "yes" if next_rule else None,
            "gauge": "yes" if gauge else None,
        }
        words = {name: value for name, value in typed.items() if value is not None}
        now = bot.clock.now()
        REPORT.read(words | _SAMPLE, now)
        before = bot.ladders.of(interaction.user.id) if add else None
        if positions is None:
            speech = await speech_of(interaction)
            code = instrument_of(words, Kind(words.get("kind", "linear")))
            form = LadderForm(words, speech, mark=await mark_of(interaction, code), beside=before)
            await interaction.response.send_modal(form)
            return
        if positions.size > MOST_CHARACTERS:
            raise UserError(
                "The file of positions is too long: at most {most} positions.", most=MOST_POSITIONS
            )
        async with bot.answers.running():
            await interaction.response.defer(ephemeral=True, thinking=True)
            query = REPORT.read(words | {POSITIONS.name: await _text(positions)}, now)
            await show(interaction, words, together(before, query))


async def _text(attachment: discord.Attachment) -> str:
    try:
        text = (await attachment.read()).decode("utf-8-sig")
    except (discord.HTTPException, UnicodeDecodeError) as error:
        raise UserError("The file of positions is not a CSV file.") from error
    if not text.strip():
        raise UserError("The file of positions is not a CSV file.")
    return text


async def setup(bot: Leadline) -> None:
    await bot.add_cog(LadderCog())
