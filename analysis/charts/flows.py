"""The picture of ``/flows``: a bar a day above or below zero, and under it what has piled up since launch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from analysis.charts import flow_labels, flow_words, quantities
from analysis.charts.canvas import WIDTH, Canvas, Panel
from analysis.charts.look import Gettext, Look, Picture
from analysis.charts.place import Box, free, stacked
from analysis.charts.scale import Scale
from analysis.charts.text import Face, fit, width
from analysis.charts.theme import RGB, Colours, blend, colours
from analysis.flows import Day, DayState, Flows

TITLES = tuple(Face(px, bold=True) for px in (38, 36, 34, 32, 30))
MONTH, NOTE, VALUE = Face(24), Face(22), Face(24, bold=True)
MARGIN, GUTTER = 24, 12
TITLE_LINE, KEY_LINE, TOP, ZERO_BOTTOM = 46, 92, 114, 420
PILE_LINE, PILE_TOP, BOTTOM, DATES_LINE, MONTHS_LINE, FOOT_LINE = 443, 464, 606, 630, 661, 695
# Fewer days than this stand at the right, not stretched; of days still waited for at the end so many are drawn.
FEWEST_DAYS, MOST_PENDING = 12, 3
# Share of the panel above and below the bars, for the figures on them.
HEADROOM = 0.13
# Narrower than this a holiday is no band and a zero no ring: they would be noise.
LEAST_SLOT = 5.0
# From these widths on a figure may stand off its bar, and every bar has its figure.
LEAST_OFF, ALL_VALUES = 8.0, 56.0


@dataclass(frozen=True, slots=True)
class Slots:
    """One slot a day, side by side: weekends take no room, so that neighbours are neighbours."""

    days: tuple[Day, ...]
    left: float
    right: float

    @property
    def width(self) -> float:
        return (self.right - self.left) / max(FEWEST_DAYS, len(self.days))

    def edge(self, index: int) -> float:
        return self.right - (len(self.days) - index) * self.width

    def middle(self, index: int) -> float:
        return self.edge(index) + self.width / 2

    def bar(self, index: int) -> tuple[int, int]:
        """Left and right of a bar: whole pixels, at least one, with air between bars where there is room."""
        air = min(0.14 * self.width, 5.0) if self.width >= 3 else 0.0
        left = round(self.edge(index) + air)
        return left, max(left + 1, round(self.edge(index + 1) - air))


def draw(result: Flows, look: Look, _: Gettext) -> Picture:
    """Draw what ``/flows`` knows."""
    return Picture(png=compose(result, look, _).png(), alt=flow_words.alt(result, look, _))


def compose(result: Flows, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    wear = colours(look)
    canvas = Canvas(wear, tint=shade(wear))
    days = shown(result)
    flows, pile = Scale(*span(days), TOP, ZERO_BOTTOM), Scale(*pile_span(result, days), PILE_TOP, BOTTOM)
    ticks = [(scale, value) for scale, most in ((flows, 6), (pile, 3)) for value in scale.ticks(most)]
    names = [_tick(value, look) for _scale, value in ticks]
    left = MARGIN + GUTTER + max((width(name, NOTE) for name in names), default=0.0)
    side = flow_labels.sums(result, look, _)
    standing = flow_labels.standing(result, look, _)
    right = WIDTH - MARGIN - flow_labels.LEADER - flow_labels.room([*side, *standing], result, look)

    slots = Slots(days, left, right - flow_labels.STRIP)
    top = canvas.panel(Box(left, TOP, right, ZERO_BOTTOM), flows)
    below = canvas.panel(Box(left, PILE_TOP, right, BOTTOM), pile)
    _closures(canvas, slots)
    _month_lines(canvas, slots)
    for (scale, value), name in zip(ticks, names, strict=True):
        (top if scale is flows else below).grid([value])
        canvas.text(name, (left - GUTTER, scale.y(value)), NOTE, wear.muted, anchor="right")
    top.rule(0.0, wear.muted)
    _bars(top, slots)
    _pile(below, slots, result)
    _marks(top, slots)
    _values(top, slots, result, look)
    flow_labels.write(canvas, right + flow_labels.LEADER, side, top.box)
    flow_labels.cushion(below, right, standing, result, look)
    _key(canvas, left, result, slots, _)
    canvas.text(
        fit(flow_words.cumulative(result, look, _), NOTE, WIDTH - MARGIN - left),
        (left, PILE_LINE),
        NOTE,
        wear.muted,
    )
    _dates(canvas, slots, _)
    _months(canvas, slots, result, look, _)
    _lines(canvas, result, look, _)
    return canvas


def shade(wear: Colours) -> RGB:
    """The ground of a day on which the market is closed."""
    return blend(wear.muted, wear.background, 0.14)


def shown(result: Flows) -> tuple[Day, ...]:
    """The days of the window; of a long wait at its end only the beginning."""
    last = max((i for i, day in enumerate(result.days) if day.state is DayState.FINAL), default=-1)
    return result.days[: last + 1 + MOST_PENDING]


def span(days: tuple[Day, ...]) -> tuple[float, float]:
    """Lowest and highest of the bars' scale; zero is always on it."""
    totals = [day.total_musd for day in days if day.total_musd is not None]
    low, high = min([0.0, *totals]), max([0.0, *totals])
    room = HEADROOM * (high - low) or 1.0
    return low - room, high + room


