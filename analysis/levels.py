"""Levels: break, reclaim and hold, judged on closed bars."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from analysis import auto_levels
from analysis.atr import atr
from analysis.auto_levels import AutoLevel
from analysis.breaks import Event, Rule, State, Tape, Verdict, follow
from analysis.errors import NoData
from analysis.freshness import Freshness, Rhythm, freshness, of_bars

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "AirPocket",
    "AutoLevel",
    "Candles",
    "Event",
    "Floor",
    "Interval",
    "Level",
    "LevelState",
    "Levels",
    "Rule",
    "Running",
    "State",
    "assess",
]


class Interval(StrEnum):
    """Length of a bar; the value is what readers type."""

    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def length(self) -> timedelta:
        return {
            Interval.M30: timedelta(minutes=30),
            Interval.H1: timedelta(hours=1),
            Interval.H4: timedelta(hours=4),
            Interval.D1: timedelta(days=1),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price somebody put into the book, with where it comes from; or one found in the bars.

    ``automatic`` says how the latter came about, and is null for the book's; such a level
    has no label of its own.
    """

    price: float
    label: str
    venue: str | None = None
    dated: date | None = None
    source: str | None = None
    rule: Rule = field(default_factory=Rule)
    automatic: AutoLevel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """A level and what closed bars have done to it.

    ``since`` is null while no change was seen; ``first_close_below`` is the opening
    time of the first bar in the asked window that closed below the level;
    ``distance_pct`` = 100 (level / price - 1) and ``distance_atr`` = (level - price) /
    ATR14 of UTC days, both negative for a level below the price; ``bars_held`` and
    ``bars_needed`` only while breaking or reclaiming; ``invalidation`` is the close
    beyond which the state would turn: below it for above, reclaiming and reclaimed,
    above it for breaking and broken; ``retested_at`` is the close of the last bar that
    dipped into the band and held. All times UTC. ``events`` oldest first, over all
    stored bars.
    """

    level: Level
    state: State
    since: datetime | None
    first_close_below: datetime | None
    distance_pct: float
    distance_atr: float | None
    bars_held: int | None
    bars_needed: int | None
    invalidation: float | None
    retested_at: datetime | None
    events: tuple[Event, ...]

    @property
    def unconfirmed(self) -> bool:
        """Whether the price lies below a level that no closed bar has begun to break."""
        return self.state is State.ABOVE and self.distance_pct > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The nearest level below the price: how far, in % and daily ATRs, both negative."""

    price: float
    label: str
    distance_pct: float
    distance_atr: float | None
    automatic: AutoLevel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirPocket:
    """The span without a level in which the price stands: the nearest level not below it, the next floor.

    ``gap_pct`` = 100 (bottom / top - 1) and ``gap_atr`` = (bottom - top) / ATR14 of UTC
    days: how far a fall through all of it would be, both negative.
    """

    top: float
    bottom: float
    gap_pct: float
    gap_atr: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Closed bars of the asked window, oldest first; ``opened_at`` in epoch seconds UTC."""

    opened_at: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The bar that runs, as it was at ``seen_at``: shown, never judged. Times UTC."""

    opened_at: datetime
    open: float
    high: float
    low: float
    close: float
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What ``/levels`` knows at ``as_of``.

    ``price`` is the last close known, at ``price_at``, whatever the asked interval;
    ``change_24h_pct`` against the close 24 hours earlier; ``atr_1d`` is ATR14 of
    complete UTC days; ``levels`` are sorted from the highest price to the lowest;
    ``low`` is the lowest low from the window's start to ``price_at`` with the opening time
    of its bar (the first if there are several): after the last bar of the asked interval
    it is looked for in the finest bars, or it could lie above the price. ``freshness`` is
    that of ``price`` at ``as_of``; ``rests`` says whether only the hours of US futures count for it.
    ``running`` is the bar after the last of ``candles``, null where none was seen.
    """

    as_of: datetime
    instrument: str
    venue: str
    quote: str
    interval: Interval
    source: str
    price: float
    price_at: datetime
    change_24h_pct: float | None
    atr_1d: float | None
    low: float
    low_at: datetime
    candles: Candles
    levels: tuple[LevelState, ...]
    next_floor: Floor | None
    air_pocket: AirPocket | None
    price_interval: Interval
    is_sample: bool
    rests: bool = False
    freshness: Freshness = Freshness.FRESH
    running: Running | None = None

    @property
    def rhythm(self) -> Rhythm:
        """How often there is a new price."""
        return of_bars(self.price_interval.length, rests=self.rests)


