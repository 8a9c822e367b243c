"""What ``stress`` says of the index, turbulence and the one factor, and of what moves with bitcoin."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.absorption import FRAGILE
from analysis.absorption import LEAST as LEAST_FACTOR
from analysis.absorption import LONG as LONG_FACTOR
from analysis.charts import stress_words
from analysis.correlation import Correlation
from analysis.dependence import Answer
from analysis.depth import MARKETS, Depth
from analysis.links import CALM, STORM, WINDOWS, Link, Nearer, Pair
from analysis.sessions import INSTRUMENTS
from analysis.stress import Stress, View
from analysis.stress_index import LEAST_CLOSES, LEAST_RANKS, SEED, SEGMENTS
from analysis.turbulence import LEAST as LEAST_DAYS
from analysis.turbulence import UNUSUAL
from bot.language import NO_BREAK_SPACE, Speech
from bot.reports import beta_words

LEAST_INDEX = LEAST_CLOSES + LEAST_RANKS + SEED - 2
"""Closes of all its markets until the index has its first value."""


def lines(result: Stress, speech: Speech) -> tuple[str, str]:
    """The two lines under the verdict, by what is looked at."""
    if result.view is View.CORRELATION:
        return _answers_line(result, speech), _raw_line(result, speech)
    if result.view is View.HISTORY:
        return index_sentence(result.depth, speech), factor_sentence(result.depth, speech)
    return index_sentence(result.depth, speech), turbulence_sentence(result.depth, speech)


def index_sentence(one: Depth | None, speech: Speech) -> str:
    _ = speech._
    if one is None or one.index is None or one.index_standing is None:
        return _("Stress index: needs {n} closes of all its markets, the last among them").format(
            n=LEAST_INDEX
        )
    names = [stress_words.segment(segment, _) for segment in SEGMENTS]
    return _("Stress index {value} of 1, {standing}; most of it {parts}").format(
        value=speech.number(one.index.value, decimals=2),
        standing=stress_words.standing(one.index_standing, _),
        parts=_largest(names, one.index.parts, one.index.value, speech),
    )


def turbulence_sentence(one: Depth | None, speech: Speech) -> str:
    _ = speech._
    if one is None or one.turbulence is None or one.turbulence_standing is None:
        return _("Turbulence: needs {n} closes of all six markets, the last two among them").format(
            n=LEAST_DAYS + 2
        )
    point = one.turbulence
    if one.turbulence_standing.percentile <= UNUSUAL:
        return _("{date} was a usual day: turbulence {value} (1 is usual), {standing}").format(
            date=speech.day(point.date),
            value=speech.number(point.ratio),
            standing=stress_words.standing(one.turbulence_standing, _),
        )
    values = {
        "date": speech.day(point.date),
        "value": speech.number(point.ratio),
        "standing": stress_words.standing(one.turbulence_standing, _),
        "parts": _largest([stress_words.name(code, _) for code in MARKETS], point.parts, point.ratio, speech),
    }
    if point.correlation > 1:
        return _(
            "{date} was unusual, in its sizes and in what moved with what: turbulence {value} (1 is usual), "
            "{standing}; most of it {parts}"
        ).format(**values)
    return _(
        "{date} was unusual, by its sizes: turbulence {value} (1 is usual), {standing}; most of it {parts}"
    ).format(**values)


def factor_sentence(one: Depth | None, speech: Speech) -> str:
    _ = speech._
    if one is None or one.absorption is None or one.absorption_standing is None:
        return _("One common factor: needs {n} closes of all six markets, the last among them").format(
            n=LEAST_FACTOR + 1
        )
    values = {
        "share": _percent(one.absorption.ratio, speech),
        "standing": stress_words.standing(one.absorption_standing, _),
    }
    shift = one.absorption.shift
    if shift is None:
        return _(
            "One common factor explains {share} of the moves of six markets, {standing}; no year of it to compare with yet"
        ).format(**values)
    values["shift"] = speech.signed(shift) + "σ"
    if shift > FRAGILE:
        return _(
            "One common factor explains {share} of the moves of six markets, {standing}; up {shift} against its year: fragile"
        ).format(**values)
    return _(
        "One common factor explains {share} of the moves of six markets, {standing}; {shift} against its year: not fragile"
    ).format(**values)


def _percent(share: float, speech: Speech) -> str:
    return speech.number(100 * share, decimals=0) + NO_BREAK_SPACE + "%"


def _largest(names: Sequence[str], parts: Sequence[float], whole: float, speech: Speech) -> str:
    """The two largest shares in percent of the whole."""
    both = sorted(zip(parts, names, strict=True), reverse=True)[:2]
    return " · ".join(f"{name} {_percent(part / whole, speech)}" for part, name in both if part > 0)


def details(result: Stress, speech: Speech) -> list[str]:
    """All that adds up, and how it is reckoned."""
    if result.view is View.CORRELATION:
        return [
            *correlations(result, speech),
            *beta_words.details(result, speech),
            *_links(result, speech),
        ]
    one = result.depth
    return [*_index(one, speech), *_turbulence(one, speech), *_factor(one, speech), *_method(speech)]


def _index(one: Depth | None, speech: Speech) -> list[str]:
    _ = speech._
    told = ["**" + _("Stress index") + "**", index_sentence(one, speech)]
    if one is None or one.index is None:
        return told
    point = one.index
    added = " ".join(
        f"{_sign(part)} {stress_words.segment(segment, _)} {speech.number(abs(part), decimals=3)}"
        for segment, part in zip(SEGMENTS, point.parts, strict=True)
    )
    told.append(f"{speech.number(point.value, decimals=3)} = {added.removeprefix('+ ')}")
    ranks = " · ".join(
        f"{stress_words.segment(segment, _)} {speech.number(stress, decimals=2)}"
        for segment, stress in zip(SEGMENTS, point.stresses, strict=True)
    )
    told.append(_("Each segment by itself, 0 to 1: {ranks}").format(ranks=ranks))
    told.append(
        _("Had all five been stressed together all along: {value}").format(
            value=speech.number(point.together, decimals=2)
        )
    )
    return told


def _turbulence(one: Depth | None, speech: Speech) -> list[str]:
    _ = speech._
    told = ["**" + _("Turbulence") + "**", turbulence_sentence(one, speech)]
    if one is None or one.turbulence is None:
        return told
    point = one.turbulence
    added = " ".join(
        f"{_sign(part)} {stress_words.name(code, _)} {speech.number(abs(part), decimals=2)}"
        for code, part in zip(MARKETS, point.parts, strict=True)
    )
    told.append(f"{speech.number(point.ratio, decimals=2)} = {added.removeprefix('+ ')}")
    told.append(
        _("= sizes alone {magnitude} × pattern {pattern} (above 1: unusual for these sizes)").format(
            magnitude=speech.number(point.magnitude, decimals=2),
            pattern=speech.number(point.correlation, decimals=2),
        )
    )
    if point.odds is None:
        told.append(
            _("Judged by the {n} days before, too few for odds: their covariance is shrunk").format(
                n=point.days
            )
        )
    else:
        told.append(
            _(
                "Judged by the {n} days before; a steady normal market would have such a day with probability {p}"
            ).format(n=point.days, p=probability(point.odds, speech))
        )
    return told


def _factor(one: Depth | None, speech: Speech) -> list[str]:
    _ = speech._
    told = ["**" + _("One common factor") + "**", factor_sentence(one, speech)]
    if one is None or one.absorption is None:
        return told
    point = one.absorption
    added = " + ".join(
        f"{stress_words.name(code, _)} {speech.number(100 * part)}"
        for code, part in zip(MARKETS, point.parts, strict=True)
    )
    told.append(f"{speech.number(100 * point.ratio)}{NO_BREAK_SPACE}% = {added}")
    return told


def _method(speech: Speech) -> list[str]:
    _ = speech._
    return [
        "-# " + sentence
        for sentence in (
            _(
                "Index: volatility, fall from the high of 250 closes and size of the last move of each market, each as "
                "its rank so far; five segments of equal weight by their changing correlation (after the CISS)."
            ),
            _(
                "Turbulence: how far the day lies from the days before, sizes and pattern together; no direction."
            ),
            _(
                "One factor: first principal component of six markets, each in its own sigmas; fragile when the mean of "
                "15 days lies more than 1σ above its year ({n} ratios)."
            ).format(n=LONG_FACTOR),
            _("All three by daily closes, each value made of what was known at its close. Not a forecast."),
        )
    ]


def _sign(part: float) -> str:
    return "−" if part < 0 else "+"


def probability(p: float, speech: Speech) -> str:
    return speech.number(p, decimals=3) if p >= 0.001 else "< 0.001"


def correlations(result: Stress, speech: Speech) -> list[str]:
    _ = speech._
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    told = ["**" + _("Correlation with bitcoin, daily log returns, 95 % interval") + "**"]
    for code in INSTRUMENTS[1:]:
        shown = [_pair(pairs[code, window], speech) for window in WINDOWS if (code, window) in pairs]
        if shown:
            told.append(_("{name}: {parts}").format(name=stress_words.name(code, _), parts=" · ".join(shown)))
    told += [_nearer(one, speech) for one in result.nearer]
    for window in WINDOWS:
        dollar = pairs.get(("DXY", window))
        if dollar:
            told.append(_inverse(dollar.correlation, window, speech))
    return told


def _pair(pair: Pair, speech: Speech) -> str:
    return speech._("{n} days {r}").format(n=pair.correlation.n, r=_interval(pair.correlation, speech))


def _interval(found: Correlation, speech: Speech) -> str:
    r, low, high = (speech.signed(value, decimals=2) for value in (found.r, found.low, found.high))
    return f"{r} [{low}, {high}]"


def _nearer(one: Nearer, speech: Speech) -> str:
    _ = speech._
    values = {"window": one.window, "p": probability(one.comparison.p, speech)}
    match one.comparison.answer:
        case Answer.YES:
            return _("{window} days: bitcoin moves with the S&P 500 more than with gold (p {p})").format(
                **values
            )
        case Answer.NO:
            return _("{window} days: bitcoin moves with gold more than with the S&P 500 (p {p})").format(
                **values
            )
        case Answer.UNTOLD:
            return _(
                "{window} days: whether bitcoin moves more with the S&P 500 or with gold cannot be told (p {p})"
            ).format(**values)


def _inverse(dollar: Correlation, window: int, speech: Speech) -> str:
    _ = speech._
    if dollar.high < 0:
        return _(
            "{window} days: “inverse to the dollar” is in the data, all of its interval lies below 0"
        ).format(window=window)
    return _(
        "{window} days: “inverse to the dollar” is not in the data, its interval does not lie below 0"
    ).format(window=window)


def _answers_line(result: Stress, speech: Speech) -> str:
    _ = speech._
    told = [
        _("{window} days: {answer}").format(
            window=one.window, answer=stress_words.answer(one.comparison.answer, _)
        )
        for one in reversed(result.nearer)
    ]
    if not told:
        return _("Does bitcoin move with the S&P 500 more than with gold? Too few closes to tell.")
    return _("Does bitcoin move with the S&P 500 more than with gold? {answers}").format(
        answers=" · ".join(told)
    )


def _raw_line(result: Stress, speech: Speech) -> str:
    """The long window, and what of the short one is left without bitcoin's own storm."""
    _ = speech._
    pairs = {pair.instrument: pair for pair in result.correlations if pair.window == WINDOWS[-1]}
    shown = " · ".join(
        f"{stress_words.name(code, _)} {_interval(pairs[code].correlation, speech)}"
        for code in ("ES", "GC", "DXY")
        if code in pairs
    )
    n = max((pair.correlation.n for pair in pairs.values()), default=0)
    return _("Correlation over {n} days: {shown}").format(n=n, shown=shown) if shown else ""


