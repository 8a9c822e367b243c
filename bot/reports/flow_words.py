"""What ``flows`` says: three lines, and the details behind them."""

from __future__ import annotations

from datetime import datetime

from analysis import trading_days
from analysis.charts import freshness_words
from analysis.flows import DayState, Flows, Regime
from bot.language import Speech
from bot.reports import flow_details
from bot.reports.flow_terms import day_words, freshness_of, manual_words, regime_word, state_words
from bot.reports.shapes import Reply, data_line


def say(result: Flows, speech: Speech, now: datetime) -> Reply:
    return Reply(
        lines=(
            last_day(result, speech),
            standing(result, speech),
            regime(result, speech),
        ),
        details=tuple(flow_details.details(result, speech)),
        data_line=_data_line(result, speech, now),
    )


def last_day(result: Flows, speech: Speech) -> str:
    """The last session, or the holiday after it, and its state."""
    _, latest = speech._, result.latest
    money, final_day = speech.money(result.last_musd), day_words(result.last_date, result, speech)
    if latest.state is DayState.FINAL:
        return _("**{asset} spot ETFs {money}** · {day} · {state}").format(
            asset=result.asset, money=money, day=final_day, state=state_words(latest, result, speech)
        )
    return _("**{asset} spot ETFs** · {day}: **{state}** · last final day {last}: **{money}**").format(
        asset=result.asset,
        day=day_words(latest.date, result, speech),
        state=state_words(latest, result, speech),
        last=final_day,
        money=money,
    )


def standing(result: Flows, speech: Speech) -> str:
    """Streak, days of inflow in the window, cushion."""
    _ = speech._
    count = _("{positive} of {final} days positive since {day}").format(
        positive=result.positive_days,
        final=result.final_days,
        day=day_words(result.since, result, speech),
    )
    if not result.final_days:
        count = _("no final day since {day}").format(day=day_words(result.since, result, speech))
    told = f"{_streak(result, speech)} · {count} · {_cushion(result, speech)}"
    return f"{told} · {manual_words(result, speech)}" if result.manual else told


def _streak(result: Flows, speech: Speech) -> str:
    _, days = speech._, abs(result.streak)
    if result.streak_since is None:
        return _("no streak: every day was zero")
    values = {"n": days, "day": day_words(result.streak_since, result, speech)}
    if days == 1:
        text = _("1 day of net inflow") if result.streak > 0 else _("1 day of net outflow")
    elif result.streak > 0:
        text = _("{n} days of net inflow in a row since {day}").format(**values)
    else:
        text = _("{n} days of net outflow in a row since {day}").format(**values)
    if result.streak_zeros:
        text = _("{streak} (zero days inside: {n})").format(streak=text, n=result.streak_zeros)
    return f"**{text}**"


def _cushion(result: Flows, speech: Speech) -> str:
    _, cushion = speech._, result.cushion
    if cushion.musd == 0:
        return _("cumulative inflow at its highest")
    money = f"**{speech.money(cushion.musd)}**"
    if cushion.pct is None:
        return _("cushion {money}").format(money=money)
    return _("cushion {money} ({percent})").format(money=money, percent=speech.percent(cushion.pct))


def regime(result: Flows, speech: Speech) -> str:
    """The regime and the rule that made it."""
    return speech._("**{regime}**: {why}").format(
        regime=regime_word(result.regime, speech), why=_why(result, speech)
    )


def _why(result: Flows, speech: Speech) -> str:
    _, reading = speech._, result.reading
    values = {
        "s5": "" if reading.rolling_5_musd is None else speech.money(reading.rolling_5_musd),
        "s20": "" if reading.rolling_20_musd is None else speech.money(reading.rolling_20_musd),
        "hits": "" if reading.hit_rate_20_pct is None else speech.number(reading.hit_rate_20_pct, decimals=0),
    }
    match result.regime:
        case Regime.INSUFFICIENT if result.history_days < 15:
            return _("{n} final days are known, 15 are needed").format(n=result.history_days)
        case Regime.INSUFFICIENT:
            return _("{n} of the last days are not final, at most 1 may be").format(n=result.waiting)
        case Regime.CAPITULATION:
            return _("5-day sum {s5}, {z} σ from its mean (at most −2) and among the lowest 2 %").format(
                z=speech.signed(reading.z5 or 0.0, decimals=2), **values
            )
        case Regime.DISTRIBUTION:
            return _("20-day sum {s20} (below 0) and {hits} % of the days positive (at most 35 %)").format(
                **values
            )
        case Regime.STABILISING:
            return _("20-day sum {s20} (below 0), but 5-day sum {s5} (above 0)").format(**values)
        case Regime.ACCUMULATION:
            return _("20-day sum {s20} (above 0) and {hits} % of the days positive (at least 60 %)").format(
                **values
            )
        case _ if reading.rolling_20_musd is None:
            return _("fewer than 20 final days are known")
        case _:
            return _("20-day sum {s20}, {hits} % of the days positive: no other rule fits").format(**values)


def _data_line(result: Flows, speech: Speech, now: datetime) -> str:
    _ = speech._
    parts = (
        result.source,
        _("final to {date}").format(date=speech.day(result.last_published)),
        *([manual_words(result, speech)] if result.manual else []),
        speech.age(now - trading_days.closed_at(result.last_published)),
        freshness_words.word(freshness_of(result, now), _),
    )
    return data_line(parts, speech, is_sample=result.is_sample)
