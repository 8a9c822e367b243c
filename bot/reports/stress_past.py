"""The closes behind ``stress``, read once and then only those that came since; and the answer they gave.

Between two closes the answer is the same, but for its age. What is kept (``storage/past.py``) answers
questions of now: one as of an instant before the last close kept reads for itself.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from analysis.closes import Alignment, Close
from analysis.freshness import ARRIVING, freshness
from analysis.stress import Stress
from analysis.verdict import REQUIRED, VOTERS
from bot.reports.stress_read import closes_of, dated
from storage.instruments import Series
from storage.store import Db

MOST_ANSWERS: Final = 8
_FEW: Final = 100
"""Closes that are dated at once."""
_RECENT: Final = 10
Closes = Mapping[str, list[Close]]


@dataclass(slots=True)
class ClosesPast:
    """Closes by series and alignment; one caller at a time, who holds its turn."""

    _kept: dict[tuple[int, str, Alignment], list[Close]] = field(default_factory=dict)
    _answers: OrderedDict[Hashable, Stress] = field(default_factory=OrderedDict)

    @property
    def through(self) -> datetime | None:
        """When the last close kept here was made."""
        return max((closes[-1].closed_at for closes in self._kept.values() if closes), default=None)

    async def read(self, db: Db, series: Mapping[str, Series], alignment: Alignment, at: datetime) -> Closes:
        """All closes made by ``at``, by instrument code."""
        known = {
            code: self._kept.get((one.id, str(one.interval), alignment), []) for code, one in series.items()
        }
        # One look for all of them, from the end of the one that ends first; one for those of which nothing is kept.
        begun = {code: one for code, one in series.items() if known[code]}
        ends = [known[code][-1].closed_at for code in begun]
        made = await closes_of(
            db, {code: series[code] for code in series.keys() - begun.keys()}, alignment, at
        )
        if begun:
            made |= await closes_of(db, begun, alignment, at, since=min(ends) - timedelta(days=1))
        for code, one in series.items():
            last = known[code][-1].closed_at.timestamp() if known[code] else -1
            new = [each for each in made[code] if each[0] > last]
            if new:
                more = (
                    dated(new, alignment)
                    if len(new) < _FEW
                    else await asyncio.to_thread(dated, new, alignment)
                )
                known[code] = known[code] + more
                self._kept[one.id, str(one.interval), alignment] = known[code]
        return known

    def answer(self, key: Hashable, at: datetime) -> Stress | None:
        """What the same closes gave before, if nothing but its age would be another now."""
        found = self._answers.get(key)
        if found is None or freshness(found.closed_at, at, found.alignment.rhythm) is not found.freshness:
            return None
        return replace(found, as_of=at)

    def keep(self, key: Hashable, answer: Stress) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)


def is_settled(closes: Closes, at: datetime) -> bool:
    """Whether no close of the last session may still be arriving, which would make the answer one of its minute."""
    last = [closes[code][-1] for code in VOTERS if code != "BTC" and closes.get(code)]
    if not last:
        return True
    newest = max(last, key=lambda close: close.date)
    told = all(newest.date in {close.date for close in closes.get(code, [])[-_RECENT:]} for code in REQUIRED)
    return told or at - max(close.closed_at for close in last) >= ARRIVING


def mark(series: Mapping[str, Series], closes: Closes) -> Hashable:
    """Tells these closes apart from any others: a stored bar never changes."""
    return tuple((one, len(closes[code]), tuple(closes[code][-1:])) for code, one in series.items())
