"""Maintenance tiers as venues published them: every version, and when each was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update

from storage import schema
from storage.bulk import insert_rows
from storage.instants import epoch, utc
from storage.store import Db
from storage.versions import Stored


class TierRow(NamedTuple):
    """From ``floor`` on the rate is ``rate`` (a share), less ``deduction``."""

    floor: float
    rate: float
    deduction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A perpetual of a venue; ``kind`` is linear or inverse."""

    venue: str
    code: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The tiers of a contract: unchanged from ``known_at`` to when they were last ``seen_at``.

    ``by_size``: floors are of the position's size, else of its value.
    """

    contract: Contract
    source: str
    by_size: bool
    known_at: datetime
    seen_at: datetime
    rows: tuple[TierRow, ...]


async def known(db: Db, contract: Contract, *, at: datetime) -> Table | None:
    """The tiers as they were known at an instant; None where none were. Never seen later than then."""
    t, r = schema.tier_tables.c, schema.tiers.c
    row = (
        await db.execute(
            select(schema.tier_tables)
            .where(
                t.venue == contract.venue,
                t.code == contract.code,
                t.kind == contract.kind,
                t.known_at <= epoch(at),
            )
            .order_by(t.known_at.desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    rows = await db.execute(
        select(r.floor, r.rate, r.deduction).where(r.table_id == row.id).order_by(r.floor)
    )
    return Table(
        contract=contract,
        source=row.source,
        by_size=row.by_size,
        known_at=utc(row.known_at),
        seen_at=min(utc(row.seen_at), at),
        rows=tuple(TierRow._make(one) for one in rows),
    )


async def store(
    db: Db, contract: Contract, rows: Sequence[TierRow], *, by_size: bool, source: str, now: datetime
) -> Stored:
    """Keep a table as it is now: a new version where anything changed, else the old one was seen again."""
    t = schema.tier_tables
    before = await known(db, contract, at=now)
    if before is not None and (before.rows, before.by_size, before.source) == (tuple(rows), by_size, source):
        await db.execute(
            update(t)
            .where(
                t.c.venue == contract.venue,
                t.c.code == contract.code,
                t.c.kind == contract.kind,
                t.c.known_at == epoch(before.known_at),
            )
            .values(seen_at=epoch(now))
        )
        return Stored(added=0, unchanged=len(rows), revised=0)
    table_id = await db.scalar(
        insert(t)
        .values(
            venue=contract.venue,
            code=contract.code,
            kind=contract.kind,
            source=source,
            by_size=by_size,
            # Two versions of one second stay in their order.
            known_at=epoch(now) if before is None else max(epoch(now), epoch(before.known_at) + 1),
            seen_at=epoch(now),
        )
        .returning(t.c.id)
    )
    values = [(table_id, *row) for row in rows]
    await insert_rows(db, schema.tiers, ("table_id", *TierRow._fields), values)
    n = len(values)
    return Stored(added=n if before is None else 0, unchanged=0, revised=0 if before is None else n)
