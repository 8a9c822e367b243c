"""How far alerts are judged: which of them a bar moves, what happened to them, and what is told of it.

For the evaluator alone; people come through ``storage/alerts.py``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, union, update

from analysis.alerts import Bar, Kind, Phase, Step, reach
from analysis.levels import Interval
from storage import schema
from storage.alerts import Alert, Crossing, alert_of, crossing_of
from storage.instants import epoch, utc
from storage.store import Db

CROSSINGS_KEPT: Final = timedelta(days=30)
"""After they were noted: as long as posts."""
OF_PRICE: Final = tuple(str(kind) for kind in Kind if kind.of_price)
_NOT_JUDGED: Final = (Phase.NEW, Phase.WATCHING)


class Group(NamedTuple):
    """Alerts that wait for the same bars."""

    subject: str
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How far a group is judged: its last bar, and the instrument that bar is of."""

    instrument_id: int
    last: Bar


async def groups(db: Db) -> list[Group]:
    """Every group that somebody waits for."""
    t = schema.alerts.c
    rows = await db.execute(
        select(t.subject, t.interval).where(t.interval.is_not(None)).group_by(t.subject, t.interval)
    )
    return [Group(row.subject, Interval(row.interval)) for row in rows]


async def judged(db: Db, group: Group) -> Judged | None:
    """None while no bar was judged, or nobody has waited since."""
    t = schema.alert_series
    row = (await db.execute(select(t).where(*_same(t.c, group)))).first()
    if row is None:
        return None
    last = Bar(
        number=row.bars,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        high=row.close,
        low=row.close,
        close=row.close,
        atr=row.atr,
    )
    return Judged(instrument_id=row.instrument_id, last=last)


async def keep_judged(db: Db, group: Group, found: Judged) -> None:
    await forget_judged(db, group)
    last = found.last
    values = {
        "subject": group.subject,
        "interval": str(group.interval),
        "instrument_id": found.instrument_id,
        "opened_at": last.opened_at,
        "closed_at": last.closed_at,
        "close": last.close,
        "atr": last.atr,
        "bars": last.number,
    }
    await db.execute(insert(schema.alert_series).values(values))


async def forget_judged(db: Db, group: Group) -> None:
    t = schema.alert_series
    await db.execute(delete(t).where(*_same(t.c, group)))


async def has_any(db: Db, group: Group, *, new: bool) -> bool:
    """Whether the group has alerts that were not judged yet; or, not ``new``, that were."""
    t = schema.alerts.c
    is_new = t.phase == Phase.NEW if new else t.phase != Phase.NEW
    return await db.scalar(select(t.id).where(*_same(t, group), is_new).limit(1)) is not None


async def new_of(db: Db, group: Group, *, most: int) -> list[Alert]:
    """Alerts of the group that were not judged yet."""
    t = schema.alerts
    query = select(t).where(*_same(t.c, group), t.c.phase == Phase.NEW).order_by(t.c.id).limit(most)
    return [alert_of(row) for row in (await db.execute(query)).mappings()]


async def moved_by(db: Db, group: Group, bar: Bar) -> list[Alert]:
    """The alerts that ``bar`` may move, in order: along the index, without a look at the others."""
    t = schema.alerts
    if bar.atr is None or bar.after_gap:
        # Whatever was known is not any more, of each.
        known = t.c.phase.not_in([*_NOT_JUDGED, Phase.UNKNOWN])
        query = select(t).where(*_same(t.c, group), known).order_by(t.c.id)
        return [alert_of(row) for row in (await db.execute(query)).mappings()]
    ways = (select(t.c.id).where(*_same(t.c, group), *way) for way in _ways(bar))
    query = select(t).where(t.c.id.in_(union(*ways))).order_by(t.c.id)
    return [alert_of(row) for row in (await db.execute(query)).mappings()]


