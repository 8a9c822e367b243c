"""A page of the preview in a real browser, on a program of its own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from discord_page import DiscordPage
from playwright.async_api import expect

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from playwright.async_api import Browser

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "test-artefacts"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/#\S+")

Opener = Callable[..., AbstractAsyncContextManager[DiscordPage]]


@pytest.fixture
def discord_page(browser: Browser) -> Opener:
    """Starts a Python program that prints the preview's address, and opens a page on it.

    ``story`` names the folder of its screenshots. SIGTERM must end the program with 0.
    """
    expect.set_options(timeout=1000 * PATIENCE)

    @asynccontextmanager
    async def opened(*program: str, story: str) -> AsyncIterator[DiscordPage]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )
        try:
            address = await asyncio.wait_for(_address(process), PATIENCE)
            page = await browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(1000 * PATIENCE)
            yield await DiscordPage.open(page, address, ARTEFACTS / story)
            await page.close()
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0

    return opened


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := ADDRESS.search(line.decode()):
            return found.group()
    raise AssertionError(f"the program ended with {await process.wait()} before it gave an address")
