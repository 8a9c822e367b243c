"""The page itself, with a very small bot: what the harness can do before Leadline uses it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from .conftest import Opener

TINY = str(Path(__file__).with_name("tiny.py"))


def test_a_reader_asks_presses_and_changes_language(discord_page: Opener) -> None:
    with discord_page(TINY, name="tiny") as page:
        expect(page.message()).to_contain_text("Type /show.")
        page.shot("welcome")

        page.type_command("show")
        asked = page.picture()
        assert page.size(asked) == (1280, 720)
        assert page.colour(asked) == (0x20, 0x40, 0x60)
        assert asked.get_attribute("alt") == "a plain colour"
        expect(page.message()).to_contain_text("Interval 30m, locale en-US")
        page.shot("asked")

        page.press("4h")
        expect(page.message()).to_contain_text("Interval 4h")
        assert page.colour(page.picture()) == (0x60, 0x40, 0x20)
        page.shot("pressed")

        page.see_as("Mei")
        page.press("中文")
        expect(page.message()).to_contain_text("locale zh-TW")
        assert page.colour(page.picture()) == (0x20, 0x40, 0x60)
        kept = page.shot("in-chinese")
        assert kept.stat().st_size > 10_000


def test_options_choices_and_autocomplete(discord_page: Opener) -> None:
    with discord_page(TINY, name="options") as page:
        assert page.suggestions("show", "of", "e") == ["ETH"]
        page.type_command("show", interval="4h", of="BTC")
        expect(page.message()).to_contain_text("Interval 4h")
        page.press("CSV")
        expect(page.message()).to_contain_text("levels.csv")
        page.picture(message=page.message(-2))
        page.shot("file")


def test_what_the_bot_posts_by_itself_appears_without_a_press(discord_page: Opener) -> None:
    with discord_page(TINY, "--post-after", "3", name="by-itself") as page:
        expect(page.message()).to_contain_text("The bot has something to say.")
