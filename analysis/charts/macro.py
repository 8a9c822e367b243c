"""The picture of ``/macro``: the target range in big figures, then prices, breakeven, oil and the dollar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from analysis.charts import freshness_words, macro_words, quantities
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.look import ALT_TEXT_LIMIT, Gettext, Look, Picture
from analysis.charts.place import Box
from analysis.charts.text import Face, clean, fit, width
from analysis.charts.theme import blend, colours
from analysis.freshness import Freshness
from analysis.macro import Gauge, Inflation, Macro, Month, Span, Target

TITLES = tuple(Face(px, bold=True) for px in (56, 50, 44, 38))
ANSWER, FIGURE, NOTE = Face(30), Face(42, bold=True), Face(22)
MARGIN, GUTTER = 24, 16
TITLE_LINE, MEETING_LINE, FOOT_LINE = 50, 110, 697
LEFT = Box(MARGIN, 156, 628, 430)
RIGHT = Box(668, 156, WIDTH - MARGIN, 430)
TILES_TOP, TILES_BOTTOM = 456, 664
SHOWN = timedelta(days=4 * 366)
"""How far back the target range is drawn."""
_NEW_YORK = ZoneInfo("America/New_York")


def draw(result: Macro, look: Look, _: Gettext) -> Picture:
    """Draw what ``/macro`` knows; dates are New York's and need no zone."""
    return Picture(png=compose(result, look, _).png(), alt=alt(result, _))


