"""The picture of ``/stress`` by correlation: what bitcoin has moved with, and what is left of it in calm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.charts import curves, stress_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.place import Box, stacked
from analysis.charts.scale import Scale
from analysis.charts.stress_head import ANSWER, GUTTER, MARGIN, NOTE, foot, head
from analysis.charts.text import fit, width
from analysis.links import FOLLOWED, STORM, WINDOWS
from analysis.sessions import INSTRUMENTS

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.charts.theme import RGB, Shape
    from analysis.links import Link, Pair, Rolling
    from analysis.stress import Stress

TOP, BOTTOM, TICK_LINE = 200, 610, 640
LEFT, RIGHT = 86, 530
NAMES, DOTS = 690, (884, WIDTH - MARGIN - GUTTER)
ROW = 66
SHOWN = 250


def compose(canvas: Canvas, result: Stress, _: Gettext) -> None:
    head(canvas, _title(result, _), _aside(result, _), _line(result, _))
    history = result.depth.history if result.depth else None
    if history is not None:
        _curves(canvas, history.rolling, _)
    _board(canvas, result, _)
    foot(canvas, result, _, result.alignment)


def _title(result: Stress, _: Gettext) -> str:
    if not result.nearer:
        return _("With stocks more than with gold? Too few closes")
    answer = stress_words.answer(result.nearer[-1].comparison.answer, _)
    return _("With stocks more than with gold? {answer}").format(answer=answer)


def _aside(result: Stress, _: Gettext) -> str:
    return _("{n} days").format(n=result.nearer[-1].window) if result.nearer else ""


def _line(result: Stress, _: Gettext) -> str:
    pairs = {pair.instrument: pair for pair in result.correlations if pair.window == WINDOWS[-1]}
    told = " · ".join(
        f"{stress_words.name(code, _)} {_r(pairs[code].correlation.r)}" for code in FOLLOWED if code in pairs
    )
    if not told:
        return _("too few closes")
    return _("correlation of bitcoin: {told}").format(told=told)


def _r(value: float) -> str:
    figure = f"{value:+.2f}".replace("-", "−")
    return figure if float(figure.replace("−", "-")) else "0.00"


def _styles(canvas: Canvas) -> dict[str, tuple[RGB, tuple[float, ...] | None]]:
    wear = canvas.colours
    return {"ES": (wear.ink, None), "GC": (wear.broken, None), "DXY": (wear.holds, (10.0, 6.0))}


def _curves(canvas: Canvas, rolling: tuple[Rolling, ...], _: Gettext) -> None:
    """The correlations of the last year, each named at its end."""
    dates = sorted({day for one in rolling for day in one.dates})[-SHOWN:]
    if not dates:
        return
    wear = canvas.colours
    scale = Scale(-1.0, 1.0, TOP, BOTTOM)
    panel = canvas.panel(Box(LEFT, TOP, RIGHT, BOTTOM), scale)
    axis = curves.Sessions.over(dates, LEFT, RIGHT)
    curves.months(canvas, axis, [(TOP, BOTTOM)], TICK_LINE, _)
    ticks = [-1.0, -0.5, 0.0, 0.5, 1.0]
    curves.ticks(panel, ticks, [_tick(tick) for tick in ticks])
    panel.rule(0.0, wear.muted)
    words = _("correlation over {n} days, day by day").format(n=WINDOWS[-1])
    canvas.text(fit(words, NOTE, RIGHT - MARGIN), (MARGIN, TOP - 32), NOTE, wear.muted)
    styles = _styles(canvas)
    ends = []
    for one in rolling:
        colour, dash = styles[one.instrument]
        points = list(zip(one.dates, one.r, strict=True))
        curves.line(panel, axis, points, colour, dash=dash)
        if points and points[-1][0] in axis.places:
            ends.append((scale.y(points[-1][1]), stress_words.name(one.instrument, _), colour))
    middles = stacked([y for y, _name, _colour in ends], [28.0] * len(ends), TOP, BOTTOM)
    for (_y, name, colour), y in zip(ends, middles, strict=True):
        canvas.text(fit(name, NOTE, NAMES - RIGHT - 24), (RIGHT + 12, y), NOTE, colour)


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _board(canvas: Canvas, result: Stress, _: Gettext) -> None:
    """A row a market: the long window with its interval, the weighted one, the storm taken out, and beta."""
    wear, top = canvas.colours, TOP + 24
    scale = (DOTS[1] - DOTS[0]) / 2
    middle = DOTS[0] + scale

    def x(value: float) -> float:
        return middle + value * scale

    codes = INSTRUMENTS[1:]
    bottom = top + ROW * len(codes)
    for tick in (-1.0, -0.5, 0.0, 0.5, 1.0):
        at = round(x(tick))
        canvas.fill([(at, top, at + 1, bottom)], wear.muted if tick == 0 else wear.grid)
        canvas.text(_tick(tick), (at, TICK_LINE), NOTE, wear.muted, anchor="centre")
    pairs = {pair.instrument: pair for pair in result.correlations if pair.window == WINDOWS[-1]}
    links = {link.instrument: link for link in result.links}
    betas = {one.instrument: one.same_day for one in result.betas if one.window == WINDOWS[-1]}
    for row, code in enumerate(codes):
        y = top + ROW * (row + 0.5)
        name, room = stress_words.name(code, _), DOTS[0] - NAMES - 12
        slope = betas.get(code)
        canvas.text(fit(name, ANSWER, room), (NAMES, y - 13 if slope else y), ANSWER, wear.ink)
        if slope is not None:
            words = _("beta {value}").format(value=_r(slope.beta))
            clear = slope.low > 0 or slope.high < 0
            canvas.text(fit(words, NOTE, room), (NAMES, y + 17), NOTE, wear.ink if clear else wear.muted)
        _dots(canvas, x, y, pairs.get(code), links.get(code))
    _legend(canvas, _)


def _dots(
    canvas: Canvas, x: Callable[[float], float], y: float, pair: Pair | None, link: Link | None
) -> None:
    wear = canvas.colours
    if pair is not None:
        found = pair.correlation
        clear = found.low > 0 or found.high < 0
        colour = wear.ink if clear else wear.muted
        low, high = x(found.low), x(found.high)
        canvas.fill(
            [(low, y - 1, high, y + 2), (low, y - 6, low + 3, y + 7), (high - 3, y - 6, high, y + 7)], colour
        )
        canvas.marker("circle", (x(found.r), y), 9, colour)
    if link is not None and link.ewma is not None:
        canvas.marker("circle", (x(link.ewma.r), y - 20), 7, wear.broken, hollow=True)
    if link is not None and link.adjusted is not None:
        canvas.marker("diamond", (x(link.adjusted.r), y + 20), 7, wear.holds)


def _legend(canvas: Canvas, _: Gettext) -> None:
    """Above the dots, in their order from the bottom up."""
    wear, y = canvas.colours, TOP - 32
    keys: tuple[tuple[Shape, bool, RGB, str], ...] = (
        ("circle", False, wear.ink, _("{n} days").format(n=WINDOWS[-1])),
        ("circle", True, wear.broken, _("weighted")),
        ("diamond", False, wear.holds, _("{n} days, storm taken out").format(n=STORM)),
    )
    x = NAMES + 0.0
    for shape, hollow, colour, words in keys:
        if x + 26 + width(words, NOTE) > WIDTH - MARGIN:
            break
        canvas.marker(shape, (x + 10, y), 8, colour, hollow=hollow)
        x = canvas.text(words, (x + 26, y), NOTE, wear.ink).right + 26


def alt(result: Stress, _: Gettext) -> str:
    return " · ".join(part for part in (_title(result, _), _aside(result, _), _line(result, _)) if part)
