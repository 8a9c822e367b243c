from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from storage import migrate, sample
from storage.store import Store


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def dump(file: Path) -> list[str]:
    """Everything in a database file as SQL, to tell whether anything changed."""
    with closing(sqlite3.connect(file)) as db:
        return list(db.iterdump())


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
