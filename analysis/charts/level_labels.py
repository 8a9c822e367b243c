"""The column at the right of ``/levels``: one label per level and the tag of the price, kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.charts import level_words, quantities
from analysis.charts.place import Box, stacked
from analysis.charts.text import fit, width
from analysis.charts.theme import mark

if TYPE_CHECKING:
    from analysis.charts.canvas import Canvas, Panel
    from analysis.charts.look import Gettext, Look
    from analysis.charts.scale import Scale
    from analysis.levels import Levels, LevelState

MOST = 6
_ANSWER, _STATE = 30, 24
# Pixels: from the panel to the column, from the column's edge to its words, widest words,
# heights of a label's two lines and of the tag.
_LEADER, _INDENT, _WIDEST, _LINE, _UNDER, _TAG = 44, 30, 300, 37, 32, 46


@dataclass(frozen=True, slots=True)
class Label:
    """What stands beside a level: figures over state. ``out`` is 1 or -1 when the level is off the scale."""

    state: LevelState
    figures: str
    standing: str
    out: int

    @property
    def width(self) -> float:
        return _INDENT + max(width(self.figures, _ANSWER, bold=True), width(self.standing, _STATE))


def labels(result: Levels, scale: Scale, look: Look, _: Gettext) -> list[Label]:
    """Labels of at most six levels, highest first: the next floor and the ones nearest to the price."""
    floor = result.next_floor.price if result.next_floor else None
    chosen = sorted(result.levels, key=lambda s: (s.level.price != floor, abs(s.distance_pct)))[:MOST]
    zone = ZoneInfo(look.zone)
    return [
        Label(
            state=s,
            figures=f"{quantities.price(s.level.price)}  {quantities.percent(s.distance_pct)}",
            standing=fit(level_words.standing(s, zone, _), _STATE, _WIDEST),
            out=(s.level.price > scale.high) - (s.level.price < scale.low),
        )
        for s in sorted(chosen, key=lambda s: -s.level.price)
    ]


def room(found: Sequence[Label]) -> float:
    """Width of the column with its leaders."""
    return _LEADER + max((label.width for label in found), default=140.0)


def write(canvas: Canvas, panel: Panel, result: Levels, found: Sequence[Label]) -> None:
    """Place the labels and the tag of the price beside ``panel`` and lead each to its rule."""
    wear = canvas.colours
    top, bottom = panel.box.top - 20, panel.box.bottom + 40
    edge = panel.box.right + _LEADER
    price = quantities.price(result.price)
    height = _LINE + _UNDER

    rows = [(label.state.level.price, label) for label in found] + [(result.price, None)]
    rows.sort(key=lambda row: -row[0])
    ys = [min(max(panel.scale.y(value), top), bottom) for value, _ in rows]
    # A label's first line, not its middle, is level with its rule.
    wanted = [y + (_UNDER / 2 if label else 0) for y, (_, label) in zip(ys, rows, strict=True)]
    middles = stacked(wanted, [height if label else _TAG for _, label in rows], top, bottom)
    for y, middle, (_, label) in zip(ys, middles, rows, strict=True):
        line = middle - _UNDER / 2 if label else middle
        colour = mark(label.state.state, wear).colour if label else wear.ink
        if label is None or not label.out:
            joint = [(panel.box.right, y), (panel.box.right + 8, y), (edge - 8, line), (edge, line)]
            canvas.line(joint, colour, width=2.0)
        else:
            arrow = "↑" if label.out > 0 else "↓"
            canvas.text(arrow, edge - 8, line, _STATE, colour, anchor="right")
        if label is None:
            half = _TAG / 2 - 4
            tag = Box(edge, line - half, edge + width(price, _ANSWER, bold=True) + 20, line + half)
            canvas.tag(price, tag, _ANSWER, fill=wear.ink, ink=wear.background)
            continue
        told = mark(label.state.state, wear)
        canvas.marker(told.shape, edge + 12, line, 9, told.colour, hollow=told.hollow)
        canvas.text(label.figures, edge + _INDENT, line, _ANSWER, told.colour, bold=True)
        canvas.text(label.standing, edge + _INDENT, line + _LINE / 2 + _STATE / 2 + 2, _STATE, wear.muted)
