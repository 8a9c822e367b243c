"""The picture of ``/ladder``: price down the side, a rung where each position is liquidated, the floors across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts import ladder_words, quantities
from analysis.charts.canvas import WIDTH, Canvas, Panel
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.place import Box, stacked
from analysis.charts.scale import Scale
from analysis.charts.text import Face, clean, fit, width
from analysis.charts.theme import blend, colours

if TYPE_CHECKING:
    from analysis.ladder import Ladder

TITLES = tuple(Face(px, bold=True) for px in (38, 36, 34, 32, 30))
OUTLOOKS = tuple(Face(px) for px in (32, 30))
RUNG, FIGURE, NOTE = Face(30), Face(24), Face(22)
MARGIN, GUTTER, LEADER = 24, 12, 40
TITLE_LINE, OUTLOOK_LINE, TOP, BOTTOM, FOOT_LINE = 44, 90, 128, 656, 697
LINE, NOTE_LINE = 44, 28
WIDEST = 620
"""Pixels of the column of labels at most: what is longer ends with an ellipsis."""
HEADROOM = 0.06
FLOORS = 380
"""Pixels at the panel's left that the names of floors have to themselves."""
MOST_RUNGS = (BOTTOM - TOP) // LINE - 2
FARTHEST = 3.0
"""Floors farther away than this many times the farthest rung are left out: rungs are what was asked about."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One rung: at ``value`` on the scale, ``weight`` 0-1 as long, ``other`` a second value beside it."""

    value: float
    label: str
    weight: float
    figure: str = ""
    other: float | None = None


def draw(result: Ladder, look: Look, _: Gettext) -> Picture:
    """Draw what ``/ladder`` knows; labels of floors as given, all else through ``_``."""
    return Picture(png=compose(result, look, _).png(), alt=ladder_words.alt(result, _))


