"""The picture of ``/lights``: four lamps with their answer, since when, and what would change it."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from analysis.charts import freshness_words, lights_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.lights_words import LightWords, Voice
from analysis.charts.look import ALT_TEXT_LIMIT, Gettext, Look, Picture
from analysis.charts.text import Face, clean, fit, width
from analysis.charts.theme import RGB, blend, colours
from analysis.charts.time_words import moment
from analysis.lights import Light, Lights, State

TITLES = tuple(Face(px, bold=True) for px in (56, 50, 44, 38))
NAMES = tuple(Face(px, bold=True) for px in (40, 36, 32))
ANSWER, NOTE = Face(28), Face(24)
FOOT = Face(22)
MARGIN, GUTTER = 24, 16
TITLE_LINE, TOP, ROW, FOOT_LINE = 50, 98, 143, 697
LAMP = 44
"""Radius of a lamp."""
WORDS_LEFT = 148


def draw(result: Lights, look: Look, _: Gettext) -> Picture:
    """Draw what ``/lights`` knows, in the zone of the reader."""
    return Picture(png=compose(result, look, _).png(), alt=alt(result, look, _))


def compose(result: Lights, look: Look, _: Gettext) -> Canvas:
    """The finished canvas, before it becomes a PNG."""
    canvas = Canvas(colours(look))
    _head(canvas, result, look, _)
    lamp = lamp_colours(canvas, look)
    for place, (light, words) in enumerate(
        zip(result.all, lights_words.tell(result, _voice(look, _)), strict=True)
    ):
        _row(canvas, TOP + place * ROW, light, words, lamp[light.state])
    state = freshness_words.beside("", result.freshness, _)
    room = WIDTH - 2 * MARGIN - width(state, FOOT)
    foot = (fit(clean(" · ".join(result.sources), 120), FOOT, room) + state).removeprefix(" · ")
    canvas.text(foot, (MARGIN, FOOT_LINE), FOOT, canvas.colours.foot(result.freshness))
    return canvas


def lamp_colours(canvas: Canvas, look: Look) -> dict[State, RGB]:
    """Green for on and red for off, whichever of them rising prices wear; blue and orange for the colour-blind."""
    wear = canvas.colours
    on, off = (wear.down, wear.up) if look.palette == "tw" else (wear.up, wear.down)
    return {State.GREEN: on, State.RED: off, State.UNKNOWN: wear.muted}


def _voice(look: Look, _: Gettext) -> Voice:
    zone = ZoneInfo(look.zone)

    def when(at: datetime) -> str:
        return moment(at, zone, _("%-d %b %H:%M"))

    def day(one: date) -> str:
        return one.strftime(_("%-d %b"))

    return Voice(_=_, locale=look.locale, when=when, day=day)


def _head(canvas: Canvas, result: Lights, look: Look, _: Gettext) -> None:
    wear, room = canvas.colours, WIDTH - 2 * MARGIN
    aside, known = clean(look.zone), result.known_through
    if known is not None:
        time = moment(known, ZoneInfo(look.zone), _("%-d %b %H:%M"))
        aside = _("{time} · {zone}").format(time=time, zone=aside)
    aside = fit(aside, ANSWER, 0.4 * room)
    title, left = lights_words.headline(result, _), room - width(aside, ANSWER) - 2 * GUTTER
    face = next((face for face in TITLES if width(title, face) <= left), TITLES[-1])
    canvas.text(fit(title, face, left), (MARGIN, TITLE_LINE), face, wear.ink)
    canvas.text(aside, (WIDTH - MARGIN, TITLE_LINE), ANSWER, wear.muted, anchor="right")


def _row(canvas: Canvas, top: float, light: Light, words: LightWords, colour: RGB) -> None:
    """A lamp, the answer in big words with since when beside it, what was found, what would change it."""
    wear = canvas.colours
    canvas.fill([(MARGIN, top, WIDTH - MARGIN, top + 1)], wear.grid)
    _lamp(canvas, (MARGIN + LAMP + 10, top + ROW / 2), light, colour)
    room = WIDTH - MARGIN - WORDS_LEFT
    since = fit(words.since, ANSWER, 0.45 * room)
    left = room - width(since, ANSWER) - 2 * GUTTER
    face = next((face for face in NAMES if width(words.title, face) <= left), NAMES[-1])
    canvas.text(fit(words.title, face, left), (WORDS_LEFT, top + 32), face, wear.ink)
    canvas.text(since, (WIDTH - MARGIN, top + 32), ANSWER, wear.muted, anchor="right")
    face = ANSWER if width(words.reading, ANSWER) <= room else NOTE
    canvas.text(fit(words.reading, face, room), (WORDS_LEFT, top + 77), face, wear.ink)
    canvas.text(fit(words.flips, NOTE, room), (WORDS_LEFT, top + 116), NOTE, wear.muted)


def _lamp(canvas: Canvas, at: tuple[float, float], light: Light, colour: RGB) -> None:
    """A disc is on, a triangle is off, a ring with a question mark is unknown: shape says it without colour."""
    x, y = at
    match light.state:
        case State.GREEN:
            canvas.marker("circle", at, LAMP, blend(colour, canvas.colours.background, 0.3))
            canvas.marker("circle", at, LAMP - 10, colour)
        case State.RED:
            canvas.marker("triangle_up", (x, y + 4), LAMP, colour)
        case State.UNKNOWN:
            canvas.marker("circle", at, LAMP - 8, colour, hollow=True)
            canvas.text("?", at, TITLES[2], colour, anchor="centre")


def alt(result: Lights, look: Look, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""
    told = lights_words.tell(result, _voice(look, _))
    said = [
        lights_words.headline(result, _),
        *(_("{title} ({since})").format(title=words.title, since=words.since) for words in told),
    ]
    return clean(" · ".join(said), ALT_TEXT_LIMIT)
