"""Average true range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ATR_BARS = 14


def true_range(
    high: NDArray[np.float64], low: NDArray[np.float64], close: NDArray[np.float64]
) -> NDArray[np.float64]:
    """TR_t = max(H - L, |H - C_(t-1)|, |L - C_(t-1)|), in price, oldest first.

    The first bar has no close before it: its true range is H - L.
    """
    ranges = high - low
    before = close[:-1]
    ranges[1:] = np.maximum(ranges[1:], np.maximum(np.abs(high[1:] - before), np.abs(low[1:] - before)))
    return ranges


def atr(
    high: NDArray[np.float64], low: NDArray[np.float64], close: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Wilder's ATR14 at each bar, that bar included; in price, oldest first.

    The mean of the first 14 true ranges, NaN before there are as many, then
    ATR_t = (13 ATR_(t-1) + TR_t) / 14 (J. Welles Wilder, New Concepts in Technical
    Trading Systems, 1978).
    """
    ranges: list[float] = true_range(high, low, close).tolist()
    if len(ranges) < ATR_BARS:
        return np.full(len(ranges), np.nan)
    average = sum(ranges[:ATR_BARS]) / ATR_BARS
    before = [np.nan] * (ATR_BARS - 1) + [average]
    return np.array(before + _averages(average, ranges[ATR_BARS:]))


def atr_after(
    known: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``atr`` at the bars after those at which it is ``known``; prices are those of all bars."""
    if len(known) < ATR_BARS:
        return atr(high, low, close)[len(known) :]
    last = len(known) - 1
    ranges: list[float] = true_range(high[last:], low[last:], close[last:])[1:].tolist()
    return np.array(_averages(float(known[last]), ranges))


def _averages(average: float, ranges: list[float]) -> list[float]:
    averages = []
    for value in ranges:
        average = ((ATR_BARS - 1) * average + value) / ATR_BARS
        averages.append(average)
    return averages
