"""A Chromium, if there is one: on PATH or Playwright's own. CI must have one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from .discord_page import DiscordPage

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ARTEFACTS = ROOT / "test-artefacts"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/#\S+")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LEFT_OUT = "no Chromium on PATH and none of Playwright's own"

Opener = Callable[..., AbstractContextManager[DiscordPage]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(LEFT_OUT in str(report.longrepr) for report in skipped):
        terminalreporter.section("BROWSER TESTS LEFT OUT", red=True)
        terminalreporter.line(f"There is {LEFT_OUT}: what a reader sees in the page was not tested.")


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """A browser for each test: Playwright's loop runs until it is closed, and the asyncio
    tests of the same session need the thread back."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        except Error:
            if path is not None or os.environ.get("CI"):
                raise
            pytest.skip(LEFT_OUT)
        expect.set_options(timeout=15_000)
        yield browser
        browser.close()


@pytest.fixture
def discord_page(chromium: Browser) -> Opener:
    """Starts a program that prints the preview's address, and opens a page on it."""

    @contextmanager
    def opened(*program: str, name: str) -> Iterator[DiscordPage]:
        process = subprocess.Popen(
            [sys.executable, *program], cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(15_000)
            yield DiscordPage(page, _address(process), ARTEFACTS / name)
            page.close()
        finally:
            process.terminate()
            process.communicate(timeout=15)
        assert process.returncode == 0

    return opened


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := ADDRESS.search(line):
            return found.group()
    raise AssertionError(f"the program ended with {process.wait()} before it gave an address")