def assess(
    frame: pd.DataFrame,
    *,
    base: pd.DataFrame,
    daily: pd.DataFrame,
    book: Sequence[Level],
    as_of: datetime,
    window_start: datetime,
    instrument: str,
    venue: str,
    quote: str,
    interval: Interval,
    source: str,
    weekends: bool = True,
    price_interval: Interval = Interval.M30,
    is_sample: bool = False,
    automatic: bool = False,
    running: Running | None = None,
) -> Levels:
    """What closed bars have done to every level of ``book``, and where the price stands.

    Frames as in ``analysis.frames``: ``frame`` holds every stored bar of ``interval``
    (states and events are judged over all of them; only the candles, ``low`` and
    ``first_close_below`` look at the window that opens at ``window_start``), ``base``
    the finest bars there are (price and 24-hour change), ``daily`` complete UTC days
    (ATR14). Bars that close after ``as_of`` are left out of all three. ``weekends``
    is false for a venue that rests on Saturday and Sunday, known by daily bars only:
    its missing bars are counted in weekdays. ``automatic`` adds the levels that
    ``analysis.auto_levels`` finds in all of ``frame``. ``running`` is passed on if it was
    seen by ``as_of`` and no bar of its time has closed.

    Raises NoData if no bar had closed, or none lies in the window.
    """
    instant = int(as_of.timestamp())
    frame, base, daily = (_closed(bars, instant) for bars in (frame, base, daily))
    if frame.empty or base.empty:
        raise NoData(
            "No {interval} bar of {instrument} had closed by {at} UTC.",
            interval=interval.value,
            instrument=instrument,
            at=f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M}",
        )
    opened_at = frame.index.to_numpy(dtype=np.int64)
    start = int(np.searchsorted(opened_at, window_start.timestamp()))
    if start == len(opened_at):
        raise NoData(
            "No {interval} bar of {instrument} has closed since {start} UTC; the newest closed at {newest} UTC.",
            interval=interval.value,
            instrument=instrument,
            start=f"{window_start.astimezone(UTC):%Y-%m-%d %H:%M}",
            newest=f"{datetime.fromtimestamp(int(frame['closed_at'].iloc[-1]), UTC):%Y-%m-%d %H:%M}",
        )
    candles = _candles(frame.iloc[start:])
    low, low_at = _lowest(candles, base, closed_at=int(frame["closed_at"].iloc[-1]))
    price = float(base["close"].iloc[-1])
    price_at = _instant(int(base["closed_at"].iloc[-1]))
    atr_1d = next((float(value) for value in _atr(daily)[-1:] if not np.isnan(value)), None)
    tape = _tape(frame, interval, weekends=weekends)
    if automatic:
        book = [*book, *_found(frame, tape, book)]
    levels = tuple(
        _state(level, follow(level.price, level.rule, tape), candles, price, atr_1d)
        for level in sorted(book, key=lambda level: level.price, reverse=True)
    )
    return Levels(
        as_of=as_of,
        instrument=instrument,
        venue=venue,
        quote=quote,
        interval=interval,
        source=source,
        price=price,
        price_at=price_at,
        change_24h_pct=_change_24h(base),
        atr_1d=atr_1d,
        low=low,
        low_at=low_at,
        candles=candles,
        levels=levels,
        next_floor=_next_floor(levels, price),
        air_pocket=_air_pocket(levels, price, atr_1d),
        price_interval=price_interval,
        is_sample=is_sample,
        rests=not weekends,
        freshness=freshness(price_at, as_of, of_bars(price_interval.length, rests=not weekends)),
        running=running if running is not None and _runs(running, frame, as_of) else None,
    )


def _runs(running: Running, frame: pd.DataFrame, as_of: datetime) -> bool:
    return running.seen_at <= as_of and running.opened_at.timestamp() >= int(frame["closed_at"].iloc[-1])


def _closed(bars: pd.DataFrame, instant: int) -> pd.DataFrame:
    return bars.iloc[: int(np.searchsorted(bars["closed_at"].to_numpy(), instant, side="right"))]


def _candles(bars: pd.DataFrame) -> Candles:
    return Candles(
        opened_at=bars.index.to_numpy(dtype=np.int64),
        open=bars["open"].to_numpy(dtype=np.float64),
        high=bars["high"].to_numpy(dtype=np.float64),
        low=bars["low"].to_numpy(dtype=np.float64),
        close=bars["close"].to_numpy(dtype=np.float64),
        volume=bars["volume"].to_numpy(dtype=np.float64),
    )


def _atr(bars: pd.DataFrame) -> NDArray[np.float64]:
    return atr(*(bars[column].to_numpy(dtype=np.float64) for column in ("high", "low", "close")))


