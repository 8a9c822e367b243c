"""Asked by many, made once; the loop stays free and so does the store."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from analysis.charts.look import Look, Picture
from analysis.errors import UserError
from analysis.levels import Interval
from bot.answers import Answers
from bot.clock import FixedClock
from bot.pictures import Pictures
from bot.reports.levels import REPORT, LevelsQuery
from storage import level_book, servers
from storage.servers import ServerSettings
from tests.patience import PATIENCE


async def longest_stall(done: asyncio.Event) -> float:
    """The most the loop's thread computed at a stretch, in seconds of its own processor time.

    Not of the clock: a busy machine stops the thread for longer than any of our work does.
    """
    longest, last = 0.0, time.thread_time()
    while not done.is_set():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return longest


async def test_twenty_different_questions_do_not_block_the_loop(answers: Answers) -> None:
    done = asyncio.Event()
    gc.collect()
    gc.freeze()  # what other tests left behind is not this loop's to sweep
    await answers.answer(REPORT, LevelsQuery(), server_id=0)  # pandas is loaded
    watching = asyncio.create_task(longest_stall(done))

    async def ask(number: int) -> Picture | None:
        query = LevelsQuery(interval=list(Interval)[number % 4], bars=50 + number)
        answered = await answers.answer(REPORT, query, server_id=0)
        return await answers.picture(REPORT, answered, Look(zone="Asia/Taipei"))

    pictures = await asyncio.gather(*(ask(number) for number in range(20)))
    done.set()
    gc.unfreeze()
    assert all(pictures)
    assert await watching < 0.2


async def test_the_same_question_is_calculated_once(answers: Answers) -> None:
    asked = [answers.answer(REPORT, LevelsQuery(), server_id=7) for _ in range(50)]
    results = await asyncio.gather(*asked)
    assert len({id(answered.result) for answered in results}) == 1


async def test_new_data_or_a_new_minute_is_a_new_answer(answers: Answers) -> None:
    first = await answers.answer(REPORT, LevelsQuery(), server_id=7)
    async with answers.store.write() as db:
        book = await level_book.read(db, 7)
        await level_book.write(db, 7, book[:2])
    second = await answers.answer(REPORT, LevelsQuery(), server_id=7)
    assert len(first.result.levels) == 5
    assert len(second.result.levels) == 2
    answers.clock = FixedClock(answers.clock.now() + timedelta(minutes=1))
    third = await answers.answer(REPORT, LevelsQuery(), server_id=7)
    assert third.result is not second.result


async def test_what_was_made_a_minute_ago_is_not_held_any_more(answers: Answers) -> None:
    """Nobody can ask it again, and a result of many bars is large."""
    for _ in range(3):
        await asyncio.gather(
            *(answers.answer(REPORT, LevelsQuery(bars=bars), server_id=7) for bars in (50, 60))
        )
        assert len(answers._made) == 2
        answers.clock = FixedClock(answers.clock.now() + timedelta(minutes=1))


async def test_each_server_is_answered_from_its_own_book(answers: Answers) -> None:
    async with answers.store.write() as db:
        book = await level_book.read(db, 1)
        await level_book.write(db, 1, book[:1])
    own, other = await asyncio.gather(
        answers.answer(REPORT, LevelsQuery(), server_id=1), answers.answer(REPORT, LevelsQuery(), server_id=2)
    )
    assert len(own.result.levels) == 1
    assert len(other.result.levels) == 5


async def test_a_crowd_of_servers_is_looked_up_together(answers: Answers) -> None:
    async with answers.store.write() as db:
        await servers.keep(db, ServerSettings(server_id=3, language="zh-TW"))
    looks: list[str] = []
    event.listen(
        answers.store.engine.sync_engine, "before_cursor_execute", lambda *told: looks.append(told[2])
    )
    found = await asyncio.gather(*(answers.server(number % 100) for number in range(200)))
    assert [number for number, one in enumerate(found) if one is not None] == [3, 103]
    # The first one alone, then all who asked meanwhile: two statements each, and the transactions.
    assert len([look for look in looks if look.startswith("SELECT")]) == 4


async def test_one_reader_who_goes_away_does_not_take_the_others_answer(answers: Answers) -> None:
    leaving = asyncio.create_task(answers.answer(REPORT, LevelsQuery(), server_id=9))
    staying = asyncio.create_task(answers.answer(REPORT, LevelsQuery(), server_id=9))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).result.instrument == "BTC"


async def test_an_error_is_not_remembered(answers: Answers) -> None:
    query = LevelsQuery(instrument="DOGE")
    for _ in range(2):
        with pytest.raises(UserError):
            await answers.answer(REPORT, query, server_id=0)


class Watchful(Pictures):
    """Pictures that look, at the moment of drawing, whether somebody holds the store."""

    held: bool | None = None
    answers: Answers

    async def draw(self, *asked: Any, **named: Any) -> Picture:
        async def glance() -> None:
            async with self.answers.store.read():
                pass

        try:
            await asyncio.wait_for(asyncio.create_task(glance()), 20)
        except TimeoutError:
            self.held = True
        else:
            self.held = False
        return Picture(png=b"", alt="")


async def test_nothing_holds_the_store_while_a_picture_is_drawn(answers: Answers) -> None:
    watchful = Watchful(charts=())
    watchful.answers = answers
    answers.pictures = watchful
    answered = await answers.answer(REPORT, LevelsQuery(), server_id=0)
    await answers.picture(REPORT, answered, Look())
    assert watchful.held is False


async def test_closing_waits_for_what_is_under_way_but_not_for_ever(answers: Answers) -> None:
    async with answers.running():
        started = time.perf_counter()
        await answers.finish(0.05)
        assert time.perf_counter() - started > 0.04
    # Nothing is under way: it ends before its time is over.
    await asyncio.wait_for(answers.finish(2 * PATIENCE), PATIENCE)
