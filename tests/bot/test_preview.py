from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import simcord
from preview_page import Page
from tiny import Tiny

from analysis.errors import UserError
from bot import preview
from bot.clock import FixedClock
from tests.patience import PATIENCE, until

BROWSER = Path(__file__).parents[1] / "browser"
START = datetime(2026, 2, 5, 18, tzinfo=UTC)


@dataclass
class Served:
    bot: Tiny
    page: Page
    stop: asyncio.Event
    serving: asyncio.Task[None]
    clock: RunningClock


Server = Callable[..., AbstractAsyncContextManager[Served]]


class RunningClock:
    """Starts at ``start`` when it is made, and runs on at the usual speed."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        # Not time.monotonic: inside SimCord, that one stands still for the bot.
        self._made = time.perf_counter()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.perf_counter() - self._made)


@pytest.fixture
def served() -> Server:
    @contextlib.asynccontextmanager
    async def serve(*, locale: str = "en", port: int | None = None, **habits: Any) -> AsyncIterator[Served]:
        stop = asyncio.Event()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        clock = RunningClock(START)
        async with Tiny(**habits) as bot, aiohttp.ClientSession() as http:
            serving = asyncio.create_task(
                preview.serve(
                    bot,
                    clock=clock,
                    port=port,
                    locale=locale,
                    zone="UTC",
                    welcome="Type /show.",
                    on_ready=ready.set_result,
                    stop=stop,
                )
            )
            try:
                waiting: list[asyncio.Future[Any]] = [serving, ready]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    serving.result()
                page = Page(http, ready.result())
                await page.open()
                yield Served(bot, page, stop, serving, clock)
            finally:
                stop.set()
                await serving

    return serve


async def test_the_page_is_up_with_its_people_and_a_welcome(served: Server) -> None:
    async with served() as it:
        async with it.page.http.get(it.page.url) as response:
            assert response.status == 200
            assert response.content_type == "text/html"
        state = it.page.state
        assert state["channel"]["name"] == "trading"
        assert it.page.said() == ["Type /show."]
        assert [viewer["name"] for viewer in state["viewers"]] == [
            "Alex (English)",
            "Mei (繁體中文)",
            "Moderator",
        ]
        (welcome,) = state["messages"].values()
        assert welcome["author"]["name"] == "Leadline"


async def test_the_secret_is_needed(served: Server) -> None:
    async with served() as it:
        it.page.url = it.page.url[:-1]
        with pytest.raises(aiohttp.ClientResponseError, match="401"):
            await it.page.look()


@pytest.mark.parametrize(
    ("locale", "person", "language"),
    [
        ("en", None, "en-US"),
        ("en", "Mei", "zh-TW"),
        ("zh-TW", None, "zh-TW"),
        ("zh-TW", "Moderator", "zh-TW"),
    ],
)
async def test_a_reader_is_answered_in_the_language_of_their_discord(
    served: Server, locale: str, person: str | None, language: str
) -> None:
    async with served(locale=locale) as it:
        if person is not None:
            await it.page.see_as(person)
        await it.page.show()
        (interaction,) = it.bot.seen
        assert str(interaction.locale) == language
        assert str(interaction.guild_locale) == preview.DISCORD_LOCALES[locale]


async def test_only_the_moderator_may_manage_the_server(served: Server) -> None:
    async with served() as it:
        for person in ("Alex", "Mei", "Moderator"):
            await it.page.see_as(person)
            await it.page.show()
        assert [seen.permissions.manage_guild for seen in it.bot.seen] == [False, False, True]


async def test_discords_time_starts_at_the_clock_and_runs_with_it(served: Server) -> None:
    async with served() as it:
        await until(lambda: len(it.bot.seconds) >= 3)
        ran = it.clock.now() - START
        seconds = it.bot.seconds[:3]
    assert timedelta() <= seconds[0] - START
    assert seconds[-1] - START <= ran + timedelta(seconds=2)
    assert all(timedelta(seconds=0.5) < b - a for a, b in pairwise(seconds))


async def test_what_the_bot_posts_by_itself_appears(served: Server) -> None:
    async with served() as it:
        before = (await it.page.look())["publishedRevision"]
        it.bot.post_after = len(it.bot.seconds) + 1
        async with asyncio.timeout(PATIENCE):
            while "The bot has something to say." not in it.page.said():
                await asyncio.sleep(0.1)
                await it.page.look()
        assert it.page.state["publishedRevision"] == before + 1


async def test_a_silent_bot_does_not_refresh_the_page(served: Server) -> None:
    """A refresh would wipe what the reader is typing."""
    async with served() as it:
        await it.page.show()
        before = (await it.page.look())["publishedRevision"]
        ticked = len(it.bot.seconds)
        await until(lambda: len(it.bot.seconds) >= ticked + 2)
        assert (await it.page.look())["publishedRevision"] == before


async def test_an_action_that_meets_the_clock_waits_for_its_turn(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "TICK", 0.0)
    async with served() as it:
        for _ in range(20):
            await it.page.show()
        assert len(it.bot.seen) == 20


async def test_a_port_in_use_is_said_in_one_sentence(served: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError) as caught:
            async with served(port=port):
                pass
    assert str(port) in str(caught.value)
    assert "PORT=" in str(caught.value)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stopping_lets_the_running_answer_finish_and_leaves_nothing(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "GRACE", PATIENCE)
    let_go = threading.Event()
    async with served(let_go=let_go) as it:
        await it.page.look()
        answer = asyncio.create_task(it.page.show())
        await until(lambda: it.bot.seen)
        it.stop.set()
        late = asyncio.create_task(it.page.show())
        await asyncio.sleep(0.3)
        let_go.set()
        assert (await answer)["settlement"] == "settled"
        await it.serving
        with pytest.raises(aiohttp.ClientError):
            await late
        assert len(it.bot.seen) == 1
        with pytest.raises(aiohttp.ClientError):
            await it.page.look()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_answer_that_never_comes_is_given_up(
    served: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preview, "GRACE", 0.3)
    let_go = threading.Event()
    async with served(let_go=let_go) as it:
        answer = asyncio.create_task(it.page.show())
        await until(lambda: it.bot.seen)
        it.stop.set()
        await until(lambda: "not finished" in caplog.text)
        let_go.set()
        with pytest.raises(aiohttp.ClientError):
            await answer
        await it.serving


async def test_ending_the_session_in_the_page_ends_the_preview(served: Server) -> None:
    async with served() as it:
        await it.page.act("close")
        await asyncio.wait_for(it.serving, PATIENCE)


async def test_the_private_parts_of_simcord_are_where_they_were(served: Server) -> None:
    """If this fails after an upgrade, read the end of bot/preview.py beside SimCord's source."""
    assert simcord.__version__ == "3.2.1"
    env = simcord.Env(Tiny())
    preview.set_epoch(env, FixedClock(START))
    assert env.now() == START
    assert callable(env.backend.emit)
    from simcord.preview import Preview

    assert asyncio.iscoroutinefunction(Preview._action)


def test_sigterm_closes_the_preview_without_a_trace() -> None:
    process = subprocess.Popen(
        [sys.executable, str(BROWSER / "tiny.py")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    # Neither a traceback nor a coroutine never awaited, nor what SimCord makes discord.py say.
    assert err == ""
