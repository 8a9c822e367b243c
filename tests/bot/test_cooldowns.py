"""Buckets counted by hand: what fits, when the next fits, whom a flood slows."""

from __future__ import annotations

import pytest

from bot import cooldowns
from bot.cooldowns import Cooldowns, Rate
from bot.errors import UserError


class Watch:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def buckets(watch: Watch) -> Cooldowns:
    return Cooldowns(person=Rate(burst=3, seconds=5.0), server=Rate(burst=4, seconds=0.5), clock=watch)


def refused(buckets: Cooldowns, user: int, server: int | None) -> int:
    """The seconds in the sentence with which a question is refused."""
    with pytest.raises(UserError, match="a lot at once") as caught:
        buckets.take(user, server)
    seconds = caught.value.values["seconds"]
    assert isinstance(seconds, int)
    return seconds


def test_a_burst_then_one_at_a_time(buckets: Cooldowns, watch: Watch) -> None:
    for _ in range(3):
        buckets.take(1, None)
    assert refused(buckets, 1, None) == 5
    watch.seconds += 4.5
    assert refused(buckets, 1, None) == 1
    watch.seconds += 0.5
    buckets.take(1, None)
    assert refused(buckets, 1, None) == 5
    # Full again after 3 x 5 s, and never more than full.
    watch.seconds += 1000
    for _ in range(3):
        buckets.take(1, None)
    assert refused(buckets, 1, None) == 5


def test_waiting_as_long_as_told_is_enough(buckets: Cooldowns, watch: Watch) -> None:
    for step in (0.3, 1.9, 0.0, 2.2, 0.7):
        watch.seconds += step
        try:
            buckets.take(1, 7)
        except UserError as error:
            watch.seconds += float(str(error.values["seconds"]))
            buckets.take(1, 7)


def test_whoever_floods_slows_nobody_else(buckets: Cooldowns) -> None:
    for _ in range(3):
        buckets.take(1, 7)
    for _ in range(1000):
        refused(buckets, 1, 7)
    # The fourth of the server's four is still there for somebody else.
    buckets.take(2, 7)


def test_a_server_has_a_bucket_of_its_own(buckets: Cooldowns, watch: Watch) -> None:
    for user in (1, 2, 3, 4):
        buckets.take(user, 7)
    assert refused(buckets, 5, 7) == 1
    buckets.take(5, 8)
    buckets.take(5, None)
    # What the server refused did not cost the person anything: the third of three.
    watch.seconds += 0.5
    buckets.take(5, 7)
    assert refused(buckets, 5, None) == 5


def test_only_so_many_are_remembered(
    buckets: Cooldowns, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooldowns, "MOST_BUCKETS", 50)
    for user in range(1000):
        buckets.take(user, user)
        watch.seconds += 1
    assert len(buckets._people._full_at) == 50
    assert len(buckets._servers._full_at) == 50
    assert 999 in buckets._people._full_at
