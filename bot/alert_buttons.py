"""Every button and select about alerts, on whatever message: what a press does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from analysis.alerts import Kind
from bot import alert_cards, alert_draft, alert_store
from bot import alert_words as words
from bot.alert_form import AlertForm
from bot.alert_ids import MUTES, PREFIX, custom_id
from bot.errors import UserError
from bot.handlers import Pressable
from bot.permissions import Right, open_to
from bot.reader import of as reader_of
from bot.tell import Said, tell
from storage.alerts import Acting, Alert

if TYPE_CHECKING:
    from bot.alert_cards import Who
    from bot.client import Leadline
    from bot.tell import Shown


@open_to(Right.MEMBER)
class AlertItem(Pressable[ui.Item[Any]], template=r"al\d+\|.*"):
    """Known by its custom_id alone. Anybody may press; whose alert it is about is looked up."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        prefix, *parts = self.custom_id.split("|")
        if prefix != PREFIX:
            raise alert_draft.other_version()
        match parts:
            case ["at", instrument, price]:
                await _open_at(interaction, instrument, price)
            case ["form", *core]:
                await _open_again(interaction, core)
            case ["edit", number] if _is_number(number):
                await _open_kept(interaction, int(number))
            case ["mute", number, span, server, _] if _is_number(number) and span in MUTES:
                await tell(interaction, _mute_told(interaction, int(number), span, server))
            case _:
                asker = await alert_cards.who(interaction)
                chosen = list(self.item.values) if isinstance(self.item, ui.Select) else []
                await tell(interaction, _done(interaction, asker, parts, chosen), in_place=True)


def _is_number(text: str) -> bool:
    """Whether it may be an id: the store and Discord keep them in 63 bits."""
    return re.fullmatch(r"[0-9]{1,19}", text) is not None and int(text) < 2**63


async def _done(
    interaction: discord.Interaction[Leadline], asker: Who, parts: Sequence[str], chosen: Sequence[str]
) -> Shown:
    """What takes the place of the message that was pressed."""
    _ = asker.speech._
    match parts:
        case ["keep", *core]:
            return await _kept(interaction, asker, core)
        case ["drop"]:
            return Said(text=_("Cancelled: nothing was kept."))
        case ["list", scope]:
            return await alert_cards.listed(interaction, asker, scope)
        case ["pick", _scope] if len(chosen) == 1 and _is_number(chosen[0]):
            return await alert_cards.one(interaction, asker, int(chosen[0]))
        case ["mute", number, span] if _is_number(number) and span in MUTES:
            return await _muted(interaction, asker, int(number), interaction.client.clock.now() + MUTES[span])
        case ["unmute", number] if _is_number(number):
            return await _muted(interaction, asker, int(number), None)
        case ["gone", number] if _is_number(number):
            return await _removed(interaction, asker, int(number))
    raise alert_draft.other_version()


# Forms


async def _open_at(interaction: discord.Interaction[Leadline], instrument: str, price: str) -> None:
    """From a card of levels, which may be everybody's: what follows is the presser's alone."""
    bot, asker = interaction.client, await alert_cards.who(interaction)
    async with bot.answers.store.read() as db:
        wanted = await alert_draft.watched(db, Kind.CLOSE, instrument=instrument, price=price)
    draft = alert_cards.drafted(wanted, asker, bot.clock.now(), channel_id=None)
    await _open(interaction, draft, asker, in_place=False)


async def _open_again(interaction: discord.Interaction[Leadline], core: Sequence[str]) -> None:
    """What was understood, to be typed in another way."""
    asker = await alert_cards.who(interaction)
    await _open(interaction, await _recalled(interaction, asker, core), asker, in_place=True)


async def _open_kept(interaction: discord.Interaction[Leadline], alert_id: int) -> None:
    asker = await alert_cards.who(interaction)
    alert, _happened = await alert_store.one_of(interaction.client.answers.store, alert_id, asker.acting)
    await _open(interaction, alert, asker, in_place=True)


async def _open(
    interaction: discord.Interaction[Leadline], draft: Alert, asker: Who, *, in_place: bool
) -> None:
    async with interaction.client.answers.store.read() as db:
        about = () if draft.price is not None else await alert_draft.subjects(db, draft.kind)
        only_days = draft.price is not None and await alert_draft.only_days(db, draft.subject)
    form = AlertForm(interaction, draft, asker, only_days=only_days, about=about, in_place=in_place)
    await interaction.response.send_modal(form)


