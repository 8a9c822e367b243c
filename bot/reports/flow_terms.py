"""How days, states and regimes of flows are called, and when a day should be final."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from analysis import trading_days
from analysis.charts import quantities
from analysis.flows import Day, DayState, Flows, Regime
from analysis.freshness import Freshness, Sessions, freshness
from bot.language import Speech
from storage.instants import flow_known, utc

RHYTHM: Final = Sessions(due=lambda day: utc(flow_known(day)), stale_from=3, awaited=True)


def freshness_of(result: Flows, now: datetime) -> Freshness:
    """By sessions whose day is not final: it should be by 09:00 UTC of the day after.

    A day typed by hand does not make the source any fresher.
    """
    return freshness(trading_days.closed_at(result.last_published), now, RHYTHM)


def state_words(day: Day, result: Flows, speech: Speech) -> str:
    """``final``, ``partial, 7 of 11 funds, −120.3 US$ m so far``, ``not reported yet`` or ``market closed``."""
    _ = speech._
    match day.state:
        case DayState.FINAL if day.manual:
            return _("entered by a moderator")
        case DayState.FINAL:
            return _("final, zero") if day.total_musd == 0 else _("final")
        case DayState.CLOSED:
            return _("market closed")
        case DayState.PARTIAL if day.total_musd is not None:
            return _("partial, {reported} of {listed} funds, {money} so far").format(
                reported=sum(flow is not None for flow in day.funds.values()),
                listed=len(day.funds),
                money=speech.money(day.total_musd),
            )
        case _:
            return _("not reported yet") if day.date > result.last_date else _("not reported")


def manual_words(result: Flows, speech: Speech) -> str:
    """How many of the days in the figures no publisher vouches for."""
    _, n = speech._, len(result.manual)
    return _("with 1 manual day") if n == 1 else _("with {n} manual days").format(n=n)


def regime_word(regime: Regime, speech: Speech) -> str:
    _ = speech._
    return {
        Regime.INSUFFICIENT: _("INSUFFICIENT"),
        Regime.CAPITULATION: _("CAPITULATION"),
        Regime.DISTRIBUTION: _("DISTRIBUTION"),
        Regime.STABILISING: _("STABILISING"),
        Regime.ACCUMULATION: _("ACCUMULATION"),
        Regime.NEUTRAL: _("NEUTRAL"),
    }[regime]


def day_words(day: date, result: Flows, speech: Speech) -> str:
    """With its weekday in the year of the question, else with its year."""
    return speech.weekday(day) if day.year == result.as_of.year else speech.day(day)


def figure(musd: float, speech: Speech) -> str:
    return quantities.musd(musd, speech.locale)
