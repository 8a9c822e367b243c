"""Who may do what, checked on our side: Discord's own defaults are only a hint."""

from __future__ import annotations

import discord

from storage.servers import ServerSettings


def is_moderator(interaction: discord.Interaction, settings: ServerSettings | None) -> bool:
    """Manage Server, or the moderator role the server has chosen; nobody in a private chat."""
    member = interaction.user
    if interaction.guild_id is None or not isinstance(member, discord.Member):
        return False
    if interaction.permissions.manage_guild:
        return True
    role = settings.moderator_role if settings is not None else None
    return role is not None and any(held.id == role for held in member.roles)


def is_asker(interaction: discord.Interaction) -> bool:
    """True when the card pressed was made for this person."""
    message = interaction.message
    metadata = None if message is None else message.interaction_metadata
    return metadata is not None and metadata.user.id == interaction.user.id
