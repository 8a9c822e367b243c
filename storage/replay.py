"""What one store holds, handed to another as it became known: bars when they closed, figures when they were told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, FromClause, Table, delete, func, insert, select, update

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db, Store

_EVER: Final = utc(-1)
"""Before all: what was always known is known at 0."""
_AT_A_TIME: Final = 1_000
"""Rows in one statement."""

_LASTING: Final = (
    schema.sources,
    schema.instruments,
    schema.series,
    schema.etf_funds,
    schema.levels,
)
"""What there is to know something about; copied whole, in an order in which every parent is there first."""


class _Told(NamedTuple):
    """Rows of ``table``, and the column, of itself or of what it belongs to, that says when they were known."""

    table: Table
    known: Column[int]
    rows: FromClause


_TOLD: Final = (
    _Told(schema.bars, schema.bars.c.closed_at, schema.bars),
    _Told(schema.daily_rollups, schema.daily_rollups.c.closed_at, schema.daily_rollups),
    _Told(schema.bar_revisions, schema.bar_revisions.c.known_at, schema.bar_revisions),
    _Told(schema.flow_versions, schema.flow_versions.c.known_at, schema.flow_versions),
    _Told(schema.fund_flows, schema.flow_versions.c.known_at, schema.fund_flows.join(schema.flow_versions)),
    _Told(schema.margin_changes, schema.margin_changes.c.known_at, schema.margin_changes),
    _Told(schema.macro_observations, schema.macro_observations.c.known_at, schema.macro_observations),
)

Rows = list[dict[str, Any]]


class News(NamedTuple):
    """What became known at one instant, by table."""

    at: datetime
    rows: Mapping[Table, Rows]

    @property
    def has_flows(self) -> bool:
        return schema.flow_versions in self.rows

    @property
    def has_margins(self) -> bool:
        return schema.margin_changes in self.rows

    @property
    def has_long_bars(self) -> bool:
        """Whether a bar of more than half an hour is among it: with such a one a session has closed."""
        return any(row["interval"] != "30m" for row in self.rows.get(schema.bars, ()))


async def between(db: Db, after: datetime, until: datetime) -> list[News]:
    """What became known after ``after`` and by ``until``, oldest first."""
    found: dict[int, dict[Table, Rows]] = {}
    for table, known, rows in _TOLD:
        query = (
            select(table, known.label("_known"))
            .select_from(rows)
            .where(known > epoch(after), known <= epoch(until))
            .order_by(known)
        )
        for row in (await db.execute(query)).mappings():
            values = dict(row)
            found.setdefault(values.pop("_known"), {}).setdefault(table, []).append(values)
    return [News(utc(at), found[at]) for at in sorted(found)]


async def last_known(db: Db) -> datetime | None:
    """When the last of it all became known."""
    latest = [await db.scalar(select(func.max(known)).select_from(rows)) for _, known, rows in _TOLD]
    return max((utc(at) for at in latest if at is not None), default=None)


async def begin(source: Store, target: Store, at: datetime) -> None:
    """Make ``target``, empty until now, hold what was known by ``at``."""
    async with source.read() as db:
        lasting = {
            table: [dict(row) for row in (await db.execute(select(table))).mappings()] for table in _LASTING
        }
        known = await between(db, _EVER, at)
    async with target.write() as db:
        for table in reversed(_LASTING):
            await db.execute(delete(table))
        for table, rows in lasting.items():
            await _insert(db, table, rows)
        for table, _, _ in _TOLD:
            await _insert(db, table, [row for news in known for row in news.rows.get(table, ())])


async def learn(db: Db, news: News) -> None:
    """Add what became known at one instant."""
    for table, rows in news.rows.items():
        await _insert(db, table, rows)


async def wind_back(db: Db, to: datetime) -> None:
    """Take away what became known after ``to``; digests and alerts, whoever set them, begin there anew."""
    flows, at = schema.flow_versions.c, epoch(to)
    late = select(flows.id).where(flows.known_at > at)
    await db.execute(delete(schema.fund_flows).where(schema.fund_flows.c.version_id.in_(late)))
    for table, known, rows in _TOLD:
        if rows is table:
            await db.execute(delete(table).where(known > at))
    await db.execute(delete(schema.outbox).where(schema.outbox.c.due_at > at))
    await db.execute(
        update(schema.digest_schedules).values(
            since=at, planned_through=None, next_at=None, note=None, noted_at=None
        )
    )
    await db.execute(delete(schema.alert_crossings).where(schema.alert_crossings.c.noted_at > at))
    await db.execute(delete(schema.alert_series))
    anew = {"phase": "new", "due": None, "seen": None, "muted_until": None, "quiet_until": None, "note": None}
    await db.execute(update(schema.alerts).values(since=at, fired_at=None, noted_at=None, **anew))


async def _insert(db: Db, table: Table, rows: Rows) -> None:
    for first in range(0, len(rows), _AT_A_TIME):
        await db.execute(insert(table), rows[first : first + _AT_A_TIME])
