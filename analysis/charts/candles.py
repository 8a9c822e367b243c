"""Bars in time to columns of pixels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.charts.scale import Scale, TimeAxis
    from analysis.levels import Candles, Running

# Pixels: narrower bars are merged, up to _TOUCHING they fill their column, from
# _ROOMY on there is room for a rim of two and from _BROAD on for a heavier wick.
_NARROWEST, _TOUCHING, _ROOMY, _BROAD, _WIDEST = 2, 4, 9, 21, 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Candles on whole pixels, oldest first: edges of the bodies, prices, and volume per bar."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def boxes(
        self, scale: Scale, *, rising: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Wicks, bodies and the hollows within rising bodies, as rows of left, top, right, bottom."""
        chosen = (self.close >= self.open) == rising
        left, right = self.left[chosen], self.right[chosen]
        width = int((right - left).min(initial=_WIDEST))
        wick = 3 if width >= _BROAD else 1
        wick_left = left + (right - left - wick) // 2
        high, low = np.rint(scale.y(self.high[chosen])), np.rint(scale.y(self.low[chosen]))
        ends = np.rint(scale.y(np.stack([self.open[chosen], self.close[chosen]])))
        # A bar that closed where it opened is still a line to be seen.
        top, bottom = ends.min(axis=0), np.maximum(ends.max(axis=0), ends.min(axis=0) + 1)
        wicks = np.stack([wick_left, high, wick_left + wick, np.maximum(low, high + 1)], axis=1)
        bodies = np.stack([left, top, right, bottom], axis=1)
        rim = 2 if width >= _ROOMY else 1
        hollows = bodies + np.array((rim, rim, -rim, -rim))
        seen = (hollows[:, 3] > hollows[:, 1]) & (rising and width > _TOUCHING)
        return wicks, bodies, hollows[seen]

    def volumes(self, scale: Scale, *, rising: bool) -> NDArray[np.float64]:
        """Bars from the scale's zero, at least a pixel high where anything was traded."""
        chosen = ((self.close >= self.open) == rising) & (self.volume > 0)
        top = np.minimum(np.rint(scale.y(self.volume[chosen])), scale.bottom - 1)
        return np.stack([self.left[chosen], top, self.right[chosen], np.full(len(top), scale.bottom)], axis=1)

    def followed_by(self, other: Columns) -> Columns:
        """These candles and, after them, others."""
        names = [one.name for one in fields(self)]
        return Columns(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        )

    def outline(self, scale: Scale) -> NDArray[np.float64]:
        """The room every candle takes from its high to its low: what labels keep clear of."""
        return np.stack([self.left, scale.y(self.high), self.right, scale.y(self.low)], axis=1)


def columns(candles: Candles, axis: TimeAxis, seconds: int) -> Columns:
    """Place bars of ``seconds`` on ``axis``; bars without finite prices are left out.

    Where a bar has less than two pixels, the bars that share a pair of pixels become one
    candle with their first open, highest high, lowest low, last close and mean volume.
    """
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    sound = np.isfinite(prices).all(axis=0)
    opens, highs, lows, closes = prices[:, sound]
    volume = np.nan_to_num(candles.volume[sound], nan=0.0, posinf=0.0, neginf=0.0)
    edge = axis.left + (candles.opened_at[sound] - axis.start) * axis.per_second
    pitch = seconds * axis.per_second
    if pitch < _NARROWEST and len(edge):
        pair = np.floor(edge / _NARROWEST)
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        return Columns(
            left=pair[first] * _NARROWEST,
            right=pair[first] * _NARROWEST + _NARROWEST,
            open=opens[first],
            high=np.maximum.reduceat(highs, first),
            low=np.minimum.reduceat(lows, first),
            close=closes[np.append(first[1:], len(closes)) - 1],
            volume=np.add.reduceat(volume, first) / np.diff(np.append(first, len(volume))),
        )
    if pitch < _TOUCHING:
        left, right = np.rint(edge), np.rint(edge + pitch)
    else:
        body = _body(pitch)
        left = np.rint(edge + (pitch - body) / 2)
        right = left + body
    return Columns(left=left, right=right, open=opens, high=highs, low=lows, close=closes, volume=volume)


def running(bar: Running, axis: TimeAxis, seconds: int) -> Columns:
    """The bar that runs as one column, never too narrow to be seen as hollow."""
    pitch = seconds * axis.per_second
    body = max(_body(pitch), _ROOMY)
    # Beside the last candle, also where it is broader than its own time.
    left = np.rint(axis.x(bar.opened_at.timestamp()) + max((pitch - body) / 2, 1.0))
    return Columns(
        left=np.array([left]),
        right=np.array([left + body]),
        open=np.array([bar.open]),
        high=np.array([bar.high]),
        low=np.array([bar.low]),
        close=np.array([bar.close]),
        volume=np.zeros(1),
    )


def _body(pitch: float) -> int:
    """Width of a body: about two thirds of its column, and odd, so that the wick is central."""
    body = max(3, min(int(pitch * 0.7), _WIDEST))
    return body - 1 + body % 2
