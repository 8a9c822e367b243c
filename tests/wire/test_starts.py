"""A crash loop stays far below what Discord allows, and a bot without sessions is not started."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.starting import PAUSE, Starts
from storage.store import Store
from tests.wire.conftest import Launch
from tests.wire.loopback import Discord


async def test_an_hour_of_crashes_is_at_most_fifty_sessions(store: Store) -> None:
    """Killed the moment it asked for a session, and started again at once, for an hour."""
    begin = now = datetime(2026, 2, 5, 18, tzinfo=UTC)
    starts = Starts(store)
    begun: list[datetime] = []
    while True:
        now += await starts.pause(now)
        if now - begin >= timedelta(hours=1):
            break
        await starts.begin(now)
        begun.append(now)
    assert begun[:4] == [begin, begin, begin, begin + PAUSE]
    # Three at once, then one every two minutes.
    assert len(begun) == 32

    await starts.end_in_order()
    assert await starts.pause(now) == timedelta(0)


async def test_a_bot_that_runs_for_long_is_no_crash_loop(store: Store) -> None:
    starts, now = Starts(store), datetime(2026, 2, 5, 18, tzinfo=UTC)
    for hour in range(10):
        await starts.begin(now + timedelta(hours=hour))
        assert await starts.pause(now + timedelta(hours=hour, minutes=5)) == timedelta(0)
    # Nor does a clock that was wrong hold anybody up.
    for _ in range(5):
        await starts.begin(now + timedelta(days=3))
    assert await starts.pause(now + timedelta(hours=9, minutes=5)) == timedelta(0)


def logins(discord: Discord) -> int:
    """Not all requests: what a killed bot had sent may still arrive."""
    return sum(request.path == "/users/@me" for request in discord.requests)


async def test_the_fourth_start_after_three_kills_waits(
    launch: Launch, discord: Discord, database: Path
) -> None:
    for _ in range(3):
        bot = await launch(discord, database)
        await discord.connected()
        bot.process.kill()
        await bot.ended()
    asked = logins(discord)
    bot = await launch(discord, database)
    waiting = await bot.logged("waiting after starts that ended badly")
    assert 0 < waiting["seconds"] <= 120
    bot.interrupt(signal.SIGTERM)
    # Before the wait would have ended by itself.
    assert await bot.ended(within=max(waiting["seconds"], 60)) == 0
    assert logins(discord) == asked

    # Stopped by somebody: the next start is theirs to choose.
    await launch(discord, database)
    await discord.connected()


async def test_without_sessions_left_it_is_not_started(
    launch: Launch, discord: Discord, database: Path
) -> None:
    discord.sessions_left = 49
    bot = await launch(discord, database)
    assert await bot.ended() == 75
    assert bot.err[-1] == (
        "Discord lets this bot begin only 49 more sessions; it was not started, so that the token is not taken "
        "away. Find out why it started so often, and start it again in 4 h."
    )
    assert bot.process.returncode == 75
    discord.sessions_left = 50
    await launch(discord, database)
    await discord.connected()