def _ways(bar: Bar) -> list[tuple[ColumnElement[bool], ...]]:
    """Phase by phase the prices that the bar is beyond, and the counts that are full with it."""
    t = schema.alerts.c
    over, under = reach(bar)
    counting, idle = t.due.is_not(None), t.due.is_(None)

    def at(phase: Phase, *further: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
        return (t.phase == phase, *further)

    return [
        at(Phase.UNKNOWN, t.price < over),
        at(Phase.UNKNOWN, t.price > under),
        at(Phase.ABOVE, t.price > under),
        at(Phase.RECLAIMED, t.price > under),
        at(Phase.BROKEN, t.price < over),
        at(Phase.BREAKING, t.price < over),
        at(Phase.BREAKING, t.price <= bar.close, counting),
        at(Phase.BREAKING, t.price > bar.close, idle),
        at(Phase.RECLAIMING, t.price > under),
        at(Phase.RECLAIMING, t.price >= bar.close, counting),
        at(Phase.RECLAIMING, t.price < bar.close, idle),
        (t.due <= bar.number,),
        at(Phase.OVER, t.price >= bar.low),
        at(Phase.UNDER, t.price <= bar.high),
        at(Phase.TOUCHED, t.price < min(over, bar.low)),
        at(Phase.TOUCHED, t.price > max(under, bar.high)),
    ]


async def move(db: Db, alert_id: int, to: Step) -> None:
    t = schema.alerts
    await db.execute(update(t).where(t.c.id == alert_id).values(phase=to.phase, due=to.due))


async def others(db: Db) -> list[Alert]:
    """Every alert that waits for no price."""
    t = schema.alerts
    query = select(t).where(t.c.kind.not_in(OF_PRICE)).order_by(t.c.kind, t.c.subject, t.c.id)
    return [alert_of(row) for row in (await db.execute(query)).mappings()]


async def saw(db: Db, alert: Alert, seen: str) -> None:
    """What an alert of no price has seen last."""
    t = schema.alerts
    await db.execute(update(t).where(t.c.id == alert.id).values(seen=seen, phase=Phase.WATCHING))


async def by_id(db: Db, alert_ids: Collection[int]) -> list[Alert]:
    """Alerts whoever they belong to, in order."""
    t = schema.alerts
    query = select(t).where(t.c.id.in_(alert_ids)).order_by(t.c.id)
    return [alert_of(row) for row in (await db.execute(query)).mappings()]


# What happened, and what is told of it


async def happened(
    db: Db, alert: Alert, found: Iterable[Crossing], *, state: str, post_key: str | None, now: datetime
) -> None:
    """Note what happened to an alert; what has its name already stays as it is."""
    t = schema.alert_crossings
    for each in found:
        values = {
            "alert_id": alert.id,
            "name": each.name,
            "at": epoch(each.at),
            "what": each.what,
            "figures": json.dumps(dict(each.figures)),
            "state": state,
            "post_key": post_key,
            "noted_at": epoch(now),
        }
        await db.execute(insert(t).values(values))
    await db.execute(update(schema.alerts).where(schema.alerts.c.id == alert.id).values(fired_at=epoch(now)))


async def unheard(db: Db, alert: Alert, found: Sequence[Crossing]) -> list[Crossing]:
    """Those that have not been noted before."""
    t = schema.alert_crossings.c
    query = select(t.name).where(t.alert_id == alert.id, t.name.in_([each.name for each in found]))
    known = set((await db.execute(query)).scalars())
    return [each for each in found if each.name not in known]


async def told_since(db: Db, alert_id: int, since: datetime) -> int:
    """How many crossings were told by posts planned after ``since``."""
    t = schema.alert_crossings.c
    query = select(func.count()).where(t.alert_id == alert_id, t.state == "told", t.noted_at > epoch(since))
    return int(await db.scalar(query) or 0)


async def held_back(db: Db, alert_id: int) -> list[Crossing]:
    """What is collected until the quiet time ends, oldest first."""
    t = schema.alert_crossings
    query = select(t).where(t.c.alert_id == alert_id, t.c.state == "held").order_by(t.c.at, t.c.id)
    return [crossing_of(row) for row in (await db.execute(query)).mappings()]


async def tell_held(db: Db, alert_id: int, *, state: str, post_key: str | None, now: datetime) -> None:
    t = schema.alert_crossings
    values = {"state": state, "post_key": post_key, "noted_at": epoch(now)}
    await db.execute(update(t).where(t.c.alert_id == alert_id, t.c.state == "held").values(values))


async def told_by(db: Db, alert_id: int, post_key: str) -> list[Crossing]:
    """What a post is about, oldest first."""
    t = schema.alert_crossings
    query = select(t).where(t.c.alert_id == alert_id, t.c.post_key == post_key).order_by(t.c.at, t.c.id)
    return [crossing_of(row) for row in (await db.execute(query)).mappings()]


async def quiet(db: Db, alert_id: int, until: datetime | None) -> None:
    t = schema.alerts
    at = None if until is None else epoch(until)
    await db.execute(update(t).where(t.c.id == alert_id).values(quiet_until=at))


async def quiet_over(db: Db, now: datetime) -> list[Alert]:
    """Alerts whose quiet time has ended."""
    t = schema.alerts
    query = select(t).where(t.c.quiet_until <= epoch(now)).order_by(t.c.id)
    return [alert_of(row) for row in (await db.execute(query)).mappings()]


async def next_end(db: Db) -> datetime | None:
    """When the next quiet time ends."""
    found = await db.scalar(select(func.min(schema.alerts.c.quiet_until)))
    return None if found is None else utc(found)


async def note(db: Db, alert_id: int, what: str | None, *, now: datetime) -> None:
    """Tell its owner something the next time they look; None takes it back."""
    t = schema.alerts
    values = {"note": what, "noted_at": None if what is None else epoch(now)}
    await db.execute(update(t).where(t.c.id == alert_id).values(values))


async def tidy(db: Db, now: datetime) -> None:
    """Drop what happened a month ago."""
    t = schema.alert_crossings
    await db.execute(delete(t).where(t.c.noted_at < epoch(now - CROSSINGS_KEPT), t.c.state != "held"))


def _same(columns: Any, group: Group) -> tuple[ColumnElement[bool], ...]:
    return (and_(columns.subject == group.subject, columns.interval == str(group.interval)),)
