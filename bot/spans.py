"""Which span of a series one call asks for, how far its answer brings the feed, and what is missing in it.

Everything in epoch seconds; a span begins at its first and ends before its second.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from bot.feeds import BarFeed
from providers.shapes import Bars
from storage.feeds import Progress
from storage.instants import epoch

OVERLAP: Final = 24
"""Bars before the end of what is known that every poll asks for again."""


def floor(feed: BarFeed, now: datetime, since: datetime | None) -> int:
    """The opening of the oldest bar that is wanted and can be had."""
    wanted = epoch(now - feed.depth if since is None else since) // feed.step * feed.step
    if feed.source.REACH is None:
        return wanted
    return max(wanted, (epoch(now) // feed.step - feed.source.REACH + 1) * feed.step)


def newest(feed: BarFeed, known: Progress, now: datetime) -> tuple[int, int]:
    """From a little before what is known on; the newest page when nothing is."""
    end = (epoch(now) // feed.step + 1) * feed.step
    newest_page = end - feed.source.LIMIT * feed.step
    if known.covered_until is None:
        return max(newest_page, floor(feed, now, None)), end
    start = known.covered_until // feed.step * feed.step - OVERLAP * feed.step
    if feed.source.REACH is not None:
        start = max(start, end - feed.source.REACH * feed.step)
    return start, min(end, start + feed.source.LIMIT * feed.step)


def older(feed: BarFeed, oldest: int, *, lowest: int) -> tuple[int, int]:
    """The page that ends with the oldest bar that is known: an answer without it is no answer."""
    end = oldest + feed.step
    return max(lowest, end - feed.source.LIMIT * feed.step), end


def again(feed: BarFeed, missing: int, *, lowest: int) -> tuple[int, int]:
    """The page that ends with the bar after a missing one: what is missing before it comes along."""
    end = missing + 2 * feed.step
    return max(lowest, end - feed.source.LIMIT * feed.step), end


def covered_until(known: Progress, found: Bars, end: int, *, is_newest: bool) -> int:
    """What the source has answered about ends with its last closed bar, or where bars after it were asked for."""
    last = max((bar.closed_at for bar in found.closed), default=known.covered_until or 0)
    if not is_newest:
        # A page of the past that reached its end: what is not in it will not come.
        last = max(last, end)
    return max(last, known.covered_until or 0)


def reaches_on(covered_since: int | None, lowest: int) -> bool:
    """Whether there is anything to ask for from before the known span."""
    return covered_since is not None and covered_since > lowest


def share(covered: tuple[int | None, int], lowest: int, now: datetime) -> float:
    """How much of all that is wanted is there, by time."""
    since = lowest if covered[0] is None else max(covered[0], lowest)
    return min(max((covered[1] - since) / max(epoch(now) - lowest, 1), 0.0), 1.0)


def missing(feed: BarFeed, there: Collection[int]) -> list[int]:
    """Openings without a bar between the first and the last of those that are there, while the market was open."""
    if not there:
        return []
    between = range(min(there), max(there), feed.step)
    return [opened for opened in between if opened not in there and feed.expects(opened)]
