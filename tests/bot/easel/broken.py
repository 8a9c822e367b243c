"""Raises."""

from __future__ import annotations

from analysis.charts.look import Gettext, Look, Picture
from easel import Card


def draw(result: Card, look: Look, _: Gettext) -> Picture:
    raise ZeroDivisionError("a mistake in a chart")
