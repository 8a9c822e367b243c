"""``stress``: is it stress or rotation, and does bitcoin move with stocks, gold or the dollar."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from analysis import depth, stress
from analysis.closes import Alignment, comparable
from analysis.levels import Interval
from analysis.sessions import INSTRUMENTS
from analysis.stress import Long, Stress, View
from bot.language import N_
from bot.reports import missing, stress_kept, stress_past
from bot.reports.shapes import Asked, Option, Report, Words, choice
from bot.reports.stress_json import as_json
from bot.reports.stress_past import Closes, ClosesPast
from bot.reports.stress_read import daily, within_the_day
from bot.reports.stress_table import as_table
from bot.reports.stress_words import say
from bot.reports.windows import start_date
from storage.instruments import Series
from storage.kept import Kept
from storage.past import Held
from storage.store import Db

VIEWS: Final = (
    (View.BOARD.value, N_("Board: seven markets and the verdict")),
    (View.INDEX.value, N_("Index: how unusual this is")),
    (View.CORRELATION.value, N_("Correlation: what moves with bitcoin")),
    (View.HISTORY.value, N_("History: index, turbulence, one factor")),
)
"""What the choices are called where they are picked from."""
SINCE = Option(
    name="since", help=N_("Compare with the close of: 7d, 1/28 or 2026-01-28 (default five New York days)")
)
VIEW = Option(
    name="view",
    help=N_("What to look at: board (default), index, correlation or history"),
    choices=tuple(view.value for view in View),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StressQuery:
    """A checked question; ``since`` is a New York trade date, null for five of them."""

    since: date | None = None
    view: View = View.BOARD


def read(words: Words, now: datetime) -> StressQuery:
    since = words.get("since", "").strip()
    return StressQuery(
        since=start_date(since, now) if since else None, view=View(choice(words, VIEW, View.BOARD.value))
    )


def write(query: StressQuery) -> dict[str, str]:
    words = {"since": query.since.isoformat()} if query.since else {}
    return words if query.view is View.BOARD else words | {"view": query.view.value}


async def answer(query: StressQuery, asked: Asked) -> Stress:
    """Query -> rows -> closes -> result. Raises UserError when it cannot be answered."""
    past, at = asked.store.past, asked.at
    kept = not asked.store.readonly
    while True:
        held = past.hold(ClosesPast.__name__, ClosesPast) if kept else Held(ClosesPast())
        async with held.turn:
            if held.what.through is not None and held.what.through > at:
                kept = False
                continue
            async with asked.store.read() as db:
                if kept and not past.holds(ClosesPast.__name__, held):
                    continue
                read = await _read(db, held.what, at)
                key = query, read.mark, await stress_kept.stamp(db)
                found = held.what.answer(key, at)
                known = None if found is not None else await stress_kept.read(db)
        if found is not None:
            return found
        # In a thread: the verdict is found anew at every close there is, some 40 ms of arithmetic.
        made = await asyncio.to_thread(_judged, query, read, at, known)
        if read.is_settled(at):
            held.what.keep(key, made)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Daily closes, and those that are judged: prices within the day, or the daily ones again."""

    days: Mapping[str, Series]
    long: Closes
    series: Mapping[str, Series]
    closes: Closes
    alignment: Alignment

    @property
    def mark(self) -> Hashable:
        return (
            self.alignment,
            stress_past.mark(self.days, self.long),
            stress_past.mark(self.series, self.closes),
        )

    def is_settled(self, at: datetime) -> bool:
        return stress_past.is_settled(self.long, at) and stress_past.is_settled(self.closes, at)


async def _read(db: Db, past: ClosesPast, at: datetime) -> _Read:
    days = await daily(db, at)
    long = await past.read(db, days, Alignment.DAILY, at)
    series = await within_the_day(db, at)
    closes = await past.read(db, series, Alignment.PRINT, at)
    if comparable(closes, INSTRUMENTS, at):
        return _Read(days=days, long=long, series=series, closes=closes, alignment=Alignment.PRINT)
    return _Read(days=days, long=long, series=days, closes=long, alignment=Alignment.DAILY)


def _judged(query: StressQuery, read: _Read, at: datetime, kept: Kept | None) -> Stress:
    return stress.assess(
        read.closes,
        as_of=at,
        since=query.since,
        sources={code: one.source for code, one in read.series.items()},
        alignment=read.alignment,
        is_sample=any(one.is_sample for one in read.series.values()),
        history=depth.known_history(read.long, at, stress_kept.history_of(kept)),
        long=None
        if read.alignment is Alignment.DAILY
        else Long(closes=read.long, sources={code: one.source for code, one in read.days.items()}),
        view=query.view,
    )


def _feeds(query: StressQuery) -> list[str]:  # noqa: ARG001 -- the same for every question
    return [f"{code}:{Interval.H1 if code == 'BTC' else Interval.D1}" for code in INSTRUMENTS]


REPORT: Final = Report(
    name="stress",
    about=N_("Stress or rotation: seven markets side by side, the verdict and why"),
    options=(SINCE, VIEW),
    menu=VIEW.name,
    menu_choices=VIEWS,
    read=read,
    write=write,
    answer=missing.naming_feeds(answer, _feeds),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
