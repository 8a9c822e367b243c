"""The page itself, with a very small bot: what the other browser tests stand on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from discord_page import DiscordPage

TINY = str(Path(__file__).with_name("tiny.py"))


async def test_a_reader_asks_presses_and_changes_language(
    discord_page: Callable[..., AbstractAsyncContextManager[DiscordPage]],
) -> None:
    async with discord_page(TINY, story="tiny") as page:
        await expect(page.message()).to_contain_text("Type /show.")

        await page.type_command("show")
        asked = await page.picture()
        assert await page.size(asked) == (1280, 720)
        assert await page.colour(asked) == (0x20, 0x40, 0x60)
        assert await asked.get_attribute("alt") == "a plain colour"
        await expect(page.message()).to_contain_text("Interval 30m, locale en-US")

        await page.press("4h")
        await expect(page.message()).to_contain_text("Interval 4h")
        assert await page.colour(await page.picture()) == (0x60, 0x40, 0x20)

        await page.see_as("Mei")
        await page.press("中文")
        await expect(page.message()).to_contain_text("locale zh-TW")
        assert await page.colour(await page.picture()) == (0x20, 0x40, 0x60)
        kept = await page.shot("in-chinese")
        assert kept.stat().st_size > 10_000


async def test_options_choices_autocomplete_and_a_file(
    discord_page: Callable[..., AbstractAsyncContextManager[DiscordPage]],
) -> None:
    async with discord_page(TINY, "--post-after", "3", story="options") as page:
        await expect(page.message()).to_contain_text("The bot has something to say.")
        assert await page.suggestions("show", "of", "e") == ["ETH"]
        await page.type_command("show", interval="4h", of="BTC")
        await expect(page.message()).to_contain_text("Interval 4h")
        await page.press("CSV")
        await expect(page.message()).to_contain_text("levels.csv")
        # A press does not take the picture from the message it was made on.
        await page.picture(message=page.message(-2))
        await page.shot("file")
