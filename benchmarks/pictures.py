"""Pictures, cold: drawn anew each time, beside the usual ways of making the same ones."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from analysis.charts import flows, ladder, levels, silver_margin, stress, text
from analysis.charts.look import Look
from benchmarks import browser, usual
from benchmarks.figures import Figure, faster, interleaved, plain
from bot.language import catalogue

if TYPE_CHECKING:
    from benchmarks.made import Results

ROUNDS: Final = 5
LOOK: Final = Look(locale="zh-TW", zone="Asia/Taipei")


def _ours(chart: Any, result: Any) -> bytes:
    png: bytes = chart.draw(result, LOOK, catalogue(LOOK.locale).gettext).png
    return png


def _unseen(chart: Any, result: Any) -> bytes:
    """When not one of its words was ever drawn before."""
    text.bitmap.cache_clear()
    return _ours(chart, result)


def figures(made: Results) -> Iterator[Figure]:
    """Every picture in one interleaved run."""
    warnings.simplefilter("ignore")  # of other people's ways
    ours: dict[str, Callable[[], bytes]] = {
        "candles": partial(_ours, levels, made.levels),
        "flows": partial(_ours, flows, made.flows),
        "stress": partial(_ours, stress, made.stress),
        "silver-margin": partial(_ours, silver_margin, made.silver_margin),
        "ladder": partial(_ours, ladder, made.ladder),
    }
    anchors: dict[str, Callable[[], bytes]] = {
        "usual candles": partial(usual.levels, made.levels),
        "usual flows": partial(usual.flows, made.flows),
        "usual stress": partial(usual.stress, made.stress),
        "usual silver-margin": partial(usual.silver_margin, made.silver_margin),
        "usual ladder": partial(usual.ladder, made.ladder),
        "mplfinance": partial(usual.mplfinance_levels, made.levels),
    }
    with browser.opened() as page:
        if page is not None:
            anchors["plotly"] = partial(page.levels, made.levels)
        unseen = partial(_unseen, levels, made.levels)
        ways = anchors | {"unseen": unseen} | ours
        for name, way in ways.items():
            with Image.open(io.BytesIO(way())) as image:
                if image.size != (1280, 720):
                    raise SystemExit(f"{name}: {image.size}")
        ms = interleaved(ways, ROUNDS)

    candles, usually = ms["candles"], ms["usual candles"]
    yield faster(
        "candles, cold, beside mplfinance, ms",
        candles,
        ms["mplfinance"],
        required=">= 10",
        heading_for=">= 19",
    )
    yield faster(
        "candles, cold, beside matplotlib as usual, ms",
        candles,
        usually,
        required=">= 25",
        heading_for=">= 41",
    )
    if "plotly" in ms:
        yield faster("candles, cold, beside plotly and kaleido, ms", candles, ms["plotly"])
    yield faster(
        "candles, no word ever drawn before, beside mplfinance, ms",
        ms["unseen"],
        ms["mplfinance"],
        required=">= 10",
    )
    yield faster(
        "flows, cold, beside matplotlib as usual, ms",
        ms["flows"],
        ms["usual flows"],
        required=">= 10",
        heading_for=">= 20",
    )
    yield faster(
        "stress, cold, beside matplotlib as usual, ms",
        ms["stress"],
        ms["usual stress"],
        required=">= 10",
        heading_for=">= 35",
    )
    for name in ("silver-margin", "ladder"):
        yield faster(f"{name}, cold, beside matplotlib as usual, ms", ms[name], ms[f"usual {name}"])
    for name, way in ours.items():
        yield plain(f"{name}, kB at 1280x720", len(way()) / 1000, required="<= 100", heading_for="<= 50")
