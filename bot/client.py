"""The Discord client: holds what commands need, loads them by name, tells Discord about them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import discord
import structlog
from discord.ext import commands

from bot import breaths, registration, welcome
from bot.alert_buttons import AlertItem
from bot.alerts import AlertWriter
from bot.answers import Answers
from bot.channels import Channels
from bot.cooldowns import Cooldowns
from bot.data_buttons import DraftButton, UndoButton
from bot.data_drafts import Drafts
from bot.data_pages import StatusPage
from bot.digest_changes import DigestPanelItem
from bot.digest_list import DigestButton
from bot.digests import DigestWriter, NoticeWriter
from bot.errors import UserError
from bot.forget_me import ForgetMe
from bot.ladder_card import LadderButton
from bot.ladders import Ladders
from bot.outbox import Outbox
from bot.pace import Pace
from bot.posts import Writer
from bot.pulse import OneByOne
from bot.repeats import Repeats
from bot.replay import Replay
from bot.respond import CardButton, CardSelect, DeleteButton
from bot.settings_changes import SettingsItem
from bot.tree import Translator, Tree
from storage import servers

log = structlog.get_logger(__name__)

# Leadline never speaks; the library would warn about that at every start.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False
breaths.take()


COGS: Final = (
    "cogs.levels",
    "cogs.flows",
    "cogs.silver_margin",
    "cogs.stress",
    "cogs.macro",
    "cogs.lights",
    "cogs.ladder",
    "cogs.settings",
    "cogs.help",
    "cogs.level_book",
    "cogs.digest",
    "cogs.alerts",
    "cogs.privacy",
    "cogs.data",
)
REPLAY: Final = "cogs.replay"
"""Only where there is one: in the preview."""
REQUESTS_PER_SECOND: Final = 48
"""Of posts; Discord takes 50 of all kinds, answers not counted."""
POST_SECONDS: Final = 20.0
"""How long one request of a post may take."""
FINISH_SECONDS: Final = 8.0
"""How long closing waits for answers already under way."""


class Leadline(commands.Bot):
    """One bot on one store. It reads no message, so it asks for no privileged intent.

    ``command_ids`` are the numbers by which Discord knows the commands, as far as it told. ``connected`` is set once
    Discord has let it in: from then on it is asked. ``fetches``: whether
    somebody fills the store from public sources while this runs. ``replay``: what the preview plays.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        dev_guild_id: int | None = None,
        localized_names: bool = False,
        tells_commands: bool = True,
        cooldowns: Cooldowns | None = None,
        fetches: bool = False,
        replay: Replay | None = None,
    ) -> None:
        super().__init__(
            # Never used: without the message intents no prefix command can arrive.
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            # For servers that let it in, not for people who take it along into any other.
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=False),
            # A longer wait would outlive the interaction: better an error we can handle.
            max_ratelimit_timeout=30.0,
        )
        self.answers = answers
        self.clock = answers.clock
        self.command_ids: Mapping[str, int] = {}
        self._dev_guild_id = dev_guild_id
        self._tells_commands = tells_commands
        self.cooldowns = cooldowns or Cooldowns()
        self.crowd = OneByOne()
        self.repeats = Repeats()
        self.drafts = Drafts()
        self.fetches = fetches
        self.replay = replay
        self.ladders = Ladders()
        self.translator = Translator(names=localized_names)
        self.connected = asyncio.Event()
        self._closing = False
        channels = Channels(self, Pace(REQUESTS_PER_SECOND), seconds=POST_SECONDS)
        writers: dict[str, Writer] = {
            DigestWriter.kind: DigestWriter(answers, channels.for_moderators),
            NoticeWriter.kind: NoticeWriter(answers),
            AlertWriter.kind: AlertWriter(answers.store),
        }
        self.outbox = Outbox(answers.store, channels, answers.clock, writers)

    async def setup_hook(self) -> None:
        for name in COGS if self.replay is None else (*COGS, REPLAY):
            await self.load_extension(name)
        self.add_dynamic_items(
            AlertItem,
            CardButton,
            CardSelect,
            DeleteButton,
            DigestButton,
            DigestPanelItem,
            DraftButton,
            ForgetMe,
            LadderButton,
            SettingsItem,
            StatusPage,
            UndoButton,
        )
        await self.tree.set_translator(self.translator)
        guild = discord.Object(self._dev_guild_id) if self._dev_guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        if self._tells_commands:
            self.command_ids = await registration.keep_told(
                self.tree, self.translator, self.answers.store, guild
            )

    async def on_connect(self) -> None:
        # Two seconds before it is "ready": discord.py waits that long for more servers.
        self.connected.set()

    async def on_ready(self) -> None:
        log.info("connected to Discord", servers=len(self.guilds))
        # Those in an outage are among them.
        present = {guild.id for guild in self.guilds}
        async with self.answers.store.write() as db:
            await servers.look_around(db, present, now=self.clock.now())
        if not self._closing:
            self.outbox.start()

    def refuse_when_closing(self) -> None:
        """Raises UserError once closing has begun, so that running answers can finish in peace."""
        if self._closing:
            raise UserError("Leadline is restarting. Ask again in a minute.")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        me = None if self.user is None else guild.get_member(self.user.id)
        store, now = self.answers.store, self.clock.now()
        await welcome.joined(guild, me, store, now=now, command_ids=self.command_ids)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        # Not for an outage: discord.py tells that as "unavailable".
        async with self.answers.store.write() as db:
            await servers.left(db, guild.id, now=self.clock.now())
        log.info("left a server", server=guild.id)

    async def close(self) -> None:
        """Refuses new work, lets running answers finish, then says goodbye to Discord."""
        if not self._closing:
            self._closing = True
            log.info("closing", running=self.answers.unfinished)
            # What is being posted and what is being answered end side by side.
            await asyncio.gather(self.outbox.close(), self.answers.finish(FINISH_SECONDS))
            self.ladders.close()
        # discord.py forgets the task that says "ready" 2 s after connecting; closed, it would only fail.
        ready = self._connection._ready_task
        while ready is not None and not ready.done():
            # Repeated: asyncio.wait_for of Python 3.11 swallows a cancel that meets what it waits for.
            ready.cancel()
            await asyncio.wait({ready}, timeout=0.1)
        await super().close()
