"""The first thing a newcomer does: open the page, type /levels, press, change the language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from discord_page import DiscordPage

PREVIEW = ("-m", "tests.patient_program", "preview", "--port", "0")


async def test_levels_from_typing_to_traditional_chinese(
    discord_page: Callable[..., AbstractAsyncContextManager[DiscordPage]],
) -> None:
    async with discord_page(*PREVIEW, story="levels") as page:
        await expect(page.message()).to_contain_text("/levels")
        await page.shot("welcome")

        await page.type_command("levels")
        asked = page.message()
        await expect(asked).to_contain_text("BTC 66,154")
        await expect(asked).to_contain_text("56,100")
        half_hours = await page.pixels(await page.picture())
        await expect(asked.get_by_role("button", name="30m", exact=True)).to_be_disabled()
        await page.shot("levels")

        await page.press("4h")
        await expect(asked.get_by_role("button", name="4h", exact=True)).to_be_disabled()
        four_hours = await page.redrawn(half_hours)
        await page.shot("4h")

        await page.press("中文")
        answer = page.message()
        await expect(answer).to_contain_text("Only you can see this")
        await expect(answer).to_contain_text("下一層支撐")
        in_chinese = await page.picture(message=answer)
        assert "K 線" in (await in_chinese.get_attribute("alt") or "")
        # The same bars with other words on them; a picture of another size would not compare.
        assert await page.size(in_chinese) == (1280, 720)
        assert await page.redrawn(four_hours, message=answer) != half_hours
        await page.shot("chinese")

        await page.see_as("Mei")
        await page.type_command("levels")
        await expect(page.message()).to_contain_text("下一層支撐")
        await page.picture()
        await page.shot("mei")
