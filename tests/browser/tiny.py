"""A very small bot of the same make as Leadline: a card with a picture and buttons.

``python tiny.py`` serves it in the preview and prints the address: what the browser
tests drive until they are given another program.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import threading
from datetime import datetime
from pathlib import Path

import discord
from discord import app_commands
from discord.ext import commands, tasks
from PIL import Image

COLOURS = {"30m": "#204060", "4h": "#604020"}


def png(interval: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1280, 720), COLOURS[interval]).save(file, "PNG")
    return file.getvalue()


class Card(discord.ui.LayoutView):
    def __init__(self, interval: str, locale: str) -> None:
        super().__init__(timeout=None)
        self.file = discord.File(io.BytesIO(png(interval)), f"{interval}.png")
        row: discord.ui.ActionRow[Card] = discord.ui.ActionRow()
        for label, answer in {"4h": self.redraw, "CSV": self.csv, "中文": self.words}.items():
            button: discord.ui.Button[Card] = discord.ui.Button(label=label, custom_id=f"tiny:{label}")
            button.callback = answer  # type: ignore[method-assign]
            row.add_item(button)
        box: discord.ui.Container[Card] = discord.ui.Container()
        box.add_item(discord.ui.TextDisplay(f"Interval {interval}, locale {locale}"))
        box.add_item(
            discord.ui.MediaGallery(discord.MediaGalleryItem(self.file, description="a plain colour"))
        )
        box.add_item(row)
        self.add_item(box)

    async def redraw(self, interaction: discord.Interaction) -> None:
        card = Card("4h", str(interaction.locale))
        await interaction.response.edit_message(view=card, attachments=[card.file])

    async def csv(self, interaction: discord.Interaction) -> None:
        file = discord.File(io.BytesIO(b"price\n77000\n"), "levels.csv")
        view = discord.ui.LayoutView()
        view.add_item(discord.ui.File(file))
        await interaction.response.send_message(view=view, file=file, ephemeral=True)

    async def words(self, interaction: discord.Interaction) -> None:
        # The slow way of answering: acknowledged first, then edited.
        await interaction.response.defer(ephemeral=True, thinking=True)
        card = Card("30m", str(interaction.locale))
        await interaction.edit_original_response(view=card, attachments=[card.file])


class Tiny(commands.Bot):
    def __init__(self, *, post_after: int | None = None, let_go: threading.Event | None = None) -> None:
        super().__init__("!", intents=discord.Intents(guilds=True))
        self.seen: list[discord.Interaction] = []
        self.seconds: list[datetime] = []
        self.post_after = post_after
        self.let_go = let_go

    async def setup_hook(self) -> None:
        @self.tree.command(description="Show a colour")
        @app_commands.describe(interval="Length of a bar", of="Instrument")
        @app_commands.choices(interval=[app_commands.Choice(name=name, value=name) for name in COLOURS])
        async def show(interaction: discord.Interaction, interval: str = "30m", of: str = "BTC") -> None:
            self.seen.append(interaction)
            if self.let_go is not None:
                await asyncio.get_running_loop().run_in_executor(None, self.let_go.wait)
            card = Card(interval, str(interaction.locale))
            await interaction.response.send_message(view=card, file=card.file)

        @show.autocomplete("of")
        async def instruments(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [
                app_commands.Choice(name=n, value=n) for n in ("BTC", "ETH") if n.startswith(typed.upper())
            ]

        await self.tree.sync()
        self.ticking = self.each_second.start()

    @tasks.loop(seconds=1)
    async def each_second(self) -> None:
        self.seconds.append(discord.utils.utcnow())
        if len(self.seconds) == self.post_after:
            channel = discord.utils.get(self.get_all_channels(), name="trading")
            if isinstance(channel, discord.TextChannel):
                await channel.send("The bot has something to say.")


async def main(post_after: int | None) -> None:
    from bot.clock import SystemClock
    from bot.preview import serve
    from bot.shutdown import stopped_by_signals

    stop = asyncio.Event()
    with stopped_by_signals(stop):
        async with Tiny(post_after=post_after) as bot:
            await serve(
                bot,
                clock=SystemClock(),
                port=None,
                locale="en",
                zone="UTC",
                welcome="Welcome. Type /show.",
                on_ready=lambda url: print(url, flush=True),
                stop=stop,
            )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    options = argparse.ArgumentParser()
    options.add_argument("--post-after", type=int)
    asyncio.run(main(options.parse_args().post_after))
