"""Price alerts, judged: every closed bar once, in order, and never one of a series that has gone stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from analysis.alerts import (
    Bar,
    Direction,
    Kind,
    Phase,
    Prices,
    Step,
    Watch,
    following,
    history,
    step,
    wanted,
    whole,
)
from analysis.freshness import Freshness, freshness, of_bars
from analysis.levels import Interval
from storage import alert_watch, bars, instruments
from storage.alert_watch import Group, Judged
from storage.alerts import Alert, Crossing
from storage.instants import epoch, utc
from storage.instruments import Series
from storage.store import Db

AT_A_TIME: Final = 100
"""Bars judged in one transaction."""
BEGUN_AT_ONCE: Final = 20
"""New alerts judged in one transaction: each by many bars, while nobody else is served."""
LOOKED_BACK: Final = 500
"""Bars that a new alert is judged by, so that it knows on which side the price stands and how long it has held."""
BEFORE_THOSE: Final = 500
"""Bars before them: by then Wilder's average has forgotten where it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What happened, in order. ``more``: there is more to judge."""

    happened: tuple[tuple[Alert, Crossing], ...] = ()
    more: bool = False


async def anything(db: Db, group: Group, now: datetime) -> bool:
    """Whether there is anything to judge."""
    if await alert_watch.has_any(db, group, new=True):
        return True
    judged = await alert_watch.judged(db, group)
    found = await _series(db, group, now)
    return found is not None and bool(judged is None or await _rows(db, found, group, now, after=judged.last))


async def judge(db: Db, group: Group, now: datetime) -> Judgement:
    """The next bars of a group, and its new alerts; what that did to each is kept in the same transaction."""
    series = await _series(db, group, now)
    if series is None:
        return Judgement()
    judged = await alert_watch.judged(db, group)
    if judged is not None and not await alert_watch.has_any(db, group, new=False):
        # Nobody has waited for these bars.
        await alert_watch.forget_judged(db, group)
        judged = None
    happened: list[tuple[Alert, Crossing]] = []
    more = False
    if judged is None:
        rows = await _rows(db, series, group, now)
        before = history(rows, group.interval, weekends=not series.rests, last_number=len(rows))
        if not before or before[-1].atr is None or _is_stale(before[-1], series, group, now):
            return Judgement()
        last = before[-1]
    else:
        rows = await _rows(db, series, group, now, after=judged.last)
        coming = following(judged.last, rows, group.interval, weekends=not series.rests)
        if coming and _is_stale(coming[-1], series, group, now):
            return Judgement()
        more = len(coming) > AT_A_TIME
        for bar in coming[:AT_A_TIME]:
            for alert in await alert_watch.moved_by(db, group, bar):
                to = step(watch_of(alert), bar)
                await alert_watch.move(db, alert.id, to)
                if to.crossed is not None:
                    happened += _heard(alert, bar, to.crossed, series)
        last = coming[:AT_A_TIME][-1] if coming else judged.last
        before = []
    await alert_watch.keep_judged(db, group, Judged(instrument_id=series.id, last=last))
    fresh = await alert_watch.new_of(db, group, most=BEGUN_AT_ONCE)
    if fresh and not before:
        rows = await _rows(db, series, group, utc(last.closed_at))
        before = history(rows, group.interval, weekends=not series.rests, last_number=last.number)
    for alert in fresh:
        happened += await _begin(db, alert, before[-LOOKED_BACK:], series)
    return Judgement(happened=tuple(happened), more=more or len(fresh) == BEGUN_AT_ONCE)


def watch_of(alert: Alert) -> Watch:
    return Watch(
        kind=alert.kind,
        price=alert.price or 0.0,
        direction=alert.direction or Direction.EITHER,
        bars=alert.bars,
        phase=alert.phase,
        due=alert.due,
    )


async def _begin(db: Db, alert: Alert, before: Sequence[Bar], series: Series) -> list[tuple[Alert, Crossing]]:
    """Brings a new alert to where the price stands; only what came after it was set has happened to it."""
    happened: list[tuple[Alert, Crossing]] = []
    watch = replace(watch_of(alert), phase=Phase.UNKNOWN)
    to = Step(watch.phase, None)
    for bar in before:
        to = step(watch, bar)
        watch = replace(watch, phase=to.phase, due=to.due)
        if to.crossed is not None and bar.closed_at > epoch(alert.since):
            happened += _heard(alert, bar, to.crossed, series)
    await alert_watch.move(db, alert.id, to)
    return happened


def _heard(alert: Alert, bar: Bar, crossed: Direction, series: Series) -> list[tuple[Alert, Crossing]]:
    watch = watch_of(alert)
    if not wanted(watch, crossed):
        return []
    sign = 1 if crossed is Direction.UP else -1
    figures: dict[str, object] = {"close": bar.close, "venue": series.venue, "quote": series.quote}
    if alert.kind is Kind.TOUCH:
        figures["extreme"] = bar.low if crossed is Direction.DOWN else bar.high
    else:
        figures["edge"] = watch.price + sign * bar.buffer(watch.price)
    crossing = Crossing(
        name=f"{bar.closed_at}:{crossed}", at=utc(bar.closed_at), what=str(crossed), figures=figures
    )
    return [(alert, crossing)]


async def _series(db: Db, group: Group, now: datetime) -> Series | None:
    """The series that would answer on a card: days where there is nothing shorter."""
    if group.interval is not Interval.D1:
        return await instruments.find(db, group.subject, Interval.M30, at=now)
    return await instruments.find(db, group.subject, Interval.M30, at=now) or await instruments.find(
        db, group.subject, Interval.D1, at=now
    )


async def _rows(
    db: Db, series: Series, group: Group, at: datetime, *, after: Bar | None = None
) -> list[Prices]:
    """Bars of the group's interval closed by ``at``: those after a bar, else as many as a new alert needs."""
    interval = group.interval
    since = at - (LOOKED_BACK + BEFORE_THOSE) * interval.length
    if after is not None:
        since = utc(after.opened_at + 1)
    if interval is Interval.D1:
        found = await bars.daily(db, series, at=at, since=since)
        return [Prices(row.opened_at, row.closed_at, row.high, row.low, row.close) for row in found]
    found = await bars.closed(db, series, series.interval, at=at, since=since)
    rows = [Prices(row.opened_at, row.closed_at, row.high, row.low, row.close) for row in found]
    return rows if interval is series.interval else whole(rows, interval)


def _is_stale(newest: Bar, series: Series, group: Group, now: datetime) -> bool:
    rhythm = of_bars(group.interval.length, rests=series.rests)
    return freshness(utc(newest.closed_at), now, rhythm) is Freshness.STALE
