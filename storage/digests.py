"""Digests: what a server wants told, where, and at which hour of its own clock."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import String, bindparam, delete, func, insert, or_, select, update

from storage import schema
from storage.instants import epoch, utc
from storage.store import Db

BOTH: Final = "both"
"""The language of a digest that is written in Chinese and English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One report of a digest, and the options it is asked with."""

    report: str
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A digest. ``local_time`` is on the clock of ``zone``; ``days`` as in ``bot/schedule.py``.

    ``latest_time`` (later than ``local_time``, both on one date): wait until the figures are
    final, but no longer than that. ``language`` is ``en``, ``zh-TW`` or ``both``.

    Only occurrences after ``since`` count: set it to now with every change of time, zone or
    days and when a pause ends. ``planned_through`` is the last local date that was dealt with:
    no change ever brings a second post on it. ``next_at`` is a memory of the next occurrence,
    null where it has to be worked out.

    ``paused`` says why (``moderator``, ``refused``), ``refused`` counts confirmed refusals
    since the last post that worked, ``note`` is the last thing moderators should know
    (``skipped``, ``refused``, ``unsure``, ``failed``).
    """

    id: int = 0
    server_id: int
    channel_id: int
    parts: tuple[Part, ...]
    local_time: time
    zone: str
    days: str = "every"
    language: str = "en"
    ping_role: int | None = None
    latest_time: time | None = None
    since: datetime
    planned_through: date | None = None
    next_at: datetime | None = None
    paused: str | None = None
    refused: int = 0
    note: str | None = None
    noted_at: datetime | None = None
    created_by: int | None
    created_at: datetime
    changed_by: int | None = None
    changed_at: datetime | None = None


async def add(db: Db, schedule: Schedule) -> int:
    """Keep a new digest; returns its id."""
    values = _row(schedule)
    del values["id"]
    done = await db.execute(insert(schema.digest_schedules).values(values))
    key = done.inserted_primary_key
    return int(key[0]) if key is not None else 0


async def change(db: Db, schedule: Schedule) -> bool:
    """Make ``schedule`` what is kept under its id; False if it is gone. Its next occurrence is worked out anew."""
    t = schema.digest_schedules
    values = _row(replace(schedule, next_at=None))
    done = await db.execute(update(t).where(t.c.id == schedule.id).values(values))
    return bool(done.rowcount)


async def remove(db: Db, schedule_id: int) -> None:
    """Forget a digest. What is being sent at this moment may still arrive; nothing else will."""
    t = schema.digest_schedules
    await db.execute(delete(t).where(t.c.id == schedule_id))


async def find(db: Db, schedule_id: int) -> Schedule | None:
    t = schema.digest_schedules
    row = (await db.execute(select(t).where(t.c.id == schedule_id))).mappings().first()
    return None if row is None else _schedule(row)


async def find_all(db: Db, schedule_ids: Collection[int]) -> dict[int, Schedule]:
    """Those that are there, by id."""
    t = schema.digest_schedules
    rows = (await db.execute(select(t).where(t.c.id.in_(schedule_ids)))).mappings()
    return {row["id"]: _schedule(row) for row in rows}


async def of_server(db: Db, server_id: int) -> list[Schedule]:
    """A server's digests, oldest first."""
    t = schema.digest_schedules
    rows = (await db.execute(select(t).where(t.c.server_id == server_id).order_by(t.c.id))).mappings()
    return [_schedule(row) for row in rows]


async def due(db: Db, now: datetime, *, most: int) -> list[Schedule]:
    """Digests with an occurrence by ``now``, or whose next one is not worked out."""
    t = schema.digest_schedules
    waits = or_(t.c.next_at.is_(None), t.c.next_at <= epoch(now))
    query = select(t).where(t.c.paused.is_(None), waits).order_by(t.c.next_at, t.c.id).limit(most)
    return [_schedule(row) for row in (await db.execute(query)).mappings()]


async def next_due(db: Db) -> datetime | None:
    """The earliest occurrence that is known to come."""
    t = schema.digest_schedules
    found = await db.scalar(select(func.min(t.c.next_at)).where(t.c.paused.is_(None)))
    return None if found is None else utc(found)


async def forget_next(db: Db) -> None:
    """Have every next occurrence worked out anew: the clocks of a zone may have new rules."""
    await db.execute(update(schema.digest_schedules).values(next_at=None))


async def planned(db: Db, through: Mapping[int, tuple[date | None, datetime]]) -> None:
    """Note, by digest, that every date up to one is dealt with (None leaves that as it is), and when the next comes."""
    t = schema.digest_schedules
    await db.execute(
        update(t)
        .where(t.c.id == bindparam("digest"))
        .values(
            next_at=bindparam("next"),
            planned_through=func.coalesce(bindparam("through", type_=String), t.c.planned_through),
        ),
        [
            {"digest": number, "next": epoch(next_at), "through": None if day is None else day.isoformat()}
            for number, (day, next_at) in through.items()
        ],
    )


async def note(db: Db, schedule_id: int, what: str, *, now: datetime) -> None:
    """Tell moderators something the next time they look."""
    t = schema.digest_schedules
    await db.execute(update(t).where(t.c.id == schedule_id).values(note=what, noted_at=epoch(now)))


async def refusal(db: Db, schedule_id: int) -> int:
    """Count a refusal that Discord has confirmed; returns how many there are since the last post."""
    t = schema.digest_schedules
    await db.execute(update(t).where(t.c.id == schedule_id).values(refused=t.c.refused + 1))
    return int(await db.scalar(select(t.c.refused).where(t.c.id == schedule_id)) or 0)


async def posted(db: Db, schedule_ids: Collection[int]) -> None:
    """A post of each has worked: refusals before it count no more."""
    t = schema.digest_schedules
    await db.execute(update(t).where(t.c.id.in_(schedule_ids), t.c.refused > 0).values(refused=0))


async def pause(db: Db, schedule_id: int, why: str) -> None:
    t = schema.digest_schedules
    await db.execute(update(t).where(t.c.id == schedule_id).values(paused=why, next_at=None))


_TIMES: Final = ("since", "next_at", "noted_at", "created_at", "changed_at")
_CLOCKS: Final = ("local_time", "latest_time")


def _row(schedule: Schedule) -> dict[str, Any]:
    values = asdict(schedule)
    values["reports"] = json.dumps([[part.report, dict(part.words)] for part in schedule.parts])
    del values["parts"]
    for name in _TIMES:
        values[name] = None if values[name] is None else epoch(values[name])
    for name in (*_CLOCKS, "planned_through"):
        values[name] = None if values[name] is None else values[name].isoformat()
    return values


def _schedule(row: Mapping[Any, Any]) -> Schedule:
    values = {str(name): value for name, value in row.items()}
    told = json.loads(values.pop("reports"))
    values["parts"] = tuple(Part(report=report, words=words) for report, words in told)
    for name in _TIMES:
        values[name] = None if values[name] is None else utc(values[name])
    for name in _CLOCKS:
        values[name] = None if values[name] is None else time.fromisoformat(values[name])
    through = values["planned_through"]
    values["planned_through"] = None if through is None else date.fromisoformat(through)
    return Schedule(**values)
