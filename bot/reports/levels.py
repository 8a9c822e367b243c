"""``levels``: how far down is the next floor, and what would have to hold to turn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis import level_pool, levels
from analysis.breaks import turned
from analysis.errors import NoData, UserError
from analysis.freshness import freshness
from analysis.levels import AutoLevel, Interval, Level, Levels, LevelState, Running, State
from bot.language import N_, iso
from bot.reports import level_past, level_series, levels_kept, missing, rates_json
from bot.reports.level_past import SeriesPast
from bot.reports.level_series import BOOK_INSTRUMENT, DEFAULT_DAYS
from bot.reports.level_words import say
from bot.reports.shapes import Asked, Option, Report, Words, choice, rounded
from bot.reports.windows import start_date
from storage import level_book, unfinished
from storage.instants import utc
from storage.instruments import Series
from storage.store import Db

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BARS: Final = 2000
INSTRUMENT = Option(name="instrument", help=N_("What to look at (default BTC)"))
INTERVAL = Option(
    name="interval",
    help=N_("Length of a bar (default 30m)"),
    choices=tuple(interval.value for interval in Interval),
)
SINCE = Option(name="since", help=N_("First day shown: 7d, 1/28 or 2026-01-28"))
BARS = Option(name="bars", help=N_("How many bars to show, instead of a first day"))
AUTO = Option(
    name="auto",
    help=N_("Also the levels found in the bars, marked as automatic"),
    choices=("yes", "no"),
    flag=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsQuery:
    """A checked question. At most one of ``since`` (a UTC day) and ``bars`` is set.

    ``interval`` is null where none was asked for: 30 minutes, or days where no less is known.
    """

    instrument: str = "BTC"
    interval: Interval | None = Interval.M30
    since: date | None = None
    bars: int | None = None
    auto: bool = False


def read(words: Words, now: datetime) -> LevelsQuery:
    since, count = words.get("since", "").strip(), words.get("bars", "").strip()
    if since and count:
        raise UserError("Give either a first day or a number of bars, not both.")
    instrument = words.get("instrument", BOOK_INSTRUMENT).strip().upper()[:16]
    # Bitcoin is known by 30 minutes: what is asked without an interval is the same question as with it.
    is_open = INTERVAL.name not in words and instrument != BOOK_INSTRUMENT
    return LevelsQuery(
        instrument=instrument,
        interval=None if is_open else Interval(choice(words, INTERVAL, Interval.M30)),
        since=start_date(since, now) if since else None,
        bars=_bar_count(count) if count else None,
        auto=choice(words, AUTO, "no") == "yes",
    )


def _bar_count(typed: str) -> int:
    # The length first: Python refuses to read a number of some thousand digits.
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 6 and 1 <= int(typed) <= MOST_BARS):
        raise UserError("The number of bars is a whole number from 1 to {most}.", most=MOST_BARS)
    return int(typed)


def write(query: LevelsQuery) -> dict[str, str]:
    words = {"instrument": query.instrument}
    if query.interval:
        words["interval"] = query.interval.value
    if query.since:
        words["since"] = query.since.isoformat()
    if query.bars:
        words["bars"] = str(query.bars)
    if query.auto:
        words["auto"] = "yes"
    return words


def settled(query: LevelsQuery, result: Levels) -> LevelsQuery:
    return replace(query, interval=result.interval)


async def answer(query: LevelsQuery, asked: Asked) -> Levels:
    """Query -> rows -> frame -> result. Raises UserError when it cannot be answered."""
    async with asked.store.read() as db:
        series = await level_series.find(db, query.instrument, query.interval, at=asked.at)
    interval = query.interval or series.interval

    async def beside(db: Db) -> _Beside:
        book = await level_book.read(db, asked.server_id) if series.code == BOOK_INSTRUMENT else []
        return _Beside(
            book=book,
            kept=await levels_kept.read(db, interval) if book else None,
            running=await _seen_running(db, series, asked.at) if interval is series.interval else None,
        )

    def assessed(known: SeriesPast, told: _Beside) -> Levels:
        if not len(known.base):
            raise NoData("No bar of {instrument} had closed by then.", instrument=series.code)
        past = known.past(interval)
        return levels.assess_past(
            past,
            base=known.base,
            daily=known.days,
            book=told.book,
            as_of=asked.at,
            window_start=_window_start(query, interval, past.bars.opened_at),
            instrument=series.code,
            venue=series.venue,
            quote=series.quote,
            source=series.source,
            weekends=not series.rests,
            price_interval=series.interval,
            is_sample=series.is_sample,
            automatic=query.auto,
            running=told.running,
            drawn=None if told.kept is None else level_pool.counts(told.kept, past.bars),
        )

    return await level_past.judged(asked.store, series, beside, assessed, at=asked.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What an answer takes from the store besides bars."""

    book: Sequence[Level]
    kept: Mapping[str, Any] | None
    running: Running | None


async def _seen_running(db: Db, series: Series, at: datetime) -> Running | None:
    """The running bar of the series' own interval; of longer ones too little is known before they close."""
    found = await unfinished.running(db, series, at=at)
    if found is None:
        return None
    bar, seen_at = found
    if bar.open is None or bar.high is None or bar.low is None:
        return None
    return Running(
        opened_at=utc(bar.opened_at),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        seen_at=utc(seen_at),
    )