# What is kept


async def _recalled(interaction: discord.Interaction[Leadline], asker: Who, core: Sequence[str]) -> Alert:
    """The draft a button remembers, read again as if it was typed."""
    told, store = alert_draft.recalled(core), interaction.client.answers.store
    async with store.read() as db:
        wanted = await alert_draft.watched(db, told.kind, **told.words)
    if not told.alert_id:
        now = interaction.client.clock.now()
        return alert_cards.drafted(wanted, asker, now, channel_id=told.channel_id, ping_role=told.ping_role)
    kept, _happened = await alert_store.one_of(store, told.alert_id, asker.acting)
    draft = alert_draft.instead(kept, wanted)
    if kept.owner_id is None and told.channel_id is not None:
        draft = replace(draft, channel_id=told.channel_id)
    return draft


async def _kept(interaction: discord.Interaction[Leadline], asker: Who, core: Sequence[str]) -> Said:
    bot, acting, speech = interaction.client, asker.acting, asker.speech
    draft = await _recalled(interaction, asker, core)
    # Made sure of once more: rights and prices may have changed since it was shown.
    await alert_cards.asked(interaction, draft, asker)
    if draft.owner_id is not None and not draft.channel_id:
        draft = replace(draft, channel_id=await _direct(interaction))
    kept = await alert_store.save(
        bot.answers.store, draft, acting=acting, interaction_id=interaction.id, now=bot.clock.now()
    )
    _ = speech._
    told = _("Saved.") if draft.id else _("The alert is set.")
    lines = [told, f"**{words.line(kept, speech)}**", words.told_line(kept, speech)]
    scope = alert_cards.CHANNELS if kept.owner_id is None else alert_cards.OWN
    button: ui.Button[Any] = ui.Button(label=_("All alerts"), custom_id=custom_id("list", scope))
    return Said(text="\n".join(lines), button=button)


async def _direct(interaction: discord.Interaction[Leadline]) -> int:
    """The channel of direct messages with who asks."""
    try:
        return (await interaction.user.create_dm()).id
    except discord.HTTPException as error:
        raise UserError("Discord opened no direct messages with you. Try again later.") from error


async def _muted(
    interaction: discord.Interaction[Leadline], asker: Who, alert_id: int, until: datetime | None
) -> Shown:
    bot, _ = interaction.client, asker.speech._
    alert, _happened = await alert_store.one_of(bot.answers.store, alert_id, asker.acting)
    await alert_store.mute(
        bot.answers.store,
        alert_id,
        until,
        acting=asker.acting,
        interaction_id=interaction.id,
        now=bot.clock.now(),
    )
    done = _("It speaks again.") if until is None else _("Muted.")
    return await alert_cards.listed(interaction, asker, _scope_of(alert), done=done)


async def _removed(interaction: discord.Interaction[Leadline], asker: Who, alert_id: int) -> Shown:
    bot, _ = interaction.client, asker.speech._
    alert, _happened = await alert_store.one_of(bot.answers.store, alert_id, asker.acting)
    await alert_store.remove(
        bot.answers.store,
        alert_id,
        acting=asker.acting,
        interaction_id=interaction.id,
        now=bot.clock.now(),
    )
    done = _("Deleted: {alert}").format(alert=words.line(alert, asker.speech))
    return await alert_cards.listed(interaction, asker, _scope_of(alert), done=done)


def _scope_of(alert: Alert) -> str:
    return alert_cards.CHANNELS if alert.owner_id is None else alert_cards.OWN


async def _mute_told(
    interaction: discord.Interaction[Leadline], alert_id: int, span: str, server: str
) -> Said:
    """From a message that an alert sent: in a channel all see it, in a private chat there is no server."""
    bot = interaction.client
    if interaction.guild_id is None:
        server_id = int(server) if _is_number(server) else 0
        # The server is only believed because nobody but its owner finds an alert by it.
        acting = Acting(server_id=server_id, user_id=interaction.user.id, moderates=False)
        speech = reader_of(interaction, await bot.answers.server(server_id)).speech
    else:
        asker = await alert_cards.who(interaction)
        acting, speech = asker.acting, asker.speech
    until = bot.clock.now() + MUTES[span]
    await alert_store.mute(
        bot.answers.store,
        alert_id,
        until,
        acting=acting,
        interaction_id=interaction.id,
        now=bot.clock.now(),
    )
    return Said(text=speech._("Muted; it speaks again {when}").format(when=words.stamp(until)))