def pile_span(result: Flows, days: tuple[Day, ...]) -> tuple[float, float]:
    """From the lowest of the window to the highest ever, so that the cushion is drawn as deep as it is."""
    values = [day.cumulative_musd for day in days if day.cumulative_musd is not None]
    values += [result.cumulative_musd, result.cushion.peak_musd]
    room = 0.08 * (max(values) - min(values)) or 1.0
    return min(values) - room, max(values) + room


def _tick(value: float, look: Look) -> str:
    text = quantities.musd(value, look.locale, sign=False)
    return text.rstrip("0").removesuffix(".") if "." in text else text


def _closures(canvas: Canvas, slots: Slots) -> None:
    if slots.width < LEAST_SLOT:
        return
    boxes = [
        (slots.edge(i), TOP, slots.edge(i + 1), ZERO_BOTTOM)
        for i, day in enumerate(slots.days)
        if day.state is DayState.CLOSED
    ]
    canvas.fill(boxes, shade(canvas.colours))


def _month_lines(canvas: Canvas, slots: Slots) -> None:
    """A thin line wherever a month begins; where days are too narrow, a year."""
    pairs = enumerate(zip(slots.days, slots.days[1:], strict=False), 1)
    if slots.width < LEAST_SLOT:
        starts = [round(slots.edge(i)) for i, (one, other) in pairs if one.date.year != other.date.year]
    else:
        starts = [round(slots.edge(i)) for i, (one, other) in pairs if one.date.month != other.date.month]
    canvas.fill([(x, TOP, x + 1, BOTTOM) for x in starts], canvas.colours.grid)


def _bars(panel: Panel, slots: Slots) -> None:
    """Filled once final; of a day partly reported only the outline."""
    wear, zero = panel.canvas.colours, panel.scale.y(0.0)
    for up, colour in ((True, wear.up), (False, wear.down)):
        filled, hollow = [], []
        for i, day in enumerate(slots.days):
            if not day.total_musd or (day.total_musd > 0) is not up:
                continue
            left, right = slots.bar(i)
            end = panel.scale.y(day.total_musd)
            top, bottom = min(zero, end), max(zero, end)
            filled.append((left, top, right, max(bottom, top + 1)))
            if day.state is not DayState.FINAL and right - left > 6 and bottom - top > 6:
                hollow.append((left + 3, top + 3, right - 3, bottom - 3))
        panel.canvas.fill(filled, colour)
        panel.canvas.fill(hollow, wear.background)


def _marks(panel: Panel, slots: Slots) -> None:
    """A ring for a reported zero, a diamond for a day not reported, a filled one for a part of a day."""
    if slots.width < LEAST_SLOT:
        return
    wear, radius = panel.canvas.colours, min(9.0, slots.width / 2)
    for i, day in enumerate(slots.days):
        at = (slots.middle(i), panel.scale.y(day.total_musd or 0.0))
        if _is_zero(day):
            panel.canvas.marker("circle", at, radius, wear.ink, hollow=True)
        elif day.state in {DayState.PENDING, DayState.PARTIAL}:
            hollow = day.state is DayState.PENDING
            panel.canvas.marker("diamond", at, radius, wear.broken, hollow=hollow)


