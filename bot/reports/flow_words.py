"""What ``flows`` says: three lines, and the details behind them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from analysis import trading_days
from analysis.charts import freshness_words, quantities
from analysis.flows import Day, DayState, Flows, Month, Regime
from analysis.freshness import Freshness, Sessions, freshness
from bot.language import Speech
from bot.reports import rate_words
from bot.reports.shapes import Reply, data_line
from storage.instants import flow_known, utc

MOST_MONTHS: Final = 6
MOST_DAYS: Final = 10
MOST_REVISIONS: Final = 5
RHYTHM: Final = Sessions(due=lambda day: utc(flow_known(day)), stale_from=3, awaited=True)


def freshness_of(result: Flows, now: datetime) -> Freshness:
    """By sessions whose day is not final: it should be by 09:00 UTC of the day after.

    A day typed by hand does not make the source any fresher.
    """
    return freshness(trading_days.closed_at(result.last_published), now, RHYTHM)


def say(result: Flows, speech: Speech, now: datetime) -> Reply:
    return Reply(
        lines=(
            last_day(result, speech),
            standing(result, speech),
            regime(result, speech),
        ),
        details=tuple(details(result, speech)),
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


def manual_words(result: Flows, speech: Speech) -> str:
    """How many of the days in the figures no publisher vouches for."""
    _, n = speech._, len(result.manual)
    return _("with 1 manual day") if n == 1 else _("with {n} manual days").format(n=n)


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


def day_words(day: date, result: Flows, speech: Speech) -> str:
    """With its weekday in the year of the question, else with its year."""
    return speech.weekday(day) if day.year == result.as_of.year else speech.day(day)


def details(result: Flows, speech: Speech) -> list[str]:
    _ = speech._
    lines = [
        _bold(_("Since {day}").format(day=day_words(result.since, result, speech))),
        *_window(result, speech),
    ]
    lines += [_bold(_("Last 5 and 20 final days")), *_rolling(result, speech)]
    lines += [_bold(_("Since launch")), *_since_launch(result, speech)]
    lines += [_bold(_("Per fund")), _funds(result, speech)]
    lines += [_bold(_("Months")), _months(result, speech)]
    lines += [_bold(_("Days, newest first")), *_days(result, speech)]
    if result.revisions:
        lines += [_bold(_("Revised, newest first")), *_revisions(result, speech)]
    lines += [
        "-# "
        + _(
            "Only final days count. Streak: days of one sign in a row. Cushion: how far cumulative net flow lies "
            "below its highest. One publisher, never mixed."
        ),
        "-# "
        + _(
            "Creations and redemptions lag and come in batches: a redemption is not a sale of {asset} on the same day."
        ).format(asset=result.asset),
        "-# " + _("Figures as published and arithmetic, not a forecast and not advice."),
    ]
    if result.base_rates is not None:
        lines += rate_words.of_flows(result.base_rates, result.streak, speech, source=result.source)
    return lines


def _bold(words: str) -> str:
    return f"**{words}**"


def _window(result: Flows, speech: Speech) -> list[str]:
    _ = speech._
    if result.best is None or result.worst is None:
        return [_("No final day yet.")]
    lines = [
        _("{final} final days: {positive} positive, {negative} negative, sum {money}").format(
            final=result.final_days,
            positive=result.positive_days,
            negative=result.negative_days,
            money=speech.money(result.sum_musd),
        )
    ]
    if result.odds is not None:
        lines.append(
            _(
                "At most {positive} of {final} by chance, if days fell as in the {base} days before "
                "({share} % positive): p {p}"
            ).format(
                positive=result.positive_days,
                final=result.final_days,
                base=result.odds.base_days,
                share=speech.number(100 * result.odds.base_share, decimals=0),
                p=_p_words(result.odds.p_value),
            )
        )
    lines.append(
        _("Best day {best}: {most} · worst day {worst}: {least}").format(
            best=day_words(result.best.date, result, speech),
            most=speech.money(result.best.total_musd),
            worst=day_words(result.worst.date, result, speech),
            least=speech.money(result.worst.total_musd),
        )
    )
    return lines


def _p_words(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}" if p < 0.1 else f"= {p:.2f}"


def _rolling(result: Flows, speech: Speech) -> list[str]:
    _, reading = speech._, result.reading
    lines = []
    if reading.rolling_5_musd is not None:
        lines.append(_("5 days: {money}").format(money=speech.money(reading.rolling_5_musd)))
    if reading.z5 is not None and reading.percentile5 is not None:
        lines.append(
            _("Among the last {n} sums of 5 days: {z} σ from the mean, percentile {percentile}").format(
                n=reading.sums5,
                z=speech.signed(reading.z5, decimals=2),
                percentile=speech.number(reading.percentile5, decimals=0),
            )
        )
    if reading.rolling_20_musd is not None and reading.hit_rate_20_pct is not None:
        lines.append(
            _("20 days: {money}, {hits} % of the days positive").format(
                money=speech.money(reading.rolling_20_musd),
                hits=speech.number(reading.hit_rate_20_pct, decimals=0),
            )
        )
    return lines or [_("Fewer than 5 final days are known.")]


def _since_launch(result: Flows, speech: Speech) -> list[str]:
    _, cushion = speech._, result.cushion
    lines = [
        _("Cumulative net flow {money} in {n} final days; highest {peak} on {day}").format(
            money=speech.money(result.cumulative_musd, sign=False),
            n=result.history_days,
            peak=speech.money(cushion.peak_musd, sign=False),
            day=speech.day(cushion.peak_date),
        ),
    ]
    if cushion.pct is not None:
        lines.append(
            _("Cushion: {money}, {percent} of the highest").format(
                money=speech.money(cushion.musd), percent=speech.percent(cushion.pct)
            )
        )
    if cushion.days_left is not None:
        lines.append(
            _("The inflows of the last 60 days are as much as {n} days at the mean of the last 20").format(
                n=speech.number(cushion.days_left, decimals=0)
            )
        )
    if result.largest is not None and result.largest_share_pct is not None:
        lines.append(
            _("{day}: {fund} was {share} % of all that moved").format(
                day=day_words(result.last_date, result, speech),
                fund=result.largest,
                share=speech.number(result.largest_share_pct, decimals=0),
            )
        )
    return lines


def _funds(result: Flows, speech: Speech) -> str:
    _ = speech._
    head = [
        _("fund"),
        speech.short_day(result.last_date),
        _("since {day}").format(
            day=speech.short_day(result.since, year=result.since.year != result.as_of.year)
        ),
        _("launch"),
    ]
    rows = [
        [
            fund.code,
            "–" if fund.last_musd is None else _figure(fund.last_musd, speech),
            _figure(fund.sum_musd, speech),
            _figure(fund.cumulative_musd, speech),
        ]
        for fund in result.funds
    ]
    total = [
        _("all"),
        _figure(result.last_musd, speech),
        _figure(result.sum_musd, speech),
        _figure(result.cumulative_musd, speech),
    ]
    return _table([head, *rows, total])


def _months(result: Flows, speech: Speech) -> str:
    _ = speech._
    rows = [[_("month"), _("sum"), _("positive"), ""]]
    rows += [
        [
            speech.month(month.first),
            _figure(month.total_musd, speech),
            f"{month.positive_days}/{month.final_days}",
            _unfinished(month, result, speech),
        ]
        for month in result.months[-MOST_MONTHS:]
    ]
    return _table(rows)


def _unfinished(month: Month, result: Flows, speech: Speech) -> str:
    _ = speech._
    if month.first == result.as_of.date().replace(day=1):
        return _("so far")
    return "" if month.complete else _("{n} missing").format(n=month.waiting)


def _figure(musd: float, speech: Speech) -> str:
    return quantities.musd(musd, speech.locale)


def _days(result: Flows, speech: Speech) -> list[str]:
    _ = speech._
    lines = []
    for day in result.days[::-1][:MOST_DAYS]:
        words = state_words(day, result, speech)
        if day.state is DayState.FINAL and day.total_musd is not None:
            words = f"{speech.money(day.total_musd)} · {words}"
        if day.sole_outflow is not None:
            words += " · " + _("outflow from {fund} alone").format(fund=day.sole_outflow)
        lines.append(_("{day}: {words}").format(day=day_words(day.date, result, speech), words=words))
    return lines or [_("No day yet.")]


def _revisions(result: Flows, speech: Speech) -> list[str]:
    """``4 Feb: −254.0 → −272.0 US$ m, 5 Feb 07:40 UTC``; a sum of some funds is called so."""
    _ = speech._
    lines = []
    for one in result.revisions[:MOST_REVISIONS]:
        values = {
            "day": speech.short_day(one.date, year=one.date.year != result.as_of.year),
            "before": _figure(one.before, speech),
            "after": speech.money(one.after),
            "time": speech.instant(one.known_at),
        }
        told = (
            _("{day}: {before} (some funds) → {after}, {time}")
            if one.partial
            else _("{day}: {before} → {after}, {time}")
        )
        lines.append(told.format(**values))
    return lines


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


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns in a typewriter's block: the first to the left, figures to the right."""
    wide = [max(_cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(_padded(cell, wide[column], left=column == 0) for column, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    return "```\n" + "\n".join(lines) + "\n```"


def _cells(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, wide: int, *, left: bool) -> str:
    room = " " * (wide - _cells(text))
    return text + room if left else room + text
