"""Real bars for the tests of this package."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from analysis.frames import BarTuple

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def sell_off() -> list[BarTuple]:
    """The 30-minute bars of BTCUSDT, 20 January to 6 February 2026, as the store gives them."""
    with (DATA / "btc_usdt_perp_30m.csv").open(newline="") as lines:
        bars: list[BarTuple] = []
        for row in csv.DictReader(lines):
            opened_at = int(datetime.fromisoformat(row["open_time"]).timestamp())
            open_, high, low, close = (float(row[name]) for name in ("open", "high", "low", "close"))
            bars.append((opened_at, opened_at + 1800, open_, high, low, close, float(row["volume"])))
        return bars
