"""Alerts: what a server's moderators want told in a channel, and what somebody wants told by direct message.

An alert belongs to a server and, where it is told by direct message, to one person there. Whoever lists
or changes one says who they are, and a number of somebody else's finds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from analysis.alerts import Direction, Kind, Phase
from analysis.levels import Interval
from storage import schema
from storage.instants import epoch, utc
from storage.store import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who asks: their own alerts of the server are theirs, its channels' are its moderators'."""

    server_id: int
    user_id: int
    moderates: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is to be told. ``owner_id`` is whom it is told by direct message, null for a channel's.

    ``channel_id`` is where it is posted: for an owner their channel of direct messages. ``subject``
    is an instrument's code for touch, close and hold (``BTC``), an asset for flows, a leader for
    margins (``SI``), ``stress``, and for stale an instrument's code or ``BTC flows``.
    ``price``, ``interval`` and ``direction`` only for touch, close and hold, ``bars`` only for
    hold. ``language`` as of digests: ``en``, ``zh-TW`` or ``both``; times are told on the clock of ``zone``.

    Only what happens after ``since`` is told. ``phase``, ``due`` and ``seen`` are how far it was
    judged (``storage/alert_watch.py``). While ``muted_until`` lies ahead nothing is told, until
    ``quiet_until`` it is collected. ``fired_at`` is the last time something happened, told or not.
    ``note`` is what its owner should know: ``blocked`` (they take no direct messages), ``refused``
    (the channel takes no posts), ``late``, ``unsure`` or ``failed``.
    """

    id: int = 0
    server_id: int
    channel_id: int
    owner_id: int | None = None
    kind: Kind
    subject: str
    interval: Interval | None = None
    price: float | None = None
    direction: Direction | None = None
    bars: int | None = None
    language: str = "en"
    zone: str = "UTC"
    ping_role: int | None = None
    since: datetime
    phase: Phase = Phase.NEW
    due: int | None = None
    seen: str | None = None
    muted_until: datetime | None = None
    quiet_until: datetime | None = None
    fired_at: datetime | None = None
    note: str | None = None
    noted_at: datetime | None = None
    added_by: int | None
    added_at: datetime
    changed_by: int | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One thing that happened to an alert, at its own time ``at``; ``name`` is its own for ever.

    ``what``: ``down`` or ``up`` of a price, a regime, a verdict, and so on; ``figures`` what is told of it.
    ``state``: ``told`` (its post is ``post_key``), ``held`` until the quiet hour ends, ``muted``, or ``blocked``
    where its owner takes no direct messages.
    """

    name: str
    at: datetime
    what: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    state: str = "told"
    post_key: str | None = None


_WATCHED: Final = ("kind", "subject", "interval", "price", "direction", "bars")
"""What an alert waits for; with a change of it, everything begins anew."""
_CHOSEN: Final = (*_WATCHED, "channel_id", "language", "zone", "ping_role")


async def add(db: Db, alert: Alert) -> int:
    """Keep a new alert; returns its id. What happens after ``since`` counts, whatever was judged before."""
    values = _row(alert)
    del values["id"]
    done = await db.execute(insert(schema.alerts).values(values))
    key = done.inserted_primary_key
    return int(key[0]) if key is not None else 0


async def find(db: Db, alert_id: int, *, acting: Acting) -> Alert | None:
    """The alert, if it is theirs."""
    t = schema.alerts
    row = (await db.execute(select(t).where(_theirs(alert_id, acting)))).mappings().first()
    return None if row is None else alert_of(row)


async def visible(db: Db, acting: Acting) -> list[Alert]:
    """Their own alerts in the server and, for who moderates, its channels'; oldest first."""
    t = schema.alerts
    rows = await db.execute(select(t).where(_of(acting)).order_by(t.c.id))
    return [alert_of(row) for row in rows.mappings()]


async def count(db: Db, *, server_id: int, owner_id: int | None) -> int:
    """How many alerts somebody has in a server; those of its channels for None."""
    t = schema.alerts.c
    query = select(func.count()).where(t.server_id == server_id, t.owner_id.is_not_distinct_from(owner_id))
    return int(await db.scalar(query) or 0)


