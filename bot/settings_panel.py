"""What a server has set, as its moderators see it: one private message with a select for each setting.

Everything needed to act on a press stands in its custom_id (``bot/settings_changes.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import discord
from discord import ui

from bot import light_settings, zones
from bot.language import N_, Speech
from bot.reader import BOTH
from storage.servers import ServerSettings

CUSTOM_ID: Final = "set1|{setting}|{action}"
MOST_CHANNELS: Final = 25
"""Discord's limit for one select."""

CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "language": {
        "zh-TW": N_("Traditional Chinese"),
        "en": N_("English"),
        BOTH: N_("Both: each reader their own"),
    },
    "palette": {
        "intl": N_("Green up, red down (international)"),
        "tw": N_("Red up, green down (Taiwan)"),
        "cb": N_("Blue up, orange down (colour-blind safe)"),
    },
    "theme": {"dark": N_("Dark pictures"), "light": N_("Light pictures")},
}
"""Settings with a fixed choice: each value with its words."""
TITLES: Final[Mapping[str, str]] = {
    "language": N_("Language"),
    "palette": N_("Palette"),
    "theme": N_("Theme"),
    "zone": N_("Time zone"),
    "public_channels": N_("Public answers"),
    "moderator_role": N_("Moderators"),
}
"""Every setting with what it is called, in the order they are shown."""

_PUBLIC_CHANNELS: Final = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
]
"""Where a command can be typed; threads follow the channel they are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the panel shows: the settings, what would hold by default, and what has just been done."""

    settings: ServerSettings
    default: ServerSettings
    now: datetime
    done: str = ""


def value_words(setting: str, settings: ServerSettings, speech: Speech, now: datetime) -> str:
    """What a setting is set to, in words."""
    _ = speech._
    match setting:
        case "zone":
            return zones.line(settings.zone, speech.locale, now)
        case "public_channels" if settings.public_channels is None:
            return _("in every channel")
        case "public_channels" if not settings.public_channels:
            return _("in no channel, only for the asker")
        case "public_channels":
            listed = " ".join(f"<#{channel}>" for channel in settings.public_channels or ())
            return _("in {channels}, elsewhere only for the asker").format(channels=listed)
        case "moderator_role" if settings.moderator_role is None:
            return _("whoever may manage the server")
        case "moderator_role":
            role = f"<@&{settings.moderator_role}>"
            return _("{role} and whoever may manage the server").format(role=role)
        case _:
            value = str(getattr(settings, setting))
            return _(CHOICES[setting][value])


def changes_words(before: ServerSettings, after: ServerSettings, speech: Speech, now: datetime) -> str:
    """What changed, one line for each setting; that nothing did, if so."""
    _ = speech._
    lines = [
        _("Saved. {setting}: **{value}**").format(
            setting=_(title), value=value_words(setting, after, speech, now)
        )
        for setting, title in TITLES.items()
        if getattr(before, setting) != getattr(after, setting)
    ]
    if any(getattr(before, each.setting) != getattr(after, each.setting) for each in light_settings.FIELDS):
        lights = light_settings.words(after, speech)
        lines.append(_("Saved. {setting}: **{value}**").format(setting=_("Four lights"), value=lights))
    return "\n".join(lines) or _("Nothing changed: it was set like that already.")


def build(shown: Shown, speech: Speech, guild: discord.Guild) -> ui.LayoutView:
    """The panel. A press on it is answered by its custom_id alone, so discord.py need not remember it."""
    _ = speech._
    settings = shown.settings
    container: ui.Container[Any] = ui.Container()
    heading = "### " + _("Settings of this server")
    container.add_item(ui.TextDisplay("\n".join(line for line in (heading, shown.done) if line)))
    for setting in CHOICES:
        container.add_item(_line(setting, shown, speech))
        container.add_item(ui.ActionRow(_choice(setting, settings, speech)))
    zone = _line("zone", shown, speech)
    zone.content += "\n-# " + _("To change it, type `/settings zone:` and a city, a country or UTC+8.")
    container.add_item(zone)
    container.add_item(_line("public_channels", shown, speech))
    for row in _channels(settings, speech, guild):
        container.add_item(row)
    container.add_item(_line("moderator_role", shown, speech))
    for row in _role(settings, speech, guild):
        container.add_item(row)
    for item in _lights(settings, speech):
        container.add_item(item)
    if settings.changed_at is not None:
        container.add_item(ui.TextDisplay("-# " + _last_change(settings, speech)))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    view.stop()
    return view


