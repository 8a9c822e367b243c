"""What the pictures show: made-up candles, and the reports on the shipped sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from analysis.flows import Flows
from analysis.ladder import Ladder
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
from analysis.margin import Margin
from analysis.stress import Stress
from bot.reports import REPORTS
from bot.reports.shapes import Asked
from storage import sample

BARS, SECONDS = 400, 1800
START = datetime(2026, 1, 28, tzinfo=UTC)
SELL_OFF = datetime(2026, 2, 5, 18, tzinfo=UTC)
BOOK = (83_500.0, 80_600.0, 77_000.0, 73_600.0, 56_100.0, 40_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One result a report, each as its picture takes it."""

    levels: Levels
    flows: Flows
    silver_margin: Margin
    stress: Stress
    ladder: Ladder


async def results() -> Results:
    store = await sample.open_in_memory()

    async def of(report: str, **words: str) -> Any:
        one = REPORTS[report]
        return await one.answer(one.read(words, SELL_OFF), Asked(store=store, at=SELL_OFF))

    made = Results(
        levels=candles(),
        flows=await of("flows", since="2025-09-29"),
        silver_margin=await of("silver-margin"),
        stress=await of("stress"),
        ladder=await of("ladder"),
    )
    await store.close()
    return made


def candles() -> Levels:
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
