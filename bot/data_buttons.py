"""What a moderator presses and fills in under ``/data``: the form, confirm, cancel, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import data_drafts, data_entries
from bot.errors import UserError
from bot.handlers import Form, Pressable
from bot.permissions import Right, open_to
from bot.reader import speech_of
from bot.tell import Said, tell

if TYPE_CHECKING:
    from bot.client import Leadline
    from bot.data_drafts import Draft
    from bot.language import Speech
    from storage.entries import Entry
    from storage.margins import MarginRule

ANSWER: Final = "data1|{answer}|{token}"
UNDO: Final = "data1|undo|{entry}"


@open_to(Right.MODERATOR)
class MarginForm(Form):
    """A change of the margin of a product, whose rule was chosen before."""

    def __init__(self, product: str, rule: MarginRule, speech: Speech) -> None:
        _ = speech._
        title = _("Margin of {product}, percent") if rule == "percent" else _("Margin of {product}, US$")
        super().__init__(title=title.format(product=product), custom_id="data-margin")
        self.product, self.rule = product, rule
        amount = _("Percent of notional: 18") if rule == "percent" else _("US$ a contract: 32,500")
        self.effective = _input("effective", _("Effective date, after the close: 2026-02-06"), 10)
        self.value = _input("value", amount, 20)
        self.notice = _input("notice", _("Date of the notice: 2026-02-05"), 10)
        self.number = _input("number", _("Number of the notice"), 40, required=False)
        self.link = _input("link", _("Link to it, https://…"), 200, required=False)
        for field in (self.effective, self.value, self.notice, self.number, self.link):
            self.add_item(field)

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        draft = data_entries.margin(
            self.product,
            self.rule,
            self.effective.value,
            self.value.value,
            self.notice.value,
            self.number.value,
            self.link.value,
            server_id=server_of(interaction),
            now=interaction.client.clock.now(),
        )
        await show(interaction, draft)


def _input(custom_id: str, label: str, most: int, *, required: bool = True) -> ui.TextInput[Any]:
    # Discord's limit for a label is 45 characters.
    return ui.TextInput(label=label[:45], custom_id=custom_id, max_length=most, required=required)


async def show(interaction: discord.Interaction[Leadline], draft: Draft) -> None:
    """Answers with what the draft would change, and asks."""

    async def previewing() -> Said:
        return await asked(interaction, draft)

    await tell(interaction, previewing())


async def asked(interaction: discord.Interaction[Leadline], draft: Draft) -> Said:
    """The preview of a draft with its two buttons; the draft waits for one of them."""
    bot, speech = interaction.client, await speech_of(interaction)
    text = await data_entries.preview(bot.answers.store, draft, speech, bot.clock.now())
    token = bot.drafts.put(draft)
    buttons: tuple[ui.Button[Any], ...] = (
        ui.Button(
            label=speech._("Confirm"),
            style=discord.ButtonStyle.success,
            custom_id=ANSWER.format(answer="keep", token=token),
        ),
        ui.Button(label=speech._("Cancel"), custom_id=ANSWER.format(answer="drop", token=token)),
    )
    return Said(text=text, rows=(buttons,))


@open_to(Right.MODERATOR)
class DraftButton(
    Pressable[ui.Button[Any]], template=r"data1\|(?P<answer>keep|drop)\|(?P<token>[\w-]{1,32})"
):
    """Confirms or drops what a preview shows."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        bot, server_id, speech = interaction.client, server_of(interaction), await speech_of(interaction)

        async def dropping() -> Said:
            bot.drafts.take(self.said("token"), server_id, bot.clock.now())
            return Said(text=speech._("Cancelled: nothing was kept."))

        async def keeping() -> Said:
            entry_id, draft = await data_drafts.keep(
                bot.answers.store,
                bot.drafts,
                self.said("token"),
                server_id=server_id,
                user_id=interaction.user.id,
                interaction_id=interaction.id,
                now=bot.clock.now(),
            )
            return Said(
                text=data_entries.kept_words(draft, speech),
                rows=((undo_button(entry_id, speech._("Undo")),),),
            )

        await tell(interaction, keeping() if self.said("answer") == "keep" else dropping(), in_place=True)


def undo_button(entry_id: int, label: str) -> ui.Button[Any]:
    return ui.Button(label=label, custom_id=UNDO.format(entry=entry_id))


@open_to(Right.MODERATOR)
class UndoButton(Pressable[ui.Button[Any]], template=r"data1\|undo\|(?P<entry>[0-9]{1,18})"):
    """Withdraws one entry of the server it is pressed in, whoever made it."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        bot, server_id, speech = interaction.client, server_of(interaction), await speech_of(interaction)

        async def undoing() -> Said:
            gone: Entry = await data_drafts.undo(
                bot.answers.store,
                int(self.said("entry")),
                server_id=server_id,
                user_id=interaction.user.id,
                interaction_id=interaction.id,
                now=bot.clock.now(),
            )
            return Said(text=data_entries.undone_words(gone, speech))

        await tell(interaction, undoing(), in_place=True)


def server_of(interaction: discord.Interaction[Any]) -> int:
    if interaction.guild_id is None:
        raise UserError("What is entered by hand belongs to a server: do it there.")
    return interaction.guild_id