def _is_zero(day: Day) -> bool:
    return day.state is DayState.FINAL and day.total_musd == 0


def _values(panel: Panel, slots: Slots, result: Flows, look: Look) -> None:
    """Figures on the last, the worst and the best bar, then on as many others as have room."""
    scale, box = panel.scale, panel.box
    boxes = []
    for i, day in enumerate(slots.days):
        ends = sorted((scale.y(0.0), scale.y(day.total_musd or 0.0)))
        left, right = slots.bar(i)
        marked = 11 if day.state is not DayState.FINAL or _is_zero(day) else 0
        boxes.append((left, ends[0] - marked, right, ends[1] + marked))
    taken = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    first = [result.last_date, *(one.date for one in (result.worst, result.best) if one)]
    bars = [(i, day, day.total_musd) for i, day in enumerate(slots.days) if day.total_musd]
    bars.sort(key=lambda bar: (bar[1].date not in first, -abs(bar[2])))
    for i, day, total in bars:
        important = day.date in first
        if not important and slots.width < ALL_VALUES:
            break
        words, face = quantities.musd(total, look.locale), VALUE if important else NOTE
        room, half, away = width(words, face), 0.55 * face.px, 0.55 * face.px + 5
        # What matters rather a little off its bar than not at all, while one sees whose it is.
        off = (0, 14, 28, 42) if important and slots.width >= LEAST_OFF else (0,)
        heights = [scale.y(total) + (away + d) * (-1 if total > 0 else 1) for d in off]
        middles = [slots.middle(i) + shift for shift in (0, 8, -8, 16, -16, 28, -28)]
        candidates = [
            Box(x - room / 2, y - half, x + room / 2, y + half)
            for y in heights
            for x in middles
            if x - room / 2 >= box.left and x + room / 2 <= box.right
            if box.top - half / 2 <= y - half and y + half <= box.bottom + half / 2
        ]
        place = free(candidates, taken)
        if place:
            panel.canvas.text(words, (place.left, place.middle), face, panel.canvas.colours.ink)
            taken = np.concatenate([taken, [place.grown(3)]])


def _pile(panel: Panel, slots: Slots, result: Flows) -> None:
    """The line of cumulative net flow, and its highest ever as a dashed rule."""
    wear, scale = panel.canvas.colours, panel.scale
    panel.rule(result.cushion.peak_musd, wear.holds, dash=(10.0, 6.0))
    points = [
        (slots.middle(i), scale.y(day.cumulative_musd))
        for i, day in enumerate(slots.days)
        if day.cumulative_musd is not None
    ]
    if not points:
        points = [(slots.left, scale.y(result.cumulative_musd))]
    points.append((slots.right, scale.y(result.cumulative_musd)))
    panel.canvas.line(points, wear.ink, width=3.0)
    for i, day in enumerate(slots.days):
        if day.date == result.cushion.peak_date:
            at = (slots.middle(i), scale.y(result.cushion.peak_musd))
            panel.canvas.marker("circle", at, 7, wear.holds)


def _key(canvas: Canvas, left: float, result: Flows, slots: Slots, _: Gettext) -> None:
    """What is measured, and what the marks mean that are on this picture."""
    wear = canvas.colours
    x = canvas.text(
        _("net flow per day, {unit}").format(unit=flow_words.unit(_)), (left, KEY_LINE), NOTE, wear.muted
    ).right
    states = {day.state for day in slots.days}
    visible = slots.width >= LEAST_SLOT
    hidden = len(result.days) - len(slots.days)
    waited = _("not reported")
    if hidden:
        waited = _("not reported, {n} more days").format(n=hidden)
    keys = (
        (visible and any(map(_is_zero, slots.days)), "zero", _("zero")),
        (visible and bool(states & {DayState.PENDING}), "pending", waited),
        (visible and bool(states & {DayState.PARTIAL}), "partial", _("partly reported")),
        (visible and DayState.CLOSED in states, "closed", _("market closed")),
    )
    for present, kind, words in keys:
        room = 34 + width(words, NOTE)
        if not present or x + 26 + room > WIDTH - MARGIN:
            continue
        x += 26
        if kind == "closed":
            canvas.fill([(x, KEY_LINE - 11, x + 22, KEY_LINE + 11)], shade(wear))
        elif kind == "zero":
            canvas.marker("circle", (x + 11, KEY_LINE), 8, wear.ink, hollow=True)
        else:
            canvas.marker("diamond", (x + 11, KEY_LINE), 9, wear.broken, hollow=kind == "pending")
        x = canvas.text(words, (x + 32, KEY_LINE), NOTE, wear.muted).right


