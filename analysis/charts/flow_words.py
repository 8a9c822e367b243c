"""What the picture of ``/flows`` says, in the reader's language."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analysis.charts import freshness_words, quantities
from analysis.charts.look import ALT_TEXT_LIMIT
from analysis.charts.text import clean
from analysis.flows import DayState, Flows, Month, Regime

if TYPE_CHECKING:
    from analysis.charts.look import Gettext, Look


def regime(value: Regime, _: Gettext) -> str:
    return {
        Regime.INSUFFICIENT: _("INSUFFICIENT"),
        Regime.CAPITULATION: _("CAPITULATION"),
        Regime.DISTRIBUTION: _("DISTRIBUTION"),
        Regime.STABILISING: _("STABILISING"),
        Regime.ACCUMULATION: _("ACCUMULATION"),
        Regime.NEUTRAL: _("NEUTRAL"),
    }[value]


def unit(_: Gettext) -> str:
    return _("US$ m")


def day(value: date, result: Flows, _: Gettext) -> str:
    """Without its year while that is the year of the question."""
    return value.strftime(_("%-d %b") if value.year == result.today.year else _("%-d %b %Y"))


def title(result: Flows, look: Look, _: Gettext) -> str:
    """The answer in one line: the last day, the streak, the regime."""
    return " · ".join((_headline(result, look, _), streak(result, _), regime(result.regime, _)))


def _headline(result: Flows, look: Look, _: Gettext) -> str:
    values = {"asset": clean(result.asset, 16), "day": day(result.latest.date, result, _)}
    match result.latest.state:
        case DayState.FINAL:
            return _("{asset} ETF {day} {money} {unit}").format(
                money=quantities.musd(result.last_musd, look.locale), unit=unit(_), **values
            )
        case DayState.CLOSED:
            return _("{asset} ETF {day} market closed").format(**values)
        case DayState.PARTIAL:
            return _("{asset} ETF {day} partial").format(**values)
        case DayState.PENDING:
            return _("{asset} ETF {day} not reported yet").format(**values)


def streak(result: Flows, _: Gettext) -> str:
    days = abs(result.streak)
    if result.streak == 0:
        return _("no streak")
    if result.streak > 0:
        return _("inflow streak {n}").format(n=days)
    return _("outflow streak {n}").format(n=days)


def count(result: Flows, _: Gettext) -> str:
    return _("{positive} of {final} days positive").format(
        positive=result.positive_days, final=result.final_days
    )


def share(result: Flows, _: Gettext) -> str:
    """``count`` where there is less room."""
    return _("{positive} of {final} positive").format(positive=result.positive_days, final=result.final_days)


def month(value: Month, result: Flows, look: Look, _: Gettext, *, year: bool, part: bool) -> str:
    """``Jan −1,604.8``; one that is not over says so, and one of which the picture shows a ``part``: whole it is."""
    named = value.first.strftime(_("%b %Y") if year else _("%b"))
    if part:
        named = _("whole {month}").format(month=named)
    text = f"{named} {quantities.musd(value.total_musd, look.locale)}"
    if value.first == result.today.replace(day=1):
        return _("{month} so far").format(month=text)
    return text


def cumulative(result: Flows, look: Look, _: Gettext) -> str:
    """What the lower panel shows and how high it ever stood."""
    cushion = result.cushion
    return _("cumulative net flow, {unit} · highest {peak} on {day}").format(
        unit=unit(_),
        peak=quantities.musd(cushion.peak_musd, look.locale, sign=False),
        day=day(cushion.peak_date, result, _),
    )


def foot(result: Flows, _: Gettext) -> str:
    """Who published the figures, and up to which day they are final."""
    foot = _("{source} · final to {day} · US trade dates").format(
        source=clean(result.source), day=day(result.last_published, result, _)
    )
    if result.manual:
        n = len(result.manual)
        manual = _("with 1 manual day") if n == 1 else _("with {n} manual days").format(n=n)
        foot = f"{foot} · {manual}"
    return freshness_words.beside(foot, result.freshness, _)


def alt(result: Flows, look: Look, _: Gettext) -> str:
    """The picture for those who do not see it, at most ``ALT_TEXT_LIMIT`` characters."""

    def money(musd: float) -> str:
        return quantities.musd(musd, look.locale)

    run = streak(result, _)
    said = [
        _("{asset} spot ETF net flow: {money} {unit} on {day}, the last final day.").format(
            asset=clean(result.asset, 16),
            money=money(result.last_musd),
            unit=unit(_),
            day=day(result.last_date, result, _),
        ),
        _("Since {day} {count}, sum {money}.").format(
            day=day(result.since, result, _), count=count(result, _), money=money(result.sum_musd)
        ),
        _("{streak}, cushion {money}, {regime}.").format(
            # It begins a sentence here.
            streak=run[:1].upper() + run[1:],
            money=money(result.cushion.musd),
            regime=regime(result.regime, _),
        ),
    ]
    if result.pending:
        said.insert(1, _("Days not reported yet: {n}.").format(n=len(result.pending)))
    return clean(" ".join(said), ALT_TEXT_LIMIT)
