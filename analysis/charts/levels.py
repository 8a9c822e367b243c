"""The picture of ``/levels``: candles over the level book, drawn to scale as a map of what lies below."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from analysis.charts import level_labels, level_words, quantities
from analysis.charts.candles import Columns, columns
from analysis.charts.canvas import WIDTH, Canvas, Panel
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.place import Box, free
from analysis.charts.scale import Scale, TimeAxis
from analysis.charts.text import clean, fit, width
from analysis.charts.theme import blend, colours, mark
from analysis.levels import Levels, LevelState, State

# Pixels. What carries the answer is set in 30 or more, ticks and notes in 22:
# a phone shows the picture at a third of its size.
TITLES, ANSWER, NOTE = (38, 36, 34, 32, 30), 30, 22
MARGIN = 24
TITLE_LINE, TOP, PRICE_BOTTOM, VOLUME_TOP, BOTTOM, HOURS_LINE, FOOT_LINE = 46, 92, 548, 560, 628, 651, 695
# Shares of the panel's height: candles smaller than this no longer read; room above and below.
LEAST_CANDLES, HEADROOM = 0.45, 0.04
FEWEST_BARS = 24
# A failed break or reclaim turns nothing, so it has no mark; the card tells of it.
_TURNS = {(State.BREAKING, State.BROKEN), (State.RECLAIMING, State.RECLAIMED)}


def draw(result: Levels, look: Look, _: Gettext) -> Picture:
    """Draw what ``/levels`` knows. Level labels are drawn as given, all else goes through ``_``."""
    return Picture(png=compose(result, look, _).png(), alt=level_words.alt(result, look, _))


def compose(result: Levels, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    wear = colours(look)
    tint = blend(wear.holds, wear.background, 0.13)
    canvas = Canvas(wear, tint=tint)
    scale = Scale(*span(result), TOP, PRICE_BOTTOM)
    seen = [s for s in result.levels if scale.low <= s.level.price <= scale.high]
    labels = level_labels.labels(result, scale, look, _)
    ticks = scale.ticks(6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    names = [quantities.tick(value, step) for value in ticks]
    left = MARGIN + 12 + max((width(name, NOTE) for name in names), default=0.0)
    right = WIDTH - MARGIN - level_labels.room(labels)

    axis = time_axis(result, left, right)
    bars = columns(result.candles, axis, int(result.interval.length.total_seconds()))
    prices = canvas.panel(Box(left, TOP, right, PRICE_BOTTOM), scale)
    most = float(bars.volume.max(initial=0.0)) or 1.0
    volumes = canvas.panel(Box(left, VOLUME_TOP, right, BOTTOM), Scale(0.0, most, VOLUME_TOP, BOTTOM))

    if result.air_pocket:
        prices.zone(result.air_pocket.bottom, result.air_pocket.top, tint)
    prices.grid(ticks)
    for name, value in zip(names, ticks, strict=True):
        canvas.text(name, left - 12, scale.y(value), NOTE, wear.muted, anchor="right")
    for state in seen:
        told = mark(state.state, wear)
        prices.rule(state.level.price, told.colour, dash=told.dash)
    prices.candles(bars)
    volumes.bars(bars)
    for state in seen:
        _turns(prices, axis, result, state)
    _drop(prices, result)
    level_labels.write(canvas, prices, result, labels)
    _notes(prices, bars, result, seen, _)
    _hours(canvas, axis, ZoneInfo(look.zone), _)
    _lines(canvas, result, look, _)
    return canvas


def span(result: Levels) -> tuple[float, float]:
    """Lowest and highest price of the scale.

    It holds the candles, the price and the next floor whatever their distance: the drop is
    drawn as deep as it is. The level above, one floor more and the levels further up are
    taken in, nearest first, while the candles keep enough of the height to be read.
    """
    values = np.concatenate([result.candles.low, result.candles.high, [result.price]])
    values = values[np.isfinite(values)]
    bottom, top = float(values.min()), float(values.max())
    candles = top - bottom
    above = [s.level.price for s in reversed(result.levels) if s.level.price > result.price]
    below = [s.level.price for s in result.levels if s.level.price < result.price]
    if result.next_floor:
        bottom = min(bottom, result.next_floor.price)
    for price in (*above[:1], *below[1:2], *above[1:]):
        low, high = min(bottom, price), max(top, price)
        if candles >= LEAST_CANDLES * (high - low) * (1 + 2 * HEADROOM):
            bottom, top = low, high
    room = HEADROOM * (top - bottom) or 0.01 * abs(top) or 1.0
    return bottom - room, top + room


def time_axis(result: Levels, left: float, right: float) -> TimeAxis:
    """From the first bar to a little after the last; a few bars stand at the right, not stretched."""
    opened, seconds = result.candles.opened_at, result.interval.length.total_seconds()
    end = float(opened[-1]) + seconds if len(opened) else result.as_of.timestamp()
    start = min(float(opened[0]) if len(opened) else end, end - FEWEST_BARS * seconds)
    return TimeAxis(start, end + 0.05 * (end - start), left, right)


def _turns(panel: Panel, axis: TimeAxis, result: Levels, state: LevelState) -> None:
    """A mark on the rule at each bar that confirmed a break or a reclaim."""
    opened = result.candles.opened_at
    half = result.interval.length / 2
    for event in state.events:
        at = event.opened_at.timestamp()
        if (event.before, event.after) in _TURNS and len(opened) and opened[0] <= at <= opened[-1]:
            told = mark(event.after, panel.canvas.colours)
            x = axis.x((event.opened_at + half).timestamp())
            panel.canvas.marker(told.shape, x, panel.scale.y(state.level.price), 8, told.colour)


def _drop(panel: Panel, result: Levels) -> None:
    """An arrow from the price down to the next floor: the question of the command, to scale."""
    if not result.next_floor:
        return
    ink = panel.canvas.colours.ink
    x = round(panel.box.right) - 18
    top, bottom = panel.scale.y(result.price), panel.scale.y(result.next_floor.price)
    if bottom - top > 24:  # noqa: PLR2004 (the arrow's head and as much again)
        panel.canvas.line([(x, top), (x, bottom - 12)], ink, dash=(3.0, 3.0))
        panel.canvas.marker("triangle_down", x, bottom - 10, 8, ink)


def _notes(panel: Panel, bars: Columns, result: Levels, seen: list[LevelState], _: Gettext) -> None:
    """What the air pocket measures and what each level is called, wherever no candle is in the way."""
    canvas, box, scale = panel.canvas, panel.box, panel.scale
    # The strip of the arrow is kept clear too.
    strip = np.array([(box.right - 36, box.top, box.right, box.bottom)])
    taken = [bars.outline(scale) + (-6, -4, 6, 4), strip]
    rules = [scale.y(s.level.price) for s in seen]
    taken.append(np.array([(box.left, y - 3, box.right, y + 3) for y in rules]).reshape(-1, 4))

    def put(words: str, px: int, colour: tuple[int, int, int], heights: list[float]) -> bool:
        wide = width(words, px)
        starts = np.arange(box.left + 10, box.right - wide - 10, 20)
        candidates = (
            Box(x, y - 0.6 * px, x + wide, y + 0.6 * px)
            for y in heights
            if box.top <= y - 0.6 * px and y + 0.6 * px <= box.bottom
            for x in starts
        )
        place = free(candidates, np.concatenate(taken))
        if place:
            drawn = canvas.text(words, place.left, place.middle, px, colour)
            taken.append(np.array([drawn.grown(6)]))
        return place is not None

    pocket = result.air_pocket
    if pocket:
        top, bottom = max(box.top, scale.y(pocket.top)), min(box.bottom, scale.y(pocket.bottom))
        middles = [float(y) for y in np.arange(bottom - 30, top + 26, -12)]
        for px in (ANSWER, NOTE):
            if put(level_words.pocket(pocket, _), px, canvas.colours.ink, middles):
                break
    for state, y in zip(seen, rules, strict=True):
        words = fit(clean(state.level.label), NOTE, box.width / 2)
        if words:
            put(words, NOTE, mark(state.state, canvas.colours).colour, [y - 18, y + 18])


def _hours(canvas: Canvas, axis: TimeAxis, zone: ZoneInfo, _: Gettext) -> None:
    for epoch, words in level_words.hours(axis, zone, _):
        x = axis.x(epoch)
        half = width(words, NOTE) / 2
        canvas.fill([(x, BOTTOM, x + 1, BOTTOM + 6)], canvas.colours.grid)
        if axis.left <= x - half and x + half <= axis.right + MARGIN:
            canvas.text(words, x, HOURS_LINE, NOTE, canvas.colours.muted, anchor="centre")


def _lines(canvas: Canvas, result: Levels, look: Look, _: Gettext) -> None:
    """The answer above the picture, where it comes from below."""
    room = WIDTH - 2 * MARGIN
    title = level_words.title(result, _)
    px = next((px for px in TITLES if width(title, px, bold=True) <= room), ANSWER)
    canvas.text(fit(title, px, room, bold=True), MARGIN, TITLE_LINE, px, canvas.colours.ink, bold=True)
    foot = fit(level_words.foot(result, look, _), NOTE, room)
    canvas.text(foot, MARGIN, FOOT_LINE, NOTE, canvas.colours.muted)
