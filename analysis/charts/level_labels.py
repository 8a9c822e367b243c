"""The column at the right of ``/levels``: one label per level and the tag of the price, kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.charts import level_words, quantities
from analysis.charts.place import stacked
from analysis.charts.text import Face, fit, width
from analysis.charts.theme import mark

if TYPE_CHECKING:
    from analysis.charts.canvas import Canvas, Panel
    from analysis.charts.look import Gettext, Look
    from analysis.charts.scale import Scale
    from analysis.levels import Levels, LevelState

MOST = 6
_FIGURES, _STANDING, _OFF_SCALE = Face(30, bold=True), Face(24), Face(26)
# Pixels: from the panel to the column, from the column's edge to its words, the widest words;
# heights of a label's two lines, of a level off the scale and of the tag; how far the column
# outreaches the panel.
_LEADER, _INDENT, _WIDEST, _LINE, _UNDER, _SHORT, _TAG, _OVER, _BELOW = 44, 30, 300, 37, 31, 34, 46, 14, 122


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside a level: figures over state; of a level off the scale only figures and an arrow."""

    state: LevelState
    figures: str
    standing: str
    out: int

    @property
    def width(self) -> float:
        if self.out:
            return _INDENT + width(self.figures, _OFF_SCALE)
        return _INDENT + max(width(self.figures, _FIGURES), width(self.standing, _STANDING))

    @property
    def height(self) -> int:
        return _SHORT if self.out else _LINE + _UNDER

    def wanted(self, scale: Scale, top: float, bottom: float) -> float:
        """The middle the label would have if it were alone: its first line level with its rule."""
        if self.out:
            return top if self.out > 0 else bottom
        return scale.y(self.state.level.price) + _UNDER / 2


def labels(result: Levels, scale: Scale, look: Look, _: Gettext) -> list[Label]:
    """Labels of at most six levels, highest first: the next floor and the ones nearest to the price."""
    floor = result.next_floor.price if result.next_floor else None
    chosen = sorted(result.levels, key=lambda s: (s.level.price != floor, abs(s.distance_pct)))[:MOST]
    zone = ZoneInfo(look.zone)
    found = []
    for state in sorted(chosen, key=lambda s: -s.level.price):
        out = (state.level.price > scale.high) - (state.level.price < scale.low)
        figures = f"{quantities.price(state.level.price)}  {quantities.percent(state.distance_pct)}"
        arrow = {1: "  ↑", 0: "", -1: "  ↓"}[out]
        standing = fit(level_words.standing(state, zone, _), _STANDING, _WIDEST)
        found.append(Label(state=state, figures=figures + arrow, standing=standing, out=out))
    return found


def room(result: Levels, found: Sequence[Label]) -> float:
    """Width of the column with its leaders."""
    tag = width(quantities.price(result.price), _FIGURES) + 20
    return _LEADER + max([tag, *(label.width for label in found)])


def write(canvas: Canvas, panel: Panel, result: Levels, found: Sequence[Label]) -> None:
    """Place the labels and the tag of the price beside ``panel`` and lead each to its rule."""
    wear, scale = canvas.colours, panel.scale
    top, bottom = panel.box.top - _OVER, panel.box.bottom + _BELOW
    side, edge = panel.box.right, panel.box.right + _LEADER
    above = sum(label.state.level.price > result.price for label in found)
    price = scale.y(result.price)

    wanted = [label.wanted(scale, top, bottom) for label in found]
    heights = [label.height for label in found]
    wanted.insert(above, price)
    heights.insert(above, _TAG)
    middles = stacked(wanted, heights, top, bottom)

    tag = middles.pop(above)
    canvas.line([(side, price), (side + 8, price), (edge - 8, tag), (edge, tag)], wear.ink)
    words = quantities.price(result.price)
    canvas.tag(words, (edge, tag), _FIGURES, fill=wear.ink, ink=wear.background)
    for label, middle in zip(found, middles, strict=True):
        told = mark(label.state.state, wear, unconfirmed=label.state.unconfirmed)
        if label.out:
            canvas.marker(told.shape, (edge + 12, middle), 7, told.colour, hollow=told.hollow)
            canvas.text(label.figures, (edge + _INDENT, middle), _OFF_SCALE, told.colour)
            continue
        y, line = scale.y(label.state.level.price), middle - _UNDER / 2
        canvas.line([(side, y), (side + 8, y), (edge - 8, line), (edge, line)], told.colour)
        canvas.marker(told.shape, (edge + 12, line), 9, told.colour, hollow=told.hollow)
        canvas.text(label.figures, (edge + _INDENT, line), _FIGURES, told.colour)
        canvas.text(label.standing, (edge + _INDENT, middle + _LINE / 2), _STANDING, wear.muted)
