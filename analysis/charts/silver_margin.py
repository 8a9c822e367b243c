"""The picture of ``/silver-margin``: dollars a contract over time, each change split into rate and price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from analysis.charts import margin_table, margin_words, quantities, time_words
from analysis.charts.canvas import WIDTH, Canvas, Panel
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.place import Box, free, stacked
from analysis.charts.scale import Scale, TimeAxis
from analysis.charts.text import Face, fit, width
from analysis.charts.theme import blend, colours
from analysis.freshness import Freshness

if TYPE_CHECKING:
    from analysis.charts.theme import RGB, Colours
    from analysis.margin import Margin

TITLES = tuple(Face(px, bold=True) for px in (38, 36, 34, 32, 30))
OUTLOOKS = tuple(Face(px) for px in (32, 30))
FIGURES, UNDER, NOTE = Face(30, bold=True), Face(24), Face(22)
MARGIN, GUTTER, STRIP, LEADER = 24, 12, 44, 36
TITLE_LINE, OUTLOOK_LINE, TOP, BOTTOM, HOURS_LINE = 44, 90, 124, 424, 448
TABLE_TOP, TABLE_BOTTOM, FOOT_LINE = 494, 662, 697
HEADROOM = 1.08
_DAY = 86_400
# Days shown before the first change: the rule it replaced has to be seen.
_LEAD = 8
_EMPTY = (0.0, float(_DAY))


@dataclass(frozen=True, slots=True)
class Turn:
    """One vertical of the staircase: at ``epoch`` the margin goes to ``usd``, by its rate or its price."""

    epoch: float
    usd: float
    by_rate: bool
    dated: bool = True
    rule: str = ""


def draw(result: Margin, look: Look, _: Gettext) -> Picture:
    """Draw what ``/silver-margin`` knows of a contract; nothing of an account is in the picture."""
    return Picture(png=compose(result, look, _).png(), alt=margin_words.alt(result, look, _))


def compose(result: Margin, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    wear = colours(look)
    tint = blend(wear.holds, wear.background, 0.13)
    canvas = Canvas(wear, tint=tint)
    steps = turns(result)
    scale = Scale(0.0, HEADROOM * highest(result, steps), TOP, BOTTOM)
    ticks = scale.ticks(5)
    names = [quantities.tick(value, ticks[1] - ticks[0] if len(ticks) > 1 else 1.0) for value in ticks]
    left = MARGIN + GUTTER + max((width(name, NOTE) for name in names), default=0.0)
    labels = _labels(result, look, _)
    right = WIDTH - MARGIN - LEADER - max(label.width for label in labels)
    axis = time_axis(result, steps, left, right)
    panel = canvas.panel(Box(left, TOP, right, BOTTOM), scale)

    segments = _segments(steps, axis, panel, result)
    canvas.fill([(x0, scale.y(usd), x1, BOTTOM) for x0, x1, usd in segments], tint)
    panel.grid(ticks)
    for name, value in zip(names, ticks, strict=True):
        canvas.text(name, (left - GUTTER, scale.y(value)), NOTE, wear.muted, anchor="right")
    if result.crossover is not None:
        panel.rule(result.crossover.fixed_usd, wear.muted, dash=(2.0, 6.0))
    _staircase(panel, axis, steps, segments)
    _coming(panel, axis, result)
    _beside(canvas, panel, labels)
    _notes(panel, axis, steps, segments, result, _)
    if steps:
        _days(canvas, axis, look, _, until=max([steps[-1].epoch, *_next_epoch(result)]))
    margin_table.write(canvas, Box(MARGIN, TABLE_TOP, WIDTH - MARGIN, TABLE_BOTTOM), result, look, _, tint)
    _lines(canvas, result, look, _)
    return canvas


def turns(result: Margin) -> list[Turn]:
    """Closes and changes in force in order of time; a change comes after the close of its instant."""
    days = [Turn(day.closed_at.timestamp(), day.initial_usd, by_rate=False) for day in result.history]
    changes = [
        Turn(
            step.effective.timestamp(),
            step.initial_usd,
            by_rate=True,
            dated=step.dated,
            rule=margin_words.rule(step.basis, step.value),
        )
        for step in result.steps
        if step.in_force and step.effective is not None and step.initial_usd is not None
    ]
    found = sorted([*days, *changes], key=lambda turn: (turn.epoch, turn.by_rate))
    shown = margin_table.shown(result)
    first = next((step.effective.timestamp() for step in shown if step.effective is not None), None)
    if first is None:
        return found
    return [turn for turn in found if turn.epoch >= first - _LEAD * _DAY]


def highest(result: Margin, steps: Sequence[Turn]) -> float:
    """The most dollars the picture has to show."""
    coming = [] if result.next_cost is None else [result.next_cost.initial_usd]
    fixed = [] if result.crossover is None else [result.crossover.fixed_usd]
    return max([result.cost.initial_usd, *coming, *fixed, *(turn.usd for turn in steps)])


def time_axis(result: Margin, steps: Sequence[Turn], left: float, right: float) -> TimeAxis:
    """From the first turn to the last or to the next change, with room for today's figure at the right."""
    epochs = [*(turn.epoch for turn in steps), *_unpriced(result), *_next_epoch(result)] or list(_EMPTY)
    start, end = min(epochs), max(epochs)
    end = max(end, start + _DAY)
    return TimeAxis(start, end + (end - start) * STRIP / (right - left - STRIP), left, right)


