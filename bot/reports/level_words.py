"""What ``levels`` says: three lines, and the details behind them."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.auto_levels import CONFIRMING, FEWEST_TOUCHES, AutoLevel
from analysis.breaks import failed, turned
from analysis.charts import freshness_words
from analysis.freshness import Freshness, freshness
from analysis.levels import Event, Interval, Level, Levels, LevelState, Rule, State
from bot.language import Speech
from bot.reports import rate_words
from bot.reports.shapes import DETAILS_ROOM, Reply, data_line


def say(result: Levels, speech: Speech, now: datetime) -> Reply:
    decides = deciding(result)
    return Reply(
        lines=(_price_line(result, speech, now), _floor_line(result, speech), _deciding_line(result, speech)),
        details=tuple(_details(result, speech)),
        data_line=_data_line(result, speech, now),
        # The level that the third line is about.
        alert_at=None if decides is None else decides.level.price,
    )


def _price_line(result: Levels, speech: Speech, now: datetime) -> str:
    """The price with its time; where it is no price of now any more, that comes first of all."""
    told = _price(result, speech)
    if freshness(result.price_at, now, result.rhythm) is not Freshness.STALE:
        return told
    return "⚠ " + speech._("**stale, {age}**").format(age=speech.age(now - result.price_at)) + " · " + told


def _price(result: Levels, speech: Speech) -> str:
    _ = speech._
    price, time = speech.price(result.price), speech.instant(result.price_at)
    if result.change_24h_pct is None:
        told = _("**{instrument} {price}** · {time}").format(
            instrument=result.instrument, price=price, time=time
        )
    else:
        told = _("**{instrument} {price}** · {change} in 24 h · {time}").format(
            instrument=result.instrument, price=price, change=speech.percent(result.change_24h_pct), time=time
        )
    if result.price_interval is Interval.D1:
        told += " · " + _("daily bars only")
    running = result.running
    if running is None:
        return told
    return f"{told} · " + _("running bar: last {price} at {time}").format(
        price=speech.price(running.close), time=speech.instant(running.seen_at)
    )


def _floor_line(result: Levels, speech: Speech) -> str:
    _, floor = speech._, result.next_floor
    if not result.levels:
        return _("The level book holds no level for {instrument}.").format(instrument=result.instrument)
    if floor is None:
        return _("No level of the book lies below this price.")
    return _("Next floor **{price}** ({label}): {distance}").format(
        price=speech.price(floor.price),
        label=_label(floor.label, floor.automatic, speech),
        distance=_distance(floor.distance_pct, floor.distance_atr, speech),
    )


def _label(label: str, automatic: AutoLevel | None, speech: Speech) -> str:
    if automatic is None:
        return speech.label(label)
    return speech._("automatic, {n} touches").format(n=automatic.touches)


def _named(level: Level, speech: Speech) -> str:
    """The price of a level, with a word where nobody chose it."""
    price = speech.price(level.price)
    return price if level.automatic is None else speech._("{price} (automatic)").format(price=price)


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
    return "" if decides is None else state_sentence(decides, speech, newest=result.price_at)


def state_sentence(item: LevelState, speech: Speech, *, newest: datetime) -> str:
    """What closed bars, of which the last closed at ``newest``, have done to one level, and what would change it.

    ``since`` is that of the side it stands on, as ``lights`` tells it; what failed after it is told beside it.
    """
    return _sentence(item, speech, newest) + _failed(item, speech, newest)


def _when(time: datetime, speech: Speech, newest: datetime) -> str:
    """With its year where that is another one than that of the price."""
    years = {at.astimezone(speech.zone).year for at in (time, newest)}
    return speech.instant(time, year=len(years) > 1)


def _failed(item: LevelState, speech: Speech, newest: datetime) -> str:
    _, at = speech._, failed(item.events)
    if at is None:
        return ""
    told = _("reclaim failed {time}") if item.state is State.BROKEN else _("break failed {time}")
    return " · " + told.format(time=_when(at, speech, newest))


def _sentence(item: LevelState, speech: Speech, newest: datetime) -> str:
    _ = speech._
    level = _named(item.level, speech)
    edge = "" if item.invalidation is None else speech.price(round(item.invalidation, 2))
    side = turned(item.events)
    since = "" if side is None else _when(side, speech, newest)
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
            told = (
                _("{level} is broken; to turn it must be reclaimed and held: 0/{needed} bars")
                if side is None
                else _("{level} broken since {since}; to turn it must be reclaimed and held: 0/{needed} bars")
            )
            return told.format(level=level, since=since, needed=item.level.rule.bars_to_hold)
        case State.RECLAIMED:
            return _("{level} reclaimed and held since {since}; a close below {edge} ends that").format(
                level=level, since=since, edge=edge
            )
        case State.ABOVE if item.unconfirmed:
            return _(
                "The price is below {level}, but no bar has closed below {edge}, which would start a break"
            ).format(level=level, edge=edge)
        case State.ABOVE if side is None:
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


def _state_since(item: LevelState, speech: Speech, newest: datetime) -> str:
    _ = speech._
    if item.unconfirmed:
        return _("price below, no break yet")
    word = state_word(item.state, speech)
    if item.bars_needed is not None:
        return _("{state} {held}/{needed}").format(state=word, held=item.bars_held, needed=item.bars_needed)
    if item.state is State.BROKEN and item.since is None:
        return _("below; never broken here")
    side = turned(item.events)
    if side is not None:
        word = _("{state} since {since}").format(state=word, since=_when(side, speech, newest))
    return word + _failed(item, speech, newest)


def _details(result: Levels, speech: Speech) -> list[str]:
    _ = speech._
    lines = ["**" + _("Levels") + "**"]
    lines += [
        _("{price} ({label}): {state} · {distance}").format(
            price=speech.price(item.level.price),
            label=_label(item.level.label, item.level.automatic, speech),
            state=_state_since(item, speech, result.price_at),
            distance=_distance(item.distance_pct, item.distance_atr, speech),
        )
        for item in result.levels
    ]
    lines += [
        _("Lowest in the window: {price} in the bar of {time}").format(
            price=speech.price(result.low), time=_when(result.low_at, speech, result.price_at)
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
    place = len(lines)
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
    if any(item.level.automatic for item in result.levels):
        lines.append(
            "-# "
            + _(
                "Automatic: nobody chose these prices. Closed {interval} bars turned there at least {touches} times, "
                "each turn confirmed by {bars} later bars; what is told from before that is hindsight."
            ).format(interval=interval_word(result.interval, speech), touches=FEWEST_TOUCHES, bars=CONFIRMING)
        )
    lines.append("-# " + _("A map of where the levels lie, not a forecast and not advice."))
    lines += _base_rates(result, speech)
    # What is left of the room is for what happened, the last of it.
    room = DETAILS_ROOM - sum(len(line) + 1 for line in lines)
    return [*lines[:place], *_history(result, speech, room), *lines[place:]]


def _base_rates(result: Levels, speech: Speech) -> list[str]:
    if result.base_rates is None:
        return []
    decides = deciding(result)
    held = decides.bars_held if decides is not None and decides.state is State.RECLAIMING else None
    of = " · ".join((result.source, result.instrument, interval_word(result.interval, speech)))
    return rate_words.of_levels(result.base_rates, speech, of=of, held=held or Rule().bars_to_hold)


def interval_word(interval: Interval, speech: Speech) -> str:
    _ = speech._
    return {
        Interval.M30: _("30 m"),
        Interval.H1: _("1 h"),
        Interval.H4: _("4 h"),
        Interval.D1: _("1 d"),
    }[interval]


def _history(result: Levels, speech: Speech, room: int) -> list[str]:
    """First closes below and changes of state inside the window, oldest first: the last that fit ``room``."""
    _ = speech._
    opened = datetime.fromtimestamp(int(result.candles.opened_at[0]), UTC)
    told: list[tuple[datetime, str]] = []
    for item in result.levels:
        level = _named(item.level, speech)
        if item.first_close_below is not None:
            first = item.first_close_below + result.interval.length
            told.append((first, _("first close below {level} in this window").format(level=level)))
        told += [
            (event.time, _event_words(event, level, speech)) for event in item.events if event.time > opened
        ]
    if not told:
        return []
    told.sort(key=lambda entry: entry[0])
    lines = [f"{_when(time, speech, result.price_at)} · {words}" for time, words in told]
    title = "**" + _("What happened, in order") + "**"
    room -= len(title) + 1
    if sum(len(line) + 1 for line in lines) <= room:
        return [title, *lines]
    earlier = _("… {n} earlier ones: the CSV has the state after every bar")
    room -= len(earlier.format(n=len(lines))) + 1
    first_shown = len(lines)
    while first_shown and len(lines[first_shown - 1]) < room:
        first_shown -= 1
        room -= len(lines[first_shown]) + 1
    return [title, earlier.format(n=first_shown), *lines[first_shown:]]


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
    state = freshness(result.price_at, now, result.rhythm)
    parts = (
        result.source,
        _("closed {time}").format(time=speech.instant(result.price_at)),
        speech.age(now - result.price_at),
        freshness_words.word(state, _),
    )
    return data_line(parts, speech, is_sample=result.is_sample)
