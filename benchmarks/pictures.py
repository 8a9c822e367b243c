"""How long a picture takes, beside the usual ways of making the same one.

    python benchmarks/pictures.py [--rounds 15]

Every way draws 1280x720 with 400 dark candles, volume, six labelled levels, a zone, the tag
of the price and a title in Chinese, once a round in turn, so that a busy machine slows them
all; medians and their ratios are printed. mplfinance takes part when it is installed
(``pip install mplfinance six``); the bot does not need it.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import statistics
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from PIL import Image

from analysis.charts import levels as chart
from analysis.charts import text
from analysis.charts.look import Look
from analysis.levels import (
    AirPocket,
    Candles,
    Floor,
    Interval,
    Level,
    Levels,
    LevelState,
    State,
)

mpl.use("Agg")

BARS, SECONDS = 400, 1800
START = datetime(2026, 1, 28, tzinfo=UTC)
BOOK = (83_500.0, 80_600.0, 77_000.0, 73_600.0, 56_100.0, 40_000.0)
TITLE = "BTC 30 分 · 下一層支撐 56,100"
UP, DOWN, GROUND, INK = "#2bc48a", "#f0474f", "#0e1218", "#eef2f7"


def answer() -> Levels:
    """A made-up fall from 90,000 to 66,000 through four of six levels."""
    steps = np.arange(BARS + 1)
    noise = np.random.default_rng(7).normal(0, 180, BARS + 1).cumsum()
    path = np.linspace(90_000, 66_000, BARS + 1) + noise - np.linspace(0, noise[-1], BARS + 1)
    opens, closes = path[:-1], path[1:]
    price, atr = float(closes[-1]), 3500.0
    end = START + timedelta(seconds=SECONDS * BARS)
    states = tuple(
        LevelState(
            level=Level(price=level, label=f"level of {level:,.0f}"),
            state=State.BROKEN if level > price else State.ABOVE,
            since=end - timedelta(hours=20) if level > price else None,
            first_close_below=None,
            distance_pct=100 * (level / price - 1),
            distance_atr=abs(level - price) / atr,
            bars_held=None,
            bars_needed=None,
            invalidation=None,
            retested_at=None,
            events=(),
        )
        for level in BOOK
    )
    floor = next(s for s in states if s.level.price < price)
    return Levels(
        as_of=end,
        instrument="BTC",
        venue="made up",
        quote="USDT",
        interval=Interval.M30,
        source="made up",
        price=price,
        price_at=end,
        change_24h_pct=-5.0,
        atr_1d=atr,
        low=float(closes.min()),
        low_at=end,
        candles=Candles(
            opened_at=int(START.timestamp()) + SECONDS * np.arange(BARS, dtype=np.int64),
            open=opens,
            high=np.maximum(opens, closes) + 120,
            low=np.minimum(opens, closes) - 150,
            close=closes,
            volume=1000 + 800 * np.cos(steps[1:] / 3),
        ),
        levels=states,
        next_floor=Floor(
            price=floor.level.price,
            label=floor.level.label,
            distance_pct=floor.distance_pct,
            distance_atr=floor.distance_atr,
        ),
        air_pocket=AirPocket(top=73_600.0, bottom=56_100.0, gap_pct=-23.8, gap_atr=-17_500 / atr),
        price_interval=Interval.M30,
        is_sample=False,
    )


def ours(result: Levels) -> bytes:
    return chart.draw(result, Look(), lambda message: message).png


def ours_unseen(result: Levels) -> bytes:
    """The same when not one of its words was ever drawn before."""
    text.bitmap.cache_clear()
    return ours(result)


def usual(result: Levels) -> bytes:
    """As tutorials do it: a pyplot figure per picture, a patch per candle, a layout measured at the end."""
    import matplotlib.pyplot as plt  # noqa: TID251 (the very thing to compare with)

    bars = frame(result)
    figure, (ax, below) = plt.subplots(
        2, 1, figsize=(12.8, 7.2), dpi=100, sharex=True, height_ratios=[5, 1], facecolor=GROUND
    )
    for colour, side in ((UP, bars[bars.Close >= bars.Open]), (DOWN, bars[bars.Close < bars.Open])):
        ax.bar(side.index, side.Close - side.Open, 0.016, bottom=side.Open, color=colour)
        ax.bar(side.index, side.High - side.Low, 0.003, bottom=side.Low, color=colour)
        below.bar(side.index, side.Volume, 0.016, color=colour)
    for level in BOOK:
        ax.axhline(level, color="#ffc247")
        ax.annotate(f"{level:,.0f} {100 * (level / result.price - 1):+.1f} %", (1.01, level),
                    xycoords=("axes fraction", "data"), color=INK, fontsize=16)  # fmt: skip
    ax.axhspan(56_100, 73_600, alpha=0.15)
    ax.annotate(f"{result.price:,.0f}", (1.01, result.price), xycoords=("axes fraction", "data"),
                bbox={"facecolor": INK}, fontsize=16)  # fmt: skip
    ax.set_title(TITLE, color=INK, fontproperties=face(), fontsize=20)
    for panel in (ax, below):
        panel.set_facecolor(GROUND)
        panel.tick_params(colors=INK, labelsize=13)
        panel.grid(alpha=0.2)
    figure.tight_layout()
    out = io.BytesIO()
    figure.savefig(out, facecolor=GROUND)
    plt.close(figure)
    return out.getvalue()


def mplfinance_way(result: Levels) -> bytes:
    import matplotlib.pyplot as plt  # noqa: TID251 (mplfinance hands out pyplot figures)
    import mplfinance as mpf  # type: ignore[import-not-found, unused-ignore]  # optional

    figure, axes = mpf.plot(
        frame(result), type="candle", volume=True, style="nightclouds", figsize=(12.8, 7.2), returnfig=True,
        hlines={"hlines": list(BOOK), "colors": ["#ffc247"] * len(BOOK)},
    )  # fmt: skip
    for level in BOOK:
        axes[0].text(BARS, level, f"{level:,.0f} {100 * (level / result.price - 1):+.1f} %", fontsize=16)
    axes[0].axhspan(56_100, 73_600, alpha=0.15)
    axes[0].text(BARS, result.price, f"{result.price:,.0f}", bbox={"facecolor": INK}, fontsize=16)
    axes[0].set_title(TITLE, fontproperties=face(), fontsize=20)
    out = io.BytesIO()
    figure.savefig(out, dpi=100)
    plt.close(figure)
    return out.getvalue()


def face() -> mpl.font_manager.FontProperties:
    fonts = Path(text.__file__).parent / "fonts"
    return mpl.font_manager.FontProperties(fname=str(fonts / "LeadlineSansTC-Regular.otf"))


def frame(result: Levels) -> pd.DataFrame:
    bars = result.candles
    return pd.DataFrame(
        {"Open": bars.open, "High": bars.high, "Low": bars.low, "Close": bars.close, "Volume": bars.volume},
        index=pd.to_datetime(bars.opened_at, unit="s"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    result = answer()
    ways: dict[str, Callable[[Levels], bytes]] = {"matplotlib as usually written": usual}
    if importlib.util.find_spec("mplfinance"):
        ways["mplfinance"] = mplfinance_way
    ways |= {"Leadline, no word known": ours_unseen, "Leadline": ours}

    sizes: dict[str, float] = {}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for name, draw in ways.items():
        png = draw(result)  # unmeasured: imports, fonts, palettes
        sizes[name] = len(png) / 1000
        with Image.open(io.BytesIO(png)) as image:
            if image.size != (1280, 720):
                raise SystemExit(f"{name}: {image.size}")
    for _ in range(rounds):
        for name, draw in ways.items():
            begun = time.perf_counter()
            draw(result)
            took[name].append(1000 * (time.perf_counter() - begun))

    medians = {name: statistics.median(times) for name, times in took.items()}
    anchors = [name for name in ("matplotlib as usually written", "mplfinance") if name in ways]
    print(f"| {'way':30} | median ms |    kB |" + "".join(f" x {name} |" for name in anchors))
    print("|---|---:|---:|" + "---:|" * len(anchors))
    for name, median in medians.items():
        ratios = "".join(f" {medians[a] / median:{len(a) + 2}.1f} |" for a in anchors)
        print(f"| {name:30} | {median:9.1f} | {sizes[name]:5.0f} |{ratios}")


if __name__ == "__main__":
    main()
