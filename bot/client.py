"""The Discord client: holds what commands need, loads them by name, tells Discord about them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Final

import discord
import structlog
from discord.ext import commands

from bot.answers import Answers
from bot.channels import Channels
from bot.digests import DigestWriter, NoticeWriter
from bot.errors import UserError
from bot.outbox import Outbox
from bot.pace import Pace
from bot.posts import Writer
from bot.respond import CardButton
from bot.tree import Translator, Tree
from storage import marks

log = structlog.get_logger(__name__)

# Leadline never speaks; the library would warn about that at every start.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False

COGS: Final = ("cogs.levels", "cogs.flows", "cogs.silver_margin", "cogs.stress")
REQUESTS_PER_SECOND: Final = 48
"""Of posts; Discord takes 50 of all kinds, answers not counted."""
POST_SECONDS: Final = 20.0
"""How long one request of a post may take."""
FINISH_SECONDS: Final = 8.0
"""How long closing waits for answers already under way."""
SYNC_SECONDS: Final = 5.0
"""How long a start waits for Discord to take the commands; discord.py would repeat for half a minute."""


class Leadline(commands.Bot):
    """One bot on one store. It reads no message, so it asks for no privileged intent."""

    def __init__(self, answers: Answers, *, dev_guild_id: int | None = None) -> None:
        super().__init__(
            # Never used: without the message intents no prefix command can arrive.
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            # A longer wait would outlive the interaction: better an error we can handle.
            max_ratelimit_timeout=30.0,
        )
        self.answers = answers
        self.clock = answers.clock
        self._dev_guild_id = dev_guild_id
        self.translator = Translator()
        self._closing = False
        channels = Channels(self, Pace(REQUESTS_PER_SECOND), seconds=POST_SECONDS)
        writers: dict[str, Writer] = {
            DigestWriter.kind: DigestWriter(answers, channels.for_moderators),
            NoticeWriter.kind: NoticeWriter(answers),
        }
        self.outbox = Outbox(answers.store, channels, answers.clock, writers)

    async def setup_hook(self) -> None:
        for name in COGS:
            await self.load_extension(name)
        self.add_dynamic_items(CardButton)
        await self.tree.set_translator(self.translator)
        await self._sync()

    async def on_ready(self) -> None:
        log.info("connected to Discord", servers=len(self.guilds))
        if not self._closing:
            self.outbox.start()

    def refuse_when_closing(self) -> None:
        """Raises UserError once closing has begun, so that running answers can finish in peace."""
        if self._closing:
            raise UserError("Leadline is restarting. Ask again in a minute.")

    async def _sync(self) -> None:
        """Tells Discord about the commands, only when they changed since the last time it took them."""
        guild = discord.Object(self._dev_guild_id) if self._dev_guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        mark = f"commands:{self.application_id}:{self._dev_guild_id or 'global'}"
        payload = await self._payload(guild)
        store = self.answers.store
        async with store.read() as db:
            known = await marks.read(db, mark)
        if known == payload:
            log.info("commands unchanged")
            return
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                synced = await self.tree.sync(guild=guild)
        except Exception as error:
            # Refused, limited, late, cut off: the old commands still work; the next start tries again.
            log.warning("commands not synced", reason=str(error) or type(error).__name__)
            return
        async with store.write() as db:
            await marks.write(db, mark, payload)
        log.info("commands synced", count=len(synced))

    async def _payload(self, guild: discord.abc.Snowflake | None) -> str:
        """A hash of all that Discord would be told."""
        known = self.tree.get_commands(guild=guild)
        payload = [await command.get_translated_payload(self.tree, self.translator) for command in known]
        return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()

    async def close(self) -> None:
        """Refuses new work, lets running answers finish, then says goodbye to Discord."""
        if not self._closing:
            self._closing = True
            log.info("closing", running=self.answers.unfinished)
            # What is being posted and what is being answered end side by side.
            await asyncio.gather(self.outbox.close(), self.answers.finish(FINISH_SECONDS))
        # discord.py forgets the task that says "ready" 2 s after connecting; closed, it would only fail.
        ready = self._connection._ready_task
        while ready is not None and not ready.done():
            # Repeated: asyncio.wait_for of Python 3.11 swallows a cancel that meets what it waits for.
            ready.cancel()
            await asyncio.wait({ready}, timeout=0.1)
        await super().close()
