"""What the pictures of ``/stress`` share: the answer in big words above, where it comes from below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.charts import freshness_words, stress_words
from analysis.charts.canvas import WIDTH, Canvas
from analysis.charts.text import Face, clean, fit, width
from analysis.closes import Alignment

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.stress import Stress

TITLES = tuple(Face(px, bold=True) for px in (56, 50, 44, 38))
ANSWER, NOTE = Face(30), Face(22)
MARGIN, GUTTER = 24, 16
TITLE_LINE, WHY_LINE, FOOT_LINE = 50, 110, 697


def head(canvas: Canvas, title: str, aside: str, why: str) -> None:
    """The answer as large as it fits, a note beside it, and one line under both."""
    wear, room = canvas.colours, WIDTH - 2 * MARGIN
    aside = fit(aside, ANSWER, 0.44 * room)
    left = room - width(aside, ANSWER) - 2 * GUTTER
    face = next((face for face in TITLES if width(title, face) <= left), TITLES[-1])
    canvas.text(fit(title, face, left), (MARGIN, TITLE_LINE), face, wear.ink)
    if aside:
        canvas.text(aside, (WIDTH - MARGIN, TITLE_LINE), ANSWER, wear.muted, anchor="right")
    canvas.text(fit(why, ANSWER, room), (MARGIN, WHY_LINE), ANSWER, wear.ink)


def foot(canvas: Canvas, result: Stress, _: Gettext, alignment: Alignment = Alignment.DAILY) -> None:
    if alignment is Alignment.DAILY:
        words = _("{sources} · alignment: daily close, bitcoin at 17:00 New York")
    else:
        words = _("{sources} · alignment: all at 16:00 New York")
    told = freshness_words.beside(
        words.format(sources=clean(stress_words.publishers(result), 60)), result.freshness, _
    )
    canvas.text(
        fit(told.removeprefix(" · "), NOTE, WIDTH - 2 * MARGIN),
        (MARGIN, FOOT_LINE),
        NOTE,
        canvas.colours.foot(result.freshness),
    )
