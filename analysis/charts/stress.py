"""The picture of ``/stress``: the verdict, seven markets side by side, and what moves with bitcoin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from analysis.charts import quantities, stress_correlation, stress_history, stress_index, stress_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.look import ALT_TEXT_LIMIT, Gettext, Look, Picture
from analysis.charts.stress_head import ANSWER, GUTTER, MARGIN, NOTE, foot, head
from analysis.charts.text import Face, clean, fit, width
from analysis.charts.theme import RGB, colours
from analysis.links import WINDOWS
from analysis.sessions import INSTRUMENTS
from analysis.stress import Move, Stress, View
from analysis.verdict import VOTERS, Verdict

if TYPE_CHECKING:
    from analysis.links import Pair

PERCENT = Face(34, bold=True)
HEAD_LINE, TOP, ROW, TICK_LINE = 156, 178, 66, 660
BOTTOM = TOP + ROW * len(INSTRUMENTS)
# Where the columns stand: right edge of the percents, the bars of sigmas, the correlations.
PERCENT_RIGHT, BARS, PAIRS = 476, (500, 836), (884, WIDTH - MARGIN - GUTTER)
BAR_HEIGHT, LEAST_SIGMAS = 30, 2.0


_VIEWS = {
    View.INDEX: stress_index,
    View.CORRELATION: stress_correlation,
    View.HISTORY: stress_history,
}


class Ruler(NamedTuple):
    """Values from left to right."""

    low: float
    high: float
    left: float
    right: float

    def x(self, value: float) -> float:
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


def draw(result: Stress, look: Look, _: Gettext) -> Picture:
    """Draw what ``/stress`` knows; dates are New York trade dates and need no zone."""
    return Picture(png=compose(result, look, _).png(), alt=alt(result, _))


def compose(result: Stress, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    canvas = Canvas(colours(look))
    if result.view is not View.BOARD:
        _VIEWS[result.view].compose(canvas, result, _)
        return canvas
    _head(canvas, result, _)
    _board(canvas, result, _)
    _pairs(canvas, result, _)
    foot(canvas, result, _, result.alignment)
    return canvas


def _head(canvas: Canvas, result: Stress, _: Gettext) -> None:
    """The verdict in big words, what it stands on in one line, and what the columns are."""
    wear = canvas.colours
    title = _("Market stress: {verdict}").format(verdict=stress_words.verdict(result.verdict, _))
    head(canvas, title, _standing(result, _), _why(result, _))
    canvas.text(fit(_window(result, _), NOTE, PERCENT_RIGHT - MARGIN), (MARGIN, HEAD_LINE), NOTE, wear.muted)
    canvas.text(_("in sigmas"), (sum(BARS) / 2, HEAD_LINE), NOTE, wear.muted, anchor="centre")
    heading = fit(_("correlation with bitcoin, 95 %"), NOTE, PAIRS[1] + GUTTER - PAIRS[0])
    canvas.text(heading, (sum(PAIRS) / 2, HEAD_LINE), NOTE, wear.muted, anchor="centre")


def _window(result: Stress, _: Gettext) -> str:
    day = _days(result, _)
    return _("closes {since} → {session}").format(since=day(result.since), session=day(result.session))


def _standing(result: Stress, _: Gettext) -> str:
    if result.verdict is Verdict.UNKNOWN:
        return ""
    if result.latest is not result.verdict:
        return _("last close alone: {verdict}").format(verdict=stress_words.verdict(result.latest, _))
    return _("since {date}").format(date=_days(result, _)(result.verdict_since))


def _why(result: Stress, _: Gettext) -> str:
    """What the rules looked at, or why there is no verdict."""
    if result.verdict is Verdict.UNKNOWN:
        reasons = stress_words.reasons(result, _days(result, _), _)
        return _("; ").join(reasons) or _("too few closes")
    one = result.quantities
    told = [
        (one.risk, _("bitcoin and S&P 500 {value}")),
        (one.hedge, _("gold {value}")),
        (one.dollar, _("dollar {value}")),
    ]
    figures = " · ".join(words.format(value=_sigmas(value)) for value, words in told if value is not None)
    return _("five days: {figures}").format(figures=figures)


def _board(canvas: Canvas, result: Stress, _: Gettext) -> None:
    """One row a market: name, the two closes, percent, and a bar of sigmas from the middle."""
    wear = canvas.colours
    moves = {move.instrument: move for move in result.moves}
    sizes = [abs(move.sigma) for move in result.moves if move.sigma is not None and _current(move, result)]
    reach = 1.08 * max([LEAST_SIGMAS, *sizes])
    ruler = Ruler(-reach, reach, *BARS)
    rows = [TOP + ROW * row for row in range(len(INSTRUMENTS) + 1)]
    canvas.fill([(MARGIN, y, WIDTH - MARGIN, y + 1) for y in rows], wear.grid)
    _ruled(canvas, ruler, TOP, _ticks(reach))
    for top, code in zip(rows, INSTRUMENTS, strict=False):
        move = moves.get(code)
        percent = "–" if move is None or move.start.date == move.end.date else _percent(move)
        is_current = move is not None and _current(move, result)
        drawn = canvas.text(
            percent,
            (PERCENT_RIGHT, top + ROW / 2),
            PERCENT,
            wear.ink if is_current else wear.muted,
            anchor="right",
        )
        room = drawn.left - GUTTER - MARGIN
        name = fit(stress_words.name(code, _), ANSWER, room)
        canvas.text(name, (MARGIN, top + 22), ANSWER, wear.ink)
        words, colour = _under(code, move, result, _), wear.muted if is_current else wear.broken
        canvas.text(fit(words, NOTE, room), (MARGIN, top + 50), NOTE, colour)
        if move is not None and is_current and move.sigma is not None:
            _bar(canvas, ruler, top + ROW / 2, move, votes=code in VOTERS)


def _ticks(reach: float) -> list[float]:
    """Whole sigmas, at most three a side."""
    step = next(step for step in _steps() if reach / step < 4)
    return [float(n * step) for n in range(-3, 4) if abs(n * step) <= reach]


def _steps() -> Iterator[int]:
    for power in count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def _ruled(canvas: Canvas, ruler: Ruler, top: float, ticks: Sequence[float]) -> None:
    wear = canvas.colours
    for tick in ticks:
        x = round(ruler.x(tick))
        canvas.fill([(x, top, x + 1, BOTTOM)], wear.muted if tick == 0 else wear.grid)
        canvas.text(_tick(tick), (x, TICK_LINE), NOTE, wear.muted, anchor="centre")


def _bar(canvas: Canvas, ruler: Ruler, middle: float, move: Move, *, votes: bool) -> None:
    """From the middle to the sigmas, hollow without a vote; the figure stands on the empty side."""
    wear, sigma = canvas.colours, move.sigma or 0.0
    zero, end = round(ruler.x(0.0)), round(ruler.x(sigma))
    colour: RGB = wear.up if sigma > 0 else wear.down
    left, right = min(zero, end), max(zero, end) + 1
    half = BAR_HEIGHT // 2
    canvas.fill([(left, middle - half, right, middle + half)], colour)
    if not votes and right - left > 6:
        canvas.fill([(left + 3, middle - half + 3, right - 3, middle + half - 3)], wear.background)
    words = _sigmas(sigma)
    room = width(words, ANSWER)
    start = zero - 10 - room if sigma > 0 else zero + 12
    # No line of the grid through a figure.
    canvas.fill([(start - 2, middle - half, start + room + 4, middle + half)], wear.background)
    canvas.text(words, (start, middle), ANSWER, wear.ink)


def _under(code: str, move: Move | None, result: Stress, _: Gettext) -> str:
    """The small line of a row: the two closes, or what is wrong with them."""
    if move is None:
        return _("no close then")
    if not _current(move, result):
        return _("last close {date}").format(date=_days(result, _)(move.end.date))
    words = f"{quantities.price(move.start.price)} → {quantities.price(move.end.price)}"
    return words if code in VOTERS else words + " · " + _("no vote")


def _pairs(canvas: Canvas, result: Stress, _: Gettext) -> None:
    """Dots with their intervals in the rows of the board; one that spans nought is pale."""
    ruler = Ruler(-1.0, 1.0, *PAIRS)
    _ruled(canvas, ruler, TOP + ROW, [-1.0, -0.5, 0.0, 0.5, 1.0])
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    for row, code in enumerate(INSTRUMENTS[1:], 1):
        for window, shift in zip(WINDOWS, (-13, 13), strict=True):
            pair = pairs.get((code, window))
            if pair is not None:
                _whisker(canvas, ruler, TOP + ROW * (row + 0.5) + shift, pair)
    _legend(canvas, _)


def _whisker(canvas: Canvas, ruler: Ruler, y: float, pair: Pair) -> None:
    found = pair.correlation
    clear = found.low > 0 or found.high < 0
    colour = canvas.colours.ink if clear else canvas.colours.muted
    low, high = ruler.x(found.low), ruler.x(found.high)
    canvas.fill(
        [(low, y - 1, high, y + 2), (low, y - 6, low + 3, y + 7), (high - 3, y - 6, high, y + 7)], colour
    )
    _dot(canvas, (ruler.x(found.r), y + 0.5), pair.window, colour)


def _dot(canvas: Canvas, at: tuple[float, float], window: int, colour: RGB) -> None:
    """The longer window is the solid one."""
    canvas.marker("circle", at, 8, colour, hollow=window != WINDOWS[-1])


def _legend(canvas: Canvas, _: Gettext) -> None:
    """In bitcoin's own row, which has no correlation to show."""
    wear, y = canvas.colours, TOP + ROW / 2
    words = [_("{n} days").format(n=window) for window in WINDOWS]
    widths = [32 + width(one, ANSWER) for one in words]
    x = sum(PAIRS) / 2 - (sum(widths) + 2 * GUTTER) / 2
    for window, one, taken in zip(WINDOWS, words, widths, strict=True):
        _dot(canvas, (x + 10, y), window, wear.ink)
        canvas.text(one, (x + 32, y), ANSWER, wear.ink)
        x += taken + 2 * GUTTER


