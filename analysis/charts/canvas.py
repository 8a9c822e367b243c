"""The drawing vocabulary: panel, candles, bars, rule, zone, line, marker, text and tag, by Agg, to the pixel.

matplotlib's Agg rasteriser is driven directly. A Figure builds hundreds of artists, measures
its text and lays itself out for every picture; a chart here knows its pixels beforehand, so
it hands the rasteriser a handful of paths and blits words that were set before. The compiled
renderer is imported rather than ``backend_agg.RendererAgg`` around it, because that module
lists the fonts of the machine, writes the list to the home directory and takes half a second.

All coordinates are pixels from the top left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.backends._backend_agg import RendererAgg  # type: ignore[attr-defined]
from matplotlib.path import Path

from analysis.charts import png, text
from analysis.charts.candles import Columns
from analysis.charts.place import Box
from analysis.charts.scale import Scale
from analysis.charts.text import Face
from analysis.charts.theme import RGB, Colours, Shape, blend

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT = 1280, 720

Point = tuple[float, float]
Anchor = Literal["left", "centre", "right"]
_ANCHOR: dict[Anchor, float] = {"left": 0.0, "centre": 0.5, "right": 1.0}

_RECTANGLE = np.array([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], np.uint8)
_SHAPES: dict[Shape, NDArray[np.float64]] = {
    "circle": np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 25)), np.sin(a)], axis=1),
    "diamond": np.array([(0, -1.15), (1.15, 0), (0, 1.15), (-1.15, 0), (0, -1.15)]),
    "triangle_up": np.array([(0, -1.0), (1.1, 0.85), (-1.1, 0.85), (0, -1.0)]),
    "triangle_down": np.array([(0, 1.0), (1.1, -0.85), (-1.1, -0.85), (0, 1.0)]),
}


class _Pen:
    """What the compiled renderer reads from a graphics context."""

    __slots__ = ("_alpha", "_antialiased", "_capstyle", "_cliprect", "_dashes", "_forced_alpha",
                 "_joinstyle", "_linewidth", "_rgb")  # fmt: skip

    def __init__(self, colour: RGB, width: float = 0.0, dash: tuple[float, ...] | None = None) -> None:
        self._rgb = (*_unit(colour), 1.0)
        self._linewidth = width
        self._dashes = (0.0, dash)
        self._alpha = 1.0
        self._forced_alpha = False
        self._antialiased = 1
        self._capstyle = "butt"
        self._joinstyle = "miter"
        self._cliprect = None

    def get_dashes(self) -> tuple[float, tuple[float, ...] | None]:
        return self._dashes

    def get_clip_path(self) -> tuple[None, None]:
        return None, None

    def get_snap(self) -> bool:
        return False

    def get_hatch_path(self) -> None:
        return None

    def get_hatch_color(self) -> tuple[float, float, float, float]:
        return self._rgb

    def get_hatch_linewidth(self) -> float:
        return 0.0

    def get_sketch_params(self) -> None:
        return None


def _unit(colour: RGB) -> tuple[float, float, float]:
    red, green, blue = colour
    return red / 255, green / 255, blue / 255


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text that was drawn, for whoever must keep clear of it."""

    text: str
    face: Face
    box: Box


