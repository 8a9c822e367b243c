"""Instruments and their series of bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, true, update

from analysis.errors import UserError
from analysis.freshness import Freshness, freshness, of_bars
from analysis.levels import Interval
from storage import schema
from storage.instants import CloseRule, epoch, utc
from storage.store import Db

UNNAMED: Final = 100
"""The preference of a venue that nobody named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Bars of one interval of one instrument at one venue.

    ``id`` is the instrument's. ``close_rule`` says when a daily bar closes (00:00 UTC, or
    17:00 New York of the trade date). Without ``ohlc`` only closes are known. ``is_sample``
    until rows from anywhere but the shipped sample were stored.
    """

    id: int
    code: str
    interval: Interval
    venue: str
    symbol: str
    quote: str
    kind: str
    source: str
    close_rule: CloseRule
    label: str
    ohlc: bool
    is_sample: bool

    @property
    def rests(self) -> bool:
        """Whether it trades only in the hours of US futures."""
        return self.close_rule == "new_york_17"


def _series(of_series: ColumnElement[bool] | None = None) -> Select[*tuple[Any, ...]]:
    i, s, o = schema.instruments.c, schema.series.c, schema.sources.c
    joined = and_(i.id == s.instrument_id, true() if of_series is None else of_series)
    return (
        select(
            i.id,
            i.code,
            i.venue,
            i.symbol,
            i.quote,
            i.kind,
            i.close_rule,
            i.label,
            s.interval,
            s.has_ohlc,
            o.name,
            o.is_sample,
        )
        .outerjoin_from(schema.instruments, schema.series, joined)
        .outerjoin(schema.sources, s.source_id == o.id)
    )


def _made(row: Row[*tuple[Any, ...]], interval: Interval | None = None) -> Series:
    return Series(
        id=row.id,
        code=row.code,
        interval=interval or Interval(row.interval),
        venue=row.venue,
        symbol=row.symbol,
        quote=row.quote,
        kind=row.kind,
        source=row.name or "",
        close_rule=cast("CloseRule", row.close_rule),
        label=row.label,
        ohlc=bool(row.has_ohlc),
        is_sample=bool(row.is_sample),
    )


async def find(
    db: Db,
    code: str,
    interval: Interval,
    *,
    at: datetime,
    reach: timedelta = timedelta(0),
    better: timedelta = timedelta(0),
) -> Series | None:
    """The series that answers for ``code`` at ``interval`` at that instant; None while it has no bars.

    Live ones go before the sample, those that reach back for ``reach`` before those that
    do not. Of the rest the first in the order of preference whose newest bar is not stale
    (as on the cards; hours without trading do not count), one that reaches back for ``better``
    before one that does not; else the one with the newest bar.
    """
    i, s = schema.instruments.c, schema.series.c
    rows = await db.execute(
        _series()
        .where(i.code == code.upper(), s.interval == str(interval), s.source_id.is_not(None))
        .order_by(i.preference, i.rank)
    )
    candidates = [_made(row) for row in rows]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    ends = [await _ends(db, series, at) for series in candidates]

    def order(place: int) -> tuple[bool, bool, bool, bool, int, bool, int]:
        series = candidates[place]
        if ends[place] is None:
            return True, series.is_sample, True, True, 0, True, place
        first, last = ends[place] or (0, 0)
        short = first > epoch(at - reach)
        rhythm = of_bars(interval.length, rests=series.rests)
        stale = freshness(utc(last), at, rhythm) is Freshness.STALE
        worse = first > epoch(at - better)
        return False, series.is_sample, short, stale, -last if stale else 0, worse, place

    return candidates[min(range(len(candidates)), key=order)]


async def _ends(db: Db, series: Series, at: datetime) -> tuple[int, int] | None:
    """Opening of the first and close of the last bar closed by ``at``: two looks along the primary key."""
    b = schema.bars.c
    ours = and_(
        b.instrument_id == series.id,
        b.interval == str(series.interval),
        b.opened_at < epoch(at),
        b.closed_at <= epoch(at),
    )
    last = await db.scalar(select(b.closed_at).where(ours).order_by(b.opened_at.desc()).limit(1))
    if last is None:
        return None
    first = await db.scalar(select(b.opened_at).where(ours).order_by(b.opened_at).limit(1))
    return int(first), int(last)


async def at_venue(db: Db, venue: str, symbol: str, interval: Interval) -> Series:
    """The series of an instrument of ours; ``mark`` makes it when it is new."""
    i = schema.instruments.c
    rows = await db.execute(
        _series(schema.series.c.interval == str(interval)).where(i.venue == venue, i.symbol == symbol)
    )
    return _made(rows.one(), interval)


async def prefer(db: Db, venues: Sequence[str]) -> None:
    """Keep the order in which venues answer; one that is not named comes after those that are."""
    i = schema.instruments
    named = {venue.casefold(): place for place, venue in enumerate(venues)}
    for row in list(await db.execute(select(i.c.id, i.c.venue, i.c.preference))):
        place = named.get(row.venue.casefold(), UNNAMED)
        if place != row.preference:
            await db.execute(update(i).where(i.c.id == row.id).values(preference=place))


async def stored(db: Db) -> list[Series]:
    """Every series that has bars, by code, then the instrument's rank, then interval."""
    i, s = schema.instruments.c, schema.series.c
    rows = await db.execute(_series().where(s.source_id.is_not(None)).order_by(i.code, i.rank, s.interval))
    return [_made(row) for row in rows]


