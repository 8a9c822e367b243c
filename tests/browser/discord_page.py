"""The preview page as a reader uses it: type, choose, press, look."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Self

from playwright.async_api import expect

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

Pixels = list[tuple[int, int, int]]

MESSAGES = "article.channel-message"


class DiscordPage:
    """Names are what the reader sees; the selectors are SimCord 3.2.1's."""

    def __init__(self, page: Page, artefacts: Path) -> None:
        self.page = page
        self._artefacts = artefacts
        self._composer = page.locator("#channel-composer-input")
        self._shots = 0

    @classmethod
    async def open(cls, page: Page, address: str, artefacts: Path) -> Self:
        await page.goto(address)
        opened = cls(page, artefacts)
        await opened._composer.wait_for()
        return opened

    def message(self, index: int = -1) -> Locator:
        """A message of the channel, the newest unless told."""
        return self.page.locator(MESSAGES).nth(index)

    async def type_command(self, name: str, **options: str) -> None:
        """Type ``/name``, fill in options in the given order, send, and wait for the answer."""
        before = await self.page.locator(MESSAGES).count()
        await self._choose_command(name)
        for option, value in options.items():
            await self._begin(option)
            await self.page.keyboard.type(value)
            await self.page.locator(".command-suggestion", has_text=value).first.click()
        await self.page.locator("#send-message").click()
        await expect(self.page.locator(MESSAGES)).to_have_count(before + 1)

    async def suggestions(self, name: str, option: str, typed: str) -> list[str]:
        """What is offered for an option, without sending the command."""
        await self._choose_command(name)
        await self._begin(option)
        await self.page.keyboard.type(typed)
        offers = self.page.locator(".command-suggestion .command-suggestion-label")
        await offers.first.wait_for()
        found = await offers.all_inner_texts()
        await self.page.locator(".command-context-close").click()
        return found

    async def press(self, label: str, *, message: Locator | None = None) -> None:
        """Press a button; what to wait for then is the caller's to say."""
        await (message or self.message()).get_by_role("button", name=label, exact=True).click()

    async def see_as(self, name: str) -> None:
        """Go on as another person; ``name`` is the beginning of theirs."""
        picker = self.page.get_by_label("Viewing as")
        people = await picker.locator("option").all_inner_texts()
        await picker.select_option(label=next(person for person in people if person.startswith(name)))
        await self._composer.wait_for()

    async def picture(self, *, message: Locator | None = None) -> Locator:
        """The picture of a message, once the browser has really decoded it."""
        image = (message or self.message()).locator("img").first
        await expect(image).to_have_js_property("complete", value=True)
        await expect(image).not_to_have_js_property("naturalWidth", 0)
        return image

    async def size(self, picture: Locator) -> tuple[int, int]:
        width, height = await picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
        return width, height

    async def pixels(self, picture: Locator) -> Pixels:
        """Red, green and blue of the picture shrunk to 64 x 36, row by row, as the browser decoded it."""
        flat: list[int] = await picture.evaluate(
            """image => {
                const canvas = document.createElement("canvas");
                canvas.width = 64;
                canvas.height = 36;
                const context = canvas.getContext("2d");
                context.drawImage(image, 0, 0, 64, 36);
                return [...context.getImageData(0, 0, 64, 36).data];
            }"""
        )
        return [(flat[at], flat[at + 1], flat[at + 2]) for at in range(0, len(flat), 4)]

    async def redrawn(self, before: Pixels, *, message: Locator | None = None) -> Pixels:
        """The pixels once they differ from ``before``: the page shows the old picture while it loads."""
        async with asyncio.timeout(PATIENCE):
            while (now := await self.pixels(await self.picture(message=message))) == before:  # noqa: ASYNC110 -- nor has a page
                await asyncio.sleep(0.1)
        return now

    async def shot(self, title: str) -> Path:
        """Keep a screenshot; they are numbered in the order of the story."""
        self._artefacts.mkdir(parents=True, exist_ok=True)
        self._shots += 1
        path = self._artefacts / f"{self._shots:02}-{title}.png"
        await self.page.screenshot(path=path)
        return path

    async def _choose_command(self, name: str) -> None:
        await self._composer.fill("")
        await self._composer.press_sequentially(f"/{name}")
        await self.page.locator(".command-entry", has_text=f"/{name}").first.click()

    async def _begin(self, option: str) -> None:
        offer = self.page.locator(f'.command-suggestion[data-value="{option}"]')
        if not await offer.is_visible():
            await self.page.locator(".command-ghost").click()
        await offer.click()
