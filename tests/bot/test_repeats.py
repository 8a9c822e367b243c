"""What counts as asked already: for a minute, where it was asked, while the card is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from analysis.charts.look import Look
from bot import repeats
from bot.repeats import Question, Repeats

ASKED = Question(
    server_id=1,
    channel_id=2,
    report="levels",
    words=(("instrument", "BTC"), ("interval", "30m")),
    look=Look(),
    version=1,
)


class Watch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def post(known: Repeats, question: Question, message_id: int) -> None:
    with known.posting(question) as posting:
        known.posted(posting, message_id)


def test_a_card_answers_for_a_minute() -> None:
    watch = Watch()
    known = Repeats(clock=watch)
    assert known.earlier(ASKED) is None
    post(known, ASKED, 3)
    watch.seconds = 59.9
    posting = known.earlier(ASKED)
    assert posting is not None
    assert posting.message_id == 3
    watch.seconds = 60.0
    assert known.earlier(ASKED) is None


def test_the_link_is_the_one_discord_gives_a_message() -> None:
    assert ASKED.link(3) == "https://discord.com/channels/1/2/3"


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, server_id=9),
        replace(ASKED, channel_id=9),
        replace(ASKED, report="flows"),
        replace(ASKED, words=(("instrument", "BTC"), ("interval", "4h"))),
        replace(ASKED, look=Look(locale="zh-TW")),
        replace(ASKED, look=Look(palette="tw")),
    ],
)
def test_another_place_words_or_look_is_another_question(other: Question) -> None:
    known = Repeats()
    post(known, ASKED, 3)
    assert known.earlier(other) is None


def test_a_card_that_is_gone_is_forgotten() -> None:
    known = Repeats()
    post(known, ASKED, 3)
    other = replace(ASKED, report="flows")
    post(known, other, 4)
    known.forget(3)
    assert known.earlier(ASKED) is None
    assert known.earlier(other) is not None


async def test_whoever_asks_meanwhile_waits_for_the_card() -> None:
    known = Repeats()
    with known.posting(ASKED) as first:
        found = known.earlier(ASKED)
        assert found is first
        waiting = asyncio.create_task(found.message(5))
        await asyncio.sleep(0)
        assert not waiting.done()
        known.posted(first, 3)
    assert await waiting == 3


async def test_a_card_that_never_came_is_waited_for_no_longer() -> None:
    known = Repeats()

    async def fail() -> None:
        with known.posting(ASKED):
            await asyncio.sleep(0)
            raise ValueError("not drawn")

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    found = known.earlier(ASKED)
    assert found is not None
    assert await found.message(5) is None
    with pytest.raises(ValueError, match="not drawn"):
        await failing
    assert known.earlier(ASKED) is None


async def test_waiting_has_an_end() -> None:
    known = Repeats()
    with known.posting(ASKED) as first:
        assert await first.message(0.01) is None


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_KEPT", 5)
    known = Repeats()
    for number in range(20):
        post(known, replace(ASKED, channel_id=number), number)
    assert len(known._known) == 5
    assert known.earlier(replace(ASKED, channel_id=19)) is not None
    assert known.earlier(replace(ASKED, channel_id=14)) is None
