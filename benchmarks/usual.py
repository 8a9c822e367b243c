"""The same pictures as tutorials draw them: a pyplot figure for each, a patch for each bar, a layout measured at the end.

The data, the words and the size are those of Leadline's own pictures.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: TID251 (the very thing to compare with)
import mplfinance as mpf

from analysis.charts import text
from analysis.links import WINDOWS
from benchmarks.made import BARS, BOOK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.flows import Flows
    from analysis.ladder import Ladder
    from analysis.levels import Levels
    from analysis.margin import Margin
    from analysis.stress import Stress

UP, DOWN, GROUND, INK, MUTED = "#2bc48a", "#f0474f", "#0e1218", "#eef2f7", "#a3aebd"
HOLDS, BROKEN = "#b8a6ff", "#ffc247"


def face() -> mpl.font_manager.FontProperties:
    fonts = Path(text.__file__).parent / "fonts"
    return mpl.font_manager.FontProperties(fname=str(fonts / "LeadlineSansTC-Regular.otf"))


def frame(result: Levels) -> pd.DataFrame:
    bars = result.candles
    return pd.DataFrame(
        {"Open": bars.open, "High": bars.high, "Low": bars.low, "Close": bars.close, "Volume": bars.volume},
        index=pd.to_datetime(bars.opened_at, unit="s"),
    )


def _saved(figure: Figure, *axes: Axes) -> bytes:
    for ax in axes:
        ax.set_facecolor(GROUND)
        ax.tick_params(colors=INK, labelsize=13)
        ax.grid(alpha=0.2)
    figure.tight_layout()
    out = io.BytesIO()
    figure.savefig(out, facecolor=GROUND)
    plt.close(figure)
    return out.getvalue()


def _beside(ax: Axes, y: float, words: str, *, boxed: bool = False, colour: str = INK) -> None:
    """A label at the right edge."""
    box: dict[str, Any] = {"bbox": {"facecolor": INK}, "color": GROUND} if boxed else {"color": colour}
    ax.annotate(
        words, (1.01, y), xycoords=("axes fraction", "data"), fontsize=16, fontproperties=face(), **box
    )


def levels(result: Levels) -> bytes:
    bars = frame(result)
    figure, (ax, below) = plt.subplots(
        2, 1, figsize=(12.8, 7.2), dpi=100, sharex=True, height_ratios=[5, 1], facecolor=GROUND
    )
    for colour, side in ((UP, bars[bars.Close >= bars.Open]), (DOWN, bars[bars.Close < bars.Open])):
        ax.bar(side.index, side.Close - side.Open, 0.016, bottom=side.Open, color=colour)
        ax.bar(side.index, side.High - side.Low, 0.003, bottom=side.Low, color=colour)
        below.bar(side.index, side.Volume, 0.016, color=colour)
    for level in BOOK:
        ax.axhline(level, color=BROKEN)
        _beside(ax, level, f"{level:,.0f} {100 * (level / result.price - 1):+.1f} %")
    ax.axhspan(56_100, 73_600, alpha=0.15)
    _beside(ax, result.price, f"{result.price:,.0f}", boxed=True)
    ax.set_title("BTC 30 分 · 下一層支撐 56,100", color=INK, fontproperties=face(), fontsize=20)
    return _saved(figure, ax, below)


def mplfinance_levels(result: Levels) -> bytes:
    figure, axes = mpf.plot(
        frame(result), type="candle", volume=True, style="nightclouds", figsize=(12.8, 7.2), returnfig=True,
        hlines={"hlines": list(BOOK), "colors": [BROKEN] * len(BOOK)},
    )  # fmt: skip
    for level in BOOK:
        axes[0].text(BARS, level, f"{level:,.0f} {100 * (level / result.price - 1):+.1f} %", fontsize=16)
    axes[0].axhspan(56_100, 73_600, alpha=0.15)
    axes[0].text(BARS, result.price, f"{result.price:,.0f}", bbox={"facecolor": INK}, fontsize=16)
    axes[0].set_title("BTC 30 分 · 下一層支撐 56,100", fontproperties=face(), fontsize=20)
    out = io.BytesIO()
    figure.savefig(out, dpi=100)
    plt.close(figure)
    return out.getvalue()


def flows(result: Flows) -> bytes:
    figure, (ax, below) = plt.subplots(
        2, 1, figsize=(12.8, 7.2), dpi=100, sharex=True, height_ratios=[2, 1], facecolor=GROUND
    )
    days = [pd.Timestamp(day.date) for day in result.days]
    totals = [day.total_musd or 0.0 for day in result.days]
    ax.bar(days, totals, color=[UP if total >= 0 else DOWN for total in totals])
    ax.axhline(0, color=MUTED)
    for extreme in (result.best, result.worst):
        if extreme is not None:
            at = (pd.Timestamp(extreme.date), extreme.total_musd)
            ax.annotate(f"{extreme.total_musd:+,.0f}", at, color=INK, ha="center", fontsize=13)
    below.plot(days, [day.cumulative_musd for day in result.days], color=INK, linewidth=3)
    below.axhline(result.cushion.peak_musd, color=HOLDS, linestyle="--")
    _beside(below, result.cumulative_musd, f"{result.cumulative_musd:,.0f}", boxed=True)
    _beside(ax, max(totals), f"{result.sum_musd:+,.0f}\n{result.final_days} 日")
    ax.set_title(
        f"{result.asset} ETF {result.last_musd:+,.0f} 持續流出", color=INK, fontproperties=face(), fontsize=20
    )
    return _saved(figure, ax, below)


def silver_margin(result: Margin) -> bytes:
    figure, (ax, below) = plt.subplots(
        2, 1, figsize=(12.8, 7.2), dpi=100, height_ratios=[3, 2], facecolor=GROUND
    )
    days = [pd.Timestamp(day.date) for day in result.history]
    margins = [day.initial_usd for day in result.history]
    ax.step(days, margins, where="post", color=HOLDS, linewidth=3)
    ax.fill_between(days, margins, step="post", color=HOLDS, alpha=0.13)
    ax.axhline(margins[-1] / 2, color=MUTED, linestyle=":")
    _beside(ax, margins[-1], f"{margins[-1]:,.0f}", boxed=True)
    for day, margin in list(zip(days, margins, strict=True))[:: max(1, len(days) // 6)]:
        ax.annotate(f"{margin:,.0f}", (day, margin), color=BROKEN, fontsize=13)
    cells = [[f"{step.value:,.0f}" for step in result.steps[-6:]] for _ in range(4)]
    below.axis("off")
    board = below.table(cells, rowLabels=["Value", "Rate", "Price", "Margin"], loc="center")
    board.set_fontsize(16)
    for cell in board.get_celld().values():
        cell.set_facecolor(GROUND)
        cell.get_text().set_color(INK)
    ax.set_title(f"SI 每口 {margins[-1]:,.0f} 美元", color=INK, fontproperties=face(), fontsize=20)
    return _saved(figure, ax)


def stress(result: Stress) -> bytes:
    figure, (ax, beside) = plt.subplots(
        1, 2, figsize=(12.8, 7.2), dpi=100, sharey=True, width_ratios=[3, 2], facecolor=GROUND
    )
    rows = {move.instrument: row for row, move in enumerate(result.moves)}
    for move in result.moves:
        row, sigma = float(rows[move.instrument]), move.sigma or 0.0
        ax.barh(row, sigma, color=UP if sigma >= 0 else DOWN)
        ax.annotate(f"{sigma:+.1f}σ", (sigma, row), color=INK, fontsize=16)
        ax.annotate(
            f"{move.pct:+.1f} %", (-0.3, row), xycoords=("axes fraction", "data"), color=INK, fontsize=16
        )
        words = f"{move.start.price:,.0f} → {move.end.price:,.0f}"
        ax.annotate(words, (-0.3, row + 0.3), xycoords=("axes fraction", "data"), color=MUTED, fontsize=11)
    for pair in result.correlations:
        if pair.instrument in rows:
            one, row = pair.correlation, rows[pair.instrument] + 0.2 * WINDOWS.index(pair.window)
            spread = [[one.r - one.low], [one.high - one.r]]
            beside.errorbar(one.r, row, xerr=spread, fmt="o", color=MUTED, capsize=5)
    ax.set_yticks(list(rows.values()), list(rows), color=INK, fontsize=16)
    ax.axvline(0, color=MUTED)
    beside.axvline(0, color=MUTED)
    beside.set_xlim(-1, 1)
    ax.invert_yaxis()
    figure.suptitle("市場壓力：去槓桿", color=INK, fontproperties=face(), fontsize=30)
    return _saved(figure, ax, beside)


def ladder(result: Ladder) -> bytes:
    figure, ax = plt.subplots(figsize=(12.8, 7.2), dpi=100, facecolor=GROUND)
    steps = result.steps.rows if result.steps else ()
    for place, step in enumerate(steps):
        if step.linear is None or step.inverse is None:
            continue
        ax.axhline(step.linear, xmin=0.5, color=BROKEN)
        ax.plot(0.5 + place / 20, step.inverse, marker="D", color=BROKEN, transform=ax.get_yaxis_transform())
        _beside(ax, step.linear, f"{step.leverage:g}x · {step.linear:,.0f} / {step.inverse:,.0f}")
    for price, label in result.floors:
        ax.axhline(price, color=HOLDS, linestyle="--")
        ax.annotate(f"{price:,.0f} {label}", (0.02, price), color=HOLDS, fontproperties=face(), fontsize=13)
    _beside(ax, result.price, f"{result.price:,.0f}", boxed=True)
    ax.set_title(f"{result.price:,.0f} 進場的多單槓桿階梯", color=INK, fontproperties=face(), fontsize=20)
    ax.set_xlabel(f"{datetime.now(UTC):%Y-%m-%d}", color=MUTED)
    return _saved(figure, ax)