def alt(result: Stress, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""
    if result.view is not View.BOARD:
        return clean(_VIEWS[result.view].alt(result, _), ALT_TEXT_LIMIT)
    said = [_("Market stress: {verdict}").format(verdict=stress_words.verdict(result.verdict, _))]
    said += [_standing(result, _)] if result.verdict is not Verdict.UNKNOWN else [_why(result, _)]
    moves = _(", ").join(
        f"{stress_words.name(move.instrument, _)} {_percent(move)}"
        for move in result.moves
        if _current(move, result)
    )
    if moves:
        said.append(_("{window}: {moves}").format(window=_window(result, _), moves=moves))
    return clean(" · ".join(said), ALT_TEXT_LIMIT)


def _current(move: Move, result: Stress) -> bool:
    return move.end.date == result.session


def _days(result: Stress, _: Gettext) -> Callable[[date], str]:
    """How dates are written: with the year if one of them lies in another than the close judged."""
    dates = {result.since, result.verdict_since, *(one.last for one in result.missing if one.last)}
    same_year = {day.year for day in dates} <= {result.session.year}
    pattern = _("%-d %b") if same_year else _("%-d %b %Y")
    return lambda day: day.strftime(pattern)


def _percent(move: Move) -> str:
    return quantities.signed(move.pct) + " %"


def _sigmas(value: float) -> str:
    return quantities.signed(value) + "σ"


def _tick(value: float) -> str:
    return quantities.signed(value, decimals=0 if value == round(value) else 1)
