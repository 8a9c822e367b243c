from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from storage import migrate, sample, schema
from storage.state import State, state_of
from storage.store import Store


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def dump(file: Path) -> list[str]:
    """Everything in a database file as SQL, to tell whether anything changed."""
    with closing(sqlite3.connect(file)) as db:
        return list(db.iterdump())


def made_by(revision: str, file: Path) -> Path:
    """An empty store as the version of that revision made it."""
    config = Config()
    config.set_main_option("script_location", str(migrate._MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    assert state_of(file) is State.OLDER
    return file


@asynccontextmanager
async def opened(file: Path, *, readonly: bool = False) -> AsyncIterator[Store]:
    store = await Store.open(url_of(file), readonly=readonly)
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "leadline.db"
    asyncio.run(migrate.upgrade(url_of(file)))
    return file


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("sample") / "leadline.db"
    file.write_bytes(migrated_file.read_bytes())

    async def fill() -> None:
        async with opened(file) as store:
            await sample.load(store)

    asyncio.run(fill())
    before = dump(file)
    yield file
    assert dump(file) == before, "a test wrote into the shared sample"


@pytest.fixture
def file(tmp_path: Path, migrated_file: Path) -> Path:
    """A migrated store of its own, empty."""
    file = tmp_path / "leadline.db"
    file.write_bytes(migrated_file.read_bytes())
    return file


@pytest.fixture
async def store(file: Path) -> AsyncIterator[Store]:
    async with opened(file) as store:
        yield store


@pytest.fixture
async def sampled(sample_file: Path) -> AsyncIterator[Store]:
    """The sample, for reading only."""
    async with opened(sample_file, readonly=True) as store:
        yield store
