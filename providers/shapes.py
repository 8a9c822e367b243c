"""What goes out to a source and what comes back, whichever source it is.

A source's file gives two pure functions, ``request(query)`` and
``parse(body, query, now)``; ``providers/client.py`` carries the one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from pydantic import SecretStr

from analysis.levels import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call over HTTPS. ``host`` is in the allow-list of ``providers/client.py``.

    With ``json`` it is a POST, else a GET. A key stands in ``secret_headers``, never in
    the address. ``cost`` is what the call takes from its host's budget.
    """

    host: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, SecretStr] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    cost: int = 1


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
    """Closed bars, oldest first, one an opening; ``unfinished`` is the bar still running."""

    closed: tuple[Bar, ...]
    unfinished: Bar | None = None


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
    days: tuple[FlowDay, ...]


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
    rows: tuple[Observation, ...]