def _tape(frame: pd.DataFrame, interval: Interval, *, weekends: bool) -> Tape:
    opened_at = frame.index.to_numpy(dtype=np.int64)
    closed_at = frame["closed_at"].to_numpy(dtype=np.int64)
    return Tape(
        opened_at=opened_at,
        closed_at=closed_at,
        low=frame["low"].to_numpy(dtype=np.float64),
        close=frame["close"].to_numpy(dtype=np.float64),
        atr=_atr(frame),
        after_gap=after_gap(opened_at, closed_at, interval, weekends=weekends),
    )


def after_gap(
    opened_at: NDArray[np.int64], closed_at: NDArray[np.int64], interval: Interval, *, weekends: bool
) -> NDArray[np.bool_]:
    """Before which bars more than one is missing; instants in epoch seconds, ``weekends`` as for ``assess``."""
    if weekends:
        far = np.diff(opened_at) > 2 * interval.length.total_seconds()
    else:
        # A second before its close a bar is still in its own trade date, be it one
        # that ends in New York or one that ends at midnight UTC.
        dates = (closed_at - 1).astype("datetime64[s]").astype("datetime64[D]")
        far = np.busday_count(dates[:-1], dates[1:]) > 2
    return np.concatenate(([False], far))


def _found(frame: pd.DataFrame, tape: Tape, book: Sequence[Level]) -> list[Level]:
    taken = [
        (level.price, float(np.fmax(level.rule.buffer_share * level.price, level.rule.buffer_atr * atr_now)))
        for atr_now in tape.atr[-1:]
        for level in book
    ]
    high = frame["high"].to_numpy(dtype=np.float64)
    return [
        Level(price=found.price, label="", automatic=found)
        for found in auto_levels.find(high, tape.low, tape.atr, taken=taken)
    ]


def _state(
    level: Level, verdict: Verdict, candles: Candles, price: float, atr_1d: float | None
) -> LevelState:
    needed = {State.BREAKING: level.rule.bars_to_break, State.RECLAIMING: level.rule.bars_to_hold}
    side = {State.UNKNOWN: 0, State.BREAKING: 1, State.BROKEN: 1}.get(verdict.state, -1)
    below = np.flatnonzero(candles.close < level.price)
    return LevelState(
        level=level,
        state=verdict.state,
        since=verdict.since,
        first_close_below=_instant(int(candles.opened_at[below[0]])) if below.size else None,
        distance_pct=100 * (level.price / price - 1),
        distance_atr=(level.price - price) / atr_1d if atr_1d else None,
        bars_held=verdict.count if verdict.state in needed else None,
        bars_needed=needed.get(verdict.state),
        invalidation=level.price + side * verdict.buffer if side and verdict.buffer is not None else None,
        retested_at=verdict.retested_at,
        events=verdict.events,
    )


def _lowest(candles: Candles, base: pd.DataFrame, *, closed_at: int) -> tuple[float, datetime]:
    rest = base[base.index >= closed_at]
    lows = np.concatenate([candles.low, rest["low"].to_numpy(dtype=np.float64)])
    opened_at = np.concatenate([candles.opened_at, rest.index.to_numpy(dtype=np.int64)])
    lowest = int(np.argmin(lows))
    return float(lows[lowest]), _instant(int(opened_at[lowest]))


def _change_24h(base: pd.DataFrame) -> float | None:
    """In percent against the close 24 hours earlier, or up to an hour before that; else null."""
    closed_at = base["closed_at"].tolist()
    then = closed_at[-1] - 24 * 3600
    bar = bisect_right(closed_at, then) - 1
    if bar < 0 or then - closed_at[bar] > 3600:
        return None
    return float(100 * (base["close"].iloc[-1] / base["close"].iloc[bar] - 1))


def _next_floor(levels: Sequence[LevelState], price: float) -> Floor | None:
    for state in levels:
        if state.level.price < price:
            return Floor(
                price=state.level.price,
                label=state.level.label,
                distance_pct=state.distance_pct,
                distance_atr=state.distance_atr,
                automatic=state.level.automatic,
            )
    return None


def _air_pocket(levels: Sequence[LevelState], price: float, atr_1d: float | None) -> AirPocket | None:
    above = [state.level.price for state in levels if state.level.price >= price]
    below = [state.level.price for state in levels if state.level.price < price]
    if not above or not below:
        return None
    top, bottom = above[-1], below[0]
    return AirPocket(
        top=top,
        bottom=bottom,
        gap_pct=100 * (bottom / top - 1),
        gap_atr=(bottom - top) / atr_1d if atr_1d else None,
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