def _links(result: Stress, speech: Speech) -> list[str]:
    _ = speech._
    told = ["**" + _("Weighted towards the last days, and with bitcoin's storm taken out") + "**"]
    told += [
        _("{name}: {parts}").format(name=stress_words.name(link.instrument, _), parts=_link(link, speech))
        for link in result.links
    ]
    storm = next((link.adjusted for link in result.links if link.adjusted is not None), None)
    if storm is not None:
        told.append(
            "-# "
            + _(
                "Bitcoin's variance of the last {storm} days is {times} times that of up to {calm} days before. A storm alone lifts a "
                "correlation; what is left assumes that it came from bitcoin (Forbes and Rigobon)."
            ).format(storm=STORM, calm=CALM, times=speech.number(1 + storm.delta))
        )
    told += [
        "-# " + sentence
        for sentence in (
            _("Weighted: 0.94 a day, half of it from the last 11 days, worth 32 pairs."),
            _(
                "p: how often two equal correlations would look so different (Williams' test); below 0.05 is told."
            ),
        )
    ]
    return told


def _link(link: Link, speech: Speech) -> str:
    _ = speech._
    parts = []
    if link.ewma is not None:
        parts.append(_("weighted {r}").format(r=_interval(link.ewma, speech)))
    if link.adjusted is not None:
        parts.append(
            _("{n} days {raw}, storm out {r}").format(
                n=STORM,
                raw=speech.signed(link.adjusted.raw, decimals=2),
                r=speech.signed(link.adjusted.r, decimals=2),
            )
        )
    return " · ".join(parts)