def _line(setting: str, shown: Shown, speech: Speech) -> ui.TextDisplay[Any]:
    _ = speech._
    value = value_words(setting, shown.settings, speech, shown.now)
    if getattr(shown.settings, setting) == getattr(shown.default, setting):
        value = _("{value} · default").format(value=value)
    return ui.TextDisplay(_("**{setting}**: {value}").format(setting=_(TITLES[setting]), value=value))


def _choice(setting: str, settings: ServerSettings, speech: Speech) -> ui.Select[Any]:
    _ = speech._
    now = str(getattr(settings, setting))
    options = [
        discord.SelectOption(label=_(words), value=value, default=value == now)
        for value, words in CHOICES[setting].items()
    ]
    return ui.Select(custom_id=_custom_id(setting, "choose"), options=options)


def _channels(settings: ServerSettings, speech: Speech, guild: discord.Guild) -> Sequence[ui.ActionRow[Any]]:
    """A channel that is gone is no longer chosen: Discord would refuse the whole message."""
    _ = speech._
    chosen = [channel for channel in settings.public_channels or () if guild.get_channel(channel) is not None]
    select: ui.ChannelSelect[Any] = ui.ChannelSelect(
        custom_id=_custom_id("public_channels", "choose"),
        channel_types=_PUBLIC_CHANNELS,
        placeholder=_("Choose channels"),
        max_values=MOST_CHANNELS,
        default_values=[
            discord.SelectDefaultValue.from_channel(discord.Object(channel)) for channel in chosen
        ],
    )
    return (
        ui.ActionRow(select),
        ui.ActionRow(
            _button("public_channels", "every", _("Every channel"), now=settings.public_channels is None),
            _button("public_channels", "none", _("Only for the asker"), now=settings.public_channels == ()),
        ),
    )


def _role(settings: ServerSettings, speech: Speech, guild: discord.Guild) -> Sequence[ui.ActionRow[Any]]:
    _ = speech._
    role = settings.moderator_role
    select: ui.RoleSelect[Any] = ui.RoleSelect(
        custom_id=_custom_id("moderator_role", "choose"),
        placeholder=_("Choose a role"),
        default_values=[discord.Object(role)] if role is not None and guild.get_role(role) else [],
    )
    return (
        ui.ActionRow(select),
        ui.ActionRow(_button("moderator_role", "none", _("No role"), now=role is None)),
    )


def _lights(settings: ServerSettings, speech: Speech) -> Sequence[ui.Item[Any]]:
    _ = speech._
    value, by_default = light_settings.words(settings, speech), light_settings.is_default(settings)
    if by_default:
        value = _("{value} · default").format(value=value)
    return (
        ui.TextDisplay(_("**{setting}**: {value}").format(setting=_("Four lights"), value=value)),
        ui.ActionRow(
            _button("lights", "open", _("Change the thresholds"), now=False),
            _button("lights", "default", _("Default thresholds"), now=by_default),
        ),
    )


def _button(setting: str, action: str, label: str, *, now: bool) -> ui.Button[Any]:
    style = discord.ButtonStyle.primary if now else discord.ButtonStyle.secondary
    return ui.Button(label=label, style=style, disabled=now, custom_id=_custom_id(setting, action))


def _custom_id(setting: str, action: str) -> str:
    return CUSTOM_ID.format(setting=setting, action=action)


def _last_change(settings: ServerSettings, speech: Speech) -> str:
    _ = speech._
    when = f"<t:{settings.changed_at}:R>"
    if settings.changed_by is None:
        return _("Last changed {when}").format(when=when)
    return _("Last changed {when} by {who}").format(when=when, who=f"<@{settings.changed_by}>")
