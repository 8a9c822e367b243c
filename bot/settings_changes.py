"""A moderator's change of the server's settings: checked, kept at once, shown."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import light_settings, settings_panel, zones
from bot.errors import AlreadyDone, UserError
from bot.handlers import Form, Pressable
from bot.language import Speech
from bot.permissions import Right, open_to
from bot.reader import defaults
from bot.reader import of as reader_of
from bot.settings_panel import CHOICES, Shown
from storage import digests, handled, servers
from storage.instants import epoch
from storage.servers import ServerSettings

if TYPE_CHECKING:
    from bot.client import Leadline

LIGHTS_ID = settings_panel.CUSTOM_ID.format(setting="lights", action="open")
_PRESS = re.compile(r"set1\|(?P<setting>\w+)\|(?P<action>\w+)")


async def panel(
    interaction: discord.Interaction[Leadline],
    settings: ServerSettings | None,
    *,
    before: ServerSettings | None = None,
) -> ui.LayoutView:
    """The panel for whoever asks; with ``before``, it begins with what changed since."""
    guild = _guild(interaction)
    now = interaction.client.clock.now()
    default = defaults(guild.id, interaction.guild_locale)
    shown = settings or default
    speech = reader_of(interaction, settings).speech
    # In a thread: names of places are read from files the first time.
    await asyncio.to_thread(zones.places)
    done = "" if before is None else settings_panel.changes_words(before, shown, speech, now)
    if before is not None and before.zone != shown.zone:
        async with interaction.client.answers.store.read() as db:
            others = [each for each in await digests.of_server(db, guild.id) if each.zone != shown.zone]
        if others:
            done += "\n" + speech._("Digests keep their own time zone ({n}): /digest list shows it.").format(
                n=len(others)
            )
    return settings_panel.build(Shown(settings=shown, default=default, now=now, done=done), speech, guild)


async def change(
    interaction: discord.Interaction[Leadline], **chosen: Any
) -> tuple[ServerSettings, ServerSettings]:
    """Keeps what was chosen, by field of ServerSettings; returns the settings before and after.

    Raises AlreadyDone when the interaction has come before.
    """
    guild = _guild(interaction)
    bot = interaction.client
    now = bot.clock.now()
    async with bot.answers.store.write() as db:
        if not await handled.first_time(db, interaction.id, now=now):
            raise AlreadyDone("This has been done already.")
        stored = await servers.settings(db, guild.id)
        before = stored or defaults(guild.id, interaction.guild_locale)
        after = replace(before, **chosen)
        # Choosing what holds by default is a choice, too: it is kept.
        if stored is None or after != before:
            after = replace(after, changed_by=interaction.user.id, changed_at=epoch(now))
            await servers.keep(db, after)
    return before, after


def moderator_role(interaction: discord.Interaction[Any], role: discord.Role | discord.Object) -> int:
    """The role's id. Raises UserError unless it is one of this server's that not everybody has."""
    guild = _guild(interaction)
    if guild.get_role(role.id) is None:
        raise UserError("That role does not belong to this server.")
    if role.id == guild.default_role.id:
        raise UserError("That role is everybody's: then every member could change these settings.")
    return role.id


def _public_channels(interaction: discord.Interaction[Any], channels: list[int]) -> tuple[int, ...]:
    guild = _guild(interaction)
    if not channels or any(guild.get_channel(channel) is None for channel in channels):
        raise UserError("That channel does not belong to this server.")
    return tuple(sorted(channels))


def _guild(interaction: discord.Interaction[Any]) -> discord.Guild:
    if interaction.guild is None:
        raise UserError("Settings belong to a server: open them there.")
    return interaction.guild


@open_to(Right.MODERATOR)
class LightsForm(Form):
    """The thresholds of the four lights; a field left empty is what holds by default."""

    def __init__(self, settings: ServerSettings | None, speech: Speech) -> None:
        super().__init__(title=speech._("Four lights"), custom_id="set-lights", timeout=900)
        self.fields = light_settings.inputs(settings, speech)
        for field in self.fields.values():
            self.add_item(field)

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        typed = {name: field.value for name, field in self.fields.items()}
        before, after = await change(interaction, **light_settings.drafted(typed))
        await interaction.response.edit_message(view=await panel(interaction, after, before=before))


@open_to(Right.MODERATOR)
class SettingsItem(Pressable[ui.Item[Any]], template=r"set\d+\|.*"):
    """Every select and button of every panel ever shown, known by its custom_id alone."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        if self.custom_id == LIGHTS_ID:
            settings = await interaction.client.answers.server(_guild(interaction).id)
            speech = reader_of(interaction, settings).speech
            await interaction.response.send_modal(LightsForm(settings, speech))
            return
        before, after = await change(interaction, **self._chosen(interaction))
        await interaction.response.edit_message(view=await panel(interaction, after, before=before))

    def _chosen(self, interaction: discord.Interaction[Any]) -> dict[str, Any]:
        """The field of ServerSettings with its new value. Raises UserError for what no panel offers."""
        press = _PRESS.fullmatch(self.custom_id)
        values: list[Any] = list(self.item.values) if isinstance(self.item, _SELECTS) else []
        match (press["setting"], press["action"], values) if press else ():
            case ("language" | "palette" | "theme") as setting, "choose", [str(value)] if (
                value in CHOICES[setting]
            ):
                return {setting: value}
            case "public_channels", "choose", [*channels] if isinstance(self.item, ui.ChannelSelect):
                return {"public_channels": _public_channels(interaction, [one.id for one in channels])}
            case "public_channels", "every", []:
                return {"public_channels": None}
            case "public_channels", "none", []:
                return {"public_channels": ()}
            case "moderator_role", "choose", [discord.Role() as role]:
                return {"moderator_role": moderator_role(interaction, role)}
            case "moderator_role", "none", []:
                return {"moderator_role": None}
            case "lights", "default", []:
                return dict(light_settings.none_chosen())
        raise UserError("This panel is from another version of Leadline. Type /settings to get a new one.")


_SELECTS = (ui.Select, ui.ChannelSelect, ui.RoleSelect)
