"""What is measured, what it is held to, and the table of it all."""

from __future__ import annotations

import json
import operator
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

_TURN: Final = 0.15
"""Seconds."""
_SIGNS: Final = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. ``product`` and ``anchor`` are in the unit that ``name`` ends with.

    ``ratio`` is how many times faster than the anchor, or, of what must stay near its anchor,
    how many times as long. ``required`` and ``heading_for`` are a sign and a number, or empty.
    """

    name: str
    product: float
    anchor: float | None = None
    ratio: float | None = None
    required: str = ""
    heading_for: str = ""
    met: bool | None = None


def faster(name: str, product: float, anchor: float, *, required: str = "", heading_for: str = "") -> Figure:
    """Judged by how many times faster than its anchor."""
    one = Figure(name=name, product=product, anchor=anchor, ratio=anchor / product)
    return _judged(one, anchor / product, required, heading_for)


def near(name: str, product: float, anchor: float, *, required: str = "", heading_for: str = "") -> Figure:
    """Judged by how many times as much as its anchor."""
    one = Figure(name=name, product=product, anchor=anchor, ratio=product / anchor)
    return _judged(one, product / anchor, required, heading_for)


def plain(name: str, product: float, *, required: str = "", heading_for: str = "") -> Figure:
    """Judged by itself."""
    return _judged(Figure(name=name, product=product), product, required, heading_for)


def _judged(one: Figure, judged: float, required: str, heading_for: str) -> Figure:
    met = None
    if required:
        sign, number = required.split()
        met = bool(_SIGNS[sign](judged, float(number)))
    return replace(
        one,
        product=_three(one.product),
        anchor=None if one.anchor is None else _three(one.anchor),
        ratio=None if one.ratio is None else _three(one.ratio),
        required=required,
        heading_for=heading_for,
        met=met,
    )


def _three(value: float) -> float:
    """Three significant digits: more are noise."""
    return float(f"{value:.3g}")


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each way; all take their turn in every round, so that a busy machine slows all.

    A way of some milliseconds is repeated in its turn: taken once, what else the machine does would count most.
    """
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            until = time.perf_counter() + _TURN
            while True:
                begun = time.perf_counter()
                way()
                ended = time.perf_counter()
                if turn:  # the first is for imports, fonts, statements compiled
                    took[name].append(1000 * (ended - begun))
                if ended >= until:
                    break
    return {name: statistics.median(times) for name, times in took.items()}


def table(figures: Iterable[Figure]) -> str:
    rows = [
        "| | Leadline | anchor | ratio | required | heading for | met |",
        "|---|---:|---:|---:|---|---|---|",
    ]
    for one in figures:
        met = "" if one.met is None else ("yes" if one.met else "**no**")
        cells = (one.name, _shown(one.product), _shown(one.anchor), _shown(one.ratio))
        rows.append(f"| {' | '.join(cells)} | {one.required} | {one.heading_for} | {met} |")
    return "\n".join(rows)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:,.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def write_json(figures: Iterable[Figure], file: Path) -> None:
    file.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n", encoding="utf-8")
