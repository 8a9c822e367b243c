"""What every picture is held to, whatever it shows."""

from __future__ import annotations

import io
import re
from typing import Any, Protocol

from PIL import Image

from analysis.charts.canvas import HEIGHT, WIDTH, Canvas
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.text import characters
from bot.language import catalogue


class Chart(Protocol):
    """A module of ``analysis.charts``."""

    def draw(self, result: Any, look: Look, _: Gettext, /) -> Picture: ...

    def compose(self, result: Any, look: Look, _: Gettext, /) -> Canvas: ...


def english(text: str) -> str:
    return text


def words(canvas: Canvas) -> list[str]:
    return [word.text for word in canvas.words]


def assert_whole(chart: Chart, result: Any, look: Look) -> None:
    gettext = catalogue(look.locale).gettext
    picture = chart.draw(result, look, gettext)
    with Image.open(io.BytesIO(picture.png)) as image:
        image.load()
        shown = image.format, image.size
    assert shown == ("PNG", (1280, 720)), shown
    assert len(picture.png) <= 100_000, len(picture.png)
    assert 0 < len(picture.alt) <= 256, picture.alt
    assert_legible(chart.compose(result, look, gettext))


def assert_legible(canvas: Canvas) -> None:
    boxes = [word.box for word in canvas.words]
    for word in canvas.words:
        assert word.box.left >= 0, word
        assert word.box.right <= WIDTH, word
        assert word.box.top >= 0, word
        assert word.box.bottom <= HEIGHT, word
        assert word.face.px >= 22, word
        assert set(word.text) <= characters(), word
        assert not re.search(r"\b(nan|inf)\b", word.text), word
    for i, one in enumerate(boxes):
        for j, other in enumerate(boxes[:i]):
            # Half a line of air above and below capitals is part of a box; a pixel of it may be shared.
            assert not one.grown(-1).overlaps(other.grown(-1)), (canvas.words[i], canvas.words[j])
