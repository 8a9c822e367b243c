"""Bars as a pandas frame, and longer bars made from shorter ones.

A frame of bars is, throughout this package, one instrument at one interval, closed
bars only, oldest first. The index is ``opened_at``, the first column ``closed_at``,
both int64 epoch seconds UTC as in the store; ``open``, ``high``, ``low``, ``close``
and ``volume`` are float64 in the units of the venue. This module is the only one that
imports pandas when it runs: the processes that draw read results without paying for it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.columns import Bars
from analysis.levels import Interval

PRICES = ("open", "high", "low", "close", "volume")
BarTuple = tuple[int, int, float, float, float, float, float]
StoredBar = tuple[int, int, float | None, float | None, float | None, float, float | None]
"""A series may be known by its closes alone; what is not known becomes NaN."""


def bars_frame(rows: Iterable[StoredBar]) -> pd.DataFrame:
    """A frame of bars from rows in the order of the store.

    ``rows``: opened_at and closed_at in epoch seconds UTC, open, high, low, close,
    volume; oldest first, no two with the same opening. Raises ValueError if not in
    that order: a frame that is quietly sorted hides a wrong query.
    """
    columns = list(zip(*rows, strict=True)) or [()] * 7
    opened_at = np.array(columns[0], dtype=np.int64)
    if not np.all(opened_at[1:] > opened_at[:-1]):
        raise ValueError("bars must be oldest first, each opening once")
    data = {"closed_at": np.array(columns[1], dtype=np.int64)}
    prices = {
        name: np.array(values, dtype=np.float64) for name, values in zip(PRICES, columns[2:], strict=True)
    }
    return pd.DataFrame(data | prices, index=pd.Index(opened_at, name="opened_at"))


def frame_of(bars: Bars) -> pd.DataFrame:
    """The same bars as a frame."""
    data = {name: getattr(bars, name) for name in ("closed_at", *PRICES)}
    return pd.DataFrame(data, index=pd.Index(bars.opened_at, name="opened_at"))


def resample(frame: pd.DataFrame, interval: Interval) -> pd.DataFrame:
    """Bars of ``interval`` from shorter ones, on boundaries counted from the UTC epoch.

    Only complete bars: a bar counts only if the bars it is made from fill it without
    a hole, so neither a gap nor the running hour makes one. Bars that already have
    this interval come back unchanged.
    """
    length = int(interval.length.total_seconds())
    opened_at = frame.index.to_numpy(dtype=np.int64)
    boundary = pd.Index(opened_at - opened_at % length, name="opened_at")
    grouped = frame.assign(filled=frame["closed_at"] - opened_at).groupby(boundary, sort=False)
    bars = grouped.agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
        filled=("filled", "sum"),
    )
    bars = bars[bars.pop("filled") == length]
    bars.insert(0, "closed_at", bars.index.to_numpy(dtype=np.int64) + length)
    return bars
