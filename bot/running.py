"""What the commands of ``bot/cli.py`` set going: stores opened and closed, the bot run and ended in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
import typer

from analysis.charts import CHARTS
from bot.clock import Clock, SetClock, SystemClock
from bot.connection import beat, connected, token_of
from bot.errors import UserError
from bot.starting import Starts, calm, refuse_damaged
from storage import backup, lock, migrate, sample, sqlite
from storage.state import State, state_of
from storage.store import Store

if TYPE_CHECKING:
    from bot.answers import Answers
    from bot.backfill import Filled
    from bot.replay import Replay
    from bot.replay_events import Event
    from bot.settings import Settings

log = structlog.get_logger(__name__)

SAMPLE_START: Final = datetime(2026, 2, 5, 18, tzinfo=UTC)
"""Where the preview's clock starts on the sample: the middle of the sell-off it shows."""


@asynccontextmanager
async def reading_store(url: str, *, or_sample: bool) -> AsyncIterator[tuple[Store, bool]]:
    """A store to read beside whoever writes it, and whether it is the shipped sample.

    With ``or_sample`` the sample answers while the store does not exist or holds no
    market rows; without it a store that is not there, or is empty, raises UserError.
    """
    store, is_sample = await _readable(url, or_sample=or_sample)
    try:
        yield store, is_sample
    finally:
        await store.close()


async def _readable(url: str, *, or_sample: bool) -> tuple[Store, bool]:
    file = sqlite.file_of(url)
    if or_sample and file is not None and state_of(file) in {State.MISSING, State.EMPTY}:
        return await sample.open_in_memory(), True
    store = await Store.open(url, readonly=True)
    if await store.has_market_rows():
        return store, False
    await store.close()
    if or_sample:
        return await sample.open_in_memory(), True
    raise UserError("The store holds no market data yet.")


@asynccontextmanager
async def writing_store(url: str, *, thorough: bool = False) -> AsyncIterator[Store]:
    """The store, migrated and locked against a second writer. Raises UserError while a bot runs on it.

    A damaged store is refused; with ``thorough`` all of it is looked at.
    """
    with _locked(url):
        await refuse_damaged(url, thorough=thorough)
        await migrate.upgrade(url)
        store = await Store.open(url)
        try:
            yield store
        finally:
            await store.close()


def _locked(url: str) -> AbstractContextManager[object]:
    path = lock.path_for(url)
    return nullcontext() if path is None else lock.RunningLock(path)


async def upgrade(url: str) -> Path | None:
    """Migrates; returns where the copy made beforehand lies, if there was anything to copy."""
    with _locked(url):
        await refuse_damaged(url, thorough=False)
        return await migrate.upgrade(url)


async def restore(url: str, file: Path, *, now: datetime) -> Path | None:
    """Puts a backup in the place of the store and migrates it; returns where the store before it lies."""
    target = sqlite.file_of(url)
    if target is None:
        raise UserError("Only a store in a file can be restored.")
    with _locked(url):
        aside = await asyncio.to_thread(backup.restore, file, target, now=now)
        await migrate.upgrade(url)
        return aside


@asynccontextmanager
async def _sample_store() -> AsyncIterator[Store]:
    store = await sample.open_in_memory()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _answers(opening: AbstractAsyncContextManager[Store], clock: Clock) -> AsyncIterator[Answers]:
    """Answers from a store being opened, with drawing processes that start meanwhile.

    At the end what is being made is drawn to its end first, then the processes go, then the store.
    """
    from bot.answers import Answers
    from bot.pictures import Pictures

    async with AsyncExitStack() as ending:
        pictures = Pictures(charts=CHARTS)
        starting = asyncio.create_task(pictures.start(), name="start drawing processes")
        try:
            store = await ending.enter_async_context(opening)
        finally:
            await starting
            ending.push_async_callback(pictures.close)
        yield Answers(store, pictures, clock)


