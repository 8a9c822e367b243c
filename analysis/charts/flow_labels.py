"""The column at the right of ``/flows``: sums beside the bars, the cushion and the pile beside the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts import flow_words, quantities
from analysis.charts.place import stacked
from analysis.charts.text import Face, width

if TYPE_CHECKING:
    from analysis.charts.canvas import Canvas, Panel
    from analysis.charts.look import Gettext, Look
    from analysis.charts.place import Box
    from analysis.charts.theme import RGB
    from analysis.flows import Flows

FIGURES, CAPTION = Face(30, bold=True), Face(24)
# Pixels: from the panel to the column, the free strip at the panel's right; heights of an item's two
# lines, of the tag and of the air around it; items beside the bars stand so far apart at most.
LEADER, STRIP = 20, 36
_LINE, _UNDER, _TAG, _AIR, _STEP = 37, 31, 46, 12, 104.0


@dataclass(frozen=True, slots=True)
class Item:
    """A figure of the column at the right and what it is."""

    figure: str
    caption: str

    @property
    def width(self) -> float:
        return max(width(self.figure, FIGURES), width(self.caption, CAPTION))


def sums(result: Flows, look: Look, _: Gettext) -> list[Item]:
    """The sums beside the bars: window, 5 days, 20 days."""
    reading = result.reading
    window = _("sum {money}").format(money=quantities.musd(result.sum_musd, look.locale))
    items = [Item(flow_words.share(result, _), window)]
    if reading.rolling_5_musd is not None:
        items.append(Item(quantities.musd(reading.rolling_5_musd, look.locale), _("last 5 days")))
    if reading.rolling_20_musd is not None and reading.hit_rate_20_pct is not None:
        positive = round(20 * reading.hit_rate_20_pct / 100)
        items.append(
            Item(
                quantities.musd(reading.rolling_20_musd, look.locale),
                _("last 20, {n} positive").format(n=positive),
            )
        )
    return items


def standing(result: Flows, look: Look, _: Gettext) -> list[Item]:
    """The cushion, where there is any."""
    fall = result.cushion
    if fall.musd == 0:
        return []
    words = _("cushion")
    if fall.pct is not None:
        words = _("cushion {percent}").format(percent=quantities.percent(fall.pct))
    return [Item(quantities.musd(fall.musd, look.locale), words)]


def room(items: list[Item], result: Flows, look: Look) -> float:
    tag = width(quantities.musd(result.cumulative_musd, look.locale, sign=False), FIGURES) + 20
    return max([tag, *(item.width for item in items)])


def write(canvas: Canvas, x: float, items: list[Item], box: Box) -> None:
    step = min(_STEP, box.height / max(1, len(items)))
    for n, item in enumerate(items):
        _write(canvas, x, box.top + n * step + _LINE / 2, item, canvas.colours.ink)


def _write(canvas: Canvas, x: float, line: float, item: Item, colour: RGB) -> None:
    canvas.text(item.figure, (x, line), FIGURES, colour)
    canvas.text(item.caption, (x, line + (_LINE + _UNDER) / 2), CAPTION, canvas.colours.muted)


def cushion(panel: Panel, right: float, items: list[Item], result: Flows, look: Look) -> None:
    """How far the pile has fallen from its highest: an arrow to scale, its figures, and the pile today."""
    canvas, scale, wear = panel.canvas, panel.scale, panel.canvas.colours
    peak, now = scale.y(result.cushion.peak_musd), scale.y(result.cumulative_musd)
    x = round(right - STRIP / 2)
    if now - peak > 2 * _AIR:
        canvas.line([(x, peak + 3), (x, now - _AIR)], wear.ink)
        canvas.marker("triangle_down", (x, now - _AIR), 8, wear.ink)
    canvas.line([(right - STRIP, now), (right, now)], wear.ink, dash=(2.0, 4.0))
    wanted = [*((peak + now) / 2 for _item in items), now]
    heights = [*(_LINE + _UNDER for _item in items), _TAG + _AIR]
    *middles, tag = stacked(wanted, heights, panel.box.top, panel.box.bottom + _TAG / 2)
    edge = right + LEADER
    for item, middle in zip(items, middles, strict=True):
        _write(canvas, edge, middle - _UNDER / 2, item, wear.broken)
    canvas.line([(right, now), (right + 4, now), (edge - 4, tag), (edge, tag)], wear.ink)
    words = quantities.musd(result.cumulative_musd, look.locale, sign=False)
    canvas.tag(words, (edge, tag), FIGURES, fill=wear.ink, ink=wear.background)
