"""Alerts of no price: a day of flows is final, a regime or a verdict has turned, a margin changes, a source is silent.

Each remembers in ``seen`` what it knew last. The first look only fills it: nobody is told what was so before.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from analysis import trading_days
from analysis.alerts import Kind
from analysis.flows import DayState, Flows, Regime
from analysis.freshness import Freshness, freshness, of_bars
from analysis.levels import Interval
from analysis.margin_rules import Basis
from analysis.stress import Stress
from analysis.verdict import Verdict
from bot.errors import UserError
from bot.reports.flow_terms import RHYTHM as FLOWS
from bot.reports.flows import REPORT as FLOWS_REPORT
from bot.reports.flows import FlowsQuery
from bot.reports.shapes import Asked
from bot.reports.stress import REPORT as STRESS_REPORT
from bot.reports.stress import StressQuery
from storage import held, margins
from storage.alerts import Alert, Crossing
from storage.instants import epoch
from storage.margins import MarginChange
from storage.store import Store

AHEAD: Final = timedelta(days=1)
"""How long before it is in force a margin is announced as coming tomorrow."""
OF_FLOWS: Final = " flows"
"""``BTC flows``: the ETF flows of an asset, among the sources that can go stale; prices have their code alone."""
_NEVER_RESTS: Final = frozenset({"BTC", "ETH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What an alert has seen now, and what happened since it looked last."""

    seen: str
    happened: tuple[Crossing, ...] = ()


class News:
    """What is to be known at one instant; each question is asked once, however many alerts wait for it."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._known: dict[Hashable, Any] = {}

    async def look(self, alert: Alert) -> Look | None:
        """None where nothing can be said: figures are missing, too old or not enough."""
        match alert.kind:
            case Kind.FLOW_FINAL | Kind.FLOW_REGIME:
                flows = await self._flows(alert.subject, alert.server_id)
                if flows is None:
                    return None
                return final_days(alert, flows) if alert.kind is Kind.FLOW_FINAL else regime(alert, flows)
            case Kind.MARGIN_RECORDED | Kind.MARGIN_TOMORROW:
                changes = await self._margins(alert.subject, alert.server_id)
                recorded = alert.kind is Kind.MARGIN_RECORDED
                return (margin_recorded if recorded else margin_tomorrow)(alert, changes, self._now)
            case Kind.STRESS:
                stress = await self._stress()
                return None if stress is None else verdict(alert, stress)
            case Kind.STALE:
                newest = await self._newest(alert.subject)
                return None if newest is None else stale(alert, newest[0], is_stale=newest[1])
            case _:
                return None

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self._known:
            try:
                self._known[key] = await ask()
            except UserError:
                # There is nothing to report on yet.
                self._known[key] = None
        return self._known[key]

    async def _flows(self, asset: str, server_id: int) -> Flows | None:
        asked = Asked(store=self._store, at=self._now, server_id=server_id)
        found: Flows | None = await self._once(
            ("flows", asset, server_id), lambda: FLOWS_REPORT.answer(FlowsQuery(asset=asset), asked)
        )
        return found

    async def _stress(self) -> Stress | None:
        asked = Asked(store=self._store, at=self._now)
        found: Stress | None = await self._once("stress", lambda: STRESS_REPORT.answer(StressQuery(), asked))
        return found

    async def _margins(self, product: str, server_id: int) -> list[MarginChange]:
        async def ask() -> list[MarginChange]:
            async with self._store.read() as db:
                return await margins.known(db, product, at=self._now, server_id=server_id)

        found: list[MarginChange] = await self._once(("margins", product, server_id), ask)
        return found

    async def _newest(self, subject: str) -> tuple[datetime, bool] | None:
        """The newest value of a source, and whether it is stale; None while there is none."""

        async def ask() -> list[held.Series]:
            async with self._store.read() as db:
                return await held.series(db, at=self._now)

        every: list[held.Series] = await self._once("held", ask)
        return newest_of(subject, every, self._now)


def newest_of(subject: str, every: Sequence[held.Series], now: datetime) -> tuple[datetime, bool] | None:
    """The shortest bars of the code, of whichever venue has the newest; or the days of an asset's flows."""
    if subject.endswith(OF_FLOWS):
        asset = subject.removesuffix(OF_FLOWS)
        days = [one.newest_at for one in every if one.asset == asset]
        if not days:
            return None
        closed_at = trading_days.closed_at(max(days).astimezone(UTC).date())
        return closed_at, freshness(closed_at, now, FLOWS) is Freshness.STALE
    ours = [one for one in every if one.code == subject and one.interval in {Interval.M30, Interval.D1}]
    if not ours:
        return None
    interval = min((Interval(str(one.interval)) for one in ours), key=lambda each: each.length)
    newest = max(one.newest_at for one in ours if one.interval == interval)
    rhythm = of_bars(interval.length, rests=subject not in _NEVER_RESTS)
    return newest, freshness(newest, now, rhythm) is Freshness.STALE


