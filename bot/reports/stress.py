"""``stress``: is it stress or rotation, and does bitcoin move with stocks, gold or the dollar."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from analysis import depth, stress
from analysis.closes import Alignment, comparable
from analysis.levels import Interval
from analysis.sessions import INSTRUMENTS
from analysis.stress import Long, Stress, View
from bot.language import N_
from bot.reports import missing, stress_kept
from bot.reports.shapes import Asked, Option, Report, Words, choice
from bot.reports.stress_json import as_json
from bot.reports.stress_read import closes_of, daily, within_the_day
from bot.reports.stress_table import as_table
from bot.reports.stress_words import say
from bot.reports.windows import start_date

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
    async with asked.store.read() as db:
        days = await daily(db, asked.at)
        long = await closes_of(db, days, Alignment.DAILY, asked.at)
        series = await within_the_day(db, asked.at)
        alignment = Alignment.PRINT
        closes = await closes_of(db, series, alignment, asked.at)
        if not comparable(closes, INSTRUMENTS, asked.at):
            series, alignment, closes = days, Alignment.DAILY, long
        kept = await stress_kept.read(db)

    def judged() -> Stress:
        return stress.assess(
            closes,
            as_of=asked.at,
            since=query.since,
            sources={code: one.source for code, one in series.items()},
            alignment=alignment,
            is_sample=any(one.is_sample for one in series.values()),
            history=depth.known_history(long, asked.at, stress_kept.history_of(kept)),
            long=None
            if alignment is Alignment.DAILY
            else Long(closes=long, sources={code: one.source for code, one in days.items()}),
            view=query.view,
        )

    # In a thread: the verdict is found anew at every close there is, some 40 ms of arithmetic.
    return await asyncio.to_thread(judged)


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
