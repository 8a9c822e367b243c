"""The same bot in a local page, without a token: real discord.py against SimCord's Discord.

SimCord is an extra that only the preview and the tests install: nothing else in the
bot may import this module.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord

from analysis.errors import UserError

# When it is imported, SimCord tries out a client without intents or voice; discord.py
# warns of both, which would be the first thing a newcomer reads.
_discord_log = logging.getLogger("discord")
_level = _discord_log.level
_discord_log.setLevel(logging.ERROR)
try:
    import simcord
finally:
    _discord_log.setLevel(_level)

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.preview_replay import Player

log = logging.getLogger(__name__)

NAME = "Leadline"
GUILD = "Leadline preview"
CHANNEL = "trading"
SETTLE_TIMEOUT = 30.0
TICK = 1.0
GRACE = 8.0

DISCORD_LOCALES = {"en": "en-US", "zh-TW": "zh-TW"}


class Env(simcord.Env):
    """SimCord gives a bot five seconds to start, whatever its ``settle_timeout``: too few for a busy machine."""

    async def _settle_internal(self, **options: Any) -> None:
        await super()._settle_internal(**(options | {"timeout": self.settle_timeout}))


async def serve(
    bot: discord.Client,
    *,
    clock: Clock,
    port: int | None,
    locale: str,
    zone: str,
    welcome: str,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
    player: Player | None = None,
) -> None:
    """Serve ``bot`` on a loopback page until ``stop`` is set or the page's reader ends the session.

    One server with one channel and three people to look through: Alex, whose Discord
    speaks English, Mei, whose Discord speaks Traditional Chinese, and a moderator, who
    speaks ``locale`` (``en`` or ``zh-TW``). The page opens with the person of that
    language. ``port`` None or 0 takes a free one; ``on_ready`` gets the address, whose
    fragment is a secret. Discord's time follows ``clock``, or is moved by ``player``.

    The bot is the caller's to close. Raises UserError if the port is taken.
    """
    env = Env(bot, settle_timeout=SETTLE_TIMEOUT)
    set_epoch(env, clock)
    guild = env.create_guild(GUILD, preferred_locale=DISCORD_LOCALES[locale])
    channel = guild.create_text_channel(CHANNEL)
    await env.start()
    try:
        with env.time_context():
            people = _people(env, guild, locale)
            speak(env, {person.id: language for person, language in people}, server=DISCORD_LOCALES[locale])
            if player is not None:
                await player.begin(guild.id, channel.id)
            await env.settle()
            if bot.user is not None:
                await bot.user.edit(username=NAME)
            room = bot.get_channel(channel.id)
            if isinstance(room, discord.TextChannel):
                await room.send(welcome)
            page = env.preview(
                channel,
                viewers=[person for person, _ in people],
                layout="channel",
                locale=DISCORD_LOCALES[locale],
                timezone=zone,
                port=port,
            )
            try:
                await page.__aenter__()
            except simcord.SetupError as error:
                if isinstance(error.__cause__, OSError):
                    raise _port_taken(port) from error
                raise
            try:
                await _run(env, page, clock, on_ready, stop, player=player)
            finally:
                await page.close()
    finally:
        await env.shutdown()


def _port_taken(port: int | None) -> UserError:
    return UserError(
        "Port {port} is taken by another program. Choose another one, for example PORT={other}.",
        port=port,
        other=(port or 0) + 1,
    )


def _people(
    env: simcord.Env, guild: simcord.GuildHandle, locale: str
) -> list[tuple[simcord.MemberActor, str]]:
    """The people of the page and their Discord's language, the one of ``locale`` first."""
    moderators = guild.create_role("Moderators", permissions=discord.Permissions(manage_guild=True))
    alex = guild.add_member(env.create_user("alex", global_name="Alex (English)"))
    mei = guild.add_member(env.create_user("mei", global_name="Mei (繁體中文)"))
    moderator = guild.add_member(env.create_user("moderator", global_name="Moderator"), roles=[moderators])
    readers = [(alex, DISCORD_LOCALES["en"]), (mei, DISCORD_LOCALES["zh-TW"])]
    if locale != "en":
        readers.reverse()
    return [*readers, (moderator, DISCORD_LOCALES[locale])]


