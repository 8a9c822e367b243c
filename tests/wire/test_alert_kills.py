"""Bots are killed while alerts are judged and told: every crossing is told once.

As ``test_kills.py``, whose bots, weather and points of death these are: here a bar closes beyond a price
in every life, and what is to be posted is found by the bot itself. ``LEADLINE_SOAK=1`` kills for long.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from analysis.alerts import Direction, Kind
from analysis.levels import Interval
from storage import alerts, instruments, new_bars, schema
from storage.alerts import Alert
from storage.bars import BarRow
from storage.instants import utc
from storage.store import Store
from tests.patience import PATIENCE
from tests.soak import times
from tests.wire import payloads, test_kills
from tests.wire.conftest import Open
from tests.wire.payloads import GUILD, TOKEN
from tests.wire.test_kills import CHANNELS, LANES, WEATHER, WINDOW, Lane, Nursery

KILLS = times(short=300, long=3_000)
KINDS = (Kind.TOUCH, Kind.CLOSE)
STEP = 1_800
nursery = test_kills.nursery


class AlertLane(Lane):
    """Each life has a market of its own, of which alerts wait for a fall, and the fall in the market before it."""

    kind = "alert"
    markets = 0
    falling: tuple[str, int] | None = None

    async def more(self) -> None:
        with closing(sqlite3.connect(self.file)) as db:
            # Those that are through are taken away, so that no start is slow.
            db.execute("DELETE FROM alerts WHERE id IN (SELECT subject FROM outbox WHERE state = 'done')")
            db.commit()
        store = await Store.open(f"sqlite+aiosqlite:///{self.file}")
        try:
            await self.fall(store)
            await self.open_market(store)
        finally:
            await store.close()

    async def open_market(self, store: Store) -> None:
        self.markets += 1
        code, now = f"K{self.markets}", datetime.now(UTC)
        last = int(now.timestamp()) // STEP * STEP - 2 * STEP
        calm = [
            BarRow(opened, opened + STEP, 100.0, 101.0, 99.0, 100.0, 1.0)
            for opened in range(last - 19 * STEP, last + STEP, STEP)
        ]
        async with store.write() as db:
            await db.execute(
                insert(schema.instruments).values(
                    code=code,
                    venue="Test",
                    symbol=code,
                    quote="USD",
                    kind="spot",
                    close_rule="utc",
                    label=code,
                    rank=0,
                )
            )
            series = await instruments.at_venue(db, "Test", code, Interval.M30)
            await new_bars.store(db, series, calm, source="test", now=now)
            for kind in KINDS:
                alert = Alert(
                    server_id=int(GUILD),
                    channel_id=int(self._dice.choice(CHANNELS)),
                    kind=kind,
                    subject=code,
                    interval=Interval.M30,
                    price=95.0,
                    direction=Direction.DOWN,
                    language="both",
                    since=utc(last + STEP) + timedelta(minutes=1),
                    added_by=1,
                    added_at=now,
                )
                await alerts.add(db, alert)
        self.due += len(KINDS)
        self.falling = code, last + STEP

    async def fall(self, store: Store) -> None:
        if self.falling is None:
            return
        code, opened = self.falling
        now = datetime.now(UTC)
        async with store.write() as db:
            series = await instruments.at_venue(db, "Test", code, Interval.M30)
            row = BarRow(opened, opened + STEP, 100.0, 100.0, 89.0, 90.0, 1.0)
            await new_bars.store(db, series, [row], source="test", now=now)
        self.falling = None

    async def finish(self) -> None:
        store = await Store.open(f"sqlite+aiosqlite:///{self.file}")
        await self.fall(store)
        await store.close()
        await super().finish()

    def open(self) -> int:
        with closing(sqlite3.connect(self.file, timeout=PATIENCE)) as db:
            (waiting,) = db.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE settled_at IS NULL)"
                " + (SELECT count(*) FROM alerts WHERE id NOT IN (SELECT subject FROM outbox WHERE kind = 'alert'))"
            ).fetchone()
        return int(waiting)


@pytest.mark.soak
async def test_whatever_dies_every_crossing_is_told_once(
    opened: Open, database: Path, nursery: Nursery, tmp_path: Path
) -> None:
    lanes = []
    for number in range(LANES):
        discord = await opened()
        discord.posts.window, discord.posts.weather = WINDOW, WEATHER
        discord.posts.random.seed(number)
        discord.gateway.guild = payloads.guild(*CHANNELS)
        file = Path(shutil.copy(database, tmp_path / f"{number}.db"))
        lanes.append(AlertLane(discord, file, nursery, number))
    await asyncio.gather(*(lane.kill(KILLS // LANES) for lane in lanes))
    await asyncio.gather(*(lane.finish() for lane in lanes))
    posts, doubled, lost = (sum(each) for each in zip(*[lane.told() for lane in lanes], strict=True))
    requests = sum((lane.discord.posts.seen for lane in lanes), start=Counter[str]())
    print(f"{KILLS} kills, {posts} posts, {doubled} doubled, {lost} lost, {dict(requests)}")
    assert TOKEN not in "".join(lane.log.read_text(encoding="utf-8") for lane in lanes)
    assert [lane.open() for lane in lanes] == [0] * LANES
    # Every crossing has one post, and every post one message.
    assert posts == sum(lane.due for lane in lanes)
    assert (doubled, lost) == (0, 0)
