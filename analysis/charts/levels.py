"""The picture of ``/levels``: candles over the level book, drawn to scale as a map of what lies below."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from analysis.charts import candles, level_labels, level_words, quantities, time_words
from analysis.charts.candles import Columns, columns
from analysis.charts.canvas import WIDTH, Canvas, Panel
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.place import Box, free
from analysis.charts.scale import Scale, TimeAxis
from analysis.charts.text import Face, fit, width
from analysis.charts.theme import RGB, Colours, blend, colours, mark
from analysis.levels import Levels, LevelState, State

# What carries the answer is set in 30 pixels or more, ticks and notes in 22: a phone shows
# the picture at a third of its size.
TITLES = tuple(Face(px, bold=True) for px in (38, 36, 34, 32, 30))
ANSWER, NOTE = Face(30), Face(22)
MARGIN, GUTTER, STRIP = 24, 12, 36
TITLE_LINE, TOP, PRICE_BOTTOM, VOLUME_TOP, BOTTOM, HOURS_LINE, FOOT_LINE = 46, 92, 548, 560, 628, 651, 695
# Shares of the panel's height: candles smaller than this no longer read; room above and below.
LEAST_CANDLES, HEADROOM = 0.45, 0.04
FEWEST_BARS = 24
# Unlike every dash that tells a state: nobody chose this level.
AUTOMATIC_DASH = (18.0, 10.0)
# A failed break or reclaim turns nothing, so it has no mark; the card tells of it.
_TURNS = {(State.BREAKING, State.BROKEN), (State.RECLAIMING, State.RECLAIMED)}


def draw(result: Levels, look: Look, _: Gettext) -> Picture:
    """Draw what ``/levels`` knows. Level labels are drawn as given, all else goes through ``_``."""
    return Picture(png=compose(result, look, _).png(), alt=level_words.alt(result, look, _))


def compose(result: Levels, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    wear = colours(look)
    tint = pocket_tint(wear)
    canvas = Canvas(wear, tint=tint)
    scale = Scale(*span(result), TOP, PRICE_BOTTOM)
    seen = [s for s in result.levels if scale.low <= s.level.price <= scale.high]
    labels = level_labels.labels(result, scale, look, _)
    ticks = scale.ticks(6)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    names = [quantities.tick(value, step) for value in ticks]
    left = MARGIN + GUTTER + max((width(name, NOTE) for name in names), default=0.0)
    right = WIDTH - MARGIN - level_labels.room(result, labels)

    axis = time_axis(result, left, right)
    bars = columns(result.candles, axis, int(result.interval.length.total_seconds()))
    prices = canvas.panel(Box(left, TOP, right, PRICE_BOTTOM), scale)
    most = float(bars.volume.max(initial=0.0)) or 1.0
    volumes = canvas.panel(Box(left, VOLUME_TOP, right, BOTTOM), Scale(0.0, most, VOLUME_TOP, BOTTOM))

    if result.air_pocket:
        prices.zone(result.air_pocket.bottom, result.air_pocket.top, tint)
    prices.grid(ticks)
    for name, value in zip(names, ticks, strict=True):
        canvas.text(name, (left - GUTTER, scale.y(value)), NOTE, wear.muted, anchor="right")
    for state in seen:
        told = mark(state.state, wear, unconfirmed=state.unconfirmed)
        is_floor = result.next_floor is not None and state.level.price == result.next_floor.price
        dash = AUTOMATIC_DASH if state.level.automatic else told.dash
        prices.rule(state.level.price, told.colour, width=3.0 if is_floor else 2.0, dash=dash)
    prices.candles(bars)
    if result.running:
        now = candles.running(result.running, axis, int(result.interval.length.total_seconds()))
        prices.unfinished(now)
        bars = bars.followed_by(now)
    volumes.bars(bars)
    for state in seen:
        _turns(prices, axis, result, state)
    _drop(prices, bars, result)
    level_labels.write(canvas, prices, result, labels)
    _notes(prices, bars, result, seen, _)
    _hours(canvas, axis, ZoneInfo(look.zone), last_close(result), _)
    _lines(canvas, result, look, _)
    return canvas


def pocket_tint(wear: Colours) -> RGB:
    """The soft ground of the air pocket."""
    return blend(wear.holds, wear.background, 0.13)


def span(result: Levels) -> tuple[float, float]:
    """Lowest and highest price of the scale.

    It holds the candles, the price and the next floor whatever their distance: the drop is
    drawn as deep as it is. The level above, one floor more and then the other levels are
    taken in, nearest first, while the candles keep enough of the height to be read.
    """
    now = result.running
    values = np.concatenate(
        [result.candles.low, result.candles.high, [now.low, now.high] if now else [], [result.price]]
    )
    values = values[np.isfinite(values)]
    bottom, top = float(values.min()), float(values.max())
    height = top - bottom
    above = [s.level.price for s in reversed(result.levels) if s.level.price > result.price]
    below = [s.level.price for s in result.levels if s.level.price < result.price]
    if result.next_floor:
        bottom = min(bottom, result.next_floor.price)
    others = sorted([*above[1:], *below[2:]], key=lambda price: abs(price - result.price))
    for price in (*above[:1], *below[1:2], *others):
        low, high = min(bottom, price), max(top, price)
        if height >= LEAST_CANDLES * (high - low) * (1 + 2 * HEADROOM):
            bottom, top = low, high
    room = HEADROOM * (top - bottom) or 0.01 * abs(top) or 1.0
    return bottom - room, top + room


def time_axis(result: Levels, left: float, right: float) -> TimeAxis:
    """From the first bar to a little after the last; a few bars stand at the right, not stretched."""
    opened, end = result.candles.opened_at, last_close(result)
    if result.running:
        end = result.running.opened_at.timestamp() + result.interval.length.total_seconds()
    start = min(
        float(opened[0]) if len(opened) else end, end - FEWEST_BARS * result.interval.length.total_seconds()
    )
    return TimeAxis(start, end + (end - start) * (STRIP + GUTTER) / (right - left), left, right)


def last_close(result: Levels) -> float:
    """Epoch seconds at which the last bar of the window closed."""
    opened = result.candles.opened_at
    return (
        float(opened[-1]) + result.interval.length.total_seconds()
        if len(opened)
        else result.price_at.timestamp()
    )


def _turns(panel: Panel, axis: TimeAxis, result: Levels, state: LevelState) -> None:
    """A mark on the rule at each bar that confirmed a break or a reclaim."""
    drawn = set(result.candles.opened_at.tolist())
    half = result.interval.length.total_seconds() / 2
    for event in state.events:
        opened = int(event.opened_at.timestamp())
        if (event.before, event.after) in _TURNS and opened in drawn:
            told = mark(event.after, panel.canvas.colours)
            x = axis.x(opened + half)
            panel.canvas.marker(told.shape, (x, panel.scale.y(state.level.price)), 7, told.colour)


def _drop(panel: Panel, bars: Columns, result: Levels) -> None:
    """The price, and an arrow from it down to the next floor: the question of the command, to scale."""
    ink, scale = panel.canvas.colours.ink, panel.scale
    y = round(scale.y(result.price))
    last = float(bars.right.max(initial=panel.box.left))
    panel.canvas.line([(last + 4, y), (panel.box.right, y)], ink, dash=(2.0, 4.0))
    if result.next_floor:
        x = round(panel.box.right - STRIP / 2)
        bottom = scale.y(result.next_floor.price)
        if bottom - y > 2 * GUTTER:
            panel.canvas.line([(x, y), (x, bottom - GUTTER)], ink)
            panel.canvas.marker("triangle_down", (x, bottom - GUTTER), 8, ink)


def _notes(panel: Panel, bars: Columns, result: Levels, seen: list[LevelState], _: Gettext) -> None:
    """What the air pocket measures and what each level is called, wherever no candle is in the way."""
    canvas, box, scale = panel.canvas, panel.box, panel.scale
    rules = [scale.y(s.level.price) for s in seen]
    taken = [
        bars.outline(scale) + np.array((-6, -4, 6, 4)),
        np.array([(box.left, y - 3, box.right, y + 3) for y in rules]).reshape(-1, 4),
        np.array([(box.right - STRIP, box.top, box.right, box.bottom)]),
    ]

    def put(words: str, face: Face, colour: RGB, heights: Sequence[float]) -> bool:
        room, half = width(words, face), 0.6 * face.px
        candidates = (
            Box(x, y - half, x + room, y + half)
            for y in heights
            if box.top <= y - half and y + half <= box.bottom
            for x in np.arange(box.left + 10, box.right - room - 10, 20)
        )
        place = free(candidates, np.concatenate(taken))
        if place:
            drawn = canvas.text(words, (place.left, place.middle), face, colour)
            taken.append(np.array([drawn.grown(6)]))
        return place is not None

    for state, y in zip(seen, rules, strict=True):
        words = fit(level_words.name(state.level, _), NOTE, box.width / 2)
        if words:
            put(words, NOTE, mark(state.state, canvas.colours).colour, (y - 18, y + 18))
    if result.air_pocket:
        words = level_words.pocket(result.air_pocket, _)
        top = max(box.top, scale.y(result.air_pocket.top))
        bottom = min(box.bottom, scale.y(result.air_pocket.bottom))
        middle = (top + bottom) / 2
        heights = sorted(np.arange(top, bottom, 8.0), key=lambda y: abs(y - middle))
        put(words, ANSWER, canvas.colours.ink, heights) or put(words, NOTE, canvas.colours.ink, heights)


def _hours(canvas: Canvas, axis: TimeAxis, zone: ZoneInfo, until: float, _: Gettext) -> None:
    for epoch, words in time_words.hours(axis, zone, NOTE, _):
        x, half = axis.x(epoch), width(words, NOTE) / 2
        if epoch <= until and x - half >= MARGIN:
            canvas.fill([(x, BOTTOM, x + 1, BOTTOM + 6)], canvas.colours.muted)
            canvas.text(words, (x, HOURS_LINE), NOTE, canvas.colours.muted, anchor="centre")


def _lines(canvas: Canvas, result: Levels, look: Look, _: Gettext) -> None:
    """The answer above the picture, where it comes from below."""
    room, wear = WIDTH - 2 * MARGIN, canvas.colours
    title = level_words.title(result, _)
    face = next((face for face in TITLES if width(title, face) <= room), TITLES[-1])
    canvas.text(fit(title, face, room), (MARGIN, TITLE_LINE), face, wear.ink)
    foot = fit(level_words.foot(result, look, _), NOTE, room)
    canvas.text(foot, (MARGIN, FOOT_LINE), NOTE, wear.foot(result.freshness))
