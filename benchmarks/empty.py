"""A bot with one command that says nothing much: what discord.py and the wire cost by themselves."""

from __future__ import annotations

import os
import sys

import discord
import discord.gateway
import discord.http
import yarl
from discord import app_commands


class Empty(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        @self.tree.command(description="Nothing")
        async def empty(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(
                "ok", ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
            )

        await self.tree.sync()


if __name__ == "__main__":
    discord.http.Route.BASE = sys.argv[1]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[2])
    Empty().run(os.environ["DISCORD_TOKEN"], log_handler=None)