def compose(result: Ladder, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    wear = colours(look)
    tint = blend(wear.broken, wear.background, 0.3)
    canvas = Canvas(wear, tint=tint)
    marks = rungs(result, _)
    scale = span(result, marks)
    in_percent = not one_market(result)
    ticks = scale.ticks(7)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    names = [
        quantities.percent(100 * (value / result.price - 1)) if in_percent else quantities.tick(value, step)
        for value in ticks
    ]
    present = ladder_words.exact(result.price) if not in_percent else _("marks")
    words = [fit(mark.label, RUNG, WIDEST) for mark in marks]
    left = MARGIN + GUTTER + max((width(name, NOTE) for name in names), default=0.0)
    right = WIDTH - MARGIN - LEADER - max([width(present, RUNG) + 20, *(width(word, RUNG) for word in words)])
    panel = canvas.panel(Box(left, TOP, right, BOTTOM), scale)

    panel.grid(ticks)
    for name, value in zip(names, ticks, strict=True):
        if TOP + 10 <= scale.y(value) <= BOTTOM - 10:
            canvas.text(name, (left - GUTTER, scale.y(value)), NOTE, wear.muted, anchor="right")
    _bars(panel, marks, tint)
    _floors(panel, result, _)
    panel.rule(result.price, wear.ink, width=3.0)
    _beside(panel, marks, words, present, result.price)
    _figures(panel, result, marks)
    _lines(canvas, result, look, _)
    return canvas


def one_market(result: Ladder) -> bool:
    """Whether all rungs are prices of one instrument at one mark; else the scale is in percent of each mark."""
    return len({(rung.position.instrument, rung.position.mark) for rung in result.rungs}) <= 1


def rungs(result: Ladder, _: Gettext) -> list[Mark]:
    """What is drawn, the nearest first; of too many positions the nearest."""
    if result.steps is not None:
        return [
            Mark(value=row.linear, label=ladder_words.step(row, _), weight=1.0, other=row.inverse)
            for row in reversed(result.steps.rows)
            if row.linear is not None
        ]
    several = len(result.rungs) > 1
    found = [
        (number, rung) for number, rung in enumerate(result.rungs, start=1) if rung.distance_pct is not None
    ]
    found.sort(key=lambda one: abs(one[1].distance_pct or 0.0))
    kept, most = found[:MOST_RUNGS], max((rung.notional_usd for _number, rung in found), default=1.0)
    return [
        Mark(
            value=result.price * (1 + (rung.distance_pct or 0.0) / 100),
            label=ladder_words.rung(rung, number if several else None, _),
            weight=rung.notional_usd / most,
            figure=ladder_words.notional(rung.notional_usd),
        )
        for number, rung in kept
    ]


def span(result: Ladder, marks: Sequence[Mark]) -> Scale:
    """From the lowest to the highest rung, the present price and the floors that are near enough to matter."""
    values = [result.price, *(mark.value for mark in marks)]
    values += [mark.other for mark in marks if mark.other is not None]
    reach = FARTHEST * max([0.02 * result.price, *(abs(value - result.price) for value in values)])
    if one_market(result):
        losing = {1 if mark.value < result.price else -1 for mark in marks} or {1, -1}
        values += [
            price
            for price, _label in result.floors
            if abs(price - result.price) <= reach and (1 if price < result.price else -1) in losing
        ]
    low, high = min(values), max(values)
    room = max(high - low, 0.01 * result.price) * HEADROOM
    return Scale(max(low - room, 0.0), high + room, TOP, BOTTOM)


def _bars(panel: Panel, marks: Sequence[Mark], tint: tuple[int, int, int]) -> None:
    """As long as the notional released there; of leverages a line, and a diamond for the inverse contract."""
    canvas, box, scale = panel.canvas, panel.box, panel.scale
    start = min(box.left + FLOORS, box.right - 60)
    for mark in marks:
        y = round(scale.y(mark.value))
        if not mark.figure:
            canvas.line([(start, y), (box.right, y)], canvas.colours.broken, width=3.0)
            continue
        end = box.right - (1 - mark.weight) * (box.right - start - 8)
        canvas.fill([(start, y - 9, end, y + 9)], tint)
        canvas.line([(start, y), (box.right, y)], canvas.colours.broken, width=3.0)
    for place, mark in enumerate(marks):
        if mark.other is not None:
            # Side by side, so that near ones can be told apart.
            x = start + 24 + (box.right - start - 48) * place / max(1, len(marks) - 1)
            canvas.marker("diamond", (x, scale.y(mark.other)), 9, canvas.colours.broken)


def _floors(panel: Panel, result: Ladder, _: Gettext) -> None:
    """The level book across the panel, each named at the left where there is room for its name."""
    canvas, box, wear = panel.canvas, panel.box, panel.canvas.colours
    room, seen = min(FLOORS, box.width - 60) - 24, set(_seen(result, panel.scale))
    taken: list[float] = [panel.scale.y(result.price)]
    for price, label in sorted(result.floors, key=lambda floor: abs(floor[0] - result.price)):
        if price not in seen:
            continue
        panel.rule(price, wear.holds, dash=(10.0, 6.0))
        y = panel.scale.y(price) - 18
        if y < TOP + 14 or any(abs(y - other) < NOTE_LINE for other in taken):
            continue
        taken.append(y)
        shown = clean(label)
        # What nothing is left of is no msgid: gettext would answer with its own header.
        named = f"{ladder_words.exact(price)} {_(shown) if shown else ''}".strip()
        canvas.text(fit(named, NOTE, room), (box.left + 10, y), NOTE, wear.holds)


def _figures(panel: Panel, result: Ladder, marks: Sequence[Mark]) -> None:
    """Dollars released, over or under the rung where nothing else is in the way."""
    canvas, box, scale = panel.canvas, panel.box, panel.scale
    start = min(box.left + FLOORS, box.right - 60)
    rules = [scale.y(price) for price in (result.price, *_seen(result, scale))]
    taken: list[float] = []
    for mark in marks:
        if not mark.figure or width(mark.figure, FIGURE) > box.right - start - 16:
            continue
        rung = scale.y(mark.value)
        bars = [scale.y(other.value) for other in marks if other is not mark]
        for y in (rung - 26, rung + 26):
            if (
                TOP + 14 <= y <= BOTTOM - 14
                and all(abs(y - rule) >= 15 for rule in rules)
                and all(abs(y - bar) >= 24 for bar in bars)
                and all(abs(y - other) >= 30 for other in taken)
            ):
                taken.append(y)
                canvas.text(mark.figure, (start + 8, y), FIGURE, canvas.colours.broken)
                break


def _seen(result: Ladder, scale: Scale) -> list[float]:
    """The floors whose rule is in the picture."""
    if not one_market(result):
        return []
    return [price for price, _label in result.floors if scale.low <= price <= scale.high]


def _beside(panel: Panel, marks: Sequence[Mark], words: Sequence[str], present: str, price: float) -> None:
    """Labels at the right with their leaders, the present price among them in a box."""
    canvas, scale, wear = panel.canvas, panel.scale, panel.canvas.colours
    side, edge = panel.box.right, panel.box.right + LEADER
    values = [price, *(mark.value for mark in marks)]
    middles = stacked(
        [scale.y(value) for value in values], [float(LINE)] * len(values), TOP - 10, BOTTOM + 10
    )
    for place, (value, middle) in enumerate(zip(values, middles, strict=True)):
        y = scale.y(value)
        colour = wear.broken if place else wear.ink
        canvas.line([(side, y), (side + 8, y), (edge - 10, middle), (edge - 4, middle)], colour)
        if place:
            canvas.text(words[place - 1], (edge, middle), RUNG, wear.ink)
        else:
            canvas.tag(present, (edge, middle), RUNG, fill=wear.ink, ink=wear.background)


def _lines(canvas: Canvas, result: Ladder, look: Look, _: Gettext) -> None:
    """The answer above the picture, where its prices come from below."""
    room, wear = WIDTH - 2 * MARGIN, canvas.colours
    hidden = sum(rung.liquidation_price is not None for rung in result.rungs) - MOST_RUNGS
    outlook = ladder_words.outlook(result, _)
    if hidden > 0:
        outlook = f"{outlook} · {ladder_words.more(hidden, _)}"
    for words, faces, line, colour in (
        (ladder_words.title(result, _), TITLES, TITLE_LINE, wear.ink),
        (outlook, OUTLOOKS, OUTLOOK_LINE, wear.muted),
    ):
        face = next((face for face in faces if width(words, face) <= room), faces[-1])
        canvas.text(fit(words, face, room), (MARGIN, line), face, colour)
    canvas.text(fit(ladder_words.foot(result, look, _), NOTE, room), (MARGIN, FOOT_LINE), NOTE, wear.muted)
