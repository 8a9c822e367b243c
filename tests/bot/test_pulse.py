"""Whoever holds the event loop up is named."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.gateway import DiscordClientWebSocketResponse
from structlog.testing import capture_logs

from bot import pulse
from bot.pulse import Watchdog
from tests.patience import PATIENCE, until


def hold_up(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def stalls(told: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    """Those the test made: a machine that is busy elsewhere makes others."""
    return [
        line
        for line in told
        if line["event"] == "the event loop stood still" and "hold_up (bot/test_pulse.py:" in line["culprit"]
    ]


async def test_a_stall_is_told_with_its_culprit() -> None:
    with capture_logs() as told:
        running = asyncio.create_task(Watchdog(stall=0.15, quiet=0.0).run())
        await asyncio.sleep(0.05)
        hold_up(0.6)
        await until(lambda: stalls(told))
        running.cancel()
    [line] = stalls(told)
    assert line["ms"] >= 400
    assert line["log_level"] == "info"


async def test_of_many_stalls_few_are_told() -> None:
    with capture_logs() as told:
        running = asyncio.create_task(Watchdog(stall=0.15, quiet=PATIENCE).run())
        await asyncio.sleep(0.05)
        for _ in range(3):
            hold_up(0.3)
            await asyncio.sleep(0.1)
        running.cancel()
    assert len([line for line in told if line["event"] == "the event loop stood still"]) == 1


async def test_of_a_crowd_that_wakes_at_once_one_goes_on_in_each_turn_of_the_loop() -> None:
    crowd, ready = pulse.OneByOne(), asyncio.Event()
    went: list[tuple[int, int]] = []

    async def member(number: int) -> None:
        await ready.wait()
        await crowd.turn()
        went.append((number, turns()))

    members = [asyncio.create_task(member(number)) for number in range(200)]
    async with turning() as turns:
        ready.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        members[150].cancel()
        await asyncio.gather(*members, return_exceptions=True)
    assert [number for number, _ in went] == [*range(150), *range(151, 200)], "those who came first go first"
    first = went[0][1]
    assert [turn - first for _, turn in went] == [*range(150), *range(151, 200)]


async def test_a_burst_from_discord_does_not_hold_the_loop_up_and_its_goodbye_is_heard() -> None:
    """On a real socket, with the class that discord.py is made to use for its own. Two milliseconds a frame."""
    import bot.client  # noqa: F401 -- it puts the class there

    async def burst(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for number in range(100):
            await socket.send_str(str(number))
        # "Authentication failed", and gone without waiting for an answer.
        assert request.transport is not None
        request.transport.write(b"\x88\x02" + (4004).to_bytes(2))
        request.transport.close()
        return socket

    application = web.Application()
    application.router.add_get("/", burst)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(
            ws_response_class=vars(discord.http)[DiscordClientWebSocketResponse.__name__]
        ) as session,
        session.ws_connect(server.make_url("/"), autoclose=False) as socket,
        turning() as turns,
    ):
        await asyncio.sleep(0.2)
        read = []
        for _ in range(100):
            read.append(((await socket.receive()).data, turns()))
            hold_up(0.002)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        await socket.close(code=4000)
        assert socket.close_code == 4004
    assert [data for data, _ in read] == [str(number) for number in range(100)]
    assert max(Counter(turn for _, turn in read).values()) <= 4


@asynccontextmanager
async def turning() -> AsyncIterator[Callable[[], int]]:
    """Counts the turns of the loop while inside."""
    turn = 0

    def count() -> None:
        nonlocal turn
        turn += 1
        running.append(loop.call_soon(count))
        del running[:-1]

    loop = asyncio.get_running_loop()
    running = [loop.call_soon(count)]
    try:
        yield lambda: turn
    finally:
        running[-1].cancel()


async def test_a_loop_that_turns_is_not_told_of() -> None:
    with capture_logs() as told:
        running = asyncio.create_task(Watchdog(stall=PATIENCE).run())
        await asyncio.sleep(0.2)
        running.cancel()
    assert told == []


def test_who_is_named_is_a_function_and_never_a_value() -> None:
    secret = "canary"
    named = pulse.culprit(sys._getframe())
    assert named.startswith("test_who_is_named_is_a_function_and_never_a_value (bot/test_pulse.py:")
    assert secret not in named
    assert pulse.culprit(None) == "unknown"


@pytest.fixture
def own_garbage() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("own_garbage")
def test_nothing_is_looked_through_while_all_is_loaded() -> None:
    looks = []
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    try:
        pulse.hold_off()
        kept = [[number] for number in range(100_000)]
        pulse.settle()
        assert looks == []
        kept += [[number] for number in range(100_000)]
        assert looks
    finally:
        gc.callbacks.pop()


@pytest.mark.usefixtures("own_garbage")
def test_what_was_loaded_is_not_looked_through_again() -> None:
    pulse.settle()
    assert gc.get_freeze_count() > 10_000
    ring: list[object] = []
    ring.append(ring)
    assert len(gc.get_objects()) < 10_000
    del ring
    assert gc.collect() >= 1
    assert sys.getswitchinterval() == pytest.approx(0.001)
