"""What ``/lights`` says of each of its four lights, in the reader's language.

The picture and the card share these; whoever asks brings a way to write instants and days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts import freshness_words, quantities, state_words
from analysis.flows import DayState
from analysis.freshness import Freshness
from analysis.levels import State as LineState
from analysis.lights import EventKind, State, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from analysis.charts.look import Gettext
    from analysis.five_days import FiveDays
    from analysis.lights import Coming, FlowLight, Light, Lights, LineLight, MacroLight, SilverLight


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How one reader is spoken to."""

    _: Gettext
    locale: str
    when: Callable[[datetime], str]
    day: Callable[[date], str]

    def money(self, musd: float) -> str:
        return self._("{amount} US$ m").format(amount=quantities.musd(musd, self.locale))


@dataclass(frozen=True, slots=True, kw_only=True)
class LightWords:
    """``title`` is the name with its answer; ``reading`` what was found, ``since`` from when, ``rule`` when it is
    green, ``flips`` what would change it.
    """

    title: str
    reading: str
    since: str
    rule: str
    flips: str


def headline(result: Lights, _: Gettext) -> str:
    green = sum(light.state is State.GREEN for light in result.all)
    unknown = sum(light.state is State.UNKNOWN for light in result.all)
    if unknown:
        return _("Lights: {green} of 4 on, {unknown} unknown").format(green=green, unknown=unknown)
    return _("Lights: {green} of 4 on").format(green=green)


def tell(result: Lights, voice: Voice) -> tuple[LightWords, LightWords, LightWords, LightWords]:
    """In the order of the lights."""
    return (
        _line(result, result.line, voice),
        _flows(result, result.flows, voice),
        _macro(result, result.macro, voice),
        _silver(result, result.silver, voice),
    )


def _title(name: str, light: Light, good: str, bad: str, _: Gettext) -> str:
    answer = {State.GREEN: good, State.RED: bad, State.UNKNOWN: _("unknown")}[light.state]
    return _("{name}: {answer}").format(name=name, answer=answer)


def _since(light: Light, told: Callable[[datetime], str], _: Gettext) -> str:
    if light.state is State.UNKNOWN:
        if light.since is None:
            return _("no value known")
        return _("last value {time}").format(time=told(light.since))
    if light.since is None:
        return _("for as long as the data reach")
    return _("since {time}").format(time=told(light.since))


def _why(light: Light, _: Gettext) -> str:
    """Why a light is unknown; empty while it is not."""
    return {
        None: "",
        Why.MISSING: _("nothing to go by"),
        Why.STALE: _("stale"),
        Why.TOO_FEW: _("too few values"),
        Why.NOT_REPORTED: _("not reported yet"),
        Why.UNJUDGED: _("too few bars since a gap"),
    }[light.why]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _state(fresh: Freshness, _: Gettext) -> str:
    """How an input stands, unless it is as new as can be."""
    return "" if fresh is Freshness.FRESH else freshness_words.word(fresh, _)


def _dated(moves: Sequence[tuple[FiveDays | None, str]], voice: Voice) -> str:
    """Five-day moves with the day they reach to, told once where it is the same."""
    _ = voice._
    days: dict[date, list[str]] = {}
    for move, words in moves:
        if move is not None:
            days.setdefault(move.last.dated, []).append(_moved(move, words, _))
    told = []
    for place, (day, figures) in enumerate(days.items()):
        values = {"date": voice.day(day), "moves": " · ".join(figures)}
        words = _("to {date}: {moves}") if place else _("five days to {date}: {moves}")
        told.append(words.format(**values))
    return " · ".join(told)


