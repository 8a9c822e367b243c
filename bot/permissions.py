"""Who may do what, checked on our side: Discord's own defaults are only a hint.

Every handler of an interaction (command, autocomplete, button, select, modal)
declares its right with ``open_to``; one that declares none is open to nobody.
An autocomplete has the right of its command. Where the check is made:
``bot/tree.py`` for commands, ``bot/handlers.py`` for everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, TypeVar

import discord

from bot.errors import NotAllowed
from storage.servers import ServerSettings

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_MARK: Final = "__leadline_right__"


class Right(StrEnum):
    """``MEMBER`` is everybody who may use the command where they are; ``MODERATOR`` says ``is_moderator``.

    ``ASKER`` is the person a card was made for, and moderators.
    """

    MEMBER = "member"
    ASKER = "asker"
    MODERATOR = "moderator"


def open_to(right: Right) -> Callable[[_Handler], _Handler]:
    """Declares who may use a command's callback, or a class of buttons, selects or modals."""

    def declare(handler: _Handler) -> _Handler:
        setattr(handler, _MARK, right)
        return handler

    return declare


def right_of(handler: object) -> Right | None:
    """What ``open_to`` declared; None for a handler that declares nothing."""
    right = getattr(handler, _MARK, None)
    return right if isinstance(right, Right) else None


def require(interaction: discord.Interaction, right: Right | None, settings: ServerSettings | None) -> None:
    """Raises NotAllowed, in words for the person who pressed or typed, unless they have ``right``."""
    match right:
        case Right.MEMBER:
            return
        case Right.ASKER if is_asker(interaction) or is_moderator(interaction, settings):
            return
        case Right.ASKER:
            raise NotAllowed("Only the person who asked and moderators can do this.")
        case Right.MODERATOR if is_moderator(interaction, settings):
            return
        case Right.MODERATOR:
            raise NotAllowed(
                "Only moderators can do this: whoever may manage the server, or has the role chosen in /settings."
            )
        case None:
            raise NotAllowed("Nobody may do this.")


def is_moderator(interaction: discord.Interaction, settings: ServerSettings | None) -> bool:
    """Manage Server, or the moderator role the server has chosen; nobody in a private chat.

    Nor in a server that has not let the bot in: whoever brought it along keeps nothing of ours
    there. The permissions are those Discord has computed for this member in this channel.
    """
    member = interaction.user
    if interaction.guild_id is None or not isinstance(member, discord.Member):
        return False
    if interaction.is_user_integration() and not interaction.is_guild_integration():
        return False
    if interaction.permissions.administrator or interaction.permissions.manage_guild:
        return True
    role = settings.moderator_role if settings is not None else None
    return role is not None and any(held.id == role for held in member.roles)


def is_asker(interaction: discord.Interaction) -> bool:
    """True when the card pressed was made for this person."""
    message = interaction.message
    metadata = None if message is None else message.interaction_metadata
    return metadata is not None and metadata.user.id == interaction.user.id


def is_public(interaction: discord.Interaction, settings: ServerSettings | None) -> bool:
    """Whether reports answer for all to see here; a thread is as its channel. A private chat hides nothing."""
    channels = settings.public_channels if settings is not None else None
    if interaction.guild_id is None or channels is None:
        return True
    return bool({interaction.channel_id, getattr(interaction.channel, "parent_id", None)} & set(channels))


def may_post(interaction: discord.Interaction) -> bool:
    """Whether this person could say something themselves where they are, and so may have us say it."""
    permissions = interaction.permissions
    if interaction.guild_id is None:
        return False
    if isinstance(interaction.channel, discord.Thread):
        return permissions.send_messages_in_threads
    return permissions.send_messages
