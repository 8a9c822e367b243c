"""Words as bitmaps: cleaned, measured, set once with FreeType and kept.

The shipped typeface is opened by path, so no list of the machine's fonts is ever made.
Nothing is parsed: a dollar sign is a dollar sign.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FONTS = Path(__file__).parent / "fonts"
_REGULAR = "LeadlineSansTC-Regular.otf"
_BOLD = "LeadlineSansTC-Bold.otf"
# Half the height of capitals and figures, as a share of the size: what centres a line.
_HALF_CAPITAL = 0.367
_ELLIPSIS = "…"


class Face(NamedTuple):
    """A size in pixels to the em, and a weight. Only Latin and figures have a bold."""

    px: int
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Coverage (0-255, rows from the top) of one line of text and where its pen and baseline are."""

    mask: NDArray[np.uint8]
    left: int
    rise: int
    advance: float


@cache
def _font(name: str) -> FT2Font:
    return FT2Font(str(_FONTS / name))


@cache
def characters(*, bold: bool = False) -> frozenset[str]:
    """What the typeface can set; in bold words the characters that bold lacks stay regular."""
    return frozenset(map(chr, _font(_BOLD if bold else _REGULAR).get_charmap()))


def clean(text: str, cap: int = 40) -> str:
    """Foreign text made fit to draw: one line, at most ``cap`` characters, each with a glyph.

    Control, direction and other invisible characters go, and so does what the typeface
    lacks (emoji, other scripts): an empty box would say less than nothing.
    """
    # Only so much can matter; a label of a megabyte must not cost a megabyte of work.
    known = characters()
    composed = unicodedata.normalize("NFC", text[: cap * 16])
    kept = "".join(" " if c.isspace() else c for c in composed if c.isspace() or _drawable(c, known))
    line = " ".join(kept.split())
    return line if len(line) <= cap else line[: cap - 1].rstrip() + _ELLIPSIS


def _drawable(character: str, known: frozenset[str]) -> bool:
    return character in known and not unicodedata.category(character).startswith("C")


@lru_cache(maxsize=1024)
def bitmap(text: str, face: Face) -> Bitmap:
    """``text`` set in ``face``."""
    heavy = characters(bold=True) if face.bold else frozenset[str]()
    pen = 0.0
    pieces: list[tuple[int, int, NDArray[np.uint8]]] = []
    for is_heavy, run in groupby(text, heavy.__contains__):
        font = _font(_BOLD if is_heavy else _REGULAR)
        font.set_size(face.px, 72)
        font.set_text("".join(run), 0.0, flags=LoadFlags.NO_HINTING)
        width, height = font.get_width_height()
        font.draw_glyphs_to_bitmap(antialiased=True)
        offset, _ = font.get_bitmap_offset()
        rise = int((height - font.get_descent()) // 64) + 1
        pieces.append((round(pen + offset / 64), rise, np.array(font.get_image())))
        pen += width / 64
    if not pieces:
        return Bitmap(np.zeros((1, 1), np.uint8), 0, 1, 0.0)
    left = min(x for x, _, _ in pieces)
    rise = max(r for _, r, _ in pieces)
    mask = np.zeros(
        (
            rise + max(piece.shape[0] - r for _, r, piece in pieces),
            max(x + piece.shape[1] for x, _, piece in pieces) - left,
        ),
        np.uint8,
    )
    for x, r, piece in pieces:
        into = mask[rise - r : rise - r + piece.shape[0], x - left : x - left + piece.shape[1]]
        np.maximum(into, piece, out=into)
    return Bitmap(mask, left, rise, pen)


def width(text: str, face: Face) -> float:
    """Pixels the pen travels."""
    return bitmap(text, face).advance


def baseline(middle: float, face: Face) -> int:
    """Where a line must stand for its capitals to be centred on ``middle``."""
    return round(middle + _HALF_CAPITAL * face.px)


def fit(text: str, face: Face, room: float) -> str:
    """``text``, or as much of its beginning as goes into ``room`` pixels with an ellipsis."""
    if width(text, face) <= room:
        return text
    short, long = 0, len(text)
    while short < long:
        half = (short + long + 1) // 2
        if width(text[:half].rstrip() + _ELLIPSIS, face) <= room:
            short = half
        else:
            long = half - 1
    return text[:short].rstrip() + _ELLIPSIS if short else ""
