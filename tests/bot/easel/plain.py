"""Draws at once, and says in the alt text what a drawing process should and should not be."""

from __future__ import annotations

import os
import sys

from analysis.charts.look import Gettext, Look, Picture
from easel import Card


def draw(result: Card, look: Look, _: Gettext) -> Picture:
    print("a library that prints")
    pandas = "pandas" if "pandas" in sys.modules else "no pandas"
    alt = f"{_(result.text)} | {pandas} | {result.as_of.year} | {os.getpid()}"
    return Picture(png=b"\x89PNG" + result.text.encode() + look.theme.encode(), alt=alt)