async def _run(
    env: simcord.Env,
    page: simcord.Preview,
    clock: Clock,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
    *,
    player: Player | None,
) -> None:
    """Keep time until told to stop, then let the answer that is being made be finished."""
    turn = Turn(env)
    take_turns(page, turn)
    on_ready(page.url)
    waiting = [
        asyncio.create_task(stop.wait()),
        asyncio.create_task(page.wait_closed()),
        asyncio.create_task(_keep_time(env, page, clock, turn, player)),
    ]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        turn.over = True
        try:
            async with asyncio.timeout(GRACE), turn.lock:
                pass
        except TimeoutError:
            log.warning("an answer was not finished within %g s", GRACE)
            turn.give_up()
        for task in done:
            task.result()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class Turn:
    """Who may drive SimCord, which refuses two at a time: the clock or a reader's action."""

    def __init__(self, env: simcord.Env) -> None:
        self.lock = asyncio.Lock()
        self.over = False
        self.action: asyncio.Task[Any] | None = None
        self._env = env
        self._seen = len(env.http_requests)

    def give_up(self) -> None:
        """Cancel the action that runs, or closing the page would wait for it."""
        if self.action is not None:
            self.action.cancel()

    def something_new(self) -> bool:
        """Whether the bot has changed anything on Discord since this was last asked."""
        requests = self._env.http_requests
        new, self._seen = requests[self._seen :], len(requests)
        return any(request.method != "GET" for request in new)


async def _keep_time(
    env: simcord.Env, page: simcord.Preview, clock: Clock, turn: Turn, player: Player | None
) -> None:
    """Each second, move Discord's time on to the bot's clock, or have the player move both."""
    last = time.perf_counter()
    while True:
        await asyncio.sleep(TICK)
        now = time.perf_counter()
        seconds, last = now - last, now
        try:
            if player is not None:
                await player.tick(env, page, turn, seconds)
            else:
                await _follow(env, page, clock, turn)
        except simcord.SetupError:
            log.debug("the page is busy; time waits", exc_info=True)
        except TimeoutError:
            log.warning("the bot was busy for %g s; time goes on", SETTLE_TIMEOUT)


async def _follow(env: simcord.Env, page: simcord.Preview, clock: Clock, turn: Turn) -> None:
    """The page is refreshed only if the bot did something by itself: a refresh wipes options that are half typed."""
    async with turn.lock:
        behind = (clock.now() - env.now()).total_seconds()
        if behind > 0:
            await env.advance_time(behind)
        if turn.something_new():
            await page.refresh()


# SimCord's private parts, each touched in one place ----------------------------


def set_epoch(env: simcord.Env, clock: Clock) -> None:
    """Let SimCord's time begin now. Before ``start``, or loops would replay months."""
    if env.now() != env.backend.clock._epoch:
        raise RuntimeError("SimCord keeps its epoch elsewhere")
    env.backend.clock._epoch = clock.now()


def move_epoch(env: simcord.Env, to: datetime) -> None:
    """Have Discord's clock show ``to``, also an earlier instant; its timers notice nothing."""
    env.backend.clock._epoch += to - env.now()


def take_back(env: simcord.Env, channel_id: int, since: datetime) -> None:
    """Take away what was said in a channel after ``since``, whoever may see it."""
    last = discord.utils.time_snowflake(since, high=True)
    for message_id in [known for known in env.backend.messages[channel_id] if known > last]:
        env.backend.delete_message(channel_id, message_id)


def speak(env: simcord.Env, languages: dict[int, str], *, server: str) -> None:
    """Send each user's interactions in that user's language and the server's; SimCord says en-US always."""
    emit = env.backend.emit

    def emit_in_language(event: str, payload: Any, *args: Any, **kwargs: Any) -> Any:
        if event == "INTERACTION_CREATE":
            user = payload["member"]["user"] if "member" in payload else payload["user"]
            payload["locale"] = languages.get(int(user["id"]), payload["locale"])
            if "guild_id" in payload:
                payload["guild_locale"] = server
        return emit(event, payload, *args, **kwargs)

    env.backend.emit = emit_in_language  # type: ignore[method-assign]


def take_turns(page: simcord.Preview, turn: Turn) -> None:
    """Let a reader's action wait for the clock's turn to end, and refuse it once all is over.

    Without this an action that meets the clock is answered with an error.
    """
    act = page._action

    async def act_in_turn(context_id: str | None, body: Any) -> dict[str, Any]:
        async with turn.lock:
            if turn.over:
                raise simcord.SetupError("the preview is closing")
            turn.action = asyncio.current_task()
            try:
                return await act(context_id, body)
            finally:
                turn.action = None
                turn.something_new()

    page._action = act_in_turn  # type: ignore[method-assign]