async def edit(db: Db, alert: Alert, *, acting: Acting, now: datetime) -> bool:
    """Make what somebody chose of ``alert`` what is kept under its id; False if it is not theirs, or gone.

    Where something else is watched now, only what happens from here on is told.
    """
    before = await find(db, alert.id, acting=acting)
    if before is None:
        return False
    row = _row(alert)
    values: dict[str, Any] = {name: row[name] for name in _CHOSEN}
    values |= {"changed_by": acting.user_id, "changed_at": epoch(now), "note": None, "noted_at": None}
    if any(getattr(alert, name) != getattr(before, name) for name in _WATCHED):
        values |= {"since": epoch(now), "phase": Phase.NEW, "due": None, "seen": None, "quiet_until": None}
    await db.execute(update(schema.alerts).where(_theirs(alert.id, acting)).values(values))
    return True


async def mute(db: Db, alert_id: int, until: datetime | None, *, acting: Acting, now: datetime) -> bool:
    """Tell nothing until then; None ends it. False if the alert is not theirs, or gone."""
    values = {
        "muted_until": None if until is None else epoch(until),
        "changed_by": acting.user_id,
        "changed_at": epoch(now),
    }
    done = await db.execute(update(schema.alerts).where(_theirs(alert_id, acting)).values(values))
    return bool(done.rowcount)


async def remove(db: Db, alert_id: int, *, acting: Acting) -> bool:
    """Forget an alert. What is being sent at this moment may still arrive; nothing else will.

    Of one told by direct message the posts go, too: without it nobody would know whose they were.
    """
    t, posts = schema.alerts.c, schema.outbox
    own = select(t.id).where(_theirs(alert_id, acting), t.owner_id.is_not(None))
    await db.execute(delete(posts).where(posts.c.kind == "alert", posts.c.subject.in_(own)))
    done = await db.execute(delete(schema.alerts).where(_theirs(alert_id, acting)))
    return bool(done.rowcount)


async def crossings(db: Db, alert_id: int, *, acting: Acting, most: int = 5) -> list[Crossing]:
    """The last things that happened to an alert of theirs, newest first."""
    c, t = schema.alert_crossings, schema.alerts
    query = (
        select(c)
        .join_from(c, t, c.c.alert_id == t.c.id)
        .where(_theirs(alert_id, acting))
        .order_by(c.c.at.desc(), c.c.id.desc())
        .limit(most)
    )
    return [crossing_of(row) for row in (await db.execute(query)).mappings()]


async def forget_owner(db: Db, user_id: int) -> None:
    """Delete somebody's own alerts, with what was posted to them."""
    t, posts = schema.alerts, schema.outbox
    theirs = select(t.c.id).where(t.c.owner_id == user_id)
    await db.execute(delete(posts).where(posts.c.kind == "alert", posts.c.subject.in_(theirs)))
    await db.execute(delete(t).where(t.c.owner_id == user_id))


def _of(acting: Acting) -> ColumnElement[bool]:
    t = schema.alerts.c
    own = t.owner_id == acting.user_id
    return and_(t.server_id == acting.server_id, or_(own, t.owner_id.is_(None)) if acting.moderates else own)


def _theirs(alert_id: int, acting: Acting) -> ColumnElement[bool]:
    return and_(schema.alerts.c.id == alert_id, _of(acting))


_TIMES: Final = (
    "since",
    "muted_until",
    "quiet_until",
    "fired_at",
    "noted_at",
    "added_at",
    "changed_at",
)


def _row(alert: Alert) -> dict[str, Any]:
    values = asdict(alert)
    for name in _TIMES:
        values[name] = None if values[name] is None else epoch(values[name])
    for name in ("kind", "phase", "interval", "direction"):
        values[name] = None if values[name] is None else str(values[name])
    return values


def alert_of(row: Mapping[Any, Any]) -> Alert:
    values = {str(name): value for name, value in row.items()}
    for name in _TIMES:
        values[name] = None if values[name] is None else utc(values[name])
    values["kind"], values["phase"] = Kind(values["kind"]), Phase(values["phase"])
    values["interval"] = None if values["interval"] is None else Interval(values["interval"])
    values["direction"] = None if values["direction"] is None else Direction(values["direction"])
    return Alert(**values)


def crossing_of(row: Mapping[Any, Any]) -> Crossing:
    return Crossing(
        name=row["name"],
        at=utc(row["at"]),
        what=row["what"],
        figures=json.loads(row["figures"]),
        state=row["state"],
        post_key=row["post_key"],
    )
