"""``/silver-margin``: Discord's door to the silver-margin report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from analysis.margin import PRODUCTS
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reports.silver_margin import (
    COMPARE,
    CONTRACTS,
    EQUITY,
    HRP,
    MOST_CONTRACTS,
    PRICE,
    PRODUCT,
    REPORT,
    SIDE,
    spans,
)
from bot.respond import PRIVATE, answer

if TYPE_CHECKING:
    from bot.client import Leadline

_PRODUCTS = [
    app_commands.Choice(name=locale_str("SI · silver, 5,000 oz"), value="SI"),
    app_commands.Choice(name=locale_str("QI · E-mini silver, 2,500 oz"), value="QI"),
    app_commands.Choice(name=locale_str("SIL · micro silver, 1,000 oz"), value="SIL"),
    app_commands.Choice(name=locale_str("SIC · silver, 100 oz"), value="SIC"),
    app_commands.Choice(name=locale_str("GC · gold, 100 oz"), value="GC"),
    app_commands.Choice(name=locale_str("MGC · micro gold, 10 oz"), value="MGC"),
]
_SIDES = [
    app_commands.Choice(name=locale_str("long"), value="long"),
    app_commands.Choice(name=locale_str("short"), value="short"),
]


class SilverMarginCog(commands.Cog):
    @app_commands.command(
        name="silver-margin",
        extras={QUESTION: N_("What does a silver contract cost, and where is the margin call?")},
        description=locale_str(REPORT.about),
    )
    @app_commands.describe(
        product=locale_str(PRODUCT.help),
        price=locale_str(PRICE.help),
        contracts=locale_str(CONTRACTS.help),
        equity=locale_str(EQUITY.help),
        side=locale_str(SIDE.help),
        hrp=locale_str(HRP.help),
        compare=locale_str(COMPARE.help),
        private=PRIVATE,
    )
    @app_commands.choices(product=_PRODUCTS, side=_SIDES)
    @open_to(Right.MEMBER)
    async def silver_margin(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        product: app_commands.Choice[str] | None = None,
        price: str | None = None,
        contracts: app_commands.Range[int, 1, MOST_CONTRACTS] | None = None,
        equity: str | None = None,
        side: app_commands.Choice[str] | None = None,
        hrp: bool | None = None,  # noqa: FBT001
        compare: str | None = None,
        private: bool = False,  # noqa: FBT001, FBT002 -- discord.py's form of a flag
    ) -> None:
        typed = {
            "product": product.value if product else None,
            "price": price,
            "contracts": None if contracts is None else str(contracts),
            "equity": equity,
            "side": side.value if side else None,
            "hrp": None if hrp is None else "yes" if hrp else "no",
            "compare": compare,
        }
        words = {name: value for name, value in typed.items() if value is not None}
        await answer(interaction, REPORT, words, private=private)

    @silver_margin.autocomplete("compare")
    async def _spans(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        bot = interaction.client
        chosen = str(getattr(interaction.namespace, "product", "") or "SI")
        async with bot.answers.store.read() as db:
            known = chosen if chosen in PRODUCTS else "SI"
            offered = await spans(db, known, bot.clock.now(), server_id=interaction.guild_id or 0)
        return [app_commands.Choice(name=value, value=value) for value in offered if typed.strip() in value][
            :25
        ]


async def setup(bot: Leadline) -> None:
    await bot.add_cog(SilverMarginCog())