def _line(result: Lights, one: LineLight, voice: Voice) -> LightWords:
    _, price = voice._, quantities.price(result.thresholds.line)
    reading = _why(one.light, _)
    if one.level is not None and one.price is not None:
        state = state_words.state(one.level.state, _)
        if one.level.bars_held is not None and one.level.bars_needed is not None:
            state = _("{state} {held}/{needed}").format(
                state=state, held=one.level.bars_held, needed=one.level.bars_needed
            )
        standing = state if one.light.why is None else reading
        fresh = "" if one.light.why is Why.STALE else _state(one.freshness, _)
        reading = _joined(_("price {price}").format(price=quantities.price(one.price)), standing, fresh)
    breaks = 2 if one.level is None else one.level.level.rule.bars_to_break
    rule = _(
        "On once {closes} closes of 30 minutes held {line}, off once {breaks} closed below it; beyond a small band"
    )
    return LightWords(
        title=_title(_("Line {price}").format(price=price), one.light, _("held"), _("not held"), _),
        reading=reading,
        since=_since(one.light, voice.when, _),
        rule=rule.format(closes=result.thresholds.closes, line=price, breaks=breaks),
        flips=_line_flips(result, one, voice),
    )


def _line_flips(result: Lights, one: LineLight, voice: Voice) -> str:
    _, level = voice._, one.level
    if one.light.why is Why.UNJUDGED:
        return _("known with a close beyond the band")
    if one.light.state is State.UNKNOWN or level is None or level.invalidation is None:
        return _("known with the next bars")
    rule = level.level.rule
    left = (level.bars_needed or 0) - (level.bars_held or 0)
    values = {
        "line": quantities.price(result.thresholds.line),
        "border": quantities.price(level.invalidation),
        "left": left,
    }
    match level.state:
        case LineState.BREAKING:
            return _("more closes below {line} until off: {left}").format(**values)
        case LineState.RECLAIMING:
            return _("more closes above {line} until on: {left}").format(**values)
        case LineState.BROKEN:
            return _("on after {n} closes above {line}, the first over {border}").format(
                **values, n=rule.bars_to_hold
            )
        case _:
            return _("off after {n} closes below {line}, the first under {border}").format(
                **values, n=rule.bars_to_break
            )


def _flows(result: Lights, one: FlowLight, voice: Voice) -> LightWords:
    _, threshold = voice._, voice.money(result.thresholds.flows_musd)
    reading = _why(one.light, _)
    if one.sum_musd is not None and one.last_date is not None:
        total = _("five days to {date}: {total}").format(
            date=voice.day(one.last_date), total=voice.money(one.sum_musd)
        )
        reading = _joined(total, reading or _waiting(one, voice))
    return LightWords(
        title=_title(_("ETF flows"), one.light, _("steady"), _("not steady"), _),
        reading=reading,
        since=_since(one.light, lambda at: voice.day(at.date()), _),
        rule=_("On while the last five final days of the bitcoin ETFs sum to {threshold} or more").format(
            threshold=threshold
        ),
        flips=_flow_flips(one, voice),
    )


def _waiting(one: FlowLight, voice: Voice) -> str:
    """What the newest day is, where it is no final figure."""
    _, latest = voice._, one.latest
    if latest is None or latest.state is DayState.FINAL:
        return _state(one.freshness, _)
    words = {
        DayState.PENDING: _("not reported yet"),
        DayState.PARTIAL: _("partly reported"),
        DayState.CLOSED: _("market closed"),
    }[latest.state]
    return _("{date}: {state}").format(date=voice.day(latest.date), state=words)


def _flow_flips(one: FlowLight, voice: Voice) -> str:
    _ = voice._
    if one.light.state is State.UNKNOWN or one.next_needed is None:
        return _("known with the next final days")
    needed = voice.money(one.next_needed)
    if one.light.state is State.GREEN:
        return _("off if the next day brings less than {flow}").format(flow=needed)
    return _("on if the next day brings {flow} or more").format(flow=needed)


def event(one: Coming, _: Gettext) -> str:
    return {EventKind.DECISION: _("Fed decision"), EventKind.CPI: _("CPI release")}[one.kind]


def _sigma(value: float) -> str:
    return quantities.signed(value) + "σ"


