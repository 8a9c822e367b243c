"""The picture of ``/stress`` by its index: how high it stands, since when, and what adds up to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from analysis.charts import curves, stress_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.place import Box
from analysis.charts.scale import Scale
from analysis.charts.stress_head import ANSWER, MARGIN, NOTE, foot, head
from analysis.charts.text import fit
from analysis.depth import MARKETS
from analysis.stress_index import SEGMENTS

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.depth import Depth, History
    from analysis.stress import Stress

TOP, BOTTOM, TICK_LINE = 200, 610, 640
LEFT, RIGHT = 86, 620
SHOWN = 250
"""Closes drawn: a year."""
NAMES, ZERO, END = 700, 896, WIDTH - MARGIN - 86
ROW, BAR = 40, 22


class Parts(NamedTuple):
    """What adds up to a figure, with the names of the parts and their decimals."""

    title: str
    names: Sequence[str]
    values: Sequence[float]
    decimals: int


def compose(canvas: Canvas, result: Stress, _: Gettext) -> None:
    one = result.depth
    head(canvas, _title(one, _), _aside(one, _), _line(one, _))
    if one is not None and one.history is not None:
        _curve(canvas, one.history, _)
        _blocks(canvas, one, _)
    foot(canvas, result, _)


def _title(one: Depth | None, _: Gettext) -> str:
    if one is None or one.index is None:
        return _("Stress index: too few closes")
    return _("Stress index {value} of 1").format(value=f"{one.index.value:.2f}")


def _aside(one: Depth | None, _: Gettext) -> str:
    if one is None or one.index_standing is None:
        return ""
    return stress_words.standing(one.index_standing, _)


def _line(one: Depth | None, _: Gettext) -> str:
    told = []
    if one is not None and one.turbulence is not None and one.turbulence_standing is not None:
        told.append(
            _("turbulence {value} (1 is usual), percentile {percentile}").format(
                value=f"{one.turbulence.ratio:.1f}", percentile=round(one.turbulence_standing.percentile)
            )
        )
    if one is not None and one.absorption is not None and one.absorption_standing is not None:
        told.append(
            _("one factor {share} %, percentile {percentile}").format(
                share=f"{100 * one.absorption.ratio:.0f}",
                percentile=round(one.absorption_standing.percentile),
            )
        )
    return " · ".join(told)


def _curve(canvas: Canvas, found: History, _: Gettext) -> None:
    points = found.index[-SHOWN:]
    if not points:
        return
    wear = canvas.colours
    highest = max(point.value for point in points)
    scale = Scale(0.0, max(0.1, 1.12 * highest), TOP, BOTTOM)
    panel = canvas.panel(Box(LEFT, TOP, RIGHT, BOTTOM), scale)
    axis = curves.Sessions.over([point.date for point in points], LEFT, RIGHT)
    curves.months(canvas, axis, [(TOP, BOTTOM)], TICK_LINE, _)
    values = scale.ticks(5)
    curves.ticks(panel, values, [f"{value:g}" for value in values])
    curves.line(panel, axis, [(point.date, point.value) for point in points], wear.ink)
    last = points[-1]
    canvas.marker("circle", (axis.x(last.date), scale.y(last.value)), 8, wear.broken)
    words = _("the index over {n} closes, from 0 (calm) to 1 (all at worst)").format(n=len(points))
    canvas.text(fit(words, NOTE, RIGHT - MARGIN), (MARGIN, TOP - 32), NOTE, wear.muted)


def _blocks(canvas: Canvas, one: Depth, _: Gettext) -> None:
    blocks = []
    if one.index is not None:
        names = [stress_words.segment(segment, _) for segment in SEGMENTS]
        blocks.append(Parts(_("what adds up to the index"), names, one.index.parts, 3))
    if one.turbulence is not None:
        names = [stress_words.name(code, _) for code in MARKETS]
        title = _("what adds up to the turbulence of {date}").format(
            date=one.turbulence.date.strftime(_("%-d %b"))
        )
        blocks.append(Parts(title, names, one.turbulence.parts, 2))
    top = TOP - 32.0
    for block in blocks:
        top = _bars(canvas, block, top) + 24


def _bars(canvas: Canvas, block: Parts, top: float) -> float:
    """Bars from nought, amber; hollow to the left where a part runs against the others. Returns the bottom."""
    wear = canvas.colours
    canvas.text(fit(block.title, NOTE, WIDTH - MARGIN - NAMES), (NAMES, top), NOTE, wear.muted)
    low, high = min(0.0, *block.values), max(0.0, *block.values)
    reach = (high - low) or 1.0
    zero = ZERO + (END - ZERO) * -low / reach
    y = top + 14 + ROW / 2
    for name, value in zip(block.names, block.values, strict=True):
        edge = zero + (END - ZERO) * value / reach
        left, right = sorted((round(zero), round(edge)))
        canvas.fill([(left, y - BAR / 2, max(right, left + 2), y + BAR / 2)], wear.broken)
        if value < 0 and right - left > 6:
            canvas.fill([(left + 3, y - BAR / 2 + 3, right - 3, y + BAR / 2 - 3)], wear.background)
        canvas.text(fit(name, ANSWER, ZERO - NAMES - 12), (NAMES, y), ANSWER, wear.ink)
        figure = f"{value:.{block.decimals}f}".replace("-", "−")
        canvas.text(figure, (max(right, round(zero)) + 10, y), ANSWER, wear.ink)
        y += ROW
    return y - ROW / 2


def alt(result: Stress, _: Gettext) -> str:
    one = result.depth
    return " · ".join(part for part in (_title(one, _), _aside(one, _), _line(one, _)) if part)
