"""Nobody sees or touches another's alerts: five people in three servers, and whatever they may try."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from analysis.alerts import Direction, Kind
from analysis.errors import AlreadyDone, UserError
from analysis.levels import Interval
from bot import alert_store
from bot.errors import NotAllowed
from storage import migrate, schema
from storage.alerts import Acting, Alert
from storage.store import Store
from tests.soak import times

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
USERS = [11, 12, 13, 14, 15]
SERVERS = [101, 102, 103]
MODERATORS = {(11, 101), (12, 102), (11, 103), (13, 103)}
CHANNELS = {101: 1001, 102: 1002, 103: 1003}
# The first two are one level (0.14 % apart), the others are far from each other.
PRICES = [73_600.0, 73_700.0, 70_000.0, 61_500.0]

users, servers, prices = st.sampled_from(USERS), st.sampled_from(SERVERS), st.sampled_from(PRICES)


def acting(user: int, server: int) -> Acting:
    return Acting(server_id=server, user_id=user, moderates=(user, server) in MODERATORS)


def drafted(user: int, server: int, price: float | None, *, channel: bool) -> Alert:
    """A close at a price, or without one the flows of a day."""
    return Alert(
        server_id=server,
        channel_id=CHANNELS[server] if channel else user,
        owner_id=None if channel else user,
        kind=Kind.FLOW_FINAL if price is None else Kind.CLOSE,
        subject="BTC",
        interval=None if price is None else Interval.M30,
        price=price,
        direction=None if price is None else Direction.EITHER,
        since=NOW,
        added_by=user,
        added_at=NOW,
    )


@dataclass
class Kept:
    """An alert as it should be, told once more in other words than the product's."""

    server: int
    owner: int | None
    price: float | None
    muted_until: datetime | None = None

    def is_of(self, user: int, server: int) -> bool:
        if server != self.server:
            return False
        return user == self.owner if self.owner else (user, server) in MODERATORS


class Trying(RuleBasedStateMachine):
    runner: asyncio.Runner
    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, Kept] = {}
        self.given: list[int] = []
        """Every id ever given, also of what is gone."""
        self.pressed = 0

    @initialize()
    def nothing_is_kept(self) -> None:
        async def empty() -> None:
            async with self.store.write() as db:
                await db.execute(delete(schema.alerts))
                await db.execute(delete(schema.handled_interactions))

        self.runner.run(empty())

    def do(self, work: Callable[[int], Awaitable[Any]]) -> Any:
        """What came of a press: the answer or the class of the error. The same press again changes nothing."""
        self.pressed += 1

        async def doing() -> Any:
            try:
                return await work(self.pressed)
            except UserError as error:
                return type(error)

        done = self.runner.run(doing())
        if not isinstance(done, type):
            assert self.runner.run(doing()) is AlreadyDone
        return done

    def near(self, number: int, server: int, owner: int | None, price: float | None) -> bool:
        beside = [
            other.price
            for other_id, other in self.kept.items()
            if other_id != number and (other.server, other.owner) == (server, owner)
        ]
        if price is None:
            return None in beside
        return any(other is not None and abs(other - price) / max(other, price) <= 0.002 for other in beside)

    def save(self, draft: Alert, user: int, server: int) -> Any:
        return self.do(
            lambda press: alert_store.save(
                self.store, draft, acting=acting(user, server), interaction_id=press, now=NOW
            )
        )

    @rule(user=users, server=servers, price=st.none() | prices, channel=st.booleans())
    def add(self, user: int, server: int, price: float | None, channel: bool) -> None:
        done = self.save(drafted(user, server, price, channel=channel), user, server)
        owner = None if channel else user
        if channel and (user, server) not in MODERATORS:
            assert done is NotAllowed
        elif self.near(0, server, owner, price):
            assert done is UserError
        else:
            assert done.id not in self.given
            self.given.append(done.id)
            self.kept[done.id] = Kept(server, owner, price)

    @rule(user=users, server=servers, other=users, elsewhere=servers, channel=st.booleans())
    def add_in_anothers_name(self, user: int, server: int, other: int, elsewhere: int, channel: bool) -> None:
        if (user, server) == (other, elsewhere) or (channel and server == elsewhere):
            return
        done = self.save(drafted(other, elsewhere, 50_000.0, channel=channel), user, server)
        assert done in {UserError, NotAllowed}

    @precondition(lambda self: self.given)
    @rule(data=st.data(), user=users, server=servers, price=prices, channel=st.booleans())
    def edit(self, data: Any, user: int, server: int, price: float, channel: bool) -> None:
        number = data.draw(st.sampled_from(self.given))
        draft = replace(drafted(user, server, price, channel=channel), id=number)
        done = self.save(draft, user, server)
        kept, owner = self.kept.get(number), None if channel else user
        if channel and (user, server) not in MODERATORS:
            assert done is NotAllowed
        elif kept is None or not kept.is_of(user, server) or kept.owner != owner:
            assert done is UserError, "not theirs"
        elif self.near(number, server, owner, price):
            assert done is UserError, "there is such an alert"
        else:
            assert (done.id, done.price) == (number, price)
            kept.price = price

    @precondition(lambda self: self.given)
    @rule(data=st.data(), user=users, server=servers, hours=st.none() | st.sampled_from([1, 24]))
    def mute(self, data: Any, user: int, server: int, hours: int | None) -> None:
        number = data.draw(st.sampled_from(self.given))
        until = None if hours is None else NOW + timedelta(hours=hours)
        done = self.do(
            lambda press: alert_store.mute(
                self.store, number, until, acting=acting(user, server), interaction_id=press, now=NOW
            )
        )
        kept = self.kept.get(number)
        if kept is None or not kept.is_of(user, server):
            assert done is UserError
        else:
            assert done is None
            kept.muted_until = until

    @precondition(lambda self: self.given)
    @rule(data=st.data(), user=users, server=servers)
    def remove(self, data: Any, user: int, server: int) -> None:
        number = data.draw(st.sampled_from(self.given))
        done = self.do(
            lambda press: alert_store.remove(
                self.store, number, acting=acting(user, server), interaction_id=press, now=NOW
            )
        )
        kept = self.kept.get(number)
        if kept is None or not kept.is_of(user, server):
            assert done is UserError
        else:
            assert done is None
            del self.kept[number]

    @precondition(lambda self: self.given)
    @rule(data=st.data(), user=users, server=servers)
    def look(self, data: Any, user: int, server: int) -> None:
        number = data.draw(st.sampled_from(self.given))
        who = acting(user, server)
        seen = self.runner.run(alert_store.visible(self.store, who))
        assert [alert.id for alert in seen] == [
            each for each in self.kept if self.kept[each].is_of(user, server)
        ]
        kept = self.kept.get(number)
        if kept is not None and kept.is_of(user, server):
            found, _ = self.runner.run(alert_store.one_of(self.store, number, who))
            assert found.id == number
        else:
            with pytest.raises(UserError):
                self.runner.run(alert_store.one_of(self.store, number, who))

    @invariant()
    def what_is_kept_is_what_was_allowed(self) -> None:
        t = schema.alerts.c

        async def rows() -> list[Any]:
            async with self.store.read() as db:
                return list(await db.execute(select(t.id, t.server_id, t.owner_id, t.price, t.muted_until)))

        assert {row.id: tuple(row)[1:] for row in self.runner.run(rows())} == {
            number: (
                kept.server,
                kept.owner,
                kept.price,
                None if kept.muted_until is None else int(kept.muted_until.timestamp()),
            )
            for number, kept in self.kept.items()
        }


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def empty(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'leadline.db'}"
    runner.run(migrate.upgrade(url))
    store = runner.run(Store.open(url))
    yield store
    runner.run(store.close())


