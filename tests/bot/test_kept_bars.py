"""What is kept of the bars behind an answer changes nothing but the work."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.levels import Interval
from bot.reports import REPORTS
from bot.reports.level_past import SeriesPast
from bot.reports.shapes import Asked
from bot.reports.stress_past import ClosesPast
from storage import bars, instruments, new_bars
from storage.bars import BarRow
from storage.store import Store
from tests.conftest import SELL_OFF

HALF_HOUR = timedelta(minutes=30)
QUESTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("levels", {}),
    ("levels", {"interval": "1h", "auto": "yes"}),
    ("levels", {"interval": "4h"}),
    ("levels", {"interval": "1d"}),
    ("stress", {}),
    ("stress", {"view": "history"}),
    ("lights", {}),
)


@pytest.fixture
async def unkept(store: Store, tmp_path: Path) -> AsyncIterator[Store]:
    """The same file, read by somebody who keeps nothing."""
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'leadline.db'}", readonly=True)
    yield opened
    await opened.close()


async def told(store: Store, name: str, words: dict[str, str], at: datetime) -> Any:
    report = REPORTS[name]
    result = await report.answer(report.read(words, at), Asked(store=store, at=at, server_id=1))
    return json.dumps([report.as_json(result, at), [list(map(str, row)) for row in report.as_table(result)]])


async def test_answers_are_those_of_somebody_who_keeps_nothing(store: Store, unkept: Store) -> None:
    """At random instants, mostly later ones, with an old bar that comes in meanwhile."""
    chance = np.random.default_rng(4)
    at = SELL_OFF - timedelta(days=9)
    for turn in range(10):
        at += HALF_HOUR * int(chance.choice([1, 1, 5, 46]))
        asked = at - timedelta(days=chance.random() * 5) if turn % 5 == 4 else at
        if turn == 6:
            async with store.write() as db:
                series = await instruments.find(db, "BTC", Interval.M30, at=at)
                assert series is not None
                first = (await bars.closed(db, series, Interval.M30, at=at))[0]
                old = first._replace(
                    opened_at=first.opened_at - 1800,
                    closed_at=first.opened_at,
                    low=first.low and first.low - 1,
                )
                await new_bars.store(db, series, [old], source="made up", now=at, is_sample=True)
        name, words = QUESTIONS[turn % len(QUESTIONS)]
        for question in {(name, tuple(words.items())), ("levels", ()), ("stress", ())}:
            expected = await told(unkept, question[0], dict(question[1]), asked)
            assert await told(store, question[0], dict(question[1]), asked) == expected


async def held(store: Store) -> SeriesPast:
    async with store.read() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=SELL_OFF)
    assert series is not None
    return store.past.hold((SeriesPast.__name__, series.id, series.interval), lambda: SeriesPast(series)).what


async def add_bar(store: Store, opened_at: int) -> None:
    async with store.write() as db:
        series = await instruments.find(db, "BTC", Interval.M30, at=SELL_OFF)
        assert series is not None
        row = BarRow(opened_at, opened_at + 1800, 73_000.0, 73_100.0, 72_900.0, 73_050.0, 1.0)
        await new_bars.store(db, series, [row], source="made up", now=SELL_OFF, is_sample=True)


async def test_a_new_bar_is_read_and_judged_alone(store: Store) -> None:
    end = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    await told(store, "levels", {}, end)
    before = await held(store)
    judged, last = before.past(Interval.M30).judged, int(before.base.opened_at[-1])
    await add_bar(store, last + 1800)
    async with store.read() as db:
        new = await before.read(db, end)
    assert [row[0] for row in new.base] == [last + 1800]
    assert len(new.days) <= 2
    await told(store, "levels", {}, end)
    after = await held(store)
    assert after is before
    # Five levels of the book.
    assert after.past(Interval.M30).judged == judged + 5


async def test_an_older_bar_makes_it_begin_anew(store: Store) -> None:
    await told(store, "levels", {}, SELL_OFF)
    before = await held(store)
    first = int(before.base.opened_at[0])
    await add_bar(store, first)  # is there already
    assert await held(store) is before
    await add_bar(store, first - 1800)
    await told(store, "levels", {}, SELL_OFF)
    after = await held(store)
    assert after is not before
    assert int(after.base.opened_at[0]) == first - 1800


async def test_between_two_closes_stress_is_judged_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = SELL_OFF + timedelta(hours=9)
    first = await told(store, "stress", {}, at)
    kept: Any = store.past.hold(ClosesPast.__name__, ClosesPast).what
    answers = dict(kept._answers)
    assert len(answers) == 1
    second = await told(store, "stress", {}, at + HALF_HOUR)
    assert dict(kept._answers) == answers
    assert second != first  # older by half an hour
