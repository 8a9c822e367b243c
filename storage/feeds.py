"""How every feed is doing: when it was tried, what came of it, when it is tried again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, case, delete, func, insert, select, update

from storage import schema
from storage.instants import epoch, midnight_utc, utc
from storage.store import Db


class FeedState(StrEnum):
    """``waiting``: never tried; ``closed``: all there is is there, and its market rests;
    ``failing``: tried again soon; ``stopped``: its host is left alone for a while.
    """

    WAITING = "waiting"
    OK = "ok"
    CLOSED = "closed"
    FAILING = "failing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A feed and what it fills: bars (both of the first two), flows of an asset, or a series: macro
    values, or a contract's tiers as ``venue:code:kind``.
    """

    name: str
    host: str
    source: str
    label: str
    instrument_id: int | None = None
    interval: str | None = None
    asset: str | None = None
    series: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a feed stands. ``covered_since``..``covered_until`` is the span it has answered about.

    Times in epoch seconds UTC. ``failures`` since the last success.
    """

    state: FeedState = FeedState.WAITING
    last_success_at: int | None = None
    next_try_at: int | None = None
    failures: int = 0
    reason: str | None = None
    covered_since: int | None = None
    covered_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """A feed for people to read. ``newest_at`` is the close of its newest bar, else 00:00 UTC of
    its newest trade date or observation with a value, or when its tiers were last seen; ``reason`` stands while it fails. ``fills``
    tells the series, as ``held.Series`` does; bars have ``interval``, flows ``asset``.
    """

    name: str
    source: str
    label: str
    state: FeedState
    last_try_at: datetime | None
    last_success_at: datetime | None
    newest_at: datetime | None
    next_try_at: datetime | None
    failures: int
    reason: str | None
    interval: str | None = None
    asset: str | None = None
    fills: tuple[object, ...] = ()


async def register(db: Db, feeds: Iterable[Registered]) -> None:
    """Make a row for every feed that is new, and forget those that are no more."""
    t = schema.feeds
    known = set((await db.execute(select(t.c.name))).scalars())
    wanted = {feed.name: feed for feed in feeds}
    gone = known - set(wanted)
    if gone:
        await db.execute(delete(t).where(t.c.name.in_(gone)))
    for feed in wanted.values():
        named = {
            "host": feed.host,
            "source": feed.source,
            "label": feed.label,
            "instrument_id": feed.instrument_id,
            "interval": feed.interval,
            "asset": feed.asset,
            "series": feed.series,
        }
        if feed.name in known:
            await db.execute(update(t).where(t.c.name == feed.name).values(named))
        else:
            await db.execute(
                insert(t).values(name=feed.name, state=str(FeedState.WAITING), failures=0, **named)
            )


async def progress(db: Db) -> dict[str, Progress]:
    """Every feed's, by name."""
    t = schema.feeds.c
    rows = await db.execute(
        select(
            t.name,
            t.state,
            t.last_success_at,
            t.next_try_at,
            t.failures,
            t.reason,
            t.covered_since,
            t.covered_until,
        )
    )
    return {
        row.name: Progress(
            state=FeedState(row.state),
            last_success_at=row.last_success_at,
            next_try_at=row.next_try_at,
            failures=row.failures,
            reason=row.reason,
            covered_since=row.covered_since,
            covered_until=row.covered_until,
        )
        for row in rows
    }


async def succeeded(
    db: Db,
    name: str,
    *,
    now: datetime,
    next_try_at: datetime,
    resting: bool = False,
    covered_since: int | None = None,
    covered_until: int | None = None,
) -> None:
    """Note a success, in the transaction that stores what it brought."""
    t = schema.feeds
    await db.execute(
        update(t)
        .where(t.c.name == name)
        .values(
            state=str(FeedState.CLOSED if resting else FeedState.OK),
            last_try_at=epoch(now),
            last_success_at=epoch(now),
            next_try_at=epoch(next_try_at),
            failures=0,
            reason=None,
            covered_since=covered_since,
            covered_until=covered_until,
        )
    )


