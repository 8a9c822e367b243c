"""What every test stands on: nobody's settings, an empty folder, a browser if there is one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import pytest_asyncio
import simcord
from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

import bot.answers
from analysis.charts import CHARTS
from bot import cli, data_parsing, drawing, outbox, registration
from bot.answers import Answers
from bot.clock import FixedClock
from bot.pictures import Pictures
from bot.report_commands import add_report_commands
from storage import migrate, sample
from storage.store import Store
from tests.patience import PATIENCE, SETTLED_WITHIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from playwright.async_api import Browser
    from typer.testing import Result

ROOT = Path(__file__).resolve().parent.parent

# Borrowed and shared machines stall for longer than any honest deadline. A server draws the
# same examples every time, so that a failure there is the change's and not the dice's.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many a test waits for a process of its own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings or the store of whoever runs it.

    The variables named in .env.example are taken away, and the current folder, where
    ``.env`` and ``var/`` are looked for, is the test's own.
    """
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"^(\w+)=", example, re.MULTILINE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Nothing fails for being slow; a test that is about one of these limits sets its own."""
    settle, defaults = simcord.Env._settle_internal, simcord.Env.__init__.__kwdefaults__
    assert defaults is not None

    async def patiently(env: simcord.Env, **options: Any) -> None:
        await settle(env, **(options | {"timeout": SETTLED_WITHIN}))

    with pytest.MonkeyPatch.context() as patch:
        # SimCord gives a bot five seconds for most things, and to start whatever it is told.
        patch.setitem(defaults, "settle_timeout", SETTLED_WITHIN)
        patch.setattr(simcord.Env, "_settle_internal", patiently)
        # A pause that ends while a long test is at it makes SimCord wait for a quiet that does not come.
        patch.setattr(outbox, "LONGEST_REST", timedelta(hours=1))
        patch.setattr(bot.answers, "PICTURE_SECONDS", PATIENCE)
        patch.setattr(registration, "START_SECONDS", PATIENCE)
        patch.setattr(drawing, "START_LIMIT", PATIENCE)
        patch.setattr(data_parsing, "WAIT_SECONDS", PATIENCE)
        yield


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file of the repository, as git has it; an unpacked archive has no list to hold files against."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: on PATH, in macOS's place, or Playwright's own.

    Without one the test is left out, and says so: a newcomer's first run must not fail for want of a
    browser. Where LEADLINE_REQUIRE_BROWSER is set, as on a server, it fails.
    """
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    for app in ("Google Chrome", "Chromium"):
        program = Path(f"/Applications/{app}.app/Contents/MacOS/{app}")
        if program.exists():
            return str(program)
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    reason = (
        "browser test left out: no Chromium on PATH and none of Playwright's (playwright install chromium)"
    )
    if os.environ.get("LEADLINE_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A running headless Chromium, driven by Playwright."""
    # Chromium refuses its sandbox to root, and a test opens only our own loopback page.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield running
        await running.close()


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
def command_line() -> Callable[..., Result]:
    """The command line in this process; its report commands can be added only once."""
    add_report_commands()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.app, list(arguments))

    return run


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    """One warm drawing process for the tests of a module."""
    shared = Pictures(charts=CHARTS, limit=PATIENCE)
    asyncio.run(shared.start())
    yield shared
    asyncio.run(shared.close())


@pytest.fixture
def answers(store: Store, pictures: Pictures) -> Answers:
    return Answers(store, pictures, FixedClock(SELL_OFF))
