"""Raises."""

from __future__ import annotations

from easel import Card

from analysis.charts.look import Gettext, Look, Picture


def draw(result: Card, look: Look, _: Gettext) -> Picture:
    raise ZeroDivisionError("a mistake in a chart")
