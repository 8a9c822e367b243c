"""Draw ``docs/replay.png``: the week replayed, in a few pages of a phone.

    python tools/replay_strip.py [FILE]

Starts the preview two days before the fall, and keeps what Chromium shows when each of the words appears.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "replay.png"
PREVIEW = ("-m", "bot", "preview", "--port", "0", "--at", "2026-02-03T14:00:00Z", "--speed", "1800")
FRAMES = (("", ""), ("76,643", ""), ("76,082", "img"), ("73,061", ""))
"""What a message says, and which part of it to look at, if not at all of it."""
PHONE: ViewportSize = {"width": 400, "height": 800}
TOP, HEIGHT = 110, 630
"""Without the simulation's own bar, and without the line to type in."""
GAP, COLOURS = 12, 128
SECONDS = 300


def frames(page: Page) -> list[Image.Image]:
    found = []
    for words, part in FRAMES:
        shown = page.locator("article.channel-message", has_text=words).first
        shown.wait_for(timeout=SECONDS * 1000)
        (shown.locator(part).first if part else shown).scroll_into_view_if_needed()
        if part == "img":
            expect(shown.locator(part).first).not_to_have_js_property(
                "naturalWidth", 0, timeout=SECONDS * 1000
            )
            shown.locator(part).first.scroll_into_view_if_needed()
        # The page takes a moment to lay itself out.
        page.wait_for_timeout(1_000)
        found.append(
            Image.open(
                io.BytesIO(
                    page.screenshot(clip={"x": 0, "y": TOP, "width": PHONE["width"], "height": HEIGHT})
                )
            ).convert("RGB")
        )
    return found


def strip(pictures: list[Image.Image]) -> Image.Image:
    """Side by side, in few colours."""
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    whole = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width + GAP
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


def main(target: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, *PREVIEW], stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        try:
            lines = iter(program.stdout or ())
            address = next(found.group() for line in lines if (found := re.search(r"http://\S+", line)))
            with sync_playwright() as playwright:
                sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=sandbox)
                page = browser.new_page(viewport=PHONE)
                page.goto(address)
                page.locator("article.channel-message").first.wait_for()
                picture = strip(frames(page))
                browser.close()
        finally:
            program.terminate()
    picture.save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