def _next_epoch(result: Margin) -> list[float]:
    """When the next change takes effect, in epoch seconds; empty if none is known."""
    step = result.next_step
    return [] if step is None or step.effective is None else [step.effective.timestamp()]


def _unpriced(result: Margin) -> list[float]:
    """Changes to a percent of a price nobody knows, in epoch seconds: there the staircase has a gap."""
    return [
        step.effective.timestamp()
        for step in result.steps
        if step.in_force and step.effective is not None and step.initial_usd is None
    ]


def _days(canvas: Canvas, axis: TimeAxis, look: Look, _: Gettext, *, until: float) -> None:
    for epoch, words in time_words.hours(axis, ZoneInfo(look.zone), NOTE, _):
        x, half = axis.x(epoch), width(words, NOTE) / 2
        if epoch <= until and x - half >= MARGIN:
            canvas.fill([(x, BOTTOM, x + 1, BOTTOM + 6)], canvas.colours.muted)
            canvas.text(words, (x, HOURS_LINE), NOTE, canvas.colours.muted, anchor="centre")


def _segments(
    steps: Sequence[Turn], axis: TimeAxis, panel: Panel, result: Margin
) -> list[tuple[float, float, float]]:
    """The treads of the staircase: from, to (pixels) and dollars; the last at the asked price, to the edge."""
    edge = axis.x(_next_epoch(result)[0]) if _next_epoch(result) else panel.box.right
    now = result.cost.initial_usd
    if not steps:
        return [(round(axis.x(max(_unpriced(result), default=axis.start))), edge, now)]
    found = [
        (round(axis.x(turn.epoch)), round(axis.x(later.epoch)), turn.usd)
        for turn, later in pairwise(steps)
        if later.epoch > turn.epoch
    ]
    last = round(axis.x(steps[-1].epoch))
    unpriced = [round(axis.x(epoch)) for epoch in _unpriced(result)]
    if unpriced:
        return [*found, (last, unpriced[0], steps[-1].usd), (unpriced[-1], edge, now)]
    # The asked price stands a little after the last close, before the edge or the next change.
    here = last + min(10, round((edge - last) / 3))
    return [*found, (last, here, steps[-1].usd), (here, edge, now)]


