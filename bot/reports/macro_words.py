"""What ``macro`` says: the range, the meetings, prices, and what markets say beside them. Facts with dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from analysis.charts import freshness_words, macro_words
from analysis.freshness import Freshness
from analysis.macro import Gauge, Inflation, Macro, Month, Target
from bot.language import NO_BREAK_SPACE, Speech
from bot.reports.shapes import Reply, data_line

_NEW_YORK = ZoneInfo("America/New_York")


def say(result: Macro, speech: Speech, now: datetime) -> Reply:
    return Reply(
        lines=(
            _target_line(result.target, speech),
            _meetings_line(result, speech),
            _prices_line(result, speech),
            _markets_line(result, speech),
        ),
        details=tuple(_details(result, speech)),
        data_line=_data_line(result, speech, now),
    )


def _target_line(target: Target | None, speech: Speech) -> str:
    _ = speech._
    if target is None:
        return _("**Fed target range: not known here**")
    values = {"range": macro_words.span(target.now), "since": speech.day(target.now.since)}
    if target.decided is not None:
        line = _("**Fed target range {range}** since {since}, decided on {decided}").format(
            **values, decided=speech.day(target.decided)
        )
    elif target.before is not None:
        line = _("**Fed target range {range}** since {since}").format(**values)
    else:
        line = _("**Fed target range {range}** since {since} or earlier").format(**values)
    return line + _beside(target.freshness, speech)


def _beside(state: Freshness, speech: Speech) -> str:
    """How a figure stands, unless it is as new as can be."""
    return freshness_words.beside("", state, speech._)


def _meetings_line(result: Macro, speech: Speech) -> str:
    _, meetings = speech._, result.meetings
    parts = []
    if meetings.last is not None:
        parts.append(
            _("Last meeting {date}: {outcome}").format(
                date=speech.day(meetings.last.astimezone(_NEW_YORK).date()),
                outcome=macro_words.outcome(meetings.outcome, _),
            )
        )
    if meetings.next is not None:
        parts.append(_("next {time}").format(time=speech.instant(meetings.next, year=True)))
    return " · ".join(parts) or _("The kept table of meetings does not reach that instant.")


def _prices_line(result: Macro, speech: Speech) -> str:
    _, one = speech._, result.inflation
    if one is None:
        return _("Consumer prices: none known here")
    line = _yoy(one.last, one, speech) + _beside(one.freshness, speech)
    if one.missing:
        line += " · " + _("missing, never published: {months}").format(
            months=_(", ").join(speech.month(month) for month in one.missing)
        )
    if one.next_at is not None and one.next_month is not None:
        line += " · " + _("{month} is due {time}").format(
            month=speech.month(one.next_month), time=speech.instant(one.next_at)
        )
    return line


def _yoy(month: Month, one: Inflation, speech: Speech) -> str:
    _ = speech._
    values = {"month": speech.month(month.first), "before": speech.month(one.year_ago)}
    if month.yoy_pct is None:
        return _(
            "Consumer prices {month}: no change on the year can be told, {before} was not published"
        ).format(**values)
    return _("Consumer prices {month}: {change} on {before}").format(
        **values, change=speech.percent(month.yoy_pct)
    )


def _markets_line(result: Macro, speech: Speech) -> str:
    _ = speech._
    told: list[tuple[Gauge | None, str, Callable[[float], str], Callable[[Gauge], str]]] = [
        (
            result.breakeven,
            _("10-year breakeven {value} ({parts})"),
            _percent,
            partial(macro_words.points_change, _=_),
        ),
        (result.oil, _("WTI oil {value} ({parts})"), speech.price, macro_words.percent_change),
        (result.dollar, _("dollar index {value} ({parts})"), speech.price, macro_words.percent_change),
    ]
    return " · ".join(
        words.format(value=write(gauge.last.value), parts=_dated(gauge, change(gauge), speech))
        for gauge, words, write, change in told
        if gauge is not None
    )


def _percent(value: float) -> str:
    return f"{value:.2f}{NO_BREAK_SPACE}%"


def _dated(gauge: Gauge, change: str, speech: Speech) -> str:
    """The day of a figure, its change in 30 days, and how it stands unless it is fresh."""
    _ = speech._
    parts = [speech.short_day(gauge.last.dated)]
    if change:
        parts.append(_("{change} in 30 days").format(change=change))
    if gauge.freshness is not Freshness.FRESH:
        parts.append(freshness_words.word(gauge.freshness, _))
    return _("; ").join(parts)


def _details(result: Macro, speech: Speech) -> list[str]:
    _ = speech._
    lines = []
    if result.target is not None:
        lines.append("**" + _("Target range, by the days from which the series has it") + "**")
        lines += [
            f"{speech.day(span.since)} · {macro_words.span(span)}"
            for span in reversed(result.target.spans[-10:])
        ]
    if result.inflation is not None:
        lines.append("**" + _("Consumer prices, change on the same month a year before") + "**")
        lines += [_month(month, speech) for month in reversed(result.inflation.months)]
        lines.append(
            "-# "
            + _(
                "Released {time}. From the seasonally adjusted index (CPIAUCSL); the headline figure comes from the "
                "unadjusted one and can differ by a tenth."
            ).format(time=speech.instant(result.inflation.released, year=True))
        )
    lines.append("**" + _("Where from, as of when") + "**")
    gauges = (
        (_("10-year breakeven"), result.breakeven),
        (_("WTI oil"), result.oil),
        (_("Dollar index"), result.dollar),
    )
    for name, gauge in gauges:
        parts = [_("none known here")]
        if gauge is not None:
            state = freshness_words.word(gauge.freshness, _)
            parts = [gauge.source, speech.day(gauge.last.dated), state]
        lines.append("-# " + _("{name}: {parts}").format(name=name, parts=" · ".join(parts)))
    lines += [
        "-# " + sentence
        for sentence in (
            _(
                "The series of the range changes the day after a decision, which is told at 14:00 New York. "
                "Meetings and releases are kept by hand from the Federal Reserve and the Bureau of Labor Statistics."
            ),
            _("Facts with their dates: no score, not a forecast and not advice."),
        )
    ]
    return lines


def _month(month: Month, speech: Speech) -> str:
    _ = speech._
    if month.index is None:
        return _("{month}: missing, never published").format(month=speech.month(month.first))
    if month.yoy_pct is None:
        return _("{month}: index {index}, nothing to compare it with").format(
            month=speech.month(month.first), index=f"{month.index:.3f}"
        )
    return _("{month}: {change} (index {index})").format(
        month=speech.month(month.first),
        change=speech.percent(month.yoy_pct, decimals=2),
        index=f"{month.index:.3f}",
    )


def _data_line(result: Macro, speech: Speech, now: datetime) -> str:
    _, target = speech._, result.target
    parts = [macro_words.publishers(result)]
    if target is not None:
        began = datetime.combine(target.dated, datetime.min.time(), _NEW_YORK)
        parts += [
            _("range of {date}").format(date=speech.day(target.dated)),
            speech.age(now - began),
            freshness_words.word(target.freshness, _),
        ]
    return data_line(parts, speech, is_sample=result.is_sample)