class Canvas:
    """A picture in the making. ``words`` lists every text on it in the order of drawing."""

    def __init__(self, colours: Colours, *, tint: RGB | None = None) -> None:
        self.colours = colours
        self.words: list[Word] = []
        self._grounds = (colours.background,) if tint is None else (colours.background, tint)
        self._agg: Any = RendererAgg(WIDTH, HEIGHT, 72.0)
        self._pixels = self.pixels().view("<u4")[:, :, 0]
        # Agg counts upwards; we count downwards, as readers and PNG do.
        self._flip = np.array([(1.0, 0.0, 0.0), (0.0, -1.0, HEIGHT), (0.0, 0.0, 1.0)])
        self.fill([Box(0, 0, WIDTH, HEIGHT)], colours.background)

    def fill(self, boxes: ArrayLike, colour: RGB) -> None:
        """Rectangles (rows of left, top, right, bottom), edges on whole pixels, in one flat colour."""
        # Whole pixels in one colour need no rasteriser: they are written where they lie.
        ink = np.array((*colour, 255), np.uint8).view("<u4")[0]
        edges = np.rint(np.asarray(boxes, np.float64).reshape(-1, 4)).clip(0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
        for left, top, right, bottom in edges.astype(int).tolist():
            self._pixels[top:bottom, left:right] = ink

    def line(
        self,
        points: ArrayLike,
        colour: RGB,
        *,
        width: float = 2.0,
        dash: tuple[float, ...] | None = None,
    ) -> None:
        """A stroke through ``points`` (n, 2)."""
        self._agg.draw_path(_Pen(colour, width, dash), Path(np.asarray(points, np.float64)), self._flip, None)

    def marker(self, shape: Shape, at: Point, radius: float, colour: RGB, *, hollow: bool = False) -> None:
        """A small shape with a rim of background, so that it reads on candles and rules alike."""
        background = self.colours.background
        path = Path(_SHAPES[shape] * radius + np.array(at), closed=True)
        self._agg.draw_path(_Pen(background, 5.0), path, self._flip, (*_unit(background), 1.0))
        face = background if hollow else colour
        self._agg.draw_path(_Pen(colour, 2.5 if hollow else 0.0), path, self._flip, (*_unit(face), 1.0))

    def text(self, words: str, at: Point, face: Face, colour: RGB, *, anchor: Anchor = "left") -> Box:
        """One line of text, its capitals centred on the height of ``at``; returns the room it takes."""
        line = text.bitmap(words, face)
        start = round(at[0] - _ANCHOR[anchor] * line.advance)
        box = Box(start, at[1] - 0.55 * face.px, start + line.advance, at[1] + 0.55 * face.px)
        self.words.append(Word(words, face, box))
        bottom = text.baseline(at[1], face) - line.rise + line.mask.shape[0]
        self._agg.draw_text_image(line.mask, start + line.left, bottom, 0.0, _Pen(colour))
        return box

    def tag(self, words: str, at: Point, face: Face, *, fill: RGB, ink: RGB) -> Box:
        """Text in a filled box, for the one figure that must be found first; ``at`` is its left middle."""
        room, half = text.width(words, face), 0.65 * face.px
        box = Box(at[0], at[1] - half, at[0] + room + 20, at[1] + half)
        self.fill([box], fill)
        self.text(words, (at[0] + 10, at[1]), face, ink)
        return box

    def panel(self, box: Box, scale: Scale) -> Panel:
        return Panel(self, box, scale)

    def pixels(self) -> NDArray[np.uint8]:
        """Rows from the top, RGBA."""
        return np.asarray(self._agg)

    def png(self) -> bytes:
        return png.encode(self.pixels(), self._grounds, self.colours.inks())


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the canvas with a scale of values; what is drawn in it is in values across, pixels along."""

    canvas: Canvas
    box: Box
    scale: Scale

    def rule(
        self, value: float, colour: RGB, *, width: float = 2.0, dash: tuple[float, ...] | None = None
    ) -> None:
        """A horizontal line at a value, from edge to edge."""
        # Odd strokes are sharp through the middle of a pixel, even ones between two.
        y = np.floor(self.scale.y(value)) + (0.5 if round(width) % 2 else 0.0)
        self.canvas.line([(self.box.left, y), (self.box.right, y)], colour, width=width, dash=dash)

    def grid(self, values: Sequence[float]) -> None:
        rows = [round(self.scale.y(v)) for v in values]
        self.canvas.fill([(self.box.left, y, self.box.right, y + 1) for y in rows], self.canvas.colours.grid)

    def zone(self, low: float, high: float, colour: RGB) -> None:
        """The span between two values, as far as it lies in the panel."""
        top = max(self.box.top, self.scale.y(high))
        bottom = min(self.box.bottom, self.scale.y(low))
        if bottom > top:
            self.canvas.fill([(self.box.left, top, self.box.right, bottom)], colour)

    def candles(self, columns: Columns) -> None:
        """Candles. Rising bodies are hollow wherever there is room to see it."""
        colours = self.canvas.colours
        for rising, colour in ((True, colours.up), (False, colours.down)):
            wicks, bodies, hollows = columns.boxes(self.scale, rising=rising)
            self.canvas.fill(np.concatenate([wicks, bodies]), colour)
            self.canvas.fill(hollows, colours.background)

    def unfinished(self, columns: Columns) -> None:
        """Bars that still run: an outline in half the colour, rising or falling, for they may turn yet."""
        colours = self.canvas.colours
        for rising, colour in ((True, colours.up), (False, colours.down)):
            wicks, bodies, _ = columns.boxes(self.scale, rising=rising)
            self.canvas.fill(np.concatenate([wicks, bodies]), blend(colour, colours.background, 0.6))
            hollows = bodies + np.array((2, 2, -2, -2))
            self.canvas.fill(hollows[hollows[:, 3] > hollows[:, 1]], colours.background)

    def bars(self, columns: Columns) -> None:
        """Volume, standing on the panel's floor."""
        colours = self.canvas.colours
        for rising, colour in ((True, colours.up), (False, colours.down)):
            self.canvas.fill(
                columns.volumes(self.scale, rising=rising), blend(colour, colours.background, 0.55)
            )
