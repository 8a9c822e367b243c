"""From a question on Discord to a card, and from a press on a card to the next one.

Options are checked before anything is acknowledged, because whether an answer is
ephemeral is fixed by the first acknowledgement. What is ready within ``READY_WITHIN`` is one
message; what is not is deferred and edited in. The main answer is never a
follow-up: discord.py repeats those on a server error, and they cannot be told apart.

Where a server wants quiet, the asker alone sees the card and may post it; where it
does not, the same question within a minute is a link to the first card.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui
from discord.app_commands import locale_str

from bot import card
from bot.card import Audience, Card, Press, parse_press
from bot.errors import NotAllowed, UserError
from bot.handlers import Pressable
from bot.interaction_log import Outcome, line_of
from bot.permissions import Right, is_asker, is_moderator, is_public, may_post, open_to
from bot.reader import Reader
from bot.reader import of as reader_of
from bot.repeats import Question
from bot.reports import REPORTS
from bot.reports.shapes import Report

if TYPE_CHECKING:
    from bot.answers import Answered
    from bot.client import Leadline

READY_WITHIN: Final = 0.5
"""Seconds before an answer is deferred; Discord's own limit is 3."""
PRIVATE: Final = locale_str("Only you see the answer")
"""Describes the option ``private`` of every report's command."""


async def answer(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    words: Mapping[str, str],
    *,
    private: bool = False,
) -> None:
    """Answers a slash command with one card. Raises UserError before anything is acknowledged.

    ``private`` is the asker's wish to see it alone; what a report itself calls private is
    shown to nobody else anyway.
    """
    bot = interaction.client
    async with bot.answers.running():
        query = report.read(words, bot.clock.now())
        settings = await bot.answers.server(interaction.guild_id or 0)
        reader = reader_of(interaction, settings)
        if private or report.private(query) or not is_public(interaction, settings):
            await _send(interaction, report, query, reader, _only_asker(interaction))
        else:
            await _publish(interaction, report, query, reader)


async def _publish(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable, reader: Reader
) -> None:
    """One card for all to see; whoever asks the same within a minute is shown where it is."""
    repeats = interaction.client.repeats
    question = _question(interaction, report, query, reader)
    if question is None:
        await _send(interaction, report, query, reader, Audience.EVERYBODY)
        return
    earlier = repeats.earlier(question)
    if earlier is None:
        with repeats.posting(question) as posting:
            sent = await _send(interaction, report, query, reader, Audience.EVERYBODY)
            if sent is not None:
                repeats.posted(posting, sent)
        return
    message = await earlier.message(READY_WITHIN)
    if message is None:
        # Slow, or come to nothing: not a second card for all, but no more waiting either.
        await _send(interaction, report, query, reader, _only_asker(interaction), patience=0)
        return
    view = card.asked_already(report, question.link(message), words=report.write(query), speech=reader.speech)
    await interaction.response.send_message(view=view, ephemeral=True)
    line_of(interaction).outcome = Outcome.REPEATED


def _question(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable, reader: Reader
) -> Question | None:
    """What would be the same question here; None in a private chat, where nobody is disturbed."""
    if interaction.guild_id is None or interaction.channel_id is None:
        return None
    return Question(
        server_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        report=report.name,
        words=tuple(report.write(query).items()),
        look=reader.look,
        version=interaction.client.answers.store.version,
    )


def _only_asker(interaction: discord.Interaction[Leadline]) -> Audience:
    return Audience.ASKER if may_post(interaction) else Audience.ASKER_ONLY


async def _send(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    query: Hashable,
    reader: Reader,
    audience: Audience,
    *,
    patience: float = READY_WITHIN,
) -> int | None:
    """Answers with a new card, deferred after ``patience`` seconds; returns its message."""
    ephemeral = audience is not Audience.EVERYBODY
    async with _making(interaction, report, query, reader, audience) as making:
        if await _ready(interaction.client, making, patience):
            made = making.result()
            sent = await interaction.response.send_message(
                view=made.view, files=made.files, ephemeral=ephemeral
            )
            return sent.message_id
        # For a press, "thinking" opens a message of its own; without it the edit goes to the card itself.
        await interaction.response.defer(thinking=True, ephemeral=ephemeral)
        made = await making
        message = await interaction.edit_original_response(view=made.view, attachments=made.files)
        return message.id


async def _ready(bot: Leadline, making: asyncio.Task[Card], patience: float) -> bool:
    await asyncio.wait({making}, timeout=patience)
    await bot.crowd.turn()  # of all whose patience ended together
    return making.done()


@asynccontextmanager
async def _making(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    query: Hashable,
    reader: Reader,
    audience: Audience,
) -> AsyncIterator[asyncio.Task[Card]]:
    """A card being made; given up when Discord no longer takes our answer."""
    making = asyncio.create_task(_make(interaction, report, query, reader, audience))
    try:
        yield making
    finally:
        making.cancel()


async def _answered(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable
) -> Answered:
    answered = await interaction.client.answers.answer(report, query, server_id=interaction.guild_id or 0)
    line_of(interaction).cache = "hit" if answered.kept else "miss"
    return answered


