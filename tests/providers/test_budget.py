"""A host's budget, in simulated seconds."""

from __future__ import annotations

import asyncio
import random

import pytest

from providers.budget import PATIENCE_S, Budget
from providers.errors import TooMany
from providers.hosts import HostRules


class Seconds:
    """A clock that moves only while somebody waits, as a sleeper sees it: never early, often late."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._dice = random.Random(5)  # noqa: S311 -- the same every time

    def tick(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds + self._dice.choice((0.0, 0.0, 0.3))


async def test_in_no_span_more_than_the_host_allows() -> None:
    seconds = Seconds()
    budget = Budget(HostRules(calls=10, per_s=60.0), tick=seconds.tick, sleep=seconds.sleep)
    dice = random.Random(6)  # noqa: S311
    spent: list[tuple[float, int]] = []

    for _ in range(2000):
        cost = dice.choice((1, 1, 2, 5, 10))
        await budget.turn(cost)
        spent.append((seconds.now, cost))
        seconds.now += dice.choice((0.0, 0.0, 0.0, 1.0, 30.0))

    for place, (at, _) in enumerate(spent):
        assert sum(cost for then, cost in spent[: place + 1] if then > at - 60.0) <= 10


async def test_what_is_allowed_is_given_without_a_wait() -> None:
    seconds = Seconds()
    budget = Budget(HostRules(calls=3, per_s=1.0), tick=seconds.tick, sleep=seconds.sleep)

    for _ in range(3):
        await budget.turn(1)
    assert seconds.now == 1000.0
    await budget.turn(1)

    assert seconds.now >= 1001.0


async def test_ten_thousand_calls_and_none_before_the_host_lets_us() -> None:
    seconds = Seconds()
    budget = Budget(HostRules(calls=5, per_s=1.0), tick=seconds.tick, sleep=seconds.sleep)
    dice = random.Random(7)  # noqa: S311
    not_before, called = 0.0, 0
    waits: list[tuple[float | None, float]] = []

    while called < 10_000:
        try:
            await budget.turn(1)
        except TooMany as told:
            waits.append((told.retry_after_s, not_before - seconds.now))
            seconds.now += dice.uniform(0.0, not_before - seconds.now)
            continue
        called += 1
        assert seconds.now >= not_before
        if dice.random() < 0.05:
            wait = dice.choice((0.0, 1.0, 4.9, 60.0, 3600.0))
            budget.hold(wait)
            not_before = max(not_before, seconds.now + wait)

    assert len(waits) > 100
    assert all(told == pytest.approx(true) and true > PATIENCE_S for told, true in waits)


async def test_first_come_first_served() -> None:
    budget = Budget(HostRules(calls=1, per_s=0.01), tick=asyncio.get_running_loop().time)
    order: list[int] = []

    async def call(number: int) -> None:
        await budget.turn(1)
        order.append(number)

    await asyncio.gather(*(call(number) for number in range(8)))

    assert order == list(range(8))


async def test_a_call_that_never_fits_is_a_mistake_of_ours() -> None:
    budget = Budget(HostRules(calls=1, per_s=1.0), tick=lambda: 0.0)

    with pytest.raises(ValueError, match="never fits"):
        await budget.turn(2)