async def with_candles(db: Db) -> list[Series]:
    """The series that candles can be drawn from, one a code, finest interval first."""
    s = schema.series.c
    rows = await db.execute(
        _series().where(s.source_id.is_not(None), s.has_ohlc).order_by(schema.instruments.c.id)
    )
    best: dict[str, Series] = {}
    for row in rows:
        series = _made(row)
        if series.interval in {Interval.M30, Interval.D1} and (
            series.code not in best or series.interval is Interval.M30
        ):
            best[series.code] = series
    return list(best.values())


async def codes(db: Db) -> list[str]:
    """Every code an import may name; instruments that are only fetched stand in for them or beside them."""
    i = schema.instruments.c
    rows = await db.execute(select(i.code).where(i.rank == 0).group_by(i.code).order_by(func.min(i.id)))
    return list(rows.scalars())


async def to_fill(db: Db, code: str, interval: Interval) -> Series:
    """The series that bars of ``code`` at ``interval`` belong to; ``mark`` makes it when it is new.

    Raises UserError for a code nobody knows.
    """
    i, s = schema.instruments.c, schema.series.c
    rows = await db.execute(
        _series(s.interval == str(interval))
        .where(i.code == code.upper())
        # The instrument that has this interval, else the first of the code.
        .order_by(s.interval.is_(None), i.rank)
        .limit(1)
    )
    row = rows.first()
    if row is None:
        known = await codes(db)
        raise UserError("{instrument} is not known; known are {known}.", instrument=code, known=tuple(known))
    return _made(row, interval)


async def mark(db: Db, series: Series, *, source_id: int, is_sample: bool, ohlc: bool) -> None:
    """Note where the newest rows of a series came from. The sample never takes over from live rows."""
    s = schema.series.c
    ours = and_(s.instrument_id == series.id, s.interval == str(series.interval))
    if await db.scalar(select(s.instrument_id).where(ours)) is None:
        await db.execute(
            insert(schema.series).values(
                instrument_id=series.id, interval=str(series.interval), has_ohlc=ohlc, source_id=source_id
            )
        )
        return
    # Left alone where it says so already: what is kept from it stays true.
    differs = or_(s.source_id.is_distinct_from(source_id), s.has_ohlc.is_distinct_from(ohlc))
    statement = update(schema.series).where(ours, differs)
    if is_sample:
        statement = statement.where(s.source_id.is_(None))
    await db.execute(statement.values(source_id=source_id, has_ohlc=ohlc))
