"""Values over sessions as lines: one place a session, so that weekends take no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from analysis.charts.text import Face, width

if TYPE_CHECKING:
    from analysis.charts.canvas import Canvas, Panel
    from analysis.charts.look import Gettext
    from analysis.charts.theme import RGB

NOTE = Face(22)
TICK_GAP = 20


@dataclass(frozen=True, slots=True)
class Sessions:
    """Dates, oldest first, from the left edge to the right one."""

    places: Mapping[date, int]
    left: float
    right: float

    @classmethod
    def over(cls, dates: Sequence[date], left: float, right: float) -> Sessions:
        return cls({day: place for place, day in enumerate(dates)}, left, right)

    def x(self, day: date) -> float:
        return self.left + (self.right - self.left) * self.places[day] / max(1, len(self.places) - 1)


def line(
    panel: Panel,
    axis: Sessions,
    points: Sequence[tuple[date, float]],
    colour: RGB,
    *,
    dash: tuple[float, ...] | None = None,
) -> None:
    """A line through what lies on the axis; a single point is a dot."""
    on = [(axis.x(day), panel.scale.y(value)) for day, value in points if day in axis.places]
    if len(on) > 1:
        panel.canvas.line(on, colour, width=3.0, dash=dash)
    elif on:
        panel.canvas.marker("circle", on[0], 5, colour)


def ticks(panel: Panel, values: Sequence[float], names: Sequence[str]) -> None:
    """Lines of the grid with their figures on the left."""
    panel.grid(values)
    for value, name in zip(values, names, strict=True):
        at = (panel.box.left - 10, panel.scale.y(value))
        panel.canvas.text(name, at, NOTE, panel.canvas.colours.muted, anchor="right")


def months(
    canvas: Canvas, axis: Sessions, spans: Sequence[tuple[float, float]], at: float, _: Gettext
) -> None:
    """Thin lines where months begin, through all ``spans`` from top to bottom, as many as can be named at ``at``.

    Of a few days each has its line.
    """
    days = list(axis.places)
    firsts = [day for before, day in pairwise(days) if before.month != day.month]
    pattern = _("%b %Y")
    if len(firsts) < 3:
        firsts, pattern = days, _("%-d %b")
    room = max((width(day.strftime(pattern), NOTE) for day in firsts), default=0.0) + TICK_GAP
    # A month has at least 18 sessions; of single days each is one.
    apart = (axis.right - axis.left) / max(1, len(days) - 1) * (1 if firsts is days else 18)
    stride = max(1, ceil(room / apart))
    for day in firsts[::-1][::stride]:
        x = axis.x(day)
        if x - room / 2 < axis.left - 2 * TICK_GAP:
            continue
        canvas.fill([(round(x), top, round(x) + 1, bottom) for top, bottom in spans], canvas.colours.grid)
        canvas.text(day.strftime(pattern), (x, at), NOTE, canvas.colours.muted, anchor="centre")