def _dates(canvas: Canvas, slots: Slots, _: Gettext) -> None:
    """Days counted back from the last, or the first of months where days are too narrow."""
    if not slots.days:
        return
    count = len(slots.days)
    pattern = _("%-d %b")
    step = max(
        1, -(-(max(width(day.date.strftime(pattern), NOTE) for day in slots.days) + 16) // slots.width)
    )
    ticks = [(i, slots.days[i].date.strftime(pattern)) for i in range(count - 1, -1, -int(step))]
    if step > 15:
        pattern = _("%b %Y")
        firsts = [i for i in range(1, count) if slots.days[i].date.month != slots.days[i - 1].date.month]
        room = max((width(slots.days[i].date.strftime(pattern), NOTE) for i in firsts), default=0.0) + 16
        # A month has at least 18 sessions.
        stride = max(1, -int(-room // (18 * slots.width)))
        ticks = [(i, slots.days[i].date.strftime(pattern)) for i in firsts[::-1][::stride]]
    edge = WIDTH - MARGIN + 0.0
    for i, words in ticks:
        x, half = slots.middle(i), width(words, NOTE) / 2
        if x - half < MARGIN or x + half + 16 > edge:
            continue
        edge = x - half
        canvas.fill([(round(x), BOTTOM, round(x) + 1, BOTTOM + 6)], canvas.colours.muted)
        canvas.text(words, (x, DATES_LINE), NOTE, canvas.colours.muted, anchor="centre")


def _months(canvas: Canvas, slots: Slots, result: Flows, look: Look, _: Gettext) -> None:
    """The sums of whole months side by side, each near its days; the newest that fit.

    Where days are too narrow for that they take the whole line, and carry their year.
    """
    near = slots.width >= LEAST_SLOT
    known = {month.first: month for month in result.months}
    spans = []
    for first, group in groupby(range(len(slots.days)), lambda i: slots.days[i].date.replace(day=1)):
        inside = list(group)
        if first in known:
            finals = sum(slots.days[i].state is DayState.FINAL for i in inside)
            part = finals < known[first].final_days
            words = flow_words.month(known[first], result, look, _, year=not near, part=part)
            spans.append((slots.edge(inside[0]), slots.edge(inside[-1] + 1), words, width(words, MONTH) + 28))
    while spans:
        begin = max(MARGIN, spans[0][0] - 60) if near else MARGIN
        if sum(span[3] for span in spans) <= WIDTH - MARGIN - begin:
            break
        spans = spans[1:]
    middles = stacked(
        [(start + end) / 2 for start, end, _words, _room in spans],
        [room for *_rest, room in spans],
        MARGIN,
        WIDTH - MARGIN,
    )
    for (_start, _end, words, _room), x in zip(spans, middles, strict=True):
        canvas.text(words, (x, MONTHS_LINE), MONTH, canvas.colours.ink, anchor="centre")


def _lines(canvas: Canvas, result: Flows, look: Look, _: Gettext) -> None:
    """The answer above the picture, where it comes from below."""
    room, wear = WIDTH - 2 * MARGIN, canvas.colours
    title = flow_words.title(result, look, _)
    face = next((face for face in TITLES if width(title, face) <= room), TITLES[-1])
    canvas.text(fit(title, face, room), (MARGIN, TITLE_LINE), face, wear.ink)
    foot = fit(flow_words.foot(result, _), NOTE, room)
    canvas.text(foot, (MARGIN, FOOT_LINE), NOTE, wear.foot(result.freshness))
