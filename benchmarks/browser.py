"""Plotly draws in a browser: the same candles, where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import kaleido
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.made import BOOK
from benchmarks.usual import BROKEN, DOWN, GROUND, INK, UP, frame

if TYPE_CHECKING:
    from analysis.levels import Levels


class Page:
    """A browser that stays open between pictures, as kaleido's documentation advises."""

    def levels(self, result: Levels) -> bytes:
        bars = frame(result)
        figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.83, 0.17], vertical_spacing=0.02)
        candles = go.Candlestick(
            x=bars.index, open=bars.Open, high=bars.High, low=bars.Low, close=bars.Close,
            increasing_line_color=UP, decreasing_line_color=DOWN,
        )  # fmt: skip
        figure.add_trace(candles, row=1, col=1)
        colours = [UP if up else DOWN for up in bars.Close >= bars.Open]
        figure.add_trace(go.Bar(x=bars.index, y=bars.Volume, marker_color=colours), row=2, col=1)
        for level in BOOK:
            words = f"{level:,.0f} {100 * (level / result.price - 1):+.1f} %"
            figure.add_hline(y=level, line_color=BROKEN, annotation_text=words, row=1, col=1)
        figure.add_hrect(y0=56_100, y1=73_600, opacity=0.15, fillcolor=INK, row=1, col=1)
        figure.add_annotation(x=1.01, xref="paper", y=result.price, text=f"{result.price:,.0f}", bgcolor=INK)
        figure.update_layout(
            template="plotly_dark", title="BTC 30 分 · 下一層支撐 56,100", showlegend=False,
            paper_bgcolor=GROUND, plot_bgcolor=GROUND, xaxis_rangeslider_visible=False,
        )  # fmt: skip
        png: bytes = figure.to_image(format="png", width=1280, height=720)
        return png


@contextmanager
def opened() -> Iterator[Page | None]:
    """None without a browser."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        yield None
        return
    os.environ["BROWSER_PATH"] = found
    kaleido.start_sync_server(silence_warnings=True)
    try:
        yield Page()
    finally:
        kaleido.stop_sync_server(silence_warnings=True)
