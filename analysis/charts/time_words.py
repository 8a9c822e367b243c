"""Instants as the reader's clock shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.charts.text import Face, width

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.charts.scale import TimeAxis

# Room a tick's label needs beyond its own width before the next one, in pixels.
_APART = 16


def hours(axis: TimeAxis, zone: ZoneInfo, face: Face, _: Gettext) -> Iterator[tuple[int, str]]:
    """Ticks of a time axis as instants and words; midnight is told by its date."""
    patterns = {"minute": _("%H:%M"), "day": _("%-d %b"), "month": _("%b %Y")}
    sample = datetime(2026, 12, 28, 20, 0, tzinfo=UTC)
    widest = max(width(sample.strftime(patterns[g]), face) for g in ("minute", "day"))
    grain, ticks = axis.ticks(zone, int((axis.right - axis.left) // (widest + _APART)))
    for epoch in ticks:
        wall = datetime.fromtimestamp(epoch, UTC).astimezone(zone)
        shown = "day" if grain == "minute" and wall.hour == wall.minute == 0 else grain
        yield epoch, wall.strftime(patterns[shown])


def moment(instant: datetime, zone: ZoneInfo, pattern: str) -> str:
    return instant.astimezone(zone).strftime(pattern)
