"""Results made by hand, for pictures: what the report would hand over, without market data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.charts.look import Look, Palette, Theme
from analysis.levels import (
    AirPocket,
    Candles,
    Event,
    Floor,
    Interval,
    Level,
    Levels,
    LevelState,
    State,
)

THEMES: tuple[Theme, ...] = ("dark", "light")
PALETTES: tuple[Palette, ...] = ("intl", "tw", "cb")
LOOKS = [Look(theme=theme, palette=palette) for theme in THEMES for palette in PALETTES]
START = datetime(2026, 1, 28, tzinfo=UTC)
BOOK = ((83_500.0, "November low"), (77_000.0, "April low"), (73_600.0, "near the March 2024 high"),
        (56_100.0, "September range"), (40_000.0, "round number"))  # fmt: skip


def candles(count: int, *, seconds: int = 1800, first: float = 90_000.0, last: float = 66_000.0) -> Candles:
    """A fall with waves in it, always the same."""
    steps = np.arange(count + 1)
    path = np.linspace(first, last, count + 1) + 900 * np.sin(steps / 5) + 300 * np.sin(steps * 1.7)
    opens, closes = path[:-1], path[1:]
    return Candles(
        opened_at=int(START.timestamp()) + seconds * np.arange(count, dtype=np.int64),
        open=opens,
        high=np.maximum(opens, closes) + 120,
        low=np.minimum(opens, closes) - 150,
        close=closes,
        volume=1000 + 800 * np.cos(steps[1:] / 3),
    )


def levels(
    bars: Candles | int = 336,
    *,
    book: Sequence[tuple[float, str]] = BOOK,
    state: State | None = None,
    atr: float | None = 3000.0,
    interval: Interval = Interval.M30,
    instrument: str = "BTC",
    source: str = "Binance perpetual",
) -> Levels:
    """A whole result around ``bars``; levels above the price are broken, those below hold, unless told."""
    found = candles(bars) if isinstance(bars, int) else bars
    price = float(found.close[-1])
    end = datetime.fromtimestamp(int(found.opened_at[-1]), UTC) + interval.length
    states = [
        _state(Level(price=p, label=label), price, atr, end, state)
        for p, label in sorted(book, key=lambda row: -row[0])
    ]
    above = [s for s in states if s.level.price > price]
    below = [s for s in states if s.level.price <= price]
    floor = pocket = None
    if below:
        floor = Floor(
            price=below[0].level.price,
            label=below[0].level.label,
            distance_pct=below[0].distance_pct,
            distance_atr=below[0].distance_atr,
        )
    if above and below:
        top, bottom = above[-1].level.price, below[0].level.price
        pocket = AirPocket(
            top=top,
            bottom=bottom,
            gap_pct=100 * (top - bottom) / top,
            gap_atr=(top - bottom) / atr if atr else None,
        )
    deepest = int(np.nanargmin(found.low))
    return Levels(
        as_of=end,
        instrument=instrument,
        venue="binance",
        quote="USDT",
        interval=interval,
        source=source,
        price=price,
        price_at=end,
        change_24h_pct=-3.2,
        atr_1d=atr,
        low=float(found.low[deepest]),
        low_at=datetime.fromtimestamp(int(found.opened_at[deepest]), UTC),
        candles=found,
        levels=tuple(states),
        next_floor=floor,
        air_pocket=pocket,
    )


def _state(level: Level, price: float, atr: float | None, end: datetime, told: State | None) -> LevelState:
    state = told or (State.BROKEN if level.price > price else State.ABOVE)
    broke = end - timedelta(hours=30)
    events = (
        Event(time=broke, opened_at=broke - timedelta(minutes=30), before=State.ABOVE, after=State.BREAKING),
        Event(time=broke + timedelta(minutes=30), opened_at=broke, before=State.BREAKING, after=State.BROKEN),
    )
    counting = state in (State.BREAKING, State.RECLAIMING)
    return LevelState(
        level=level,
        state=state,
        since=broke + timedelta(minutes=30) if state is State.BROKEN else None,
        first_close_below=broke if state is State.BROKEN else None,
        distance_pct=100 * (level.price / price - 1),
        distance_atr=abs(level.price - price) / atr if atr else None,
        bars_held=1 if counting else None,
        bars_needed=8 if counting else None,
        invalidation=None,
        retested_at=None,
        events=events if state is State.BROKEN else (),
    )