def _macro(result: Lights, one: MacroLight, voice: Voice) -> LightWords:
    _ = voice._
    told = [_dated([(one.dollar, _("dollar {sigma}")), (one.breakeven, _("breakeven {sigma}"))], voice)]
    if one.coming is not None:
        told.append(_("{event} {time}").format(event=event(one.coming, _), time=voice.when(one.coming.at)))
    rule = _(
        "On while the five-day moves of the dollar index and the 10-year breakeven stay under {sigma}σ "
        "and no Fed decision or CPI release is due within 24 hours"
    )
    return LightWords(
        title=_title(_("Macro"), one.light, _("calm"), _("not calm"), _),
        reading=_joined(_why(one.light, _), *told),
        since=_since(one.light, voice.when, _),
        rule=rule.format(sigma=f"{result.thresholds.macro_sigma:g}"),
        flips=_macro_flips(result, one, voice),
    )


def _moved(move: FiveDays, words: str, _: Gettext) -> str:
    told = words.format(sigma=_sigma(move.z))
    # Its day is told: that no newer one is due yet adds nothing to it.
    state = _state(move.freshness, _) if move.freshness.worse > Freshness.PENDING.worse else ""
    return _("{figure} ({state})").format(figure=told, state=state) if state else told


def _macro_flips(result: Lights, one: MacroLight, voice: Voice) -> str:
    _ = voice._
    if one.light.state is State.UNKNOWN or one.dollar is None or one.breakeven is None:
        return _("known with fresh closes of the dollar index and values of the breakeven")
    threshold = result.thresholds.macro_sigma
    dollar, rate = _between(one.dollar, _), _between(one.breakeven, _, decimals=2)
    if one.light.state is State.GREEN:
        words = _("off if the dollar next closes beyond {dollar} or the breakeven beyond {rate}")
        return words.format(dollar=dollar, rate=rate)
    needs = []
    if abs(one.dollar.z) >= threshold:
        needs.append(_("the dollar index next closing within {range}").format(range=dollar))
    if abs(one.breakeven.z) >= threshold:
        needs.append(_("the breakeven within {range}").format(range=rate))
    if one.coming is not None and not needs:
        needs.append(_("the {event} past").format(event=event(one.coming, _)))
    return _("on with {needs}").format(needs=_(" and ").join(needs))


def _between(move: FiveDays, _: Gettext, *, decimals: int | None = None) -> str:
    """The range for the next value, and the last one where that would not be in it: another day leaves the five."""
    write = quantities.price if decimals is None else lambda value: f"{value:.{decimals}f}".replace("-", "−")
    told, last = f"{write(move.low)}–{write(move.high)}", move.last.value
    if move.low < last < move.high:
        return told
    return _("{range} (last {value})").format(range=told, value=write(last))


def _silver(result: Lights, one: SilverLight, voice: Voice) -> LightWords:
    _ = voice._
    told = [_dated([(one.silver, _("silver {sigma}"))], voice)]
    if one.rise is not None:
        change = quantities.percent(one.rise.pct)
        day = voice.day(one.rise.effective.date())
        told.append(_("margin {change} from {date}").format(change=change, date=day))
    rule = _(
        "On while silver's five-day move stays under {sigma}σ and no rise of its margin is announced or "
        "younger than a week"
    )
    return LightWords(
        title=_title(_("Silver and margin"), one.light, _("quiet"), _("not quiet"), _),
        reading=_joined(_why(one.light, _), *told),
        since=_since(one.light, voice.when, _),
        rule=rule.format(sigma=f"{result.thresholds.silver_sigma:g}"),
        flips=_silver_flips(result, one, voice),
    )


def _silver_flips(result: Lights, one: SilverLight, voice: Voice) -> str:
    _ = voice._
    if one.light.state is State.UNKNOWN or one.silver is None:
        return _("known with fresh closes of silver")
    values = {"range": _between(one.silver, _)}
    if one.light.state is State.GREEN:
        return _("off if silver next closes beyond {range} or its margin rises").format(**values)
    needs = []
    if abs(one.silver.z) >= result.thresholds.silver_sigma:
        needs.append(_("silver next closing within {range}").format(**values))
    if one.rise is not None and one.rise_stands:
        needs.append(_("no other rise until {time}").format(time=voice.when(one.rise.ends)))
    return _("on with {needs}").format(needs=_(" and ").join(needs))
