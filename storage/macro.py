"""Macro observations, as of an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from storage import schema, sources
from storage.bulk import insert_rows
from storage.instants import epoch, macro_known, utc
from storage.store import Db
from storage.versions import Stored, Tally, known_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One value of a series in the series' own unit, the day it is dated and the instant it was known."""

    series: str
    dated: date
    value: float
    known_at: datetime
    source: str
    is_sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One row of a publisher's table. ``known_at`` in epoch seconds; null: by ``instants.macro_known``."""

    dated: date
    value: float
    released: date | None = None
    known_at: int | None = None


async def known(db: Db, series: str, *, at: datetime, since: date | None = None) -> list[Observation]:
    """The values of ``series`` dated ``since`` or later, oldest first, each as it was known at ``at``."""
    m, o = schema.macro_observations.c, schema.sources.c
    wanted = [m.series == series, m.known_at <= epoch(at)]
    if since is not None:
        wanted.append(m.date >= since.isoformat())
    newest = {
        row.date: row
        for row in await db.execute(
            select(m.date, m.known_at, m.value, o.name, o.is_sample)
            .join_from(schema.macro_observations, schema.sources, m.source_id == o.id)
            .where(*wanted)
            .order_by(m.date, m.known_at, m.id)
        )
    }
    return [
        Observation(
            series=series,
            dated=date.fromisoformat(row.date),
            value=row.value,
            known_at=utc(row.known_at),
            source=row.name,
            is_sample=row.is_sample,
        )
        for row in newest.values()
    ]


async def store(
    db: Db, series: str, rows: Sequence[Published], *, source: str, now: datetime, is_sample: bool = False
) -> Stored:
    """Add a version for every day whose value is new or changed."""
    source_id = await sources.keep(db, source, is_sample=is_sample)
    m = schema.macro_observations.c
    before: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in await db.execute(
        select(m.date, m.known_at, m.value).where(m.series == series).order_by(m.known_at, m.id)
    ):
        before[row.date].append((row.known_at, row.value))
    tally = Tally()
    versions: list[tuple[str, str, int, float, int]] = []
    for published in rows:
        day = published.dated.isoformat()
        known_at = known_from(
            before[day],
            published.value,
            known_at=published.known_at,
            first_known_at=macro_known(series, published.dated, published.released),
            now=epoch(now),
            is_sample=is_sample,
        )
        tally.note(is_new=known_at is not None, had_versions=bool(before[day]))
        if known_at is not None:
            versions.append((series, day, known_at, published.value, source_id))
    await insert_rows(
        db, schema.macro_observations, ("series", "date", "known_at", "value", "source_id"), versions
    )
    return tally.stored()
