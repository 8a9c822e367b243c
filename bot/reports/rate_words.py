"""Base rates in words: context behind Details, never a number without its cases and its interval.

They are the last of the details, and what they were counted in stands before them: where
there is too much to tell, no number is left without it.
"""

from __future__ import annotations

from datetime import date

from analysis.base_rates import DRAWS, Compared, walk_holds
from analysis.flow_rates import AHEAD, FlowRates
from analysis.level_rates import HELD, LevelRates
from analysis.verdict import Verdict
from analysis.verdict_rates import VerdictRates
from bot.language import Speech


def of_levels(rates: LevelRates, speech: Speech, *, of: str, held: int) -> list[str]:
    """``of``: the bars that were counted, and whose; ``held``: closes so far of the reclaim looked at."""
    _ = speech._
    at_random = _("arbitrary levels")
    lines = [_heading(speech), _small(_levels_period(rates, speech, of=of))]
    if not rates.levels:
        return [
            *lines,
            _("No level of the book lies where the price was, between {lowest} and {highest}.").format(
                lowest=speech.price(rates.lowest), highest=speech.price(rates.highest)
            ),
        ]
    lines.append(
        _small(
            _(
                "Arbitrary levels: {draws} books of as many, drawn from between {lowest} and {highest}, same bars. "
                "Walk: no drift, starting at the level. A level without a date counts in all bars, with hindsight."
            ).format(
                draws=speech.number(DRAWS, decimals=0),
                lowest=speech.price(rates.lowest),
                highest=speech.price(rates.highest),
            )
        )
    )
    lines += [
        _told(_more_closes(hold.closes, speech), hold.stayed, at_random, speech)
        + " · "
        + _("walk {percent} %").format(percent=_percent(walk_holds(hold.closes), speech))
        for hold in rates.holds
    ]
    asked = max((closes for closes in HELD if closes <= held), default=HELD[0])
    kept = next(hold.kept for hold in rates.holds if hold.closes == asked)
    hours = int(rates.horizon.total_seconds() // 3600)
    lines += [
        _told(_held(asked, hours, speech), kept, at_random, speech),
        _told(
            _("Level touched (to 0.01 %), the next bar closed on the side it came from"),
            rates.bounces,
            at_random,
            speech,
        ),
    ]
    return lines


def _more_closes(n: int, speech: Speech) -> str:
    _ = speech._
    if n == 1:
        return _("Reclaim begun, the next close above the level too")
    return _("Reclaim begun, the next {n} closes above the level too").format(n=n)


def _held(closes: int, hours: int, speech: Speech) -> str:
    _ = speech._
    if closes == 1:
        return _("Held for 1 close, then {hours} h without a close below level − d").format(hours=hours)
    return _("Held for {n} closes, then {hours} h without a close below level − d").format(
        n=closes, hours=hours
    )


def _levels_period(rates: LevelRates, speech: Speech, *, of: str) -> str:
    return speech._(
        "Base rate, not a forecast: {of}, {bars} bars from {first} to {last}, {levels} levels of the book; "
        "in brackets 95 % intervals (Wilson)."
    ).format(
        of=of,
        bars=speech.number(rates.bars, decimals=0),
        first=speech.day(rates.first.date()),
        last=speech.day(rates.last.date()),
        levels=rates.levels,
    )


def of_flows(rates: FlowRates, streak: int, speech: Speech, *, source: str) -> list[str]:
    """Nothing while there is no streak."""
    _, found = speech._, rates.after(streak)
    if found is None:
        return []
    n, any_day = abs(found.days), _("any day")
    if found.days > 0:
        questions = (
            _("Inflow streak of {n}, the next day was another inflow").format(n=n),
            _("Inflow streak of {n}, the next {ahead} days summed to an inflow").format(n=n, ahead=AHEAD),
        )
    else:
        questions = (
            _("Outflow streak of {n}, the next day was another outflow").format(n=n),
            _("Outflow streak of {n}, the next {ahead} days summed to an outflow").format(n=n, ahead=AHEAD),
        )
    return [
        _heading(speech),
        _small(
            _(
                "Base rate, not a forecast: {source}, {days} final days from {first} to {last}, each streak counted "
                "once, when it reached {n}; in brackets 95 % intervals (Wilson). Any day: {draws} draws of as many."
            ).format(
                source=source,
                days=rates.days,
                n=n,
                draws=speech.number(DRAWS, decimals=0),
                **_period(rates.first, rates.last, speech),
            )
        ),
        _told(questions[0], found.went_on, any_day, speech),
        _told(questions[1], found.same_sum, any_day, speech),
    ]


def of_verdicts(
    rates: VerdictRates, verdict: Verdict, name: str, speech: Speech, *, source: str
) -> list[str]:
    """What followed ``verdict``, in words ``name``; nothing where it never stood."""
    _, found = speech._, rates.after(verdict)
    if found is None:
        return []
    any_session = _("any session")
    lines = [_heading(speech)]
    lines.append(
        _small(
            _(
                "Base rate, not a forecast: {source}, {sessions} sessions from {first} to {last}; "
                "in brackets 95 % intervals (Wilson). Any session: {draws} draws of as many."
            ).format(
                source=source,
                sessions=rates.sessions,
                draws=speech.number(DRAWS, decimals=0),
                **_period(rates.first, rates.last, speech),
            )
        )
    )
    if found.lasted is None:
        lines.append(_("Times {verdict} began to stand: {began}").format(verdict=name, began=found.began))
    else:
        lines.append(
            _("Times {verdict} began to stand: {began}; median length in sessions: {lasted}").format(
                verdict=name, began=found.began, lasted=found.lasted
            )
        )
    for later in found.later:
        n = later.sessions
        lines += [
            _told(_("{n} sessions later it still stood").format(n=n), later.still, any_session, speech),
            _told(
                _("{n} sessions later bitcoin had closed lower").format(n=n), later.lower, any_session, speech
            ),
        ]
    return lines


def _heading(speech: Speech) -> str:
    return "**" + speech._("Base rates, not a forecast") + "**"


def _small(sentence: str) -> str:
    return "-# " + sentence


def _period(first: date, last: date, speech: Speech) -> dict[str, str]:
    return {"first": speech.day(first), "last": speech.day(last)}


def _told(question: str, found: Compared, at_random: str, speech: Speech) -> str:
    """``question: 5 of 7, 71 % [36, 92] · arbitrary levels 81 % [63, 100]``."""
    _, rate, chance = speech._, found.rate, found.chance
    if rate is None:
        return _("{question}: no case yet").format(question=question)
    told = _("{question}: {times} of {cases}, {percent} % [{low}, {high}]").format(
        question=question,
        times=rate.times,
        cases=rate.cases,
        percent=_percent(rate.share, speech),
        low=_percent(rate.low, speech),
        high=_percent(rate.high, speech),
    )
    if chance is None:
        return told
    return f"{told} · " + _("{chance} {percent} % [{low}, {high}]").format(
        chance=at_random,
        percent=_percent(chance.share, speech),
        low=_percent(chance.low, speech),
        high=_percent(chance.high, speech),
    )


def _percent(share: float, speech: Speech) -> str:
    return speech.number(100 * share, decimals=0)
