"""The table under ``/silver-margin``: what each change did to a contract, split into rate and price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts import margin_words, quantities
from analysis.charts.place import Box
from analysis.charts.text import Face, fit, width

if TYPE_CHECKING:
    from analysis.charts.canvas import Canvas
    from analysis.charts.look import Gettext, Look
    from analysis.charts.theme import RGB
    from analysis.margin import Margin, Move, Step

MOST = 7
_HEAD, _RULE, _PART = Face(22), Face(30, bold=True), Face(24)
_ROWS = (0, 38, 76, 110, 144)
_FEWEST = 4
_SWATCH, _GAP, _NARROW = 34, 10, 12


@dataclass(frozen=True, slots=True)
class _Row:
    words: tuple[str, ...]
    face: Face
    colour: RGB


def shown(result: Margin) -> tuple[Step, ...]:
    """The changes there is room for: the last seven; the rule before the first only if it is alone."""
    return tuple(step for step in result.steps if step.effective is not None)[-MOST:] or result.steps


def write(canvas: Canvas, box: Box, result: Margin, look: Look, _: Gettext, tint: RGB) -> None:
    """A column a change, oldest left: its day, the rule, its two parts, the margin after it.

    Columns on ``tint`` are still to come.
    """
    steps = shown(result)
    wear = canvas.colours
    heads = (
        _("effective"),
        _("rule"),
        _("rate part"),
        _("price part"),
        _("margin"),
    )
    rows = (
        _Row(tuple(margin_words.effective(step, look, _) for step in steps), _HEAD, wear.muted),
        _Row(tuple(margin_words.rule(step.basis, step.value) for step in steps), _RULE, wear.ink),
        _Row(tuple(_part(step, step.rate_part) for step in steps), _PART, wear.broken),
        _Row(tuple(_part(step, step.price_part) for step in steps), _PART, wear.holds),
        _Row(tuple(_dollars(step) for step in steps), _PART, wear.ink),
    )
    left = box.left + max(width(head, _HEAD) for head in heads) + _SWATCH + _GAP + _NARROW
    pitch = (box.right - left) / max(len(steps), _FEWEST)
    for place, step in enumerate(steps):
        if not step.in_force:
            edge = left + (place + 1) * pitch
            canvas.fill([(edge - pitch + _NARROW, box.top - 20, edge + _NARROW, box.bottom)], tint)
    for head, row, down in zip(heads, rows, _ROWS, strict=True):
        y = box.top + down
        canvas.text(head, (box.left + _SWATCH, y), _HEAD, wear.muted)
        for place, words in enumerate(row.words):
            face = row.face
            canvas.text(
                fit(words, face, pitch - _NARROW),
                (left + (place + 1) * pitch, y),
                face,
                row.colour,
                anchor="right",
            )
    _swatches(canvas, box)


def _swatches(canvas: Canvas, box: Box) -> None:
    """The strokes of the chart above, each before the row that tells its amounts."""
    wear = canvas.colours
    for down, colour, stroke in ((_ROWS[2], wear.broken, 6.0), (_ROWS[3], wear.holds, 3.0)):
        y = box.top + down
        canvas.line([(box.left + 12, y - 12), (box.left + 12, y + 12)], colour, width=stroke)


def _part(step: Step, part: Move | None) -> str:
    return "–" if part is None else quantities.change(part.usd, cents=_small(step))


def _dollars(step: Step) -> str:
    return "–" if step.initial_usd is None else quantities.dollars(step.initial_usd, cents=_small(step))


def _small(step: Step) -> bool:
    """Whether cents say something: for contracts of a few ounces."""
    return step.initial_usd is not None and step.initial_usd < 1000
