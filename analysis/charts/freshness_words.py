"""How a series stands, in the reader's language; the picture and the card share these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.freshness import Freshness

if TYPE_CHECKING:
    from analysis.charts.look import Gettext


def word(value: Freshness, _: Gettext) -> str:
    return {
        Freshness.FRESH: _("fresh"),
        Freshness.CLOSED: _("market closed"),
        Freshness.PENDING: _("not reported yet"),
        Freshness.LATE: _("late"),
        Freshness.STALE: _("stale"),
    }[value]


def beside(source: str, value: Freshness, _: Gettext) -> str:
    """``source`` as a picture tells it, with how it stands unless it is as new as can be."""
    return source if value is Freshness.FRESH else f"{source} · {word(value, _)}"
