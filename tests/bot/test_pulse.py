"""Whoever holds the event loop up is named."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from bot import pulse
from bot.pulse import Watchdog


def hold_up(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def test_a_stall_is_told_with_its_culprit_once() -> None:
    with capture_logs() as told:
        running = asyncio.create_task(Watchdog(stall=0.15, quiet=60.0).run())
        await asyncio.sleep(0.05)
        hold_up(0.6)
        await asyncio.sleep(0.1)
        hold_up(0.6)
        await asyncio.sleep(0.1)
        running.cancel()
    [line] = [line for line in told if line["event"] == "the event loop stood still"]
    assert line["ms"] >= 400
    assert "hold_up (bot/test_pulse.py:" in line["culprit"]
    assert line["log_level"] == "info"


async def test_a_loop_that_turns_is_not_told_of() -> None:
    with capture_logs() as told:
        running = asyncio.create_task(Watchdog(stall=5.0).run())
        await asyncio.sleep(0.2)
        running.cancel()
    assert told == []


def test_who_is_named_is_a_function_and_never_a_value() -> None:
    import sys

    secret = "canary"
    named = pulse.culprit(sys._getframe())
    assert named.startswith("test_who_is_named_is_a_function_and_never_a_value (bot/test_pulse.py:")
    assert secret not in named
    assert pulse.culprit(None) == "unknown"


@pytest.fixture
def own_garbage() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


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
