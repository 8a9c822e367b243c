"""What is not there: which series, how far it reaches, and when it is asked for again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Final, TypeVar

from analysis.errors import NoData, UserError
from bot.reports.shapes import Asked
from storage import feeds

Query = TypeVar("Query")
Result = TypeVar("Result")
Answer = Callable[[Query, Asked], Awaitable[Result]]

UNDER_WAY: Final = timedelta(minutes=5)
"""How long after its time a try may still be under way."""


def naming_feeds(
    answer: Answer[Query, Result], wanted: Callable[[Query], Collection[str]]
) -> Answer[Query, Result]:
    """``answer``, whose NoData is followed by how the feeds of that question are doing.

    ``wanted`` names them without their source: ``BTC:30m``, ``BTC:flows``.
    """

    async def answered(query: Query, asked: Asked) -> Result:
        try:
            return await answer(query, asked)
        except NoData as error:
            error.then = await _next_try(asked, wanted(query))
            raise

    return answered


async def _next_try(asked: Asked, wanted: Collection[str]) -> UserError | None:
    """A sentence about the feed that is tried first; None where nothing was ever to be fetched, or
    where rows came after the instant asked about.
    """
    async with asked.store.read() as db:
        every = await feeds.status(db)
    ours = [one for one in every if one.name.partition(":")[2] in wanted]
    newest = max((one.newest_at for one in ours if one.newest_at is not None), default=None)
    waiting = [(one.next_try_at or asked.at, one.label) for one in ours]
    if not waiting or (newest is not None and newest > asked.at):
        return None
    return _sentence(*min(waiting), newest=newest, at=asked.at)


def _sentence(next_try: datetime, series: str, *, newest: datetime | None, at: datetime) -> UserError:
    if next_try < at - UNDER_WAY:
        return UserError(
            "{series} was to be fetched at {time} and was not: nothing fetches at present.",
            series=series,
            time=next_try,
        )
    if newest is None:
        return UserError(
            "{series} has not arrived yet; the next try is at {time}.", series=series, time=max(next_try, at)
        )
    return UserError(
        "What there is of it reaches to {newest}; the next try, of {series}, is at {time}.",
        newest=newest,
        series=series,
        time=max(next_try, at),
    )
