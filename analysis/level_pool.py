"""Counts at arbitrary levels in all bars of a series: made apart, kept as JSON, and known again by their bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from analysis import columns, level_rates
from analysis.columns import Bars
from analysis.level_rates import Counts
from analysis.levels import Interval, history

if TYPE_CHECKING:
    from analysis.frames import StoredBar

METHOD: Final = 1
"""To be raised when the same bars would give other counts: what was kept of another method is not read."""


def made(rows: Sequence[StoredBar], interval: Interval, weekends: bool) -> dict[str, Any]:  # noqa: FBT001 -- handed over to another process by place
    """From the rows of the store, in the order of ``analysis.frames``: days for days, else 30-minute bars."""
    from analysis import frames  # pandas: a second to load, in the process that counts

    frame = frames.bars_frame(rows)
    if interval is not Interval.D1:
        frame = frames.resample(frame, interval)
    if frame.empty:
        return {"bars": []}
    counts = level_rates.arbitrary(history(frame, interval, weekends=weekends))
    return {
        "bars": _bars(columns.of_frame(frame)),
        "times": counts.times.tolist(),
        "cases": counts.cases.tolist(),
    }


def counts(plain: Mapping[str, Any], bars: Bars) -> Counts | None:
    """What was kept, if it was counted in ``bars`` and no others."""
    if not len(bars) or plain["bars"] != _bars(bars):
        return None
    return level_rates.counts(plain["times"], plain["cases"])


def _bars(bars: Bars) -> list[int]:
    """A stored bar never changes: method, number, first and last tell these from any others."""
    return [METHOD, len(bars), int(bars.opened_at[0]), int(bars.closed_at[-1])]
