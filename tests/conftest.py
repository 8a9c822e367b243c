"""Fixtures every room needs: the sample in a real SQLite file, and one warm drawing process."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.answers import Answers
from bot.clock import FixedClock
from bot.pictures import Pictures
from storage import migrate, sample
from storage.store import Store

SELL_OFF = datetime(2026, 2, 5, 18, 0, tzinfo=UTC)
"""The moment the sample is about: four days into the fall, bitcoin at 66,154."""


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the sample in it, made once; copy it before writing."""
    file = tmp_path_factory.mktemp("sample") / "leadline.db"

    async def make() -> None:
        url = f"sqlite+aiosqlite:///{file}"
        await migrate.upgrade(url)
        store = await Store.open(url)
        await sample.load(store)
        await store.close()

    asyncio.run(make())
    return file


@pytest_asyncio.fixture
async def store(sample_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    file = tmp_path / "leadline.db"
    shutil.copy(sample_file, file)
    opened = await Store.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def pictures() -> Iterator[Pictures]:
    """One warm drawing process for all tests."""
    shared = Pictures()
    asyncio.run(shared.start())
    yield shared
    asyncio.run(shared.close())


@pytest.fixture
def answers(store: Store, pictures: Pictures) -> Answers:
    return Answers(store, pictures, FixedClock(SELL_OFF))