def final_days(alert: Alert, flows: Flows) -> Look:
    """A day that became final, also one that was waited for while later ones were."""
    days = [day for day in flows.days if day.state is not DayState.CLOSED]
    # What a moderator typed is still waited for.
    final = {day.date: day for day in days if day.state is DayState.FINAL and not day.manual}
    through = max(final, default=flows.last_published)
    waiting = [day.date.isoformat() for day in days if day.date not in final and day.date < through]
    seen = json.dumps([through.isoformat(), *waiting])
    if alert.seen is None:
        return Look(seen=seen)
    before, *missing = json.loads(alert.seen)
    told = [
        Crossing(
            name=day.isoformat(),
            at=trading_days.closed_at(day),
            what="final",
            figures={"day": day.isoformat(), "total_musd": final[day].total_musd, "source": flows.source},
        )
        for day in sorted(final)
        if day > date.fromisoformat(before) or day.isoformat() in missing
    ]
    return Look(seen=seen, happened=tuple(told))


def regime(alert: Alert, flows: Flows) -> Look | None:
    """Another regime; that there are too few days to name one is none."""
    if flows.regime is Regime.INSUFFICIENT:
        return None
    figures = {"day": flows.last_date.isoformat(), "source": flows.source}
    return _turned(
        alert, flows.regime.value, flows.last_date, trading_days.closed_at(flows.last_date), figures
    )


def verdict(alert: Alert, stress: Stress) -> Look | None:
    if stress.verdict is Verdict.UNKNOWN or stress.stale:
        return None
    figures = {"day": stress.session.isoformat()}
    return _turned(alert, stress.verdict.value, stress.session, stress.closed_at, figures)


def _turned(alert: Alert, now: str, day: date, at: datetime, figures: Mapping[str, str]) -> Look:
    if alert.seen is None or alert.seen == now:
        return Look(seen=now)
    crossing = Crossing(
        name=f"{day.isoformat()}:{now}"[:48], at=at, what=now, figures={**figures, "before": alert.seen}
    )
    return Look(seen=now, happened=(crossing,))


def margin_recorded(alert: Alert, changes: Sequence[MarginChange], now: datetime) -> Look:
    """Whatever is in the table now and was not; ``now`` is when it was found there."""
    steps = [change for change in changes if change.dating != "before"]
    seen = None if alert.seen is None else set(json.loads(alert.seen))
    told = [
        _margin(change, "recorded", now)
        for change in steps
        if (_name(change) not in seen if seen is not None else _known_after(change, alert.since))
    ]
    return Look(seen=json.dumps([_name(change) for change in steps]), happened=tuple(told))


def margin_tomorrow(alert: Alert, changes: Sequence[MarginChange], now: datetime) -> Look:
    """A dated change that will be in force within a day; one that was by the time the alert was set is known."""
    coming = [
        change
        for change in changes
        if change.dating == "dated" and change.in_force_from and now < change.in_force_from <= now + AHEAD
    ]
    seen = None if alert.seen is None else set(json.loads(alert.seen))
    told = [
        _margin(change, "tomorrow", now)
        for change in coming
        if (_name(change) not in seen if seen is not None else _comes_after(change, alert.since))
    ]
    return Look(seen=json.dumps([_name(change) for change in coming]), happened=tuple(told))


def _known_after(change: MarginChange, since: datetime) -> bool:
    return change.known_at is not None and change.known_at > since


def _comes_after(change: MarginChange, since: datetime) -> bool:
    return change.in_force_from is not None and change.in_force_from - AHEAD > since


def _name(change: MarginChange) -> str:
    since = 0 if change.in_force_from is None else epoch(change.in_force_from)
    return f"{since}:{change.rule}:{change.initial:g}"


def _margin(change: MarginChange, what: str, now: datetime) -> Crossing:
    figures = {
        "basis": Basis(change.rule).value,
        "initial": change.initial,
        "previous": change.previous if change.previous_rule in {None, change.rule} else None,
        "in_force_from": None if change.in_force_from is None else epoch(change.in_force_from),
        "dated": change.dating == "dated",
        "source": change.citation or "",
    }
    return Crossing(name=f"{_name(change)}:{what}"[:48], at=now, what=what, figures=figures)


def stale(alert: Alert, newest: datetime, *, is_stale: bool) -> Look:
    """That a source has fallen silent; it must have spoken before that is told again."""
    seen = "stale" if is_stale else "fresh"
    if alert.seen != "fresh" or not is_stale:
        return Look(seen=seen)
    return Look(
        seen=seen,
        happened=(Crossing(name=f"{epoch(newest)}:stale", at=newest, what="stale"),),
    )
