"""What goes out to a source and what comes back, whichever source it is.

A source's file gives two pure functions, ``request(query)`` and
``parse(body, query, now)``; ``providers/client.py`` carries the one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from pydantic import SecretStr

from analysis.levels import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call over HTTPS. ``host`` is in the allow-list of ``providers/hosts.py``.

    With ``json`` it is a POST, else a GET. A key stands in ``secret_headers``; in the
    address, by ``secret_params``, only where the source takes it nowhere else. ``path``
    and ``params`` are written plainly: the client encodes them. ``cost`` is what the call
    takes from its host's budget.
    """

    host: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    secret_params: Mapping[str, SecretStr] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    cost: int = 1


class Answer(NamedTuple):
    """The body of an answer, and when the source's own clock says that it was made."""

    body: bytes
    made_at: datetime | None

    def at(self, now: datetime) -> datetime:
        """The earlier of the source's clock and ours, to tell closed bars from the running one.

        Nothing that was still running when the answer was made passes for closed because
        our clock is ahead, or because the answer lay in a cache on its way.
        """
        return now if self.made_at is None else min(now, self.made_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarQuery:
    """Bars of one ``symbol`` as its venue spells it, opened from ``since`` to before ``until`` (UTC).

    ``interval`` is one the source has; a source answers with as much of the span as one
    call can hold, from its beginning where it can choose.
    """

    symbol: str
    interval: Interval
    since: datetime
    until: datetime


class Bar(NamedTuple):
    """One bar; instants in epoch seconds UTC. ``volume`` is None where the source tells none."""

    opened_at: int
    closed_at: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Closed bars, oldest first, one an opening; ``unfinished`` is the bar still running.

    ``jumps`` are openings of bars, the unfinished one included, that reach more than
    20 % away from the close before them: true or not, only a second source can tell.
    ``unknown`` are names of fields nobody told us of.
    """

    closed: tuple[Bar, ...]
    unfinished: Bar | None = None
    jumps: tuple[int, ...] = ()
    unknown: frozenset[str] = frozenset()


class BarSource(Protocol):
    """What the file of a source of bars holds.

    ``LIMIT`` is how many bars one call can bring at most; ``REACH`` how many of the newest
    can be had at all, None for as many as there are.
    """

    @property
    def NAME(self) -> str: ...  # noqa: N802 -- constants of a module
    @property
    def HOST(self) -> str: ...  # noqa: N802
    @property
    def INTERVALS(self) -> frozenset[Interval]: ...  # noqa: N802
    @property
    def LIMIT(self) -> int: ...  # noqa: N802
    @property
    def REACH(self) -> int | None: ...  # noqa: N802

    def request(self, query: BarQuery) -> Request: ...
    def parse(self, body: bytes, query: BarQuery, now: datetime) -> Bars: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowQuery:
    """Net flows of the US spot ETFs of one asset, ``BTC`` or ``ETH``."""

    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDay:
    """One trade date (US). Values in US$ million; None in ``funds`` is "not reported".

    ``total_musd`` is None where the source gives none, or none that can be relied on.
    ``funds`` is empty for a source of totals only. ``final`` by the rules of the source.
    """

    trade_date: date
    total_musd: float | None
    funds: Mapping[str, float | None]
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDays:
    """Trade dates, oldest first; ``unknown`` as in ``Bars``."""

    days: tuple[FlowDay, ...]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroQuery:
    """One series by its FRED id, from ``since`` on; all of it without."""

    series: str
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """``value`` is None where the source says that the date has none."""

    date: date
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Oldest first, one a date; ``unknown`` as in ``Bars``."""

    rows: tuple[Observation, ...]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TierQuery:
    """Maintenance tiers of one perpetual: ``code`` such as BTC, ``inverse`` where it is margined in the coin."""

    code: str
    inverse: bool


class TierRow(NamedTuple):
    """From ``floor`` on the maintenance rate is ``rate`` (a share), less ``deduction``."""

    floor: float
    rate: float
    deduction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The tiers of one contract, lowest first, the first from 0 on.

    Floors are of the position's value in its settlement currency; ``by_size``: of its size, in
    coins or, if inverse, US dollars, and the rate of the tier is that of the whole position.
    """

    rows: tuple[TierRow, ...]
    by_size: bool
    unknown: frozenset[str] = frozenset()
