"""Longer bars out of shorter ones."""

from __future__ import annotations

from collections import defaultdict

from analysis.levels import Interval
from providers import gate
from providers.shapes import Bar, Bars


def build(parts: Bars, interval: Interval) -> Bars:
    """Bars of ``interval`` from the whole ones it is made of, each of them closed.

    Where a part is missing no bar is made: a source that leaves out bars without trades
    cannot be told from one that lost a row, and a bar from half its time would stand for
    the whole of it. Another source has to fill the gap. What has begun and is not over is
    the unfinished bar, made of what there is of it from its opening on.
    """
    step = int(interval.length.total_seconds())
    groups: defaultdict[int, list[Bar]] = defaultdict(list)
    for part in parts.closed:
        groups[part.opened_at // step * step].append(part)
    closed = [
        _joined(group, opened, step)
        for opened, group in groups.items()
        if sum(part.closed_at - part.opened_at for part in group) == step
    ]
    unfinished = None
    newest = parts.unfinished or (parts.closed[-1] if parts.closed else None)
    if newest is not None:
        opened = newest.opened_at // step * step
        running = groups.get(opened, []) + ([parts.unfinished] if parts.unfinished else [])
        begun = running[0].opened_at == opened and running[-1].closed_at - opened == sum(
            part.closed_at - part.opened_at for part in running
        )
        if begun and not any(bar.opened_at == opened for bar in closed):
            unfinished = _joined(running, opened, step)
    return gate.made(closed, unfinished, unknown=parts.unknown)


def _joined(parts: list[Bar], opened: int, step: int) -> Bar:
    volumes = [part.volume for part in parts if part.volume is not None]
    return Bar(
        opened,
        opened + step,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(volumes) if len(volumes) == len(parts) else None,
    )
