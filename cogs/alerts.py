"""``/alerts``: Discord's door to what a server, or one person in it, wants told when it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from analysis.alerts import Direction, Kind
from analysis.levels import Interval
from bot import alert_cards, alert_draft, level_book
from bot.alert_draft import KINDS, MOST_BARS
from bot.alert_words import INTERVALS
from bot.language import N_
from bot.permissions import Right, open_to
from bot.questions import QUESTION
from bot.reports.level_series import BOOK_INSTRUMENT
from bot.tell import tell
from storage import level_book as books

if TYPE_CHECKING:
    from bot.client import Leadline

_KINDS = [app_commands.Choice(name=locale_str(words), value=kind.value) for kind, words in KINDS.items()]
_INTERVALS = [app_commands.Choice(name=locale_str(words), value=value) for value, words in INTERVALS.items()]
_DIRECTIONS = [
    app_commands.Choice(name=locale_str(N_("either way")), value=Direction.EITHER.value),
    app_commands.Choice(name=locale_str(N_("downwards")), value=Direction.DOWN.value),
    app_commands.Choice(name=locale_str(N_("upwards")), value=Direction.UP.value),
]


@app_commands.guild_only()
class AlertsCog(
    commands.GroupCog,
    group_name="alerts",
    group_description=locale_str("Told once when it happens, in a channel or to you alone"),
    group_extras={QUESTION: N_("Who tells me when a level breaks?")},
):
    @app_commands.command(
        name="add",
        description=locale_str("Be told when it happens: by direct message, or in a channel"),
    )
    @app_commands.describe(
        kind=locale_str("What has to happen"),
        price=locale_str("The price, such as 73.6k or 73,600"),
        instrument=locale_str("What it is about (default BTC; for margins SI)"),
        interval=locale_str("Length of the bars that are judged (default 30m)"),
        direction=locale_str("Which way the price comes (default either)"),
        bars=locale_str("Closes it takes to be reclaimed (default 8) or broken (default 2)"),
        channel=locale_str("Tell it in this channel (moderators); left out: to you alone"),
        ping=locale_str("The one role that is pinged in the channel"),
    )
    @app_commands.choices(kind=_KINDS, interval=_INTERVALS, direction=_DIRECTIONS)
    @open_to(Right.MEMBER)
    async def add(  # noqa: PLR0917 -- Discord hands options over by name
        self,
        interaction: discord.Interaction[Leadline],
        kind: app_commands.Choice[str],
        price: str = "",
        instrument: str = "",
        interval: app_commands.Choice[str] | None = None,
        direction: app_commands.Choice[str] | None = None,
        bars: app_commands.Range[int, 1, MOST_BARS] | None = None,
        channel: discord.TextChannel | None = None,
        ping: discord.Role | None = None,
    ) -> None:
        bot, asker = interaction.client, await alert_cards.who(interaction)
        async with bot.answers.store.read() as db:
            wanted = await alert_draft.watched(
                db,
                Kind(kind.value),
                instrument=instrument,
                price=price,
                interval=None if interval is None else Interval(interval.value),
                direction=None if direction is None else Direction(direction.value),
                bars=bars,
            )
        draft = alert_cards.drafted(
            wanted,
            asker,
            bot.clock.now(),
            channel_id=None if channel is None else channel.id,
            ping_role=None if ping is None else ping.id,
        )
        await tell(interaction, alert_cards.asked(interaction, draft, asker))

    @add.autocomplete("price")
    async def _prices(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        """The levels of the book, which is one of bitcoin prices."""
        instrument = str(getattr(interaction.namespace, "instrument", None) or "BTC").upper()
        if instrument != BOOK_INSTRUMENT or interaction.guild_id is None:
            return []
        asker = await alert_cards.who(interaction)
        async with interaction.client.answers.store.read() as db:
            book = await books.book(db, interaction.guild_id)
        offered = level_book.offered(book, typed, asker.speech)
        return [app_commands.Choice(name=shown, value=value) for shown, value in offered]

    @add.autocomplete("instrument")
    async def _instruments(
        self, interaction: discord.Interaction[Leadline], typed: str
    ) -> list[app_commands.Choice[str]]:
        kind = str(getattr(interaction.namespace, "kind", None) or Kind.CLOSE)
        async with interaction.client.answers.store.read() as db:
            known = await alert_draft.subjects(db, Kind(kind) if kind in set(Kind) else None)
        wanted = typed.strip().casefold()
        return [
            app_commands.Choice(name=subject, value=subject)
            for subject in known
            if wanted in subject.casefold()
        ][:25]

    @app_commands.command(
        name="list", description=locale_str("Your alerts, the nearest first: edit, mute or delete them")
    )
    @open_to(Right.MEMBER)
    async def list_(self, interaction: discord.Interaction[Leadline]) -> None:
        asker = await alert_cards.who(interaction)
        await tell(interaction, alert_cards.listed(interaction, asker))


async def setup(bot: Leadline) -> None:
    await bot.add_cog(AlertsCog())
