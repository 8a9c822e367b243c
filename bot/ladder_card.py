"""The ladder on Discord: a form, a card only its asker sees, buttons that end after fourteen minutes.

Positions are kept in memory for that long (``bot/ladders.py``) because a button would
otherwise have to carry them. What a button's custom_id says is a token, good for the asker alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import card
from bot.errors import NotAllowed, UserError
from bot.handlers import Form, Pressable
from bot.ladders import Asking
from bot.permissions import Right, may_post, open_to
from bot.reader import of as reader_of
from bot.reports import ladder
from bot.reports.ladder import REPORT, LadderQuery
from bot.reports.ladder_read import ENTRY, EXTRA, LEVERAGE, MARK, MOST_POSITIONS, SIZE
from bot.reports.ladder_words import shared
from bot.respond import READY_WITHIN

if TYPE_CHECKING:
    from bot.answers import Answered
    from bot.client import Leadline
    from bot.language import Speech

CUSTOM_ID: Final = "ladder:{token}:{action}"
LONGEST: Final = 100
"""Characters of a field; a number of ours has a fifth of them."""


@open_to(Right.MEMBER)
class LadderForm(Form):
    """Entry, size, leverage, extra margin and mark of one position, under the options already given.

    ``beside`` is the ladder the position joins; null begins a new one.
    """

    asked: Mapping[str, str] = MappingProxyType({})
    beside: Asking | None = None
    fields: Mapping[str, ui.TextInput[Any]] = MappingProxyType({})

    def __init__(
        self, asked: Mapping[str, str], speech: Speech, *, mark: str = "", beside: Asking | None = None
    ) -> None:
        _ = speech._
        super().__init__(title=_("Your position: only you see it"))
        self.asked, self.beside = asked, beside
        self.fields = {
            ENTRY.name: _field(ENTRY.name, _("Entry price"), "90,076"),
            SIZE.name: _field(SIZE.name, _("Size: coins, USD or contracts"), "0.5", required=False),
            LEVERAGE.name: _field(LEVERAGE.name, _("Leverage"), "10", required=False),
            EXTRA.name: _field(EXTRA.name, _("Extra margin"), "0", required=False),
            MARK.name: _field(MARK.name, _("Mark price now"), "", required=False, default=mark),
        }
        for one in self.fields.values():
            self.add_item(one)

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        typed = {name: one.value.strip() for name, one in self.fields.items() if one.value.strip()}
        if SIZE.name not in typed and LEVERAGE.name not in typed and EXTRA.name not in typed:
            # The mark stands there already: an entry alone asks for the leverages from it.
            typed.pop(MARK.name, None)
        query = REPORT.read({**self.asked, **typed}, interaction.client.clock.now())
        await show(
            interaction, self.asked, together(self.beside, query), in_place=interaction.message is not None
        )


def _field(
    name: str, label: str, example: str, *, required: bool = True, default: str = ""
) -> ui.TextInput[Any]:
    return ui.TextInput(
        label=label,
        custom_id=name,
        placeholder=example or None,
        required=required,
        default=default or None,
        max_length=LONGEST,
    )


def together(before: Asking | None, query: LadderQuery) -> LadderQuery:
    """The positions told before, and these. Raises UserError for too many."""
    if before is None or not query.positions:
        return query
    positions = (*before.query.positions, *query.positions)
    if len(positions) > MOST_POSITIONS:
        raise UserError("A ladder has at most {most} positions.", most=MOST_POSITIONS)
    return replace(query, positions=positions)


async def show(
    interaction: discord.Interaction[Leadline],
    words: Mapping[str, str],
    query: LadderQuery,
    *,
    in_place: bool = False,
) -> None:
    """Answers with the ladder, for the asker alone; ``in_place`` changes the card the form was opened from."""
    bot = interaction.client
    settings = await bot.answers.server(interaction.guild_id or 0)
    asking = Asking(
        user_id=interaction.user.id, words=words, query=query, reader=reader_of(interaction, settings)
    )
    making = asyncio.create_task(_make(interaction, asking))
    try:
        done, _ = await asyncio.wait({making}, timeout=READY_WITHIN)
        if not done and not interaction.response.is_done():
            await interaction.response.defer(ephemeral=True, thinking=not in_place)
        made = await making
        if interaction.response.is_done():
            await interaction.edit_original_response(view=made.view, attachments=made.files)
        elif in_place:
            await interaction.response.edit_message(view=made.view, attachments=made.files)
        else:
            await interaction.response.send_message(view=made.view, files=made.files, ephemeral=True)
    finally:
        making.cancel()

    async def end() -> None:
        await interaction.edit_original_response(view=_ended(made.view, asking.reader.speech))

    bot.ladders.keep(str(interaction.id), asking, end)


async def _make(interaction: discord.Interaction[Leadline], asking: Asking) -> card.Card:
    bot, reader = interaction.client, asking.reader
    answered = await _answered(interaction, asking)
    picture = await bot.answers.picture(REPORT, answered, reader.look)
    reply = bot.answers.say(REPORT, answered, reader.speech)
    made = card.build(REPORT, reply, picture, words={}, speech=reader.speech, private=True)
    made.view.add_item(_row(interaction, asking, str(interaction.id)))
    return made


async def _answered(interaction: discord.Interaction[Leadline], asking: Asking) -> Answered:
    return await interaction.client.answers.answer(REPORT, asking.query, server_id=interaction.guild_id or 0)


def _row(interaction: discord.Interaction[Leadline], asking: Asking, token: str) -> ui.ActionRow[Any]:
    _ = asking.reader.speech._

    def button(label: str, action: str) -> ui.Button[Any]:
        return ui.Button(label=label, custom_id=CUSTOM_ID.format(token=token, action=action))

    row: ui.ActionRow[Any] = ui.ActionRow(button(_("Add a position"), "add"), button("CSV", "csv"))
    if may_post(interaction):
        if asking.query.positions:
            tick = "\N{BALLOT BOX WITH CHECK}" if asking.amounts else "\N{BALLOT BOX}"
            row.add_item(button(_("{tick} with size and equity").format(tick=tick), "amounts"))
        row.add_item(button(_("Share"), "share"))
    return row


def _ended(view: ui.LayoutView, speech: Speech) -> ui.LayoutView:
    """The card without its buttons, and why."""
    for item in view.children:
        if isinstance(item, ui.ActionRow):
            view.remove_item(item)
    view.add_item(
        ui.TextDisplay(
            "-# " + speech._("The buttons have ended: after 14 minutes your positions are forgotten.")
        )
    )
    return view


@open_to(Right.MEMBER)
class LadderButton(
    Pressable[ui.Button[Any]], template=r"ladder:(?P<token>\d{1,20}):(?P<action>add|csv|amounts|share)"
):
    """A button of a ladder: good for whoever asked, while the ladder is remembered."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        token = self.said("token")
        asking = interaction.client.ladders.get(token, interaction.user.id)
        if asking is None:
            raise UserError(
                "This ladder is forgotten: positions are kept for 14 minutes and never stored. Ask again with /ladder."
            )
        match self.said("action"):
            case "add":
                form = LadderForm(asking.words, asking.reader.speech, beside=asking)
                await interaction.response.send_modal(form)
            case "csv":
                rows = REPORT.as_table((await _answered(interaction, asking)).result)
                await interaction.response.send_message(
                    file=card.csv_file("ladder.csv", rows), ephemeral=True
                )
            case "amounts":
                await self._tick(interaction, asking, token)
            case _:
                await _share(interaction, asking)

    async def _tick(self, interaction: discord.Interaction[Leadline], asking: Asking, token: str) -> None:
        """Says on the card itself what would be shared."""
        asking.amounts = not asking.amounts
        if self.view is None or interaction.message is None:
            return
        view = self.view
        for item in view.children:
            if isinstance(item, ui.ActionRow):
                view.remove_item(item)
        view.add_item(_row(interaction, asking, token))
        await interaction.response.edit_message(view=view)


async def _share(interaction: discord.Interaction[Leadline], asking: Asking) -> None:
    """Posts the ladder for all to see, in words: without size and equity unless they were ticked."""
    if not may_post(interaction):
        raise NotAllowed("This card cannot be posted here: you may not write in this channel.")
    answered = await _answered(interaction, asking)
    speech = asking.reader.speech
    view = card.words_only(shared(answered.result, speech, amounts=asking.amounts))
    view.add_item(ui.ActionRow(ui.Button(label=speech._("Delete"), custom_id=card.DELETE_ID)))
    await interaction.response.send_message(view=view)


async def mark_of(interaction: discord.Interaction[Leadline], code: str) -> str:
    """The last price known of an instrument, to begin the form with; empty where there is none."""
    bot = interaction.client
    async with bot.answers.store.read() as db:
        market = await ladder.market(db, code, bot.clock.now())
    return "" if market is None else f"{market.price:.10g}"