async def _warm(answers: Answers, connected: asyncio.Event | None = None) -> None:
    """Asks what readers will ask. With ``connected`` the process runs for months: then what is asked is kept ready
    and garbage collected seldom, and Discord comes first, because both would take turns with one lock.
    """
    from bot import pulse
    from bot.reports import REPORTS

    if connected is not None:
        await connected.wait()
    try:
        await answers.warm(REPORTS.values())
    finally:
        if connected is not None:
            pulse.settle()
    if connected is not None:
        await answers.keep_warm()


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """While inside, ``work`` goes on; should it fail, that is told at the end."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        for ended in await asyncio.gather(task, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("had ended", work=name, exc_info=ended)


def _fetching(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    connected: asyncio.Event | None = None,
    stored: Callable[[], None] | None = None,
) -> AbstractAsyncContextManager[None]:
    """While inside, the store is kept up to date from the sources, unless the settings say no.

    It begins once ``connected``; ``stored`` is called with every piece of news.
    """
    return _beside(_fetch(settings, store, clock, connected, stored), "fetch")


async def _fetch(
    settings: Settings,
    store: Store,
    clock: Clock,
    connected: asyncio.Event | None,
    stored: Callable[[], None] | None,
) -> None:
    if not settings.fetch:
        return
    if connected is not None:
        await connected.wait()
    # In a thread: readers are asking already.
    feeds = await asyncio.to_thread(import_module, "bot.every_feed")
    from bot import disk
    from bot.ingest import Coordinator
    from providers.client import Client

    every = feeds.every_feed(fred_key=settings.fred_api_key, sosovalue_key=settings.sosovalue_api_key)
    async with Client() as client:
        coordinator = Coordinator(
            store,
            client,
            every,
            venues=settings.venues,
            clock=clock,
            full=partial(disk.nearly_full, settings.database_url),
        )
        if stored is not None:
            coordinator.on_stored = stored
        await coordinator.run()


async def fetch(
    settings: Settings, series: Sequence[str], *, since: datetime | None, told: Callable[[str, float], None]
) -> list[Filled]:
    """Fetches what is missing of the series named, all of them without names; UserError beside a running bot."""
    from bot.backfill import fill
    from bot.every_feed import every_feed, named
    from providers.client import Client

    every = every_feed(fred_key=settings.fred_api_key, sosovalue_key=settings.sosovalue_api_key)
    wanted = named(series, every)
    async with writing_store(settings.database_url) as store, Client() as client:
        return await fill(
            store, client, every, wanted, venues=settings.venues, clock=SystemClock(), since=since, told=told
        )


async def discord(settings: Settings) -> None:
    """Connects to Discord and stays until stopped. Raises UserError if Discord does not let us, or cannot."""
    from bot import housekeeping, logs, pulse
    from bot.shutdown import stopped_by_signals

    token = token_of(settings)
    logs.configure(settings.log_level, secrets=(token,))
    pulse.hold_off()
    stop = asyncio.Event()
    with stopped_by_signals(stop):
        async with (
            pulse.watched(),
            _answers(_filled_store(settings.database_url), SystemClock()) as answers,
        ):
            from bot.client import Leadline

            starts = Starts(answers.store)
            await calm(starts, answers.clock.now(), stop)
            bot = Leadline(
                answers,
                dev_guild_id=settings.dev_guild_id,
                localized_names=settings.localized_command_names,
                fetches=settings.fetch,
            )
            jobs = housekeeping.jobs(answers.store, answers.clock, url=settings.database_url)
            try:
                async with (
                    housekeeping.running(jobs, after=bot.connected),
                    # An alert is judged as soon as its bar is there.
                    _fetching(
                        settings,
                        answers.store,
                        answers.clock,
                        connected=bot.connected,
                        stored=bot.outbox.changed,
                    ),
                    _beside(beat(bot, lock.path_for(settings.database_url)), "beat"),
                    _beside(_warm(answers, bot.connected), "warm"),
                ):
                    await connected(bot, starts, token, stop)
            finally:
                await bot.close()
            await starts.end_in_order()


@asynccontextmanager
async def _filled_store(url: str) -> AsyncIterator[Store]:
    """The store to run on; an empty one is given the sample, which every card then names."""
    # Half a second, while the drawing process loads its own libraries beside us.
    await asyncio.to_thread(import_module, "bot.client")
    async with writing_store(url, thorough=True) as store:
        if not await store.has_market_rows():
            await sample.load(store)
            log.info("the store was empty: the sample is loaded", ends=sample.ENDS.isoformat())
        yield store


async def preview(
    settings: Settings, *, port: int, at: datetime | None, live: bool, speed: float = 1.0
) -> None:
    """Serves the bot in a local page until stopped."""
    from bot import logs, preview_words
    from bot.shutdown import stopped_by_signals

    # The page is for looking at; what its simulated Discord lacks is nobody's concern.
    logs.configure("ERROR" if settings.log_level == "INFO" else settings.log_level)
    stop = asyncio.Event()
    with stopped_by_signals(stop):
        if live:
            clock = SystemClock()
            async with (
                _answers(writing_store(settings.database_url), clock) as answers,
                _beside(_warm(answers), "warm"),
                _fetching(settings, answers.store, clock),
            ):
                await _serve(answers, port, preview_words.live(), stop, fetches=settings.fetch)
            return
        start = at or SAMPLE_START
        async with _replaying(_sample_store(), start) as (played, answers):
            played.playing = replace(played.playing, speed=speed)
            welcome = preview_words.on_sample(start, speed)
            await _serve(answers, port, welcome, stop, replay=played)


async def replay(settings: Settings, start: datetime, end: datetime, told: Callable[[Event], None]) -> None:
    """Tells what happened from ``start`` to ``end``, by the store, or by the sample while there is none."""
    from bot import logs
    from bot.replay_events import events

    # Standard output is for the events.
    logs.configure("ERROR" if settings.log_level == "INFO" else settings.log_level)
    reading = _read_only(settings.database_url)
    async with _replaying(reading, start) as (played, answers):
        async for event in events(played, answers, end):
            told(event)


@asynccontextmanager
async def _read_only(url: str) -> AsyncIterator[Store]:
    async with reading_store(url, or_sample=True) as (store, _):
        yield store


@asynccontextmanager
async def _replaying(
    opening: AbstractAsyncContextManager[Store], start: datetime
) -> AsyncIterator[tuple[Replay, Answers]]:
    """A store in memory that lives through what ``opening`` holds, and answers from it."""
    from bot.replay import Replay

    clock = SetClock(start)
    async with opening as source:
        store = await Store.open("sqlite+aiosqlite://")
        played = Replay(source, store, clock)
        async with _answers(_begun(played), clock) as answers, _beside(_warm(answers), "warm"):
            yield played, answers


@asynccontextmanager
async def _begun(played: Replay) -> AsyncIterator[Store]:
    try:
        await migrate.prepare(played.store)
        await played.begin()
        yield played.store
    finally:
        await played.store.close()


async def _serve(
    answers: Answers,
    port: int,
    welcome: str,
    stop: asyncio.Event,
    *,
    fetches: bool = False,
    replay: Replay | None = None,
) -> None:
    from bot.client import Leadline

    try:
        from bot.preview import serve
        from bot.preview_replay import Player
    except ImportError:
        raise UserError("The preview is not installed: make install, then make run.") from None

    bot = Leadline(answers, fetches=fetches, replay=replay)
    try:
        await serve(
            bot,
            clock=answers.clock,
            port=port,
            locale="en",
            zone="UTC",
            welcome=welcome,
            on_ready=lambda url: _announce(url, welcome),
            stop=stop,
            player=None if replay is None else Player(replay, bot.outbox.changed),
        )
    finally:
        await bot.close()


def _announce(url: str, welcome: str) -> None:
    typer.echo(welcome.split("\n", maxsplit=1)[0].replace("`", ""))
    typer.echo(f"READY {url}")
    typer.echo("Open that address in a browser; Ctrl-C ends it.")