def _staircase(
    panel: Panel, axis: TimeAxis, steps: Sequence[Turn], segments: Sequence[tuple[float, float, float]]
) -> None:
    canvas, scale, wear = panel.canvas, panel.scale, panel.canvas.colours
    points = [[(x, scale.y(usd)) for x in (x0, x1)] for x0, x1, usd in segments]
    stretch = points[0]
    for tread in points[1:]:
        if tread[0][0] > stretch[-1][0]:
            canvas.line(stretch, wear.holds, width=3.0)
            stretch = tread
        else:
            stretch = stretch + tread
    canvas.line(stretch, wear.holds, width=3.0)
    for before, turn in pairwise(steps):
        if turn.by_rate:
            x = round(axis.x(turn.epoch))
            ends = [(x, scale.y(before.usd)), (x, scale.y(turn.usd))]
            canvas.line(ends, wear.background, width=10.0)
            canvas.line(ends, wear.broken, width=6.0, dash=None if turn.dated else (6.0, 4.0))


def _coming(panel: Panel, axis: TimeAxis, result: Margin) -> None:
    """The next change, dashed because it is still to come."""
    step, asked = result.next_step, result.next_cost
    if step is None or step.effective is None or asked is None:
        return
    canvas, scale, amber = panel.canvas, panel.scale, panel.canvas.colours.broken
    x, dash = round(axis.x(step.effective.timestamp())), (6.0, 4.0)
    y = scale.y(asked.initial_usd)
    here = round(scale.y(result.cost.initial_usd))
    canvas.line([(x, here), (panel.box.right, here)], canvas.colours.ink, dash=(2.0, 4.0))
    canvas.line([(x, scale.y(result.cost.initial_usd)), (x, y)], amber, width=6.0, dash=dash)
    canvas.line([(x, y), (panel.box.right, y)], amber, width=3.0, dash=dash)


@dataclass(frozen=True, slots=True)
class _Label:
    """What stands at the right of the panel: dollars over the rule they belong to."""

    usd: float
    figures: str
    under: str
    is_now: bool

    @property
    def width(self) -> float:
        return max(width(self.figures, FIGURES) + 20, width(self.under, UNDER) + 10)


def _labels(result: Margin, look: Look, _: Gettext) -> list[_Label]:
    """Today's figure and the next one, the higher first."""
    now = result.in_force
    usd = result.cost.initial_usd
    words = _("{rule}, last known") if result.table_is_old else _("{rule} now")
    under = words.format(rule=margin_words.kind(now.basis, now.value, _))
    found = [_Label(usd, quantities.dollars(usd), under, is_now=True)]
    step, asked = result.next_step, result.next_cost
    if step is not None and asked is not None:
        kind = margin_words.kind(step.basis, step.value, _)
        under = f"{kind} · {margin_words.effective(step, look, _)}"
        usd = asked.initial_usd
        found.append(_Label(usd, quantities.dollars(usd), under, is_now=False))
    return sorted(found, key=lambda label: -label.usd)


def _beside(canvas: Canvas, panel: Panel, labels: Sequence[_Label]) -> None:
    wear, scale = canvas.colours, panel.scale
    side, edge = panel.box.right, panel.box.right + LEADER
    under = 36
    wanted = [scale.y(label.usd) + under / 2 for label in labels]
    middles = stacked(wanted, [84.0] * len(labels), TOP - 20, BOTTOM + 24)
    for label, middle in zip(labels, middles, strict=True):
        colour = wear.ink if label.is_now else wear.broken
        y, line = scale.y(label.usd), middle - under / 2
        canvas.line([(side, y), (side + 8, y), (edge - 8, line), (edge, line)], colour)
        if label.is_now:
            canvas.tag(label.figures, (edge, line), FIGURES, fill=wear.ink, ink=wear.background)
        else:
            canvas.text(label.figures, (edge + 10, line), FIGURES, colour)
        canvas.text(label.under, (edge + 10, middle + under / 2), UNDER, wear.muted)