async def _make(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    query: Hashable,
    reader: Reader,
    audience: Audience,
) -> Card:
    bot = interaction.client
    answered = await _answered(interaction, report, query)
    picture = await bot.answers.picture(report, answered, reader.look)
    await bot.crowd.turn()  # of all who waited for the same picture
    reply = bot.answers.say(report, answered, reader.speech)
    if interaction.guild_id is None:
        # An alert belongs to a server: in a private chat none is offered.
        reply = replace(reply, alert_at=None)
    return card.build(
        report,
        reply,
        picture,
        words=report.write(report.settled(query, answered.result)),
        speech=reader.speech,
        audience=audience,
        private=report.private(query),
    )


@open_to(Right.MEMBER)
class CardButton(Pressable[ui.Button[Any]], template=r"ll\d+\|.*"):
    """Every button of every card ever sent, known by its custom_id alone."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        press = parse_press(self.custom_id, REPORTS)
        if press is None:
            raise UserError("This card is from another version of Leadline. Ask again to get a new one.")
        line_of(interaction).what = f"{press.report} {press.action}"
        await _pressed(interaction, press)


@open_to(Right.MEMBER)
class CardSelect(Pressable[ui.Select[Any]], template=re.escape(card.PICK) + r"\|(?P<press>.*)"):
    """Every select of every card ever sent, known by its custom_id alone."""

    def __init__(self, item: ui.Select[Any], press: str) -> None:
        super().__init__(item)
        self._press = press

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 -- discord.py's signature
        item: ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> CardSelect:
        return cls(item, match["press"])  # type: ignore[arg-type] # the template matches only selects of ours

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        press = parse_press(self._press, REPORTS)
        values = self.item.values
        if press is None or len(values) != 1:
            raise UserError("This card is from another version of Leadline. Ask again to get a new one.")
        line_of(interaction).what = f"{press.report} {press.action}"
        await _pressed(interaction, replace(press, argument=values[0]))


@open_to(Right.ASKER)
class DeleteButton(Pressable[ui.Button[Any]], template=re.escape(card.DELETE_ID)):
    """Takes the card it stands on away again, whatever it shows."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        # As an answer to the press, so that no permission is needed in the channel.
        await interaction.response.defer()
        await interaction.delete_original_response()
        if interaction.message is not None:
            interaction.client.repeats.forget(interaction.message.id)


async def _pressed(interaction: discord.Interaction[Leadline], press: Press) -> None:
    """The asker and moderators change the card in place; everybody else gets an own, ephemeral one."""
    bot = interaction.client
    report = REPORTS[press.report]
    settings = await bot.answers.server(interaction.guild_id or 0)
    own = is_asker(interaction)
    words = dict(press.words)
    locale = press.locale if own else None
    in_place = False
    match press.action:
        case "to" | "pick":
            change = report.switched if press.action == "to" else report.picked
            words = change(words, press.argument)
            in_place = own or is_moderator(interaction, settings)
            locale = press.locale if in_place else None
        case "lang":
            locale = press.argument
        case _:
            pass
    query = report.read(words, bot.clock.now())
    private = report.private(query)
    # A digest is no card: it stays as it was posted.
    in_place = in_place and interaction.message is not None and interaction.message.flags.components_v2
    reader = reader_of(interaction, settings, locale=locale)
    match press.action:
        case "more" | "csv":
            await _send_words(interaction, report, query, reader, press.action)
        case "post" if private or not may_post(interaction):
            raise NotAllowed("This card cannot be posted here: you may not write in this channel.")
        case "post":
            await _publish(interaction, report, query, reader)
        # No card of ours says anything private; whatever does is shown to the presser alone.
        case "to" | "pick" if in_place and not private:
            await _change(interaction, report, query, reader)
        case _:
            await _send(interaction, report, query, reader, _only_asker(interaction))


async def _change(
    interaction: discord.Interaction[Leadline], report: Report[Any, Any], query: Hashable, reader: Reader
) -> None:
    """Answers a press by changing the card it was made on."""
    shown_to_asker = interaction.message is not None and interaction.message.flags.ephemeral
    audience = _only_asker(interaction) if shown_to_asker else Audience.EVERYBODY
    if interaction.message is not None:
        interaction.client.repeats.forget(interaction.message.id)
    async with _making(interaction, report, query, reader, audience) as making:
        if await _ready(interaction.client, making, READY_WITHIN):
            made = making.result()
            await interaction.response.edit_message(view=made.view, attachments=made.files)
            return
        await interaction.response.defer()
        made = await making
        await interaction.edit_original_response(view=made.view, attachments=made.files)


async def _send_words(
    interaction: discord.Interaction[Leadline],
    report: Report[Any, Any],
    query: Hashable,
    reader: Reader,
    action: str,
) -> None:
    answered = await _answered(interaction, report, query)
    if action == "csv":
        file = card.csv_file(_csv_name(report, query), report.as_table(answered.result))
        await interaction.response.send_message(file=file, ephemeral=True)
        return
    reply = interaction.client.answers.say(report, answered, reader.speech)
    await interaction.response.send_message(view=card.details(reply, reader.speech), ephemeral=True)


def _csv_name(report: Report[Any, Any], query: Hashable) -> str:
    return "_".join((report.name, *report.write(query).values())) + ".csv"
