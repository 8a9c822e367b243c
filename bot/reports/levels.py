"""``levels``: how far down is the next floor, and what would have to hold to turn."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis import levels
from analysis.errors import UserError
from analysis.levels import Event, Interval, Levels, LevelState, State
from bot.language import N_, Speech, iso
from bot.reports.shapes import Asked, Option, Reply, Report, Words, choice, freshness, freshness_words
from bot.reports.windows import start_date
from storage import bars, instruments, level_book, sample
from storage.instruments import Series
from storage.store import Db

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BARS: Final = 2000
BOOK_INSTRUMENT: Final = "BTC"
"""The level book is a book of bitcoin prices; other instruments are shown without levels."""
DEFAULT_DAYS: Final = {Interval.M30: 7, Interval.H1: 14, Interval.H4: 60, Interval.D1: 365}
INSTRUMENT = Option(name="instrument", help=N_("What to look at (default BTC)"))
INTERVAL = Option(
    name="interval",
    help=N_("Length of a bar (default 30m)"),
    choices=tuple(interval.value for interval in Interval),
)
SINCE = Option(name="since", help=N_("First day shown: 7d, 1/28 or 2026-01-28"))
BARS = Option(name="bars", help=N_("How many bars to show, instead of a first day"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsQuery:
    """A checked question. At most one of ``since`` (a UTC day) and ``bars`` is set."""

    instrument: str = "BTC"
    interval: Interval = Interval.M30
    since: date | None = None
    bars: int | None = None


def read(words: Words, now: datetime) -> LevelsQuery:
    since, count = words.get("since", "").strip(), words.get("bars", "").strip()
    if since and count:
        raise UserError("Give either a first day or a number of bars, not both.")
    return LevelsQuery(
        instrument=words.get("instrument", "BTC").strip().upper()[:16],
        interval=Interval(choice(words, INTERVAL, Interval.M30)),
        since=start_date(since, now) if since else None,
        bars=_bar_count(count) if count else None,
    )


def _bar_count(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and 1 <= int(typed[:6]) <= MOST_BARS):
        raise UserError("The number of bars is a whole number from 1 to {most}.", most=MOST_BARS)
    return int(typed)


def write(query: LevelsQuery) -> dict[str, str]:
    words = {"instrument": query.instrument, "interval": query.interval.value}
    if query.since:
        words["since"] = query.since.isoformat()
    if query.bars:
        words["bars"] = str(query.bars)
    return words


async def answer(query: LevelsQuery, asked: Asked) -> Levels:
    """Query -> rows -> frame -> result. Raises UserError when it cannot be answered."""
    async with asked.store.read() as db:
        series = await _series(db, query)
        rows = await bars.closed(db, series, series.interval, at=asked.at)
        days = await bars.daily(db, series, at=asked.at)
        book = await level_book.read(db, asked.server_id) if series.code == BOOK_INSTRUMENT else []
    if not rows:
        raise UserError("No bar of {instrument} had closed by then.", instrument=series.code)

    def judged() -> Levels:
        from analysis import frames  # pandas: a second to load, and only an answer needs it

        base, daily = frames.bars_frame(rows), frames.bars_frame(days)
        asked_bars = daily if query.interval is Interval.D1 else frames.resample(base, query.interval)
        return levels.judge(
            asked_bars,
            base=base,
            daily=daily,
            book=book,
            as_of=asked.at,
            window_start=_window_start(query, asked_bars.index.to_numpy()),
            instrument=series.code,
            venue=series.venue,
            quote=series.quote,
            interval=query.interval,
            source=series.source,
            weekends=series.close_rule == "utc",
            price_interval=series.interval,
            is_sample=series.is_sample,
        )

    # In a thread: a year of 30-minute bars is some 20 ms of arithmetic.
    return await asyncio.to_thread(judged)


async def _series(db: Db, query: LevelsQuery) -> Series:
    """The series that answers: one with 30-minute bars, else daily candles if days were asked for."""
    series = await instruments.find(db, query.instrument, Interval.M30)
    if series is not None:
        return series
    series = await instruments.find(db, query.instrument, Interval.D1)
    if series is None or not series.ohlc:
        known = [item.code for item in await instruments.with_candles(db)]
        if not known:
            raise UserError("The store holds no prices yet.")
        raise UserError(
            "There are no candles of “{instrument}” here; there are of {known}.",
            instrument=query.instrument,
            known=", ".join(known),
        )
    if query.interval is not Interval.D1:
        raise UserError(
            "{instrument} is known by daily bars only: ask with interval 1d.", instrument=series.code
        )
    return series


def _window_start(query: LevelsQuery, opened_at: NDArray[np.int64]) -> datetime:
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
    count = query.bars or int(timedelta(days=DEFAULT_DAYS[query.interval]) / query.interval.length)
    first = opened_at[-min(count, len(opened_at))] if len(opened_at) else 0
    return datetime.fromtimestamp(int(first), UTC)


def say(result: Levels, speech: Speech, now: datetime) -> Reply:
    return Reply(
        lines=(_price_line(result, speech), _floor_line(result, speech), _deciding_line(result, speech)),
        details=tuple(_details(result, speech)),
        data_line=_data_line(result, speech, now),
    )


def _price_line(result: Levels, speech: Speech) -> str:
    _ = speech._
    price, time = speech.price(result.price), speech.instant(result.price_at)
    if result.change_24h_pct is None:
        return _("**{instrument} {price}** · {time}").format(
            instrument=result.instrument, price=price, time=time
        )
    return _("**{instrument} {price}** · {change} in 24 h · {time}").format(
        instrument=result.instrument, price=price, change=speech.percent(result.change_24h_pct), time=time
    )


def _floor_line(result: Levels, speech: Speech) -> str:
    _, floor = speech._, result.next_floor
    if not result.levels:
        return _("The level book holds no level for {instrument}.").format(instrument=result.instrument)
    if floor is None:
        return _("No level of the book lies below this price.")
    return _("Next floor **{price}** ({label}): {distance}").format(
        price=speech.price(floor.price),
        label=speech.label(floor.label),
        distance=_distance(floor.distance_pct, floor.distance_atr, speech),
    )


def _distance(pct: float, atr: float | None, speech: Speech) -> str:
    if atr is None:
        return speech.percent(pct)
    return speech._("{percent}, {atr} daily ATR").format(
        percent=speech.percent(pct), atr=speech.number(abs(atr))
    )


def deciding(result: Levels) -> LevelState | None:
    """The level whose next closes say most: one in motion, else the nearest above, else the nearest below."""
    moving = [item for item in result.levels if item.state in {State.BREAKING, State.RECLAIMING}]
    if moving:
        return min(moving, key=lambda item: abs(item.distance_pct))
    above = [item for item in result.levels if item.level.price > result.price]
    return above[-1] if above else next(iter(result.levels), None)


def _deciding_line(result: Levels, speech: Speech) -> str:
    decides = deciding(result)
    return "" if decides is None else state_sentence(decides, speech)


def state_sentence(item: LevelState, speech: Speech) -> str:
    """What closed bars have done to one level, and what would change it."""
    _ = speech._
    level = speech.price(item.level.price)
    edge = "" if item.invalidation is None else speech.price(round(item.invalidation, 2))
    since = "" if item.since is None else speech.instant(item.since)
    needed = item.bars_needed
    match item.state:
        case State.BREAKING:
            return _(
                "{level} is breaking: {held}/{needed} closes below it; a close above {edge} ends that"
            ).format(level=level, held=item.bars_held, needed=needed, edge=edge)
        case State.RECLAIMING:
            return _(
                "{level} is being reclaimed: held {held}/{needed} bars; a close below {edge} ends that"
            ).format(level=level, held=item.bars_held, needed=needed, edge=edge)
        case State.BROKEN if item.since is None:
            return _("{level} lies above the price and was never broken here").format(level=level)
        case State.BROKEN:
            return _(
                "{level} broken since {since}; to turn it must be reclaimed and held: 0/{needed} bars"
            ).format(level=level, since=since, needed=item.level.rule.bars_to_hold)
        case State.RECLAIMED:
            return _("{level} reclaimed and held since {since}; a close below {edge} ends that").format(
                level=level, since=since, edge=edge
            )
        case State.ABOVE if item.unconfirmed:
            return _(
                "The price is below {level}, but no bar has closed below {edge}, which would start a break"
            ).format(level=level, edge=edge)
        case State.ABOVE if item.since is None:
            return _("{level} holds; a close below {edge} would start a break").format(level=level, edge=edge)
        case State.ABOVE:
            return _("{level} holds since {since}; a close below {edge} would start a break").format(
                level=level, since=since, edge=edge
            )
        case _:
            return _("{level}: not enough bars to judge").format(level=level)


def state_word(state: State, speech: Speech) -> str:
    _ = speech._
    return {
        State.UNKNOWN: _("unknown"),
        State.ABOVE: _("price above"),
        State.BREAKING: _("breaking"),
        State.BROKEN: _("broken"),
        State.RECLAIMING: _("reclaiming"),
        State.RECLAIMED: _("reclaimed"),
    }[state]


def _state_since(item: LevelState, speech: Speech) -> str:
    _ = speech._
    if item.unconfirmed:
        return _("price below, no close yet")
    word = state_word(item.state, speech)
    if item.bars_needed is not None:
        return _("{state} {held}/{needed}").format(state=word, held=item.bars_held, needed=item.bars_needed)
    if item.since is None:
        return _("below; never broken here") if item.state is State.BROKEN else word
    return _("{state} since {since}").format(state=word, since=speech.instant(item.since))


def _details(result: Levels, speech: Speech) -> list[str]:
    _ = speech._
    lines = ["**" + _("Levels") + "**"]
    lines += [
        _("{price} ({label}): {state} · {distance}").format(
            price=speech.price(item.level.price),
            label=speech.label(item.level.label),
            state=_state_since(item, speech),
            distance=_distance(item.distance_pct, item.distance_atr, speech),
        )
        for item in result.levels
    ]
    lines += [
        _("Lowest in the window: {price} in the bar of {time}").format(
            price=speech.price(result.low), time=speech.instant(result.low_at)
        )
    ]
    if result.air_pocket is not None:
        pocket = result.air_pocket
        lines.append(
            _("Air pocket, no level between {top} and {bottom}: {distance}").format(
                top=speech.price(pocket.top),
                bottom=speech.price(pocket.bottom),
                distance=_distance(pocket.gap_pct, pocket.gap_atr, speech),
            )
        )
    history = _history(result, speech)
    if history:
        lines += ["**" + _("What happened, in order") + "**", *history]
    rule = result.levels[0].level.rule if result.levels else None
    if rule is not None:
        lines.append(
            "-# "
            + _(
                "Closed {interval} bars only. Broken after {broken} closes below level − d, held after {held} closes "
                "above level + d; d = the larger of {share} % of the level and {atr} ATR14."
            ).format(
                interval=interval_word(result.interval, speech),
                broken=rule.bars_to_break,
                held=rule.bars_to_hold,
                share=speech.number(rule.buffer_share * 100),
                atr=speech.number(rule.buffer_atr, decimals=2),
            )
        )
    lines.append("-# " + _("A map of where the levels lie, not a forecast and not advice."))
    return lines


def interval_word(interval: Interval, speech: Speech) -> str:
    _ = speech._
    return {
        Interval.M30: _("30 m"),
        Interval.H1: _("1 h"),
        Interval.H4: _("4 h"),
        Interval.D1: _("1 d"),
    }[interval]


def _history(result: Levels, speech: Speech) -> list[str]:
    """First closes below and changes of state inside the window, oldest first, at most the last 40."""
    _ = speech._
    opened = datetime.fromtimestamp(int(result.candles.opened_at[0]), UTC)
    told: list[tuple[datetime, str]] = []
    for item in result.levels:
        level = speech.price(item.level.price)
        if item.first_close_below is not None:
            first = item.first_close_below + result.interval.length
            told.append((first, _("first close below {level}").format(level=level)))
        told += [
            (event.time, _event_words(event, level, speech)) for event in item.events if event.time > opened
        ]
    told.sort(key=lambda entry: entry[0])
    return [f"{speech.instant(time)} · {words}" for time, words in told[-40:]]


def _event_words(event: Event, level: str, speech: Speech) -> str:
    _ = speech._
    failed_break = event.before is State.BREAKING and event.after is State.ABOVE
    failed_reclaim = event.before is State.RECLAIMING and event.after is State.BROKEN
    if failed_break:
        return _("{level}: the break failed").format(level=level)
    if failed_reclaim:
        return _("{level}: the reclaim failed").format(level=level)
    return _("{level}: {state}").format(level=level, state=state_word(event.after, speech))


def _data_line(result: Levels, speech: Speech, now: datetime) -> str:
    _ = speech._
    age = now - result.price_at
    parts = [
        result.source,
        _("closed {time}").format(time=speech.instant(result.price_at)),
        speech.age(age),
        freshness_words(freshness(age, result.price_interval.length), speech),
    ]
    if result.is_sample:
        parts.append(_("sample, ends {date}").format(date=sample.ENDS.isoformat()))
    return " · ".join(parts)


def as_json(result: Levels, now: datetime) -> dict[str, Any]:
    age = now - result.price_at
    return {
        "as_of": iso(result.as_of),
        "instrument": result.instrument,
        "interval": result.interval.value,
        "price": result.price,
        "price_at": iso(result.price_at),
        "change_24h_pct": _rounded(result.change_24h_pct),
        "quote": result.quote,
        "venue": result.venue,
        "source": "sample" if result.is_sample else result.source,
        "data_source": result.source,
        "age_s": int(age.total_seconds()),
        "freshness": freshness(age, result.price_interval.length),
        "atr_1d": _rounded(result.atr_1d),
        "levels": [
            {
                "price": item.level.price,
                "label": item.level.label,
                "state": item.state.value,
                "since": _time(item.since),
                "first_close_below": _time(item.first_close_below),
                "distance_pct": _rounded(item.distance_pct),
                "distance_atr": _rounded(item.distance_atr),
                "bars_held": item.bars_held,
                "bars_needed": item.bars_needed,
                "invalidation": _rounded(item.invalidation),
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
            "distance_pct": _rounded(result.next_floor.distance_pct),
            "distance_atr": _rounded(result.next_floor.distance_atr),
        },
        "air_pocket": None
        if result.air_pocket is None
        else {
            "top": result.air_pocket.top,
            "bottom": result.air_pocket.bottom,
            "gap_pct": _rounded(result.air_pocket.gap_pct),
            "gap_atr": _rounded(result.air_pocket.gap_atr),
        },
        "low": {"price": result.low, "opened_at": iso(result.low_at)},
    }


def _time(when: datetime | None) -> str | None:
    return None if when is None else iso(when)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def as_table(result: Levels) -> Sequence[Sequence[object]]:
    """The bars in the picture, one row each, with the state of every level after that bar."""
    names = [f"state_{item.level.price:g}" for item in result.levels]
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


REPORT: Final = Report(
    name="levels",
    options=(INSTRUMENT, INTERVAL, SINCE, BARS),
    switch=INTERVAL.name,
    buttons=INTERVAL.choices,
    read=read,
    write=write,
    answer=answer,
    say=say,
    as_json=as_json,
    as_table=as_table,
)