def _notes(
    panel: Panel,
    axis: TimeAxis,
    steps: Sequence[Turn],
    segments: Sequence[tuple[float, float, float]],
    result: Margin,
    _: Gettext,
) -> None:
    """The rule of each stretch, and the crossover on its line, wherever the staircase leaves room."""
    canvas, box, scale, wear = panel.canvas, panel.box, panel.scale, panel.canvas.colours
    treads = [(x0 - 4, scale.y(usd) - 4, x1 + 4, scale.y(usd) + 4) for x0, x1, usd in segments]
    risers = [
        (a[1] - 5, min(scale.y(a[2]), scale.y(b[2])) - 4, a[1] + 5, max(scale.y(a[2]), scale.y(b[2])) + 4)
        for a, b in pairwise(segments)
    ]
    taken = [np.array([*treads, *risers, (box.right - 2, box.top, box.right, box.bottom)])]
    taken += [np.array([(axis.x(at) - 8, box.top, box.right, box.bottom)]) for at in _next_epoch(result)]
    if result.crossover is not None:
        y = scale.y(result.crossover.fixed_usd)
        taken.append(np.array([(box.left, y - 3, box.right, y + 3)]))

    def put(words: str, face: Face, colour: RGB, places: Sequence[tuple[float, float]]) -> None:
        room, half = width(words, face), 0.6 * face.px
        candidates = (
            Box(x, y - half, x + room, y + half)
            for x, y in places
            if box.left <= x and x + room <= box.right and box.top <= y - half and y + half <= box.bottom
        )
        place = free(candidates, np.concatenate(taken))
        if place is not None:
            canvas.text(words, (place.left, place.middle), face, colour)
            taken.append(np.array([place.grown(4)]))

    changes = [turn for turn in steps if turn.by_rate]
    for turn, later in zip_longest(changes, changes[1:]):
        x0 = axis.x(turn.epoch)
        x1 = axis.x(later.epoch) if later else min([box.right, *(axis.x(at) for at in _unpriced(result))])
        room = width(turn.rule, UNDER)
        middle = max(x0 + 10, (x0 + x1 - room) / 2)
        if x1 - x0 >= room + 12:
            heights = sorted(
                np.arange(box.top + 16, box.bottom - 16, 8.0), key=lambda y: abs(y - (scale.y(turn.usd) + 30))
            )
            put(turn.rule, UNDER, wear.broken, [(middle, y) for y in heights])
    if result.crossover is not None:
        words, y = margin_words.crossover(result, _), scale.y(result.crossover.fixed_usd)
        xs = np.arange(box.left + 10, box.right, 16)
        put(words, NOTE, wear.muted, [(x, y + d) for d in (18, -18, 34) for x in xs[::-1]])


def _lines(canvas: Canvas, result: Margin, look: Look, _: Gettext) -> None:
    """The answer and what comes next above the picture, where it comes from below."""
    room, wear = WIDTH - 2 * MARGIN, canvas.colours
    told: tuple[tuple[str, tuple[Face, ...], int, RGB], ...] = (
        (margin_words.title(result, _), TITLES, TITLE_LINE, wear.ink),
        (margin_words.outlook(result, look, _), OUTLOOKS, OUTLOOK_LINE, _outlook_colour(result, wear)),
    )
    for words, faces, line, colour in told:
        face = next((face for face in faces if width(words, face) <= room), faces[-1])
        canvas.text(fit(words, face, room), (MARGIN, line), face, colour)
    foot = fit(margin_words.foot(result, look, _), NOTE, room)
    oldest = Freshness.STALE if result.table_is_old else result.freshness
    canvas.text(foot, (MARGIN, FOOT_LINE), NOTE, wear.foot(oldest))


def _outlook_colour(result: Margin, wear: Colours) -> RGB:
    return wear.muted if result.next_step is None and not result.table_is_old else wear.broken
