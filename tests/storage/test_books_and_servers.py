from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import select

from analysis.levels import Level, Rule
from storage import digests, entries, level_book, marks, schema, servers
from storage.digests import Part, Schedule
from storage.entries import Kind
from storage.servers import ServerSettings
from storage.store import Db, Store

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
LATER = datetime(2026, 2, 6, 18, tzinfo=UTC)


async def test_the_default_book(store: Store) -> None:
    async with store.read() as db:
        book = await level_book.read(db, 123)
    assert [(level.price, level.label) for level in book] == [
        (83_500, "first layer"),
        (77_000, "second layer"),
        (73_600, "near the March 2024 high"),
        (56_100, "fourth layer"),
        (40_000, "round number"),
    ]
    assert (book[2].venue, book[2].dated) == ("Binance spot", date(2024, 3, 14))
    assert {level.rule for level in book} == {Rule()}
    assert all("market analysis of 5 Feb 2026" in (level.source or "") for level in book)


async def test_a_server_has_its_own_book_until_it_is_empty(store: Store) -> None:
    own = Level(
        price=60_000.5,
        label="ours",
        dated=date(2026, 2, 6),
        rule=Rule(bars_to_break=1, bars_to_hold=4, buffer_share=0.0, buffer_atr=0.5),
    )
    server = 2**63 - 1
    async with store.write() as db:
        await level_book.write(db, server, [own])
    async with store.read() as db:
        assert await level_book.read(db, server) == [own]
        assert len(await level_book.read(db, 7)) == 5
    async with store.write() as db:
        await level_book.write(db, server, [])
        assert len(await level_book.read(db, server)) == 5
        with pytest.raises(ValueError, match="no server"):
            await level_book.write(db, 0, [])


async def test_settings_are_kept_replaced_and_forgotten(store: Store) -> None:
    first = ServerSettings(server_id=7, language="zh-TW", zone="Asia/Taipei", palette="tw")
    second = ServerSettings(server_id=7, theme="light", public_channels=(2**62, 5), moderator_role=2**61)
    async with store.write() as db:
        assert await servers.settings(db, 7) is None
        await servers.keep(db, first)
        assert await servers.settings(db, 7) == first
        await servers.keep(db, second)
        assert await servers.settings(db, 7) == second
        nowhere = ServerSettings(server_id=7, public_channels=(), changed_by=2**62, changed_at=1_770_000_000)
        await servers.keep(db, nowhere)
        assert await servers.settings(db, 7) == nowhere
        await servers.keep(db, second)
        await level_book.write(db, 7, [Level(price=1.0, label="ours")])
    async with store.read() as db:
        assert await servers.settings(db, 7) == second
        assert await servers.settings(db, 8) is None
    async with store.write() as db:
        await servers.forget(db, 7)
        await servers.forget(db, 0)
        assert await servers.settings(db, 7) is None
        assert len(await level_book.read(db, 7)) == 5


async def left_at(db: Db) -> dict[int, int]:
    t = schema.servers_left.c
    return {row.server_id: row.left_at for row in await db.execute(select(t.server_id, t.left_at))}


async def test_every_channel_is_public_until_some_are_chosen(store: Store) -> None:
    async with store.write() as db:
        await servers.keep(db, ServerSettings(server_id=7))
        kept = await servers.settings(db, 7)
    assert kept is not None
    assert kept.public_channels is None


async def test_a_server_left_is_noted_once_and_the_note_goes_when_it_comes_back(store: Store) -> None:
    async with store.write() as db:
        await servers.left(db, 7, now=NOW)
        await servers.left(db, 7, now=LATER)
        await servers.left(db, 8, now=LATER)
        assert await left_at(db) == {7: 1770314400, 8: 1770400800}
        await servers.returned(db, 7)
        await servers.returned(db, 9)
        assert await left_at(db) == {8: 1770400800}


async def test_a_server_is_welcomed_once_each_time_the_bot_comes(store: Store) -> None:
    async with store.write() as db:
        assert await servers.first_welcome(db, 7, now=NOW)
        assert not await servers.first_welcome(db, 7, now=LATER)
        assert await servers.first_welcome(db, 8, now=LATER)
        await servers.left(db, 7, now=LATER)
        assert await servers.first_welcome(db, 7, now=LATER)


async def test_what_happened_while_nobody_listened(store: Store) -> None:
    """Servers 1 and 2 chose something, 3 has a book; 2 is gone, 4 was noted as left and is back."""
    async with store.write() as db:
        for server_id in (1, 2):
            await servers.keep(db, ServerSettings(server_id=server_id))
        await level_book.write(db, 3, [Level(price=1.0, label="ours")])
        await servers.left(db, 4, now=NOW)
        await servers.look_around(db, {1, 4, 5}, now=LATER)
        assert await left_at(db) == {2: 1770400800, 3: 1770400800}


async def test_a_server_that_has_digests_and_nothing_else_is_noticed_too(store: Store) -> None:
    digest = Schedule(
        server_id=6,
        channel_id=61,
        parts=(Part(report="levels"),),
        local_time=time(9),
        zone="UTC",
        since=NOW,
        created_by=60,
        created_at=NOW,
    )
    async with store.write() as db:
        await digests.add(db, digest)
        await servers.look_around(db, {1, 6}, now=NOW)
        assert await left_at(db) == {}
        await servers.look_around(db, {1}, now=LATER)
        assert await left_at(db) == {6: 1770400800}


async def test_a_forgotten_server_leaves_nothing_behind(store: Store) -> None:
    async with store.write() as db:
        await servers.first_welcome(db, 7, now=NOW)
        await servers.left(db, 7, now=NOW)
        await servers.first_welcome(db, 7, now=NOW)
        await servers.forget(db, 7)
        assert await left_at(db) == {}
        assert await marks.read(db, "welcomed:7") is None


async def test_who_has_data_of_their_own(store: Store) -> None:
    """A book, a figure somebody entered, or a threshold of the lights; what else was chosen changes no answer."""
    async with store.write() as db:
        await servers.keep(db, ServerSettings(server_id=1, language="zh-TW"))
        await level_book.write(db, 2, [Level(price=1.0, label="ours")])
        await entries.begin(db, 3, Kind.FLOWS, size=1, origin=None, added_by=9, now=NOW)
        await servers.keep(db, ServerSettings(server_id=5, light_flows_musd=0.0))
        assert [await servers.own_data(db, server_id) for server_id in (1, 2, 3, 4, 5)] == [
            False, True, True, False, True,
        ]  # fmt: skip
