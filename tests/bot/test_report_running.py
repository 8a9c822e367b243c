"""The running bar in words and JSON: as it was seen, only then, and in no judgement."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from analysis.levels import Interval, Levels
from bot.language import Speech
from bot.reports import level_words, levels
from bot.reports.levels import LevelsQuery
from bot.reports.shapes import Asked
from storage import instruments, unfinished
from storage.bars import BarRow
from storage.store import Store
from tests.conftest import SELL_OFF

SEEN = SELL_OFF + timedelta(minutes=7)
OPENED = int(SELL_OFF.timestamp())
# Far below every level: judged, it would begin to break 56,100.
BAR = BarRow(OPENED, OPENED + 1_800, 66_154.0, 66_300.5, 50_000.0, 50_100.0, 812.5)


@pytest.fixture
async def seen(store: Store) -> Store:
    async with store.write() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=SELL_OFF)
        assert series is not None
        await unfinished.keep(db, series, BAR, now=SEEN)
    return store


async def asked(store: Store, after: timedelta, interval: Interval = Interval.M30) -> Levels:
    return await levels.answer(LevelsQuery(interval=interval), Asked(store=store, at=SELL_OFF + after))


async def test_it_is_told_and_never_judged(seen: Store) -> None:
    at = SEEN + timedelta(minutes=1)
    before = await asked(seen, timedelta(minutes=6))
    result = await asked(seen, timedelta(minutes=8))
    told = levels.as_json(result, at)
    assert told.pop("unfinished") == {
        "opened_at": "2026-02-05T18:00:00Z",
        "open": 66_154.0,
        "high": 66_300.5,
        "low": 50_000.0,
        "close": 50_100.0,
        "seen_at": "2026-02-05T18:07:00Z",
    }
    without = levels.as_json(before, at) | {"as_of": told["as_of"]}
    assert without.pop("unfinished") is None
    assert told == without
    assert levels.as_table(result) == levels.as_table(before)
    line = level_words.say(result, Speech("en", ZoneInfo("UTC")), at).lines[0]
    assert line.endswith(" · 5 Feb 18:00 UTC · running bar: last 50,100 at 5 Feb 18:07 UTC")
    chinese = level_words.say(result, Speech("zh-TW", ZoneInfo("Asia/Taipei")), at).lines[0]
    assert chinese.endswith(" · 未收盤 K 棒：最新 50,100（2/6（五）02:07 台北）")


async def test_nobody_had_seen_it_before_and_it_runs_no_longer_than_its_time(seen: Store) -> None:
    assert (await asked(seen, timedelta(minutes=6, seconds=59))).running is None
    assert (await asked(seen, timedelta(minutes=7))).running is not None
    assert (await asked(seen, timedelta(minutes=29, seconds=59))).running is not None
    assert (await asked(seen, timedelta(minutes=30))).running is None


@pytest.mark.parametrize("interval", [Interval.H1, Interval.H4, Interval.D1])
async def test_longer_bars_have_none(seen: Store, interval: Interval) -> None:
    assert (await asked(seen, timedelta(minutes=8), interval)).running is None
