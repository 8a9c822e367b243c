"""The address at which a server's owner lets the bot in, with the rights it uses and no other."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

from discord import Permissions

from analysis.errors import UserError

PERMISSIONS = Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
)


def address(application_id: int) -> str:
    """Installs to a server (not to a person), with the scopes a bot with commands needs."""
    asked = {
        "client_id": application_id,
        "permissions": PERMISSIONS.value,
        "integration_type": 0,
        "scope": "bot applications.commands",
    }
    return "https://discord.com/oauth2/authorize?" + urlencode(asked)


def application_id(token: str) -> int:
    """The bot's own number, which its token begins with. Raises UserError for what is no token.

    It is the application's number as well, except of applications made before 2016.
    """
    first = token.partition(".")[0]
    try:
        number = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        number = ""
    if token.count(".") != 2 or not (number.isdigit() and 15 <= len(number) <= 20):
        raise UserError(
            "DISCORD_TOKEN is not a bot's token: copy it from the Bot page of the application, "
            "or give --application-id."
        )
    return int(number)
