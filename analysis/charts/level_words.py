"""What the picture of ``/levels`` says, in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.breaks import turned
from analysis.charts import freshness_words, quantities, state_words
from analysis.charts.look import ALT_TEXT_LIMIT
from analysis.charts.text import clean
from analysis.charts.time_words import moment
from analysis.levels import Interval, Levels, LevelState, State

if TYPE_CHECKING:
    from analysis.charts.look import Gettext, Look
    from analysis.levels import AirPocket, Level


def interval(value: Interval, _: Gettext) -> str:
    match value:
        case Interval.M30:
            return _("30m")
        case Interval.H1:
            return _("1h")
        case Interval.H4:
            return _("4h")
        case Interval.D1:
            return _("1d")


def title(result: Levels, _: Gettext) -> str:
    """The answer in one line."""
    floor = result.next_floor
    values = {
        "instrument": clean(result.instrument, 16),
        "interval": interval(result.interval, _),
        "price": quantities.price(result.price),
    }
    if floor is None:
        return _("{instrument} {interval} · {price} · no floor below in the book").format(**values)
    values |= {"floor": quantities.price(floor.price), "percent": quantities.percent(floor.distance_pct)}
    if floor.distance_atr is None:
        return _("{instrument} {interval} · {price} · next floor {floor} {percent}").format(**values)
    return _("{instrument} {interval} · {price} · next floor {floor} {percent} · {atr} ATR").format(
        **values, atr=quantities.ratio(abs(floor.distance_atr))
    )


def name(level: Level, _: Gettext) -> str:
    """What a level is called beside its rule; nothing where it was given no name."""
    if level.automatic is not None:
        return _("automatic")
    return clean(_(level.label) if level.label else "")


def standing(level: LevelState, zone: ZoneInfo, _: Gettext) -> str:
    """A level's state as its label says it: how far the count is, or since when; first that it is automatic."""
    if level.level.automatic is not None:
        return _("auto") + " · " + _standing(level, zone, _)
    return _standing(level, zone, _)


def _standing(level: LevelState, zone: ZoneInfo, _: Gettext) -> str:
    if level.unconfirmed:
        return _("price below, no break yet")
    word = state_words.state(level.state, _)
    if level.bars_held is not None and level.bars_needed is not None:
        return _("{state} {held}/{needed}").format(state=word, held=level.bars_held, needed=level.bars_needed)
    side = turned(level.events)
    if side is not None:
        return _("{state} since {time}").format(state=word, time=moment(side, zone, _("%-d %b")))
    if level.state is State.BROKEN and level.since is None:
        return _("never above it here")
    return word


def pocket(found: AirPocket, _: Gettext) -> str:
    gap = quantities.percent(found.gap_pct, sign=False)
    if found.gap_atr is None:
        return _("air pocket {percent}").format(percent=gap)
    return _("air pocket {percent} · {atr} ATR").format(percent=gap, atr=quantities.ratio(abs(found.gap_atr)))


def foot(result: Levels, look: Look, _: Gettext) -> str:
    """Where the bars come from, whose clock is used, up to when they are closed, and of when a newer price is."""
    opened = result.candles.opened_at
    # A bar that made the price closed then, also where a day ends at 17:00 New York.
    last = result.price_at
    if len(opened) and result.interval is not result.price_interval:
        last = datetime.fromtimestamp(int(opened[-1]), UTC) + result.interval.length
    zone, pattern = ZoneInfo(look.zone), _("%-d %b %H:%M")
    foot = _("{source} · time zone {zone} · closed bars to {time}").format(
        source=clean(result.source), zone=clean(look.zone), time=moment(last, zone, pattern)
    )
    if last != result.price_at:
        foot = _("{foot} · price of {time}").format(foot=foot, time=moment(result.price_at, zone, pattern))
    return freshness_words.beside(foot, result.freshness, _)


def alt(result: Levels, look: Look, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""
    zone = ZoneInfo(look.zone)
    pattern = _("%-d %b %H:%M")
    said = [
        _("{instrument} {interval} candles: {price} {quote} on {time} ({zone}).").format(
            instrument=clean(result.instrument, 16),
            interval=interval(result.interval, _),
            price=quantities.price(result.price),
            quote=clean(result.quote, 8),
            time=moment(result.price_at, zone, pattern),
            zone=clean(look.zone),
        )
    ]
    floor = result.next_floor
    if floor is None:
        said.append(_("No floor below in the book."))
    elif floor.distance_atr is None:
        said.append(
            _("Next floor {floor}, {percent}.").format(
                floor=quantities.price(floor.price), percent=quantities.percent(floor.distance_pct)
            )
        )
    else:
        said.append(
            _("Next floor {floor}, {percent}, {atr} ATR.").format(
                floor=quantities.price(floor.price),
                percent=quantities.percent(floor.distance_pct),
                atr=quantities.ratio(abs(floor.distance_atr)),
            )
        )
    if result.levels:
        nearest = min(result.levels, key=lambda s: abs(s.distance_pct))
        values = {
            "level": quantities.price(nearest.level.price),
            "state": state_words.state(nearest.state, _),
        }
        if nearest.level.automatic is not None:
            values["level"] = _("{price} (automatic)").format(price=values["level"])
        if nearest.unconfirmed:
            values["state"] = _("price below, no break yet")
        # A break or a reclaim under way is told with its own beginning.
        side = turned(nearest.events) if nearest.bars_held is None else nearest.since
        if side is None or nearest.unconfirmed:
            said.append(_("Nearest level {level}: {state}.").format(**values))
        else:
            since = moment(side, zone, pattern)
            said.append(_("Nearest level {level}: {state} since {time}.").format(**values, time=since))
    return clean(" ".join(said), ALT_TEXT_LIMIT)
