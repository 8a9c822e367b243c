"""The preview page as a reader uses it: type, choose, press, look."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


class DiscordPage:
    """Names are what the reader sees; the selectors are SimCord 3.2.1's."""

    def __init__(self, page: Page, address: str, artefacts: Path) -> None:
        self.page = page
        self._artefacts = artefacts
        self._shots = 0
        page.goto(address)
        self._composer.wait_for()

    @property
    def _composer(self) -> Locator:
        return self.page.locator("#channel-composer-input")

    def message(self, index: int = -1) -> Locator:
        """A message of the channel, the newest unless told."""
        return self.page.locator("article.channel-message").nth(index)

    def type_command(self, name: str, **options: str) -> None:
        """Type ``/name``, fill in options in the given order, and send."""
        answers = self.page.locator("article.channel-message").count()
        self._choose_command(name)
        for option, value in options.items():
            self._fill(option, value)
        self.page.locator("#send-message").click()
        expect(self.page.locator("article.channel-message")).to_have_count(answers + 1)

    def suggestions(self, name: str, option: str, typed: str) -> list[str]:
        """What autocomplete offers for an option, without sending the command."""
        self._choose_command(name)
        self._begin(option)
        self.page.keyboard.type(typed)
        offers = self.page.locator(".command-suggestion .command-suggestion-label")
        offers.first.wait_for()
        found = offers.all_inner_texts()
        self.page.locator(".command-context-close").click()
        return found

    def press(self, label: str, *, message: Locator | None = None) -> None:
        """Press a button; what to wait for then is the caller's to say."""
        (message or self.message()).get_by_role("button", name=label, exact=True).click()

    def see_as(self, name: str) -> None:
        """Go on as another person; ``name`` is the beginning of theirs."""
        picker = self.page.get_by_label("Viewing as")
        label = next(text for text in picker.locator("option").all_inner_texts() if text.startswith(name))
        picker.select_option(label=label)
        self._composer.wait_for()

    def picture(self, *, message: Locator | None = None) -> Locator:
        """The picture of a message, once the browser has really decoded it."""
        image = (message or self.message()).locator("img").first
        image.wait_for()
        self.page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=image.element_handle()
        )
        return image

    def size(self, picture: Locator) -> tuple[int, int]:
        width, height = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
        return width, height

    def colour(self, picture: Locator) -> tuple[int, int, int]:
        """Of the picture's middle, as shown on the screen."""
        red, green, blue = picture.evaluate(
            """image => {
                const canvas = document.createElement("canvas");
                canvas.width = canvas.height = 1;
                const context = canvas.getContext("2d");
                const {naturalWidth: w, naturalHeight: h} = image;
                context.drawImage(image, w / 2, h / 2, 1, 1, 0, 0, 1, 1);
                return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
            }"""
        )
        return red, green, blue

    def shot(self, title: str) -> Path:
        """Keep a screenshot; they are numbered in the order of the story."""
        self._artefacts.mkdir(parents=True, exist_ok=True)
        self._shots += 1
        path = self._artefacts / f"{self._shots:02}-{title}.png"
        self.page.screenshot(path=path)
        return path

    def _choose_command(self, name: str) -> None:
        self._composer.fill("")
        self._composer.press_sequentially(f"/{name}")
        self.page.locator(".command-entry", has_text=f"/{name}").first.click()

    def _begin(self, option: str) -> None:
        suggestion = self.page.locator(f'.command-suggestion[data-value="{option}"]')
        if not suggestion.is_visible():
            self.page.locator(".command-ghost").click()
        suggestion.click()

    def _fill(self, option: str, value: str) -> None:
        self._begin(option)
        self.page.keyboard.type(value)
        self.page.locator(".command-suggestion", has_text=value).first.click()
