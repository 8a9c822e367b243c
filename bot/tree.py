"""The command tree: the one place where an error becomes words, and where names are translated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import discord
import structlog
from discord import app_commands

from bot import names
from bot.errors import UserError
from bot.interaction_log import Outcome, line_of, one_line, outcome_of
from bot.language import Speech, catalogue, nearest
from bot.permissions import require, right_of
from bot.plain_text import inert
from bot.reader import of as reader_of

log = structlog.get_logger(__name__)
_Place = app_commands.TranslationContextLocation


class Tree(app_commands.CommandTree[Any]):
    """Refuses new work while closing, too often or without the right; sends what fails through ``explain``."""

    async def _call(self, interaction: discord.Interaction[Any]) -> None:
        """The whole of a command or an autocomplete: the only method of discord.py that sees both end."""
        command = interaction.command
        with one_line(interaction, "unknown command" if command is None else f"/{command.qualified_name}"):
            try:
                await super()._call(interaction)
            except app_commands.AppCommandError as error:
                await self.on_error(interaction, error)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        bot = interaction.client
        command = interaction.command
        autocomplete = interaction.type is discord.InteractionType.autocomplete
        try:
            bot.refuse_when_closing()
            if not autocomplete:
                bot.cooldowns.take(interaction.user.id, interaction.guild_id)
            if isinstance(command, app_commands.Command):
                settings = await bot.answers.server(interaction.guild_id or 0)
                require(interaction, right_of(command.callback), settings)
        except UserError as error:
            if autocomplete:
                line_of(interaction).outcome = Outcome.REFUSED
                await interaction.response.autocomplete([])
                return False
            # Not raised: discord.py hands only its own kinds of error to on_error from here.
            await explain(interaction, error)
            return False
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        cause = error.__cause__ if isinstance(error, app_commands.CommandInvokeError) else error
        await explain(interaction, cause if isinstance(cause, Exception) else error)


async def explain(interaction: discord.Interaction[Any], error: Exception) -> None:
    """Tells the person who asked what went wrong, only them where that is still possible.

    1. UserError: its own sentence.
    2. A command Discord still shows but we no longer know: ask to try again later.
    3. Discord no longer takes an answer, or has one: nobody can be told, and nothing is tried again.
    4. Anything else: our fault, logged with its traceback and a number to quote.

    What became of it goes into the one line about this interaction.
    Once the connection is closed nobody can be told; an answer cut off by that is no fault.
    """
    line = line_of(interaction)
    if interaction.client.is_closed():
        line.outcome = Outcome.LOST
        log.warning("answer lost at closing", interaction=interaction.id)
        return
    line.outcome = outcome_of(error)
    speech = _speech(interaction)
    _ = speech._
    if isinstance(error, UserError):
        line.reason = error.msgid
        text = error.in_words(_, shown)
    elif line.outcome is not Outcome.FAILED:
        return
    elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        line.outcome = Outcome.REFUSED
        log.warning("command out of date", command=str(error))
        text = _("This command has just changed. Reload Discord and ask again.")
    else:
        log.error("unexpected error", interaction=interaction.id, exc_info=error)
        text = _("Something went wrong on our side. The operator can find it under {number}.").format(
            number=interaction.id
        )
    try:
        await _tell(interaction, text)
    except Exception as failure:
        # Refused, cut off, or closed under our hands: there is nobody left to tell.
        reason = str(failure) or type(failure).__name__
        log.warning("could not tell about an error", interaction=interaction.id, reason=reason)


def shown(value: object) -> object:
    """A value of an error on Discord: an instant in the reader's own time; a text may be what somebody typed."""
    if isinstance(value, datetime):
        return discord.utils.format_dt(value, "f")
    return inert(value) if isinstance(value, str) else value


async def _tell(interaction: discord.Interaction[Any], text: str) -> None:
    # Imported here: card is for answers, and an error must be tellable even if a card is not.
    if not interaction.response.is_done():
        await interaction.response.send_message(text, ephemeral=True)
    elif interaction.type is discord.InteractionType.application_command:
        from bot.card import words_only

        await interaction.edit_original_response(view=words_only(text), attachments=[])
    else:
        await interaction.followup.send(text, ephemeral=True)


def _speech(interaction: discord.Interaction[Any]) -> Speech:
    # In the person's own language, whatever the server reads: only they see it.
    return reader_of(interaction, None, locale=nearest(interaction.locale.value)).speech


class Translator(app_commands.Translator):
    """Descriptions of commands from the same catalogue as everything else; names if ``names`` is set.

    Without it names stay English, so that everybody types the same.
    """

    def __init__(self, *, names: bool = False) -> None:
        self._names = names

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        if locale is not discord.Locale.taiwan_chinese:
            return None
        match context.location:
            case _Place.command_name | _Place.group_name:
                return names.COMMANDS.get(string.message) if self._names else None
            case _Place.parameter_name:
                return names.OPTIONS.get(string.message) if self._names else None
            case _:
                translated = catalogue(nearest(locale.value)).gettext(string.message)
                return translated if translated != string.message else None
