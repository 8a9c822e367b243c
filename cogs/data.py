"""``/data``: how old everything is, and what moderators enter by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import data_entries, data_upload
from bot.data_buttons import MarginForm, asked, server_of, show
from bot.data_pages import page_of
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reader import speech_of
from bot.tell import Said, tell
from storage.entries import Kind

if TYPE_CHECKING:
    from bot.client import Leadline
    from storage.margins import MarginRule

_PRODUCTS = [
    app_commands.Choice(name=locale_str("SI · silver, 5,000 oz"), value="SI"),
    app_commands.Choice(name=locale_str("GC · gold, 100 oz"), value="GC"),
]
_RULES = [
    app_commands.Choice(name=locale_str("percent of notional"), value="percent"),
    app_commands.Choice(name=locale_str("US$ a contract"), value="fixed"),
]
_ASSETS = [
    app_commands.Choice(name=locale_str("bitcoin (BTC)"), value="BTC"),
    app_commands.Choice(name=locale_str("ether (ETH)"), value="ETH"),
]
_KINDS = [
    app_commands.Choice(name=locale_str("ETF flows of bitcoin"), value="BTC"),
    app_commands.Choice(name=locale_str("ETF flows of ether"), value="ETH"),
    app_commands.Choice(name=locale_str("CME margins"), value="margins"),
]


class DataCog(
    commands.GroupCog,
    group_name="data",
    group_description=locale_str("How old the figures are, and figures entered by hand"),
    group_extras={QUESTION: N_("How old are the figures?")},
):
    @app_commands.command(
        name="status",
        description=locale_str("Every series: its newest value, its age, when it is asked for next"),
    )
    @open_to(Right.MEMBER)
    async def status(self, interaction: discord.Interaction[Leadline]) -> None:
        await tell(interaction, page_of(interaction, "all"))

    @app_commands.command(
        name="margin",
        description=locale_str("Enter a change of CME margin for this server"),
    )
    @app_commands.describe(
        product=locale_str("The contract; smaller ones follow it"),
        rule=locale_str("How the notice states it"),
    )
    @app_commands.choices(product=_PRODUCTS, rule=_RULES)
    @open_to(Right.MODERATOR)
    async def margin(
        self,
        interaction: discord.Interaction[Leadline],
        product: app_commands.Choice[str],
        rule: app_commands.Choice[str],
    ) -> None:
        server_of(interaction)
        form = MarginForm(product.value, cast("MarginRule", rule.value), await speech_of(interaction))
        await interaction.response.send_modal(form)

    @app_commands.command(
        name="flow",
        description=locale_str("Enter a day's ETF flow for this server while the source is down"),
    )
    @app_commands.describe(
        asset=locale_str("Which ETFs"),
        date=locale_str("US trade date: 2026-02-05"),
        total=locale_str("Net flow of all funds in US$ million: -434.1"),
        source=locale_str("Where it comes from"),
    )
    @app_commands.choices(asset=_ASSETS)
    @open_to(Right.MODERATOR)
    async def flow(
        self,
        interaction: discord.Interaction[Leadline],
        asset: app_commands.Choice[str],
        date: str,
        total: str,
        source: str = "",
    ) -> None:
        now = interaction.client.clock.now()
        draft = data_entries.flow(asset.value, date, total, source, server_id=server_of(interaction), now=now)
        await data_entries.traded(draft, now)
        await show(interaction, draft)

    @app_commands.command(
        name="upload",
        description=locale_str("Enter margins or ETF flows for this server from a CSV file"),
    )
    @app_commands.describe(
        kind=locale_str("What the file holds"),
        file=locale_str("A CSV file of at most 2 MiB, in the layout of docs/csv.md"),
    )
    @app_commands.choices(kind=_KINDS)
    @open_to(Right.MODERATOR)
    async def upload(
        self,
        interaction: discord.Interaction[Leadline],
        kind: app_commands.Choice[str],
        file: discord.Attachment,
    ) -> None:
        bot, server_id, now = interaction.client, server_of(interaction), interaction.client.clock.now()
        name = data_upload.acceptable(file)
        of = Kind.MARGINS if kind.value == "margins" else Kind.FLOWS

        async def reading() -> Said:
            async with bot.drafts.reading:
                draft = await data_upload.draft(file, name, of, kind.value, server_id=server_id, now=now)
            return await asked(interaction, draft)

        await tell(interaction, reading())


async def setup(bot: Leadline) -> None:
    await bot.add_cog(DataCog())