@pytest.mark.soak
def test_nobody_touches_anothers(runner: asyncio.Runner, empty: Store) -> None:
    """Under make soak 10,000 sequences of 15 presses."""

    class Here(Trying):
        pass

    Here.runner, Here.store = runner, empty
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=times(short=20, long=10_000),
            stateful_step_count=15,
            deadline=None,
            database=None,
            # To shrink a failure takes minutes here; what was pressed is told all the same.
            phases=[Phase.generate],
        ),
    )


def test_twenty_are_the_most_of_one_place(runner: asyncio.Runner, empty: Store) -> None:
    """Each person's and the channels' are counted by themselves."""
    presses = itertools.count()

    def add(user: int, number: int, *, channel: bool) -> Alert:
        draft = drafted(user, 101, 1000.0 + 10 * number, channel=channel)
        who = acting(user, 101)
        return runner.run(alert_store.save(empty, draft, acting=who, interaction_id=next(presses), now=NOW))

    for number in range(20):
        add(11, number, channel=False)
        add(11, number, channel=True)
    with pytest.raises(UserError, match=r"You have 20/20 alerts in this server"):
        add(11, 20, channel=False)
    with pytest.raises(UserError, match=r"The channels of this server have 20/20 alerts"):
        add(11, 20, channel=True)
    assert add(12, 20, channel=False).id


def test_ones_own_never_becomes_a_channels_nor_the_other_way_round(
    runner: asyncio.Runner, empty: Store
) -> None:
    """Not even for who moderates, and may have both."""
    presses = itertools.count()

    def save(draft: Alert) -> Alert:
        return runner.run(
            alert_store.save(empty, draft, acting=acting(11, 101), interaction_id=next(presses), now=NOW)
        )

    own = save(drafted(11, 101, 70_000.0, channel=False))
    channel = save(drafted(11, 101, 61_500.0, channel=True))
    for number, to_channel in ((own.id, True), (channel.id, False)):
        draft = replace(drafted(11, 101, 50_000.0, channel=to_channel), id=number)
        with pytest.raises(UserError, match=r"There is no such alert here"):
            save(draft)
    assert runner.run(alert_store.visible(empty, acting(11, 101))) == [own, channel]
