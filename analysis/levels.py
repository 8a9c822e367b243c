"""Levels: break, reclaim and hold, judged on closed bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from analysis import auto_levels, columns
from analysis.atr import atr
from analysis.auto_levels import AutoLevel
from analysis.breaks import Event, Rule, State, Verdict
from analysis.columns import Bars
from analysis.errors import NoData
from analysis.freshness import freshness, of_bars
from analysis.level_past import Past, after_gap, past_of
from analysis.level_rates import Counts, History, Place
from analysis.level_types import (
    AirPocket,
    Candles,
    Floor,
    Interval,
    Level,
    Levels,
    LevelState,
    Running,
)

if TYPE_CHECKING:
    import pandas as pd

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
    "after_gap",
    "assess",
    "assess_past",
    "history",
]


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
    drawn: Counts | None = None,
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
    seen by ``as_of`` and no bar of its time has closed. ``drawn``: what ``arbitrary`` counts in
    the ``history`` of just these bars, null to have it counted here.

    Raises NoData if no bar had closed, or none lies in the window.
    """
    instant = int(as_of.timestamp())
    shown = columns.of_frame(frame).until(instant)
    return assess_past(
        past_of(shown, interval, weekends=weekends),
        base=columns.of_frame(base),
        daily=columns.of_frame(daily),
        book=book,
        as_of=as_of,
        window_start=window_start,
        instrument=instrument,
        venue=venue,
        quote=quote,
        source=source,
        weekends=weekends,
        price_interval=price_interval,
        is_sample=is_sample,
        automatic=automatic,
        running=running,
        drawn=drawn,
    )


def assess_past(
    past: Past,
    *,
    base: Bars,
    daily: Bars,
    book: Sequence[Level],
    as_of: datetime,
    window_start: datetime,
    instrument: str,
    venue: str,
    quote: str,
    source: str,
    weekends: bool = True,
    price_interval: Interval = Interval.M30,
    is_sample: bool = False,
    automatic: bool = False,
    running: Running | None = None,
    drawn: Counts | None = None,
) -> Levels:
    """The same with the bars of the asked interval in ``past``, where all have closed by ``as_of``."""
    instant, interval = int(as_of.timestamp()), past.interval
    frame, base, daily = past.bars, base.until(instant), daily.until(instant)
    if not len(frame) or not len(base):
        raise NoData(
            "No {interval} bar of {instrument} had closed by {at} UTC.",
            interval=interval.value,
            instrument=instrument,
            at=f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M}",
        )
    newest = int(frame.closed_at[-1])
    start = int(np.searchsorted(frame.opened_at, window_start.timestamp()))
    if start == len(frame):
        raise NoData(
            "No {interval} bar of {instrument} has closed since {start} UTC; the newest closed at {newest} UTC.",
            interval=interval.value,
            instrument=instrument,
            start=f"{window_start.astimezone(UTC):%Y-%m-%d %H:%M}",
            newest=f"{_instant(newest):%Y-%m-%d %H:%M}",
        )
    candles = _candles(frame.part(start))
    low, low_at = _lowest(candles, base, closed_at=newest)
    price = float(base.close[-1])
    price_at = _instant(int(base.closed_at[-1]))
    days = atr(daily.high, daily.low, daily.close)
    atr_1d = next((float(value) for value in days[-1:] if not np.isnan(value)), None)
    places = [
        Place(price=level.price, rule=level.rule, known_from=_known_from(level.dated)) for level in book
    ]
    # Of the book alone: automatic levels are found by what price did, so what it did says nothing of them.
    rates = past.rates(places, drawn) if book else None
    if automatic:
        book = [*book, *_found(past.history, book)]
    levels = tuple(
        _state(level, past.verdict(level.price, level.rule), candles, price, atr_1d)
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
        running=running if running is not None and _runs(running, newest, as_of) else None,
        base_rates=rates,
    )


def history(frame: pd.DataFrame, interval: Interval, *, weekends: bool) -> History:
    """Bars of ``interval`` as the rule and the base rates read them."""
    return past_of(columns.of_frame(frame), interval, weekends=weekends).history


def _known_from(dated: date | None) -> int:
    """A price of a day is known after it; of a level without a date nobody can say."""
    if dated is None:
        return 0
    return int(datetime(dated.year, dated.month, dated.day, tzinfo=UTC).timestamp()) + 86_400


def _runs(running: Running, newest: int, as_of: datetime) -> bool:
    return running.seen_at <= as_of and running.opened_at.timestamp() >= newest


def _candles(bars: Bars) -> Candles:
    return Candles(
        opened_at=bars.opened_at,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        volume=bars.volume,
    )


def _found(past: History, book: Sequence[Level]) -> list[Level]:
    tape = past.tape
    taken = [
        (level.price, float(np.fmax(level.rule.buffer_share * level.price, level.rule.buffer_atr * atr_now)))
        for atr_now in tape.atr[-1:]
        for level in book
    ]
    return [
        Level(price=found.price, label="", automatic=found)
        for found in auto_levels.find(past.high, tape.low, tape.atr, taken=taken)
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


def _lowest(candles: Candles, base: Bars, *, closed_at: int) -> tuple[float, datetime]:
    rest = base.part(int(np.searchsorted(base.opened_at, closed_at)))
    lows = np.concatenate([candles.low, rest.low])
    opened_at = np.concatenate([candles.opened_at, rest.opened_at])
    lowest = int(np.argmin(lows))
    return float(lows[lowest]), _instant(int(opened_at[lowest]))


def _change_24h(base: Bars) -> float | None:
    """In percent against the close 24 hours earlier, or up to an hour before that; else null."""
    then = int(base.closed_at[-1]) - 24 * 3600
    bar = int(np.searchsorted(base.closed_at, then, side="right")) - 1
    if bar < 0 or then - base.closed_at[bar] > 3600:
        return None
    return float(100 * (base.close[-1] / base.close[bar] - 1))


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
