"""Burns a core for a while and yields a picture of realistic size."""

from __future__ import annotations

import time

from analysis.charts.look import Gettext, Look, Picture
from easel import Card


def draw(result: Card, look: Look, _: Gettext) -> Picture:
    until = time.perf_counter() + result.seconds
    while time.perf_counter() < until:
        sum(range(1000))
    return Picture(png=result.text.encode().ljust(100_000, b"."), alt="busy")
