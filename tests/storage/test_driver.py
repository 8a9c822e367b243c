"""The driver under SQLAlchemy: one turn of its thread for each statement, and nothing else changed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage import sqlite

people = Table(
    "people", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text, unique=True)
)


@pytest.fixture(params=["file", "memory"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = sqlite.engine("sqlite+aiosqlite://" + (f"/{tmp_path}/a b.db" if request.param == "file" else ""))
    async with made.begin() as connection:
        await connection.run_sync(people.metadata.create_all)
    yield made
    await made.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as made:
        yield made


def turns(caplog: pytest.LogCaptureFixture) -> int:
    """How often the driver's thread was woken: it says so itself."""
    return sum(record.getMessage().startswith("executing ") for record in caplog.records)


async def test_a_statement_is_one_turn_of_the_thread(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """With SQLAlchemy's own adapter 16: a cursor is made, executes, fetches and is closed; and the pool rolls back."""
    async with engine.begin() as connection:
        await connection.execute(insert(people), [{"name": name} for name in ("Ann", "Bob", "Cid")])
    with caplog.at_level(logging.DEBUG, "aiosqlite"):
        async with engine.connect() as connection:  # BEGIN
            found = await connection.execute(select(people))
            one = await connection.scalar(select(people.c.name).where(people.c.id == 2))
            await connection.execute(update(people).where(people.c.id == 3).values(name="Cyd"))
            await connection.commit()
    assert found.all() == [(1, "Ann"), (2, "Bob"), (3, "Cid")]
    assert one == "Bob"
    assert turns(caplog) == 5


async def test_what_was_written_is_counted_and_named(connection: AsyncConnection) -> None:
    one = await connection.execute(insert(people).values(name="Ann"))
    assert one.inserted_primary_key == (1,)
    many = await connection.execute(insert(people), [{"name": "Bob"}, {"name": "Cid"}])
    assert many.rowcount == 2
    assert (await connection.execute(update(people).values(name=people.c.name + "!"))).rowcount == 3
    back = await connection.execute(insert(people).values(name="Dan").returning(people.c.id, people.c.name))
    assert back.one() == (4, "Dan")
    assert (await connection.execute(text("DELETE FROM people WHERE id > 9"))).rowcount == 0
    assert list(found := (await connection.execute(select(people).order_by("id"))).mappings()) != []
    assert found.keys() == ["id", "name"]


async def test_what_sqlite_refuses_is_raised_and_the_connection_goes_on(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(people).values(name="Ann"))
    async with engine.connect() as connection:
        await connection.execute(insert(people).values(name="Bob"))
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await connection.execute(insert(people), [{"name": "Ann"}])
    async with engine.connect() as connection:
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM nobody"))
    async with engine.connect() as connection:
        assert (await connection.execute(select(people))).all() == [(1, "Ann")], "Bob was undone"


async def test_what_was_left_open_is_undone_when_the_connection_goes_back(engine: AsyncEngine) -> None:
    open_at_the_end: list[bool] = []

    @event.listens_for(engine.sync_engine, "reset")
    def look(connection: object, *_: object) -> None:
        open_at_the_end.append(connection.driver_connection.in_transaction)  # type: ignore[attr-defined]

    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.execute_fetchall("BEGIN")
        await raw.driver_connection.execute_fetchall("INSERT INTO people (name) VALUES ('Eve')")
    assert open_at_the_end == [True]
    async with engine.connect() as connection:
        assert (await connection.execute(select(people))).all() == []
