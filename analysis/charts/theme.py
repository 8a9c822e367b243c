"""Colours of the pictures: two themes, three palettes for up and down, and what a level's state wears.

Red and green (or their stand-ins) mean up and down candles and nothing else. A level
wears violet while it holds and amber while it does not, solid once that is confirmed and
dashed until then; the shape beside it says the same without colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.charts.look import Look, Palette, Theme
from analysis.freshness import Freshness
from analysis.levels import State

RGB = tuple[int, int, int]
Shape = Literal["circle", "diamond", "triangle_up", "triangle_down"]


def _rgb(hexadecimal: str) -> RGB:
    red, green, blue = bytes.fromhex(hexadecimal)
    return red, green, blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """sRGB, 0-255. ``ink`` and ``muted`` are for text, ``holds`` and ``broken`` for text and rules."""

    background: RGB
    grid: RGB
    ink: RGB
    muted: RGB
    holds: RGB
    broken: RGB
    up: RGB
    down: RGB

    def inks(self) -> tuple[RGB, ...]:
        """All that is ever drawn on the background."""
        return (self.ink, self.muted, self.grid, self.holds, self.broken, self.up, self.down)

    def foot(self, freshness: Freshness) -> RGB:
        """Of the line that names sources and times: amber where they are stale, for whoever only glances."""
        return self.broken if freshness is Freshness.STALE else self.muted


_BASE: dict[Theme, dict[str, RGB]] = {
    "dark": {
        "background": _rgb("0e1218"),
        "grid": _rgb("262e3a"),
        "ink": _rgb("eef2f7"),
        "muted": _rgb("a3aebd"),
        "holds": _rgb("b8a6ff"),
        "broken": _rgb("ffc247"),
    },
    "light": {
        "background": _rgb("ffffff"),
        "grid": _rgb("e2e6ec"),
        "ink": _rgb("12161c"),
        "muted": _rgb("55606e"),
        "holds": _rgb("5b3fd1"),
        "broken": _rgb("8f5600"),
    },
}

_UP_DOWN: dict[tuple[Theme, Palette], dict[str, RGB]] = {
    ("dark", "intl"): {"up": _rgb("2bc48a"), "down": _rgb("f0474f")},
    ("dark", "tw"): {"up": _rgb("f0474f"), "down": _rgb("2bc48a")},
    # Amber sits too near orange: with this palette broken levels are lemon.
    ("dark", "cb"): {"up": _rgb("4ea8f5"), "down": _rgb("e66f1e"), "broken": _rgb("fff08a")},
    ("light", "intl"): {"up": _rgb("12936a"), "down": _rgb("d3222f")},
    ("light", "tw"): {"up": _rgb("d3222f"), "down": _rgb("12936a")},
    ("light", "cb"): {"up": _rgb("2b83d6"), "down": _rgb("c24f00"), "broken": _rgb("5f5a00")},
}


def colours(look: Look) -> Colours:
    """The colours of one reader's look."""
    return Colours(**(_BASE[look.theme] | _UP_DOWN[look.theme, look.palette]))


def blend(over: RGB, under: RGB, share: float) -> RGB:
    """``over`` at opacity ``share`` on ``under``, as a flat colour."""
    red, green, blue = (round(u + share * (o - u)) for o, u in zip(over, under, strict=True))
    return red, green, blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How a state is told: a colour, a shape, and a rule that is solid only when it is confirmed."""

    colour: RGB
    shape: Shape
    hollow: bool
    dash: tuple[float, float] | None


def mark(state: State, colours: Colours, *, unconfirmed: bool = False) -> Mark:
    """The mark of a level's state; ``unconfirmed``: the price is below it, and no bar has begun to break it."""
    confirmed, waiting, faint = None, (10.0, 6.0), (2.0, 6.0)
    match state:
        case State.ABOVE if unconfirmed:
            return Mark(colour=colours.holds, shape="triangle_up", hollow=True, dash=waiting)
        case State.ABOVE:
            return Mark(colour=colours.holds, shape="circle", hollow=False, dash=confirmed)
        case State.RECLAIMED:
            return Mark(colour=colours.holds, shape="diamond", hollow=False, dash=confirmed)
        case State.RECLAIMING:
            return Mark(colour=colours.holds, shape="diamond", hollow=True, dash=waiting)
        case State.BREAKING:
            return Mark(colour=colours.broken, shape="triangle_down", hollow=True, dash=waiting)
        case State.BROKEN:
            return Mark(colour=colours.broken, shape="triangle_down", hollow=False, dash=confirmed)
        case State.UNKNOWN:
            return Mark(colour=colours.muted, shape="circle", hollow=True, dash=faint)
