"""The picture of ``/stress`` over time: index, turbulence and the one factor, one above the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from math import ceil, log10
from typing import TYPE_CHECKING, NamedTuple

from analysis.charts import curves, stress_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.place import Box
from analysis.charts.scale import Scale
from analysis.charts.stress_head import MARGIN, NOTE, foot, head
from analysis.charts.text import Face, fit
from analysis.standing import Standing

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.depth import Depth
    from analysis.stress import Stress

FIGURE = Face(44, bold=True)
LEFT, RIGHT = 86, 1_010
SIDE = RIGHT + 26
TOPS, HEIGHT, NAME = (188, 348, 508), 116, 20
TICK_LINE = 650
LEAST_TURBULENCE = 0.1
"""Where the logarithmic scale of turbulence begins: a day so quiet is as quiet as any."""


class Row(NamedTuple):
    """One measure over time; ``name`` stands in a line of others, ``scaled`` is where a value stands on the scale."""

    heading: str
    name: str
    points: Sequence[tuple[date, float]]
    figure: str
    standing: Standing | None
    scaled: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]


def compose(canvas: Canvas, result: Stress, _: Gettext) -> None:
    one = result.depth
    rows = _rows(one, _)
    dates = sorted({day for row in rows for day, _value in row.points})
    head(canvas, _title(result, _), _span(dates, _), _line(rows, _))
    if dates:
        axis = curves.Sessions.over(dates, LEFT, RIGHT)
        curves.months(canvas, axis, [(top, top + HEIGHT) for top in TOPS], TICK_LINE, _)
        for top, row in zip(TOPS, rows, strict=True):
            _draw(canvas, axis, top, row, _)
    foot(canvas, result, _)


def _title(result: Stress, _: Gettext) -> str:
    return _("Market stress: {verdict}").format(verdict=stress_words.verdict(result.verdict, _))


def _span(dates: Sequence[date], _: Gettext) -> str:
    if not dates:
        return ""
    pattern = _("%b %Y")
    return _("{first} to {last}").format(first=dates[0].strftime(pattern), last=dates[-1].strftime(pattern))


def _line(rows: Sequence[Row], _: Gettext) -> str:
    """The percentiles in one line: what is high for its own past."""
    told = [
        _("{name} {percentile}").format(name=row.name, percentile=round(row.standing.percentile))
        for row in rows
        if row.standing is not None
    ]
    if not told:
        return _("too few closes")
    return _("percentiles in their own past: {told}").format(told=" · ".join(told))


def _rows(one: Depth | None, _: Gettext) -> list[Row]:
    found = one.history if one is not None else None
    index = [(point.date, point.value) for point in found.index] if found else []
    turbulence = [(point.date, point.ratio) for point in found.turbulence] if found else []
    factor = [(point.date, 100 * point.ratio) for point in found.absorption] if found else []
    return [
        Row(
            _("stress index, 0 to 1"),
            _("stress index"),
            index,
            f"{one.index.value:.2f}" if one and one.index else "–",
            one.index_standing if one else None,
            float,
            [(value, f"{value:g}") for value in _round([value for _day, value in index])],
        ),
        Row(
            _("turbulence, 1 is usual, on a logarithmic scale"),
            _("turbulence"),
            turbulence,
            f"{one.turbulence.ratio:.1f}" if one and one.turbulence else "–",
            one.turbulence_standing if one else None,
            lambda value: log10(max(value, LEAST_TURBULENCE)),
            _decades([value for _day, value in turbulence]),
        ),
        Row(
            _("share of all moves that one common factor explains, %"),
            _("one factor"),
            factor,
            f"{100 * one.absorption.ratio:.0f} %" if one and one.absorption else "–",
            one.absorption_standing if one else None,
            float,
            [(value, f"{value:g}") for value in _round([value for _day, value in factor])],
        ),
    ]


def _round(values: Sequence[float]) -> list[float]:
    if not values:
        return []
    return Scale(min(values), max(values), 0, 1).ticks(3) if max(values) > min(values) else [values[0]]


def _decades(values: Sequence[float]) -> list[tuple[float, str]]:
    """Powers of ten, at most four of them, 1 among them; with few of them also a tenth."""
    highest = ceil(log10(max([10.0, *values])))
    step = ceil((highest + 1) / 3)
    powers = range(-1 if step == 1 else 0, highest + 1, step)
    return [(10.0**power, f"{10.0**power:,g}") for power in powers]


def _draw(canvas: Canvas, axis: curves.Sessions, top: float, row: Row, _: Gettext) -> None:
    wear = canvas.colours
    canvas.text(row.heading, (MARGIN, top - NAME), NOTE, wear.muted)
    canvas.text(row.figure, (SIDE, top + 36), FIGURE, wear.ink)
    if row.standing is not None:
        words = _("percentile {percentile}").format(percentile=round(row.standing.percentile))
        canvas.text(fit(words, NOTE, WIDTH - MARGIN - SIDE), (SIDE, top + 78), NOTE, wear.ink)
        words = _("of {n} closes").format(n=row.standing.n)
        canvas.text(fit(words, NOTE, WIDTH - MARGIN - SIDE), (SIDE, top + 104), NOTE, wear.muted)
    else:
        words = _("too few closes")
        canvas.text(fit(words, NOTE, WIDTH - MARGIN - SIDE), (SIDE, top + 78), NOTE, wear.muted)
    if not row.points:
        return
    scaled = [(day, row.scaled(value)) for day, value in row.points]
    low, high = min(value for _day, value in scaled), max(value for _day, value in scaled)
    air = 0.06 * (high - low) or 1.0
    scale = Scale(low - air, high + air, top, top + HEIGHT)
    panel = canvas.panel(Box(LEFT, top, RIGHT, top + HEIGHT), scale)
    ticks = [(row.scaled(value), name) for value, name in row.ticks if low <= row.scaled(value) <= high]
    curves.ticks(panel, [value for value, _name in ticks], [name for _value, name in ticks])
    curves.line(panel, axis, scaled, wear.ink)
    day, value = scaled[-1]
    canvas.marker("circle", (axis.x(day), scale.y(value)), 8, wear.broken)


def alt(result: Stress, _: Gettext) -> str:
    return f"{_title(result, _)} · {_line(_rows(result.depth, _), _)}"
