"""What is kept for the next reader: words, pictures and answers, and never an old one."""

from __future__ import annotations

import asyncio
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.charts import CHARTS
from analysis.charts.look import Look
from analysis.levels import Levels
from bot.answers import WANTED, WANTED_FOR, Answers
from bot.clock import FixedClock
from bot.language import Speech
from bot.pictures import Pictures
from bot.reports import REPORTS
from bot.reports.levels import REPORT, LevelsQuery
from bot.reports.shapes import Asked
from storage import instruments, level_book, new_bars, sample
from storage.bars import BarRow
from tests.conftest import SELL_OFF

ENGLISH = Speech("en", ZoneInfo("UTC"))


async def test_words_are_said_once_a_language(answers: Answers) -> None:
    first = await answers.answer(REPORT, LevelsQuery(), server_id=1)
    again = await answers.answer(REPORT, LevelsQuery(), server_id=1)
    said = answers.say(REPORT, first, ENGLISH)
    assert answers.say(REPORT, again, ENGLISH) is said
    chinese = answers.say(REPORT, again, Speech("zh-TW", ZoneInfo("Asia/Taipei")))
    assert chinese.lines != said.lines


async def test_servers_without_data_of_their_own_share_an_answer(answers: Answers) -> None:
    one, other = [await answers.answer(REPORT, LevelsQuery(), server_id=number) for number in (1, 2)]
    assert one.result is other.result
    async with answers.store.write() as db:
        book = await level_book.read(db, 1)
        await level_book.write(db, 2, book[:1])
    one, other = [await answers.answer(REPORT, LevelsQuery(), server_id=number) for number in (1, 2)]
    assert (len(one.result.levels), len(other.result.levels)) == (5, 1)


async def test_after_new_data_what_was_asked_lately_is_ready(answers: Answers) -> None:
    looks = (Look(), Look(locale="zh-TW", palette="tw"))
    for look in looks:
        await answers.picture(REPORT, await answers.answer(REPORT, LevelsQuery(), server_id=3), look)
    old = await answers.answer(REPORT, LevelsQuery(), server_id=3)
    async with answers.store.write() as db:
        book = await level_book.read(db, 3)
        await level_book.write(db, 3, book[:2])
    # Its book is its own from now on: the question of everybody is what is refreshed.
    await answers.refresh()
    drawn = answers.pictures.drawn
    new = await answers.answer(REPORT, LevelsQuery(), server_id=4)
    assert new.kept
    assert new.result is not old.result
    for look in looks:
        assert await answers.picture(REPORT, new, look) is not None
    assert answers.pictures.drawn == drawn


async def test_what_nobody_asks_any_more_is_not_refreshed(answers: Answers) -> None:
    await answers.answer(REPORT, LevelsQuery(), server_id=0)
    answers.clock = FixedClock(answers.clock.now() + WANTED_FOR + timedelta(minutes=1))
    await answers.refresh()
    assert not (await answers.answer(REPORT, LevelsQuery(), server_id=0)).kept


async def test_only_so_many_questions_are_refreshed(answers: Answers) -> None:
    for number in range(WANTED + 5):
        await answers.answer(REPORT, LevelsQuery(bars=30 + number), server_id=0)
    answers.clock = FixedClock(answers.clock.now() + timedelta(minutes=1))
    await answers.refresh()
    ready = [
        (await answers.answer(REPORT, LevelsQuery(bars=30 + number), server_id=0)).kept
        for number in range(WANTED + 5)
    ]
    assert ready == [False] * 5 + [True] * WANTED


async def test_a_bar_that_comes_is_on_the_next_picture(answers: Answers) -> None:
    answers.clock = FixedClock(SELL_OFF + timedelta(days=2))  # beyond the last bar of the sample
    before = await answers.answer(REPORT, LevelsQuery(bars=40), server_id=0)
    shown = await answers.picture(REPORT, before, Look())
    newest = int(before.result.candles.opened_at[-1]) + 1800
    answers.clock = FixedClock(answers.clock.now() + timedelta(minutes=30))
    async with answers.store.write() as db:
        series = await instruments.find(db, "BTC", before.result.interval, at=answers.clock.now())
        assert series is not None
        row = BarRow(newest, newest + 1800, 66_000.0, 67_000.0, 60_000.0, 61_000.0, 5000.0)
        await new_bars.store(db, series, [row], source="made up", now=answers.clock.now())
    after = await answers.answer(REPORT, LevelsQuery(bars=40), server_id=0)
    assert after.result.price == 61_000.0
    assert await answers.picture(REPORT, after, Look()) != shown


def changed(value: Any, choose: st.DataObject) -> Any:
    """``value`` with one datum in it changed, wherever it lies; None where there is nothing to change."""
    if isinstance(value, np.ndarray):
        if not value.size:
            return None
        other = value.copy()
        place = choose.draw(st.integers(0, value.size - 1))
        other[place] += 1
        return other
    if isinstance(value, bool):
        return not value
    if type(value) in {int, float}:
        return value + 1
    if type(value) is str:
        return value + "'"
    if isinstance(value, tuple):
        if not value:
            return None
        place = choose.draw(st.integers(0, len(value) - 1))
        inner = changed(value[place], choose)
        return None if inner is None else (*value[:place], inner, *value[place + 1 :])
    if is_dataclass(value) and not isinstance(value, type):
        name = choose.draw(st.sampled_from([one.name for one in fields(value) if one.name != "as_of"]))
        inner = changed(getattr(value, name), choose)
        return None if inner is None else replace(value, **{name: inner})
    return None


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One result a report, made once."""

    async def make() -> dict[str, Any]:
        store = await sample.open_in_memory()
        made = {
            name: await one.answer(one.read({}, SELL_OFF), Asked(store=store, at=SELL_OFF))
            for name, one in REPORTS.items()
        }
        await store.close()
        return made

    return asyncio.run(make())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choose=st.data())
def test_a_changed_datum_is_another_picture(results: dict[str, Any], choose: st.DataObject) -> None:
    """Any number, word or state anywhere in a result, or a choice of the look, and the picture is not the old one."""
    report = REPORTS[choose.draw(st.sampled_from(sorted(REPORTS)))]
    result = results[report.name]
    other = changed(result, choose)

    async def names() -> tuple[bytes, ...]:
        return (
            await Pictures.name(report.chart, result, Look()),
            await Pictures.name(
                report.chart, replace(result, as_of=result.as_of + timedelta(hours=1)), Look()
            ),
            await Pictures.name(report.chart, other, Look()) if other is not None else b"",
            *[
                await Pictures.name(report.chart, result, look)
                for look in (
                    Look(locale="zh-TW"),
                    Look(theme="light"),
                    Look(palette="cb"),
                    Look(zone="Asia/Tokyo"),
                )
            ],
        )

    first, later, new, *looks = asyncio.run(names())
    assert later == first
    assert new != first
    assert len({first, *looks}) == 5


def test_every_chart_has_a_name_of_its_own(results: dict[str, Any]) -> None:
    async def names() -> set[bytes]:
        result: Levels = results["levels"]
        return {await Pictures.name(chart, result, Look()) for chart in CHARTS}

    assert len(asyncio.run(names())) == len(CHARTS)
