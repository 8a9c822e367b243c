"""Who and what is in the small Discord, in the shapes in which Discord tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.wire import rules

TOKEN: Final = "canary-5d1f0c7e-this-must-appear-nowhere"
"""Opens this Discord; looked for in all that a bot says."""
APPLICATION: Final = "100000000000000001"
GUILD: Final = "200000000000000001"
CHANNEL: Final = "300000000000000001"

COMMAND, COMPONENT = 2, 3
"""Kinds of interaction."""
MESSAGE, DEFERRED, DEFERRED_EDIT, EDIT, MODAL = 4, 5, 6, 7, 9
"""Kinds of first answer."""
MANAGE_GUILD: Final = 1 << 5
VIEW, SEND, ATTACH, HISTORY = 1 << 10, 1 << 11, 1 << 15, 1 << 16

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    name: str
    permissions: int = 0

    def user(self) -> Body:
        return {
            "id": self.id,
            "username": self.name,
            "discriminator": "0",
            "avatar": None,
            "global_name": None,
        }


ALICE: Final = Person(id="400000000000000001", name="alice")
BOB: Final = Person(id="400000000000000002", name="bob")
MODERATOR: Final = Person(id="400000000000000003", name="mod", permissions=MANAGE_GUILD)
BOT: Final = Person(id=APPLICATION, name="leadline")


def application() -> Body:
    return {
        "id": APPLICATION,
        "name": BOT.name,
        "icon": None,
        "description": "",
        "flags": 0,
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0",
        "owner": MODERATOR.user(),
        "team": None,
    }


def ready(session: str, gateway: str) -> Body:
    return {
        "v": 10,
        "user": BOT.user() | {"bot": True, "verified": True, "mfa_enabled": False},
        "guilds": [{"id": GUILD, "unavailable": True}],
        "session_id": session,
        "resume_gateway_url": gateway,
        "application": {"id": APPLICATION, "flags": 0},
    }


MAY: Final = (1 << 10) | (1 << 11) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 38)
"""View Channels, Send Messages, Embed Links, Attach Files, Read Message History, Send in Threads."""


def everyone(permissions: int = MAY) -> Body:
    """The role everybody has; its id is the server's."""
    return {
        "id": GUILD,
        "name": "@everyone",
        "permissions": str(permissions),
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def channel(name: str, *, deny: int = 0, number: str = CHANNEL) -> Body:
    """A text channel in which everybody lacks the permissions of ``deny``."""
    return {
        "id": number,
        "type": 0,
        "guild_id": GUILD,
        "name": name,
        "position": 0,
        "parent_id": None,
        "nsfw": False,
        "permission_overwrites": [{"id": GUILD, "type": 0, "allow": "0", "deny": str(deny)}],
    }


def bot_member() -> Body:
    return {
        "user": BOT.user() | {"bot": True},
        "roles": [],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def guild(*channels: str, permissions: int = MAY, system: str | None = None) -> Body:
    """The server with its channels; ``permissions`` are everybody's, the bot's too."""
    return {
        "id": GUILD,
        "name": "Trading group",
        "owner_id": MODERATOR.id,
        "roles": [everyone(permissions)],
        "channels": [channel(f"channel-{number[-4:]}", number=number) for number in channels],
        "members": [bot_member()],
        "system_channel_id": system,
        "emojis": [],
        "stickers": [],
        "features": [],
        "preferred_locale": "en-US",
        "afk_timeout": 60,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "system_channel_flags": 0,
        "member_count": 4,
        "unavailable": False,
    }


def interaction(number: str, token: str, kind: int, by: Person, data: Body) -> Body:
    """Asked in the channel by a member whose Discord is in English."""
    return {
        "id": number,
        "application_id": APPLICATION,
        "type": kind,
        "token": token,
        "version": 1,
        "data": data,
        "guild_id": GUILD,
        "guild": {"id": GUILD, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "channel_id": CHANNEL,
        "channel": {"id": CHANNEL, "type": 0, "name": "trading", "guild_id": GUILD, "position": 0},
        "member": {
            "user": by.user(),
            "roles": [],
            "permissions": str(by.permissions),
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        },
        "locale": "en-US",
        "app_permissions": "0",
        "entitlements": [],
        "authorizing_integration_owners": {"0": GUILD},
        "context": 0,
        "attachment_size_limit": rules.MOST_BYTES,
    }


def message(number: str, asked: str, by: Person) -> Body:
    """An empty message of the bot's, the answer to what somebody asked."""
    return {
        "id": number,
        "channel_id": CHANNEL,
        "author": BOT.user() | {"bot": True},
        "type": 20,
        "content": "",
        "embeds": [],
        "attachments": [],
        "components": [],
        "flags": 0,
        "timestamp": "2026-02-05T18:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "pinned": False,
        "application_id": APPLICATION,
        "interaction_metadata": {
            "id": asked,
            "type": COMMAND,
            "user": by.user(),
            "authorizing_integration_owners": {"0": GUILD},
        },
    }


def post(number: str, channel_id: str, said: Body, files: dict[str, tuple[str, bytes]], at: str) -> Body:
    """A message the bot has posted by itself."""
    attachments = [
        {"id": f"{number}{place}", "filename": name, "size": len(content), "url": "", "proxy_url": ""}
        for place, (name, content) in enumerate(files.values())
    ]
    plain = message(number, "0", BOT)
    del plain["interaction_metadata"]
    return plain | {
        "type": 0,
        "channel_id": channel_id,
        "content": said.get("content") or "",
        "components": said.get("components", []),
        "attachments": attachments,
        "timestamp": at,
    }
