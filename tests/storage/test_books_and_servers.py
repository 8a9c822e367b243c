from __future__ import annotations

from datetime import date

import pytest

from analysis.levels import Level, Rule
from storage import level_book, servers
from storage.servers import ServerSettings
from storage.store import Store


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
        await level_book.write(db, 7, [Level(price=1.0, label="ours")])
    async with store.read() as db:
        assert await servers.settings(db, 7) == second
        assert await servers.settings(db, 8) is None
    async with store.write() as db:
        await servers.forget(db, 7)
        await servers.forget(db, 0)
        assert await servers.settings(db, 7) is None
        assert len(await level_book.read(db, 7)) == 5