async def failed(db: Db, name: str, reason: str, *, now: datetime, next_try_at: datetime) -> None:
    t = schema.feeds
    await db.execute(
        update(t)
        .where(t.c.name == name)
        .values(
            state=str(FeedState.FAILING),
            last_try_at=epoch(now),
            next_try_at=epoch(next_try_at),
            failures=t.c.failures + 1,
            reason=reason,
        )
    )


async def stop(db: Db, host: str, until: datetime, reason: str) -> None:
    """Leave a host alone until then: no feed of it is tried sooner, also after a restart."""
    t = schema.feeds
    end = epoch(until) + 1  # whole seconds, and never before
    await db.execute(
        update(t)
        .where(t.c.host == host)
        .values(
            state=str(FeedState.STOPPED),
            reason=reason,
            next_try_at=case((t.c.next_try_at > end, t.c.next_try_at), else_=end),
        )
    )


async def resume(db: Db, host: str, next_tries: Mapping[str, datetime]) -> None:
    """A host is well again: its feeds that were left alone take up their own times, given by name."""
    t = schema.feeds
    for name, next_try_at in next_tries.items():
        well = case((t.c.last_success_at.is_(None), str(FeedState.WAITING)), else_=str(FeedState.OK))
        await db.execute(
            update(t)
            .where(t.c.host == host, t.c.name == name, t.c.state == str(FeedState.STOPPED))
            .values(state=well, reason=None, next_try_at=epoch(next_try_at))
        )


async def status(db: Db) -> list[FeedStatus]:
    """Every feed, by name."""
    t, b = schema.feeds.c, schema.bars.c
    v, m = schema.flow_versions.c, schema.macro_observations.c
    ours = select(schema.sources.c.id).where(schema.sources.c.name == t.source)
    # The newest bar closes last: one look along the primary key.
    newest_bar = (
        select(b.closed_at)
        .where(b.instrument_id == t.instrument_id, b.interval == t.interval)
        .order_by(b.opened_at.desc())
        .limit(1)
    )
    newest_flow = select(func.max(v.trade_date)).where(
        v.asset == t.asset, v.source_id.in_(ours), v.total_musd.is_not(None)
    )
    newest_value = select(func.max(m.date)).where(m.series == t.series, m.value.is_not(None))
    k = schema.tier_tables.c
    newest_table = select(func.max(k.seen_at)).where(k.venue + ":" + k.code + ":" + k.kind == t.series)
    rows = await db.execute(
        select(
            schema.feeds,
            newest_bar.correlate(schema.feeds).scalar_subquery().label("bar"),
            newest_flow.correlate(schema.feeds).scalar_subquery().label("flow"),
            newest_value.correlate(schema.feeds).scalar_subquery().label("value"),
            newest_table.correlate(schema.feeds).scalar_subquery().label("tiers"),
        ).order_by(t.name)
    )
    return [
        FeedStatus(
            name=row.name,
            source=row.source,
            label=row.label,
            state=FeedState(row.state),
            last_try_at=_instant(row.last_try_at),
            last_success_at=_instant(row.last_success_at),
            newest_at=_instant(row.bar) or _instant(row.tiers) or _day(row.flow or row.value),
            next_try_at=_instant(row.next_try_at),
            failures=row.failures,
            reason=row.reason,
            interval=row.interval,
            asset=row.asset,
            fills=_fills(row),
        )
        for row in rows
    ]


def _fills(row: Row[*tuple[Any, ...]]) -> tuple[object, ...]:
    if row.interval is not None:
        return row.instrument_id, row.interval
    return (row.series,) if row.asset is None else (row.asset, row.source)


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else utc(seconds)


def _day(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromtimestamp(midnight_utc(date.fromisoformat(text)), UTC)
