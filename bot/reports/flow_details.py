"""What stands behind the lines of ``flows``: the window, rolling sums, funds, months, days, revisions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from analysis.flows import DayState, Flows, Month
from bot.language import Speech
from bot.reports import rate_words
from bot.reports.flow_terms import day_words, figure, state_words

MOST_MONTHS: Final = 6
MOST_DAYS: Final = 10
MOST_REVISIONS: Final = 5


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
            _(
                "The inflow days of the last 60, outflow days not deducted, are as much as {n} days at the mean "
                "of the last 20"
            ).format(n=speech.number(cushion.days_left, decimals=0))
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
            "–" if fund.last_musd is None else figure(fund.last_musd, speech),
            figure(fund.sum_musd, speech),
            figure(fund.cumulative_musd, speech),
        ]
        for fund in result.funds
    ]
    total = [
        _("all"),
        figure(result.last_musd, speech),
        figure(result.sum_musd, speech),
        figure(result.cumulative_musd, speech),
    ]
    return _table([head, *rows, total])


def _months(result: Flows, speech: Speech) -> str:
    _ = speech._
    rows = [[_("month"), _("sum"), _("positive"), ""]]
    rows += [
        [
            speech.month(month.first),
            figure(month.total_musd, speech),
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
            "before": figure(one.before, speech),
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
