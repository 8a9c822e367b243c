"""Levels found in the bars themselves: where price has turned several times.

Pivots (fractals), joined into bands no wider than a share of ATR14 and scored by how
often, how hard and how lately price turned there. Closed bars in, prices out; what becomes
of them is judged by ``analysis.breaks`` like any other level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

CONFIRMING: Final = 3
"""Bars on each side of a pivot; it exists only once the later ones have closed."""
BAND_ATR: Final = 0.5
"""Half the widest band, in ATR14 of the last bar."""
FEWEST_TOUCHES: Final = 3
APART: Final = 2 * CONFIRMING + 1
"""Bars between two touches that count as two: fewer, and one swing would be counted twice."""
HALF_LIFE: Final = 120
"""Bars after which a touch counts half."""
LONGEST_BACK: Final = 10 * HALF_LIFE
"""Bars looked at: an older touch would count less than a thousandth."""
STRONGEST_TOUCH: Final = 3.0
"""A reaction counts for at most as many ATR14."""
MOST: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoLevel:
    """A band's centre, how many separate touches it has, and its score beside the best one's (0-1)."""

    price: float
    touches: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivots:
    """Confirmed pivots, oldest first.

    ``bar`` is the index of the pivot itself, known ``CONFIRMING`` bars later;
    ``reaction_atr`` how far price left it within those bars, in ATR14 of the last of them.
    Nothing here can change afterwards.
    """

    bar: NDArray[np.int64]
    price: NDArray[np.float64]
    reaction_atr: NDArray[np.float64]


def pivots(high: NDArray[np.float64], low: NDArray[np.float64], atr: NDArray[np.float64]) -> Pivots:
    """Bars whose high is the highest, or whose low the lowest, of themselves and ``CONFIRMING`` on each side.

    Of equal neighbours the first is the pivot. Bars without an ATR14 yet confirm nothing.
    """
    width = 2 * CONFIRMING + 1
    if len(high) < width:
        nothing = np.array([], dtype=np.float64)
        return Pivots(bar=np.array([], dtype=np.int64), price=nothing, reaction_atr=nothing)
    highs, lows = sliding_window_view(high, width), sliding_window_view(low, width)
    known = ~np.isnan(atr[width - 1 :])
    # argmax and argmin give the first of equals; a window with a NaN gives that one's place.
    tops = np.flatnonzero((np.argmax(highs, axis=1) == CONFIRMING) & known)
    bottoms = np.flatnonzero((np.argmin(lows, axis=1) == CONFIRMING) & known)
    fell = high[tops + CONFIRMING] - lows[tops, CONFIRMING + 1 :].min(axis=1)
    rose = highs[bottoms, CONFIRMING + 1 :].max(axis=1) - low[bottoms + CONFIRMING]
    starts = np.concatenate([tops, bottoms])
    price = np.concatenate([high[tops + CONFIRMING], low[bottoms + CONFIRMING]])
    reaction = np.concatenate([fell, rose]) / atr[starts + width - 1]
    kept = np.flatnonzero(np.isfinite(price) & np.isfinite(reaction))
    order = kept[np.lexsort((price[kept], starts[kept]))]
    return Pivots(bar=starts[order] + CONFIRMING, price=price[order], reaction_atr=reaction[order])


def find(
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    atr: NDArray[np.float64],
    *,
    taken: Sequence[tuple[float, float]] = (),
) -> tuple[AutoLevel, ...]:
    """At most ``MOST`` levels of these closed bars, the strongest first; ``atr`` is their ATR14.

    Pivots, from the lowest price up, join a band while its centre (the mean) is within
    eps = ``BAND_ATR`` ATR14 of the last bar. A band is a level if it was touched at least
    ``FEWEST_TOUCHES`` times, ``APART`` bars or more from one to the next, and its mean
    reaction is an ATR14 or more. Its score is the sum of
    2^(-age / ``HALF_LIFE``) min(reaction / ATR14, ``STRONGEST_TOUCH``) over its pivots, age in
    bars since the pivot, divided by the best level's.

    ``taken`` are levels somebody chose, each with its buffer: nothing within the buffer, or
    within eps, of one of them or of a stronger band is a level of its own.
    """
    if not len(high) or np.isnan(atr[-1]):
        return ()
    found = pivots(*(values[-LONGEST_BACK:] for values in (high, low, atr)))
    age = min(len(high), LONGEST_BACK) - 1 - found.bar
    weight = np.exp2(-age / HALF_LIFE) * np.minimum(found.reaction_atr, STRONGEST_TOUCH)
    eps = BAND_ATR * float(atr[-1])
    bands = []
    for band in _bands(found.price, eps):
        touches = _separate(np.sort(found.bar[band]).tolist())
        if touches >= FEWEST_TOUCHES and found.reaction_atr[band].mean() >= 1:
            bands.append((float(weight[band].sum()), _rounded(float(found.price[band].mean())), touches))
    bands.sort(reverse=True)
    best = 0.0
    levels: list[AutoLevel] = []
    for score, price, touches in bands:
        chosen = (abs(price - other) <= max(buffer, eps) for other, buffer in taken)
        if any(chosen) or any(abs(price - level.price) <= eps for level in levels):
            continue
        best = best or score
        levels.append(AutoLevel(price=price, touches=touches, score=score / best))
        if len(levels) == MOST:
            break
    return tuple(levels)


def _bands(price: NDArray[np.float64], eps: float) -> list[list[int]]:
    """Indices of pivots, one list for each band."""
    bands: list[list[int]] = []
    total = 0.0
    for index in np.argsort(price, kind="stable").tolist():
        if bands and price[index] - total / len(bands[-1]) <= eps:
            bands[-1].append(index)
            total += float(price[index])
        else:
            bands.append([index])
            total = float(price[index])
    return bands


def _separate(bars: Sequence[int]) -> int:
    """How many of these bars, oldest first, lie ``APART`` or more after the last one counted."""
    count, counted = 0, -APART
    for bar in bars:
        if bar - counted >= APART:
            count, counted = count + 1, bar
    return count


def _rounded(price: float) -> float:
    """To the decimals a price of its size is shown with: a mean of a few highs knows no more."""
    return round(price, 0 if price >= 10_000 else 2 if price >= 1 else 6)
