"""What is fetched: one feed for every source, instrument and interval, fund flow, macro series and table of tiers.

A feed says what to ask and when there is something new to ask for. Which there are stands in
``bot/every_feed.py``, how one is fetched in ``bot/fetching.py``, who does it and what follows a
failure in ``bot/ingest.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeAlias

from analysis import market_hours
from analysis.levels import Interval
from providers.shapes import (
    BarSource,
    FlowDays,
    FlowQuery,
    MacroQuery,
    Observations,
    Request,
    TierQuery,
    Tiers,
)

DELAY: Final = timedelta(seconds=10)
"""How long after the end of a bar it is asked for: its source needs a moment, and clocks differ."""
SETTLING: Final = timedelta(minutes=10)
"""The same for a daily bar of a future, whose close is settled first."""
FLOWS_EVERY: Final = timedelta(minutes=30)
MACRO_EVERY: Final = timedelta(hours=6)
TIERS_EVERY: Final = timedelta(hours=6)


class FlowSource(Protocol):
    @property
    def NAME(self) -> str: ...  # noqa: N802 -- constants of a module

    def request(self, query: FlowQuery) -> Request: ...
    def parse(self, body: bytes, query: FlowQuery, now: datetime) -> FlowDays: ...


class MacroSource(Protocol):
    @property
    def NAME(self) -> str: ...  # noqa: N802

    def request(self, query: MacroQuery) -> Request: ...
    def parse(self, body: bytes, query: MacroQuery, now: datetime) -> Observations: ...


class TierSource(Protocol):
    """Its table may take more than one call."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def HOST(self) -> str: ...  # noqa: N802

    def requests(self, query: TierQuery) -> tuple[Request, ...]: ...
    def parse(self, bodies: Sequence[bytes], query: TierQuery, now: datetime) -> Tiers: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFeed:
    """Bars of one interval of one instrument (``venue`` and ``symbol`` as the store has them).

    ``asked`` is the symbol as the source spells it, ``published_by`` what cards call the
    source; ``depth`` how far back the first start goes, where the source reaches so far.
    """

    key: str
    source: BarSource
    code: str
    venue: str
    symbol: str
    asked: str
    interval: Interval
    depth: timedelta
    published_by: str
    rests: bool = False

    @property
    def name(self) -> str:
        return f"{self.key}:{self.code}:{self.interval}"

    @property
    def host(self) -> str:
        return self.source.HOST

    @property
    def step(self) -> int:
        return int(self.interval.length.total_seconds())

    def due(self, now: datetime) -> datetime:
        """When there will next be something new, after ``now``."""
        if self.rests and self.interval is Interval.D1:
            return market_hours.next_close(now - SETTLING).astimezone(UTC) + SETTLING
        # Of a market that rests, the last bar before it does is still fetched.
        begun = now if not self.rests else market_hours.next_open(now - DELAY - timedelta(seconds=1))
        passed = int((max(begun, now) - DELAY).timestamp()) // self.step
        return datetime.fromtimestamp((passed + 1) * self.step, UTC) + DELAY

    def resting(self, now: datetime) -> bool:
        return self.rests and not market_hours.is_open(now)

    def expects(self, opened_at: int) -> bool:
        """Whether a bar that opens then (epoch seconds) should be there: its market is open."""
        if not self.rests:
            return True
        opened = datetime.fromtimestamp(opened_at, UTC)
        if self.interval is Interval.D1:
            return market_hours.next_trade_date(opened.date() - timedelta(days=1)) == opened.date()
        return market_hours.is_open(opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFeed:
    """Net flows of the funds of one asset, by one publisher: the whole table each time."""

    key: str
    source: FlowSource
    asset: str

    @property
    def name(self) -> str:
        return f"{self.key}:{self.asset}:flows"

    @property
    def host(self) -> str:
        return self.source.request(FlowQuery(asset=self.asset)).host

    @property
    def published_by(self) -> str:
        return self.source.NAME

    def due(self, now: datetime) -> datetime:
        return _every(FLOWS_EVERY, now)

    def resting(self, now: datetime) -> bool:  # noqa: ARG002 -- figures are corrected on any day
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroFeed:
    """One macro series by its FRED id."""

    key: str
    source: MacroSource
    series: str

    @property
    def name(self) -> str:
        return f"{self.key}:{self.series}"

    @property
    def host(self) -> str:
        return self.source.request(MacroQuery(series=self.series)).host

    @property
    def published_by(self) -> str:
        return self.source.NAME

    def due(self, now: datetime) -> datetime:
        return _every(MACRO_EVERY, now)

    def resting(self, now: datetime) -> bool:  # noqa: ARG002 -- releases keep no trading hours
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFeed:
    """Maintenance tiers of one perpetual of a venue."""

    key: str
    source: TierSource
    query: TierQuery

    @property
    def kind(self) -> str:
        return "inverse" if self.query.inverse else "linear"

    @property
    def name(self) -> str:
        return f"{self.key}:{self.query.code}:{self.kind}"

    @property
    def host(self) -> str:
        return self.source.HOST

    @property
    def published_by(self) -> str:
        return self.source.NAME

    def due(self, now: datetime) -> datetime:
        return _every(TIERS_EVERY, now)

    def resting(self, now: datetime) -> bool:  # noqa: ARG002 -- venues change them on any day
        return False


Feed: TypeAlias = BarFeed | FlowFeed | MacroFeed | TierFeed


def _every(rhythm: timedelta, now: datetime) -> datetime:
    step = int(rhythm.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // step + 1) * step, UTC)
