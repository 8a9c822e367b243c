"""The real bot, on the shipped sample in a real SQLite file, inside a simulated Discord."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import simcord
import simcord.interactions
from people import Server, Speaking, people_of

from analysis.charts import CHARTS
from bot.answers import Answers
from bot.client import Leadline
from bot.cooldowns import Cooldowns, Rate
from bot.pictures import Pictures

PATIENT = Rate(burst=10**6, seconds=1)


@pytest.fixture(scope="package")
def fork_server() -> Iterator[None]:
    """Has loaded what drawing processes are forked with; it lives as long as one of them."""
    first = Pictures(charts=CHARTS)
    asyncio.run(first.start())
    yield
    asyncio.run(first.close())


@pytest.fixture(scope="module")
def pictures(fork_server: None, pictures: Pictures) -> Pictures:
    """Of each module's own, born from the one server."""
    return pictures


@pytest.fixture
def simcord_bot(answers: Answers) -> Leadline:
    # A test presses faster than anybody: its eleventh press would be refused.
    return Leadline(answers, cooldowns=Cooldowns(person=PATIENT, server=PATIENT))


@pytest.fixture
def server(simcord_env: simcord.Env) -> Server:
    return people_of(simcord_env)


@pytest.fixture
def speaking() -> Speaking:
    """Interactions made inside ``with speaking("zh-TW")`` carry that locale; SimCord itself knows only en-US."""
    original = simcord.interactions.base_payload

    @contextmanager
    def inside(locale: str) -> Iterator[None]:
        def with_locale(*args: Any, **kwargs: Any) -> Any:
            record, payload = original(*args, **kwargs)
            return record, payload | {"locale": locale}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simcord.interactions, "base_payload", with_locale)
            yield

    return inside