def _window_start(query: LevelsQuery, interval: Interval, opened_at: NDArray[np.int64]) -> datetime:
    """The opening of the first bar shown; counted back from the last bar when no day was asked for.

    Counted from the last bar, not from now: over a weekend, an outage or on the
    sample the window still shows what is known, and its age is told beside it.
    """
    if query.since is not None:
        start = datetime.combine(query.since, time.min, UTC)
        shown = len(opened_at) - int(np.searchsorted(opened_at, start.timestamp()))
        if shown > MOST_BARS:
            raise UserError(
                "That is {count} bars; at most {most} fit a picture. Choose a later day or longer bars.",
                count=shown,
                most=MOST_BARS,
            )
        return start
    count = query.bars or int(timedelta(days=DEFAULT_DAYS[interval]) / interval.length)
    first = opened_at[-min(count, len(opened_at))] if len(opened_at) else 0
    return datetime.fromtimestamp(int(first), UTC)


def as_json(result: Levels, now: datetime) -> dict[str, Any]:
    return {
        "as_of": iso(result.as_of),
        "instrument": result.instrument,
        "interval": result.interval.value,
        "price": result.price,
        "price_at": iso(result.price_at),
        "change_24h_pct": rounded(result.change_24h_pct),
        "quote": result.quote,
        "venue": result.venue,
        "source": "sample" if result.is_sample else result.source,
        "data_source": result.source,
        "age_s": int((now - result.price_at).total_seconds()),
        "freshness": freshness(result.price_at, now, result.rhythm).value,
        "unfinished": None if result.running is None else _running(result.running),
        "atr_1d": rounded(result.atr_1d),
        "levels": [
            {
                "price": item.level.price,
                "label": item.level.label,
                **_automatic(item.level.automatic),
                "state": item.state.value,
                "unconfirmed": item.unconfirmed,
                "since": _time(item.since),
                "turned_at": _time(turned(item.events)),
                "first_close_below": _time(item.first_close_below),
                "distance_pct": rounded(item.distance_pct),
                "distance_atr": rounded(item.distance_atr),
                "bars_held": item.bars_held,
                "bars_needed": item.bars_needed,
                "invalidation": rounded(item.invalidation),
                "retested_at": _time(item.retested_at),
                "events": [
                    {"time": iso(event.time), "from": event.before.value, "to": event.after.value}
                    for event in item.events
                ],
            }
            for item in result.levels
        ],
        "next_floor": None
        if result.next_floor is None
        else {
            "price": result.next_floor.price,
            "automatic": result.next_floor.automatic is not None,
            "distance_pct": rounded(result.next_floor.distance_pct),
            "distance_atr": rounded(result.next_floor.distance_atr),
        },
        "air_pocket": None
        if result.air_pocket is None
        else {
            "top": result.air_pocket.top,
            "bottom": result.air_pocket.bottom,
            "gap_pct": rounded(result.air_pocket.gap_pct),
            "gap_atr": rounded(result.air_pocket.gap_atr),
        },
        "low": {"price": result.low, "opened_at": iso(result.low_at)},
        "base_rates": rates_json.of_levels(result.base_rates, result.source),
    }


def _running(bar: Running) -> dict[str, Any]:
    return {
        "opened_at": iso(bar.opened_at),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "seen_at": iso(bar.seen_at),
    }


def _automatic(found: AutoLevel | None) -> dict[str, object]:
    if found is None:
        return {"automatic": False}
    return {"automatic": True, "touches": found.touches, "score": rounded(found.score)}


def _time(when: datetime | None) -> str | None:
    return None if when is None else iso(when)


def as_table(result: Levels) -> Sequence[Sequence[object]]:
    """The bars in the picture, one row each, with the state of every level after that bar."""
    names = [
        f"state_{item.level.price:g}{'_automatic' if item.level.automatic else ''}" for item in result.levels
    ]
    unit = result.quote
    header: list[object] = ["opened_at_utc", *(f"{name}_{unit}" for name in ("open", "high", "low", "close"))]
    header += [f"volume_{result.instrument}", *names]
    candles = result.candles
    rows: list[list[object]] = [header]
    for index, opened in enumerate(candles.opened_at.tolist()):
        closed = datetime.fromtimestamp(opened, UTC) + result.interval.length
        rows.append(
            [
                iso(datetime.fromtimestamp(opened, UTC)),
                candles.open[index].item(),
                candles.high[index].item(),
                candles.low[index].item(),
                candles.close[index].item(),
                round(candles.volume[index].item(), 8),  # summed from shorter bars
                *(_state_after(item, closed).value for item in result.levels),
            ]
        )
    return rows


def _state_after(item: LevelState, closed: datetime) -> State:
    told = bisect_right([event.time for event in item.events], closed)
    if told:
        return item.events[told - 1].after
    return item.events[0].before if item.events else item.state


def _feeds(query: LevelsQuery) -> list[str]:
    return [f"{query.instrument}:{interval}" for interval in (Interval.M30, Interval.D1)]


REPORT: Final = Report(
    name="levels",
    about=N_("How far down is the next floor, and what would have to hold to turn"),
    options=(INSTRUMENT, INTERVAL, SINCE, BARS, AUTO),
    switch=INTERVAL.name,
    buttons=INTERVAL.choices,
    read=read,
    write=write,
    settled=settled,
    answer=missing.naming_feeds(answer, _feeds),
    say=say,
    as_json=as_json,
    as_table=as_table,
)