def compose(result: Macro, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    canvas = Canvas(colours(look))
    _head(canvas, result, _)
    _range(canvas, result, _)
    _prices(canvas, result.inflation, _)
    _tiles(canvas, result, _)
    foot = freshness_words.beside(clean(macro_words.publishers(result), 80), result.freshness, _)
    foot = fit(foot.removeprefix(" · "), NOTE, WIDTH - 2 * MARGIN)
    canvas.text(foot, (MARGIN, FOOT_LINE), NOTE, canvas.colours.foot(result.freshness))
    return canvas


def _head(canvas: Canvas, result: Macro, _: Gettext) -> None:
    """The range and since when; below it the last meeting and the next."""
    wear, room = canvas.colours, WIDTH - 2 * MARGIN
    title, aside = _title(result, _), fit(_since(result, _), ANSWER, 0.5 * room)
    left = room - width(aside, ANSWER) - 2 * GUTTER
    face = next((face for face in TITLES if width(title, face) <= left), TITLES[-1])
    canvas.text(fit(title, face, left), (MARGIN, TITLE_LINE), face, wear.ink)
    if aside:
        canvas.text(aside, (WIDTH - MARGIN, TITLE_LINE), ANSWER, wear.muted, anchor="right")
    canvas.text(fit(_meetings(result, _), ANSWER, room), (MARGIN, MEETING_LINE), ANSWER, wear.ink)


def _title(result: Macro, _: Gettext) -> str:
    if result.target is None:
        return _("Fed target range: not known here")
    return _("Fed {range}").format(range=macro_words.span(result.target.now))


def _since(result: Macro, _: Gettext) -> str:
    target, day = result.target, _full(_)
    if target is None:
        return ""
    if target.decided is not None:
        return _("since {date}, decided {decided}").format(
            date=day(target.now.since), decided=_short(_)(target.decided)
        )
    return _("since {date}").format(date=day(target.now.since))


def _full(_: Gettext) -> Callable[[date], str]:
    pattern = _("%-d %b %Y")
    return lambda day: day.strftime(pattern)


def _short(_: Gettext) -> Callable[[date], str]:
    pattern = _("%-d %b")
    return lambda day: day.strftime(pattern)


def _month_word(first: date, _: Gettext) -> str:
    return first.strftime(_("%b %Y"))


def _day(at: datetime) -> date:
    return at.astimezone(_NEW_YORK).date()


def _meetings(result: Macro, _: Gettext) -> str:
    meetings, parts = result.meetings, []
    if meetings.last is not None:
        parts.append(
            _("Last meeting {date}: {outcome}").format(
                date=_short(_)(_day(meetings.last)), outcome=macro_words.outcome(meetings.outcome, _)
            )
        )
    if meetings.next is not None:
        days = meetings.days_to_next or 0
        parts.append(
            _("next {date}, in {n} days").format(date=_full(_)(_day(meetings.next)), n=days)
            if days > 1
            else _("next {date}").format(date=_full(_)(_day(meetings.next)))
        )
    return " · ".join(parts) or _("The kept table of meetings does not reach that instant.")


def _heading(canvas: Canvas, words: str, box: Box) -> None:
    canvas.text(fit(words, NOTE, box.width), (box.left, box.top + 10), NOTE, canvas.colours.muted)


def _range(canvas: Canvas, result: Macro, _: Gettext) -> None:
    """The band of the range as steps, years below it, its two ends beside the last step."""
    wear = canvas.colours
    _heading(canvas, _("target range, %"), LEFT)
    target = result.target
    if target is None:
        return
    plot = Box(LEFT.left, LEFT.top + 34, LEFT.right - 84, LEFT.bottom - 34)
    first = max(target.spans[0].since, target.dated - SHOWN)
    days = max(1, (target.dated - first).days)
    spans = [span for i, span in enumerate(target.spans) if _ends(target, i) > first] or [target.now]
    high, low = max(span.high for span in spans), min(span.low for span in spans)
    reach = max(high - low, 0.5)

    def x(day: date) -> float:
        return plot.left + (max(day, first) - first).days / days * plot.width

    def y(value: float) -> float:
        return plot.bottom - (value - low) / reach * plot.height

    canvas.fill([(plot.left, plot.bottom, plot.right, plot.bottom + 1)], wear.grid)
    _years(canvas, first, target.dated, x, plot)
    for i, span in enumerate(target.spans):
        if span in spans:
            end = _ends(target, i)
            band = (x(span.since), y(span.high), x(end), y(span.low))
            canvas.fill([band], blend(wear.holds, wear.background, 0.55))
            canvas.fill([(band[0], band[1] - 1, band[2], band[1] + 2)], wear.holds)
    _ends_of_range(canvas, target.now, y, plot)


def _ends(target: Target, place: int) -> date:
    later = target.spans[place + 1 :]
    return later[0].since if later else target.dated


def _years(canvas: Canvas, first: date, last: date, x: Callable[[date], float], plot: Box) -> None:
    wear = canvas.colours
    edge = plot.left
    for year in range(first.year, last.year + 1):
        at = x(date(year, 1, 1))
        room = width(str(year), NOTE)
        if date(year, 1, 1) < first or at < edge or at + room > LEFT.right:
            continue
        canvas.fill([(at, plot.top, at + 1, plot.bottom)], wear.grid)
        canvas.text(str(year), (at, LEFT.bottom - 12), NOTE, wear.muted)
        edge = at + room + GUTTER


def _ends_of_range(canvas: Canvas, span: Span, y: Callable[[float], float], plot: Box) -> None:
    middle = min(max((y(span.high) + y(span.low)) / 2, plot.top + 30), plot.bottom - 28)
    for value, shift in ((span.high, -15), (span.low, 15)):
        canvas.text(
            f"{value:.2f}", (plot.right + 10, middle + shift), Face(26, bold=True), canvas.colours.ink
        )


def _prices(canvas: Canvas, one: Inflation | None, _: Gettext) -> None:
    """A bar a month, of its change on the year; a month without one has a hollow mark and says so."""
    wear = canvas.colours
    if one is None:
        _heading(canvas, _("consumer prices: none known here"), RIGHT)
        return
    _heading(canvas, _("consumer prices, % on the year before"), RIGHT)
    figure, _separator, rest = _cpi(one, _).partition(" · ")
    face = FIGURE if rest else ANSWER
    left = canvas.text(fit(figure, face, RIGHT.width), (RIGHT.left, RIGHT.top + 54), face, wear.ink).right
    room = RIGHT.right - left - GUTTER
    canvas.text(fit(rest, NOTE, room), (left + GUTTER, RIGHT.top + 60), NOTE, wear.ink)
    plot = Box(RIGHT.left, RIGHT.top + 116, RIGHT.right, RIGHT.bottom - 34)
    known = [month.yoy_pct for month in one.months if month.yoy_pct is not None]
    top, bottom = max([0.0, *known]), min([0.0, *known])
    reach = (top - bottom) or 1.0
    step = plot.width / len(one.months)

    def y(value: float) -> float:
        return plot.top + (top - value) / reach * plot.height

    canvas.fill([(plot.left, y(0), plot.right, y(0) + 1)], wear.grid)
    for place, month in enumerate(one.months):
        left = plot.left + place * step
        middle = left + step / 2
        if month.index is None:
            canvas.marker("diamond", (middle, plot.bottom - 14), 8, wear.broken, hollow=True)
        if month.yoy_pct is None:
            continue
        sides = sorted((y(month.yoy_pct), y(0)))
        colour = wear.ink if month is one.last else wear.muted
        canvas.fill([(left + 5, sides[0], left + step - 5, max(sides[1], sides[0] + 2))], colour)
    _month_labels(canvas, one.months, plot, _)
    _gap_line(canvas, one, plot, _)


def _cpi(one: Inflation, _: Gettext) -> str:
    month = _month_word(one.last.first, _)
    if one.last.yoy_pct is None:
        return _("{month}: no year before to compare").format(month=month)
    words = _("{change} · {month}").format(change=quantities.percent(one.last.yoy_pct), month=month)
    if one.next_at is None:
        return words
    return words + " · " + _("next {date}").format(date=_short(_)(_day(one.next_at)))


def _month_labels(canvas: Canvas, months: Sequence[Month], plot: Box, _: Gettext) -> None:
    """The first, the last, and nothing between them: the eye counts the rest."""
    wear, y = canvas.colours, RIGHT.bottom - 12
    last = _month_word(months[-1].first, _)
    taken = canvas.text(last, (plot.right, y), NOTE, wear.muted, anchor="right")
    first = _month_word(months[0].first, _)
    if len(months) > 1 and plot.left + width(first, NOTE) + GUTTER < taken.left:
        canvas.text(first, (plot.left, y), NOTE, wear.muted)


def _gap_line(canvas: Canvas, one: Inflation, plot: Box, _: Gettext) -> None:
    """Which months are missing, above the bars and in the colour of their marks."""
    if not one.missing:
        return
    told = _(", ").join(_month_word(month, _) for month in one.missing)
    words = fit(_("missing, never published: {months}").format(months=told), NOTE, plot.width - 28)
    y = RIGHT.top + 92
    canvas.marker("diamond", (plot.left + 10, y), 8, canvas.colours.broken, hollow=True)
    canvas.text(words, (plot.left + 28, y), NOTE, canvas.colours.broken)


def _tiles(canvas: Canvas, result: Macro, _: Gettext) -> None:
    """Three figures side by side: value, day, change in 30 days, and the half year as a line."""
    told: tuple[tuple[str, Gauge | None, Callable[[float], str], Callable[[Gauge], str]], ...] = (
        (_("10-year breakeven"), result.breakeven, _breakeven, partial(macro_words.points_change, _=_)),
        (_("WTI oil, USD"), result.oil, quantities.price, macro_words.percent_change),
        (_("Dollar index"), result.dollar, quantities.price, macro_words.percent_change),
    )
    step = (WIDTH - 2 * MARGIN + 2 * GUTTER) / 3
    canvas.fill([(MARGIN, TILES_TOP - 12, WIDTH - MARGIN, TILES_TOP - 11)], canvas.colours.grid)
    for place, (name, gauge, write, change) in enumerate(told):
        left = MARGIN + place * step
        tile = Box(left, TILES_TOP, left + step - 2 * GUTTER, TILES_BOTTOM)
        _heading(canvas, name, tile)
        if gauge is None:
            canvas.text(_("none known here"), (tile.left, tile.top + 60), ANSWER, canvas.colours.muted)
            continue
        _tile(canvas, tile, gauge, write(gauge.last.value), change(gauge), _)


def _breakeven(value: float) -> str:
    return f"{value:.2f} %".replace("-", "−")


def _tile(canvas: Canvas, tile: Box, gauge: Gauge, value: str, change: str, _: Gettext) -> None:
    wear = canvas.colours
    fresh = gauge.freshness in {Freshness.FRESH, Freshness.CLOSED, Freshness.PENDING}
    shown = canvas.text(value, (tile.left, tile.top + 56), FIGURE, wear.ink if fresh else wear.muted)
    told = _("{change} in 30 days").format(change=change) if change else ""
    room = tile.right - shown.right - GUTTER
    canvas.text(fit(told, NOTE, room), (shown.right + GUTTER, tile.top + 62), NOTE, wear.ink)
    words = freshness_words.beside(_short(_)(gauge.last.dated), gauge.freshness, _)
    canvas.text(
        fit(words, NOTE, tile.width), (tile.left, tile.top + 98), NOTE, wear.muted if fresh else wear.broken
    )
    _spark(canvas, Box(tile.left, tile.top + 124, tile.right, tile.bottom - 4), gauge)


def _spark(canvas: Canvas, box: Box, gauge: Gauge) -> None:
    values = [point.value for point in gauge.shown]
    low, high = min(values), max(values)
    if len(values) < 2:
        return
    reach = (high - low) or 1.0
    span = (gauge.shown[-1].dated - gauge.shown[0].dated).days
    line = [
        (
            box.left + 6 + (point.dated - gauge.shown[0].dated).days / span * (box.width - 16),
            box.bottom - 6 - (point.value - low) / reach * (box.height - 12),
        )
        for point in gauge.shown
    ]
    canvas.line(line, canvas.colours.holds, width=3.0)
    canvas.marker("circle", line[-1], 6, canvas.colours.ink)


def alt(result: Macro, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""
    said = [_title(result, _), _since(result, _), _meetings(result, _)]
    if result.inflation is not None:
        said.append(_("consumer prices {figure}").format(figure=_cpi(result.inflation, _)))
    if result.breakeven is not None:
        said.append(_("10-year breakeven") + " " + _breakeven(result.breakeven.last.value))
    if result.oil is not None:
        said.append(_("WTI oil, USD") + " " + quantities.price(result.oil.last.value))
    if result.dollar is not None:
        said.append(_("Dollar index") + " " + quantities.price(result.dollar.last.value))
    return clean(" · ".join(part for part in said if part), ALT_TEXT_LIMIT)
