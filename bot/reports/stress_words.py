"""What ``stress`` says: what moved, what it is called and why, what would turn it."""

from __future__ import annotations

from datetime import datetime

from analysis.charts import freshness_words, stress_words
from analysis.closes import Alignment
from analysis.freshness import freshness
from analysis.sessions import INSTRUMENTS
from analysis.stress import Move, Stress, Turn, View
from analysis.verdict import VOTERS, Check, Measure, Verdict
from bot.language import Speech
from bot.reports import rate_words, stress_depth_words
from bot.reports.shapes import Reply, data_line


def say(result: Stress, speech: Speech, now: datetime) -> Reply:
    return Reply(
        lines=(_verdict_line(result, speech), *_lines(result, speech)),
        details=tuple(_details(result, speech, now)),
        data_line=_data_line(result, speech, now),
    )


def _lines(result: Stress, speech: Speech) -> tuple[str, str]:
    if result.view is View.BOARD:
        return _board_line(result, speech), _why_line(result, speech)
    return stress_depth_words.lines(result, speech)


def _verdict_line(result: Stress, speech: Speech) -> str:
    _ = speech._
    reasons = stress_words.reasons(result, speech.day, _)
    stands = stress_words.verdict(result.verdict, _)
    if result.verdict is Verdict.UNKNOWN:
        return _("**Market stress: {verdict}** · {reasons}").format(
            verdict=stands, reasons=_("; ").join(reasons) or _("too few closes")
        )
    since = speech.day(result.verdict_since)
    if result.latest is not result.verdict:
        return _(
            "**Market stress: {verdict}** since the close of {date} · the last close alone: {latest}"
        ).format(verdict=stands, date=since, latest=stress_words.verdict(result.latest, _))
    return _("**Market stress: {verdict}** since the close of {date}").format(verdict=stands, date=since)


def _board_line(result: Stress, speech: Speech) -> str:
    _ = speech._
    moves = [
        f"{stress_words.name(move.instrument, _)} {speech.percent(move.pct)}"
        for move in result.moves
        if _is_current(move, result)
    ]
    if not moves:
        return _("No market has a close both then and now.")
    return _("From the close of {since} to that of {session}: {moves}").format(
        since=speech.day(result.since), session=speech.day(result.session), moves=" · ".join(moves)
    )


def _is_current(move: Move, result: Stress) -> bool:
    return move.end.date == result.session


def _why_line(result: Stress, speech: Speech) -> str:
    _ = speech._
    if result.stale:
        return _("The board is of that close; nothing is judged from it.")
    if not result.rules:
        return _(
            "A verdict needs four of bitcoin, silver, gold, the S&P 500 and the dollar index, bitcoin, "
            "the S&P 500 and the dollar index among them."
        )
    votes = " · ".join(
        f"{stress_words.name(one.instrument, _)} {speech.signed(one.z5)}σ"
        for one in result.contributions
        if one.votes
    )
    if not result.turns:
        return _("Five days: {votes}").format(votes=votes)
    return _("Five days: {votes}; {turn}").format(votes=votes, turn=_turn_words(result.turns[0], speech))


def _turn_words(turn: Turn, speech: Speech) -> str:
    _ = speech._
    values = {
        "market": stress_words.name(turn.flip.instrument, _),
        "price": speech.price(turn.price),
        "border": speech.signed(turn.flip.border) + "σ",
        "verdict": stress_words.verdict(turn.flip.verdict, _),
    }
    if turn.flip.border > turn.flip.z5:
        return _(
            "{market} closing above {price} ({border}) would by that close alone have been {verdict}"
        ).format(**values)
    return _(
        "{market} closing below {price} ({border}) would by that close alone have been {verdict}"
    ).format(**values)


def _details(result: Stress, speech: Speech, now: datetime) -> list[str]:
    if result.view is not View.BOARD:
        return stress_depth_words.details(result, speech)
    return [
        *_board(result, speech),
        *_judgement(result, speech),
        *stress_depth_words.correlations(result, speech),
        *_small_print(result, speech, now),
        *_base_rates(result, speech),
    ]


def _board(result: Stress, speech: Speech) -> list[str]:
    _ = speech._
    lines = [
        "**"
        + _("Closes of {since} and {session}").format(
            since=speech.day(result.since), session=speech.day(result.session)
        )
        + "**"
    ]
    moves = {move.instrument: move for move in result.moves}
    for code in INSTRUMENTS:
        market, move = stress_words.name(code, _), moves.get(code)
        if move is None:
            lines.append(_("{market}: no close then").format(market=market))
            continue
        line = _("{market}: {start} → {end} · {percent}").format(
            market=market,
            start=speech.price(move.start.price),
            end=speech.price(move.end.price),
            percent=speech.percent(move.pct),
        )
        if move.sigma is not None:
            line += f" · {speech.signed(move.sigma)}σ"
        if not _is_current(move, result):
            line += " · " + _("last close {date}").format(date=speech.day(move.end.date))
        elif move.start.date != result.since:
            line += " · " + _("from the close of {date}").format(date=speech.day(move.start.date))
        lines.append(line)
    return lines


def _judgement(result: Stress, speech: Speech) -> list[str]:
    _ = speech._
    if result.stale:
        return []
    lines = ["**" + _("Why, by the closes of five days") + "**"]
    lines += [
        _("Judged without: {reason}").format(reason=reason)
        for reason in stress_words.reasons(result, speech.day, _)
    ]
    if not result.rules:
        return lines
    z5 = {one.instrument: f"{speech.signed(one.z5)}σ" for one in result.contributions}
    one = result.quantities
    if one.risk is not None:
        lines.append(
            _("R {risk}σ = mean of bitcoin {btc} and S&P 500 {es}").format(
                risk=speech.signed(one.risk), btc=z5["BTC"], es=z5["ES"]
            )
        )
    others = [
        _("H {value} (gold)").format(value=z5.get("GC", "–")),
        _("D {value} (dollar index)").format(value=z5.get("DXY", "–")),
        _("silver {value}").format(value=z5.get("SI", "–")),
    ]
    if one.dispersion is not None:
        others.append(_("dispersion {value}").format(value=speech.number(one.dispersion)))
    lines.append(" · ".join(others))
    shown = [
        f"{stress_words.name(contribution.instrument, _)} {z5[contribution.instrument]}"
        for contribution in result.contributions
        if not contribution.votes
    ]
    if shown:
        lines.append(_("Shown, without a vote: {markets}").format(markets=" · ".join(shown)))
    lines.append("**" + _("The rules, in order; the first that fits") + "**")
    lines += [
        _("{name}: {parts}").format(
            name=stress_words.verdict(rule, _), parts=" · ".join(_check(check, speech) for check in checks)
        )
        for rule, checks in result.rules
    ]
    lines += [
        _("Skipped in {verdict}: {measure} is not known").format(
            verdict=stress_words.verdict(skip.verdict, _), measure=_measure(skip.measure, speech)
        )
        if skip.measure is not Measure.ABSORPTION
        else _(
            "Skipped: the shift of the absorption ratio needs 500 closes, so {verdict} is judged without it"
        ).format(verdict=stress_words.verdict(skip.verdict, _))
        for skip in result.skipped
    ]
    lines.append("**" + _("What would have turned it") + "**")
    lines += [_turn_words(turn, speech) for turn in result.turns]
    if result.confidence is not None:
        lines.append(
            _("Distance to the nearest border × share of the five votes at hand: {value}σ").format(
                value=speech.number(result.confidence)
            )
        )
    return lines


_SIZES = {Measure.RISK_SIZE, Measure.DISPERSION, Measure.LARGEST, Measure.SECOND}


def _check(check: Check, speech: Speech) -> str:
    write = speech.number if check.measure in _SIZES else speech.signed
    value = "–" if check.value is None else write(check.value, decimals=_decimals(check.value, check.border))
    sign = {"<=": "≤", ">=": "≥", "<": "<"}[check.sign]
    border = speech.number(check.border, decimals=2).rstrip("0").rstrip(".")
    return f"{_measure(check.measure, speech)} {value} {sign} {border} {'✓' if check.met else '✗'}"


def _decimals(value: float, border: float) -> int:
    """Two, or as many as tell a value from a border it is not at."""
    return next((n for n in range(2, 5) if value == border or round(value, n) != round(border, n)), 5)


def _measure(measure: Measure, speech: Speech) -> str:
    _ = speech._
    return {
        Measure.DISPERSION: _("dispersion"),
        Measure.HIGHEST: _("highest"),
        Measure.LOWEST: _("lowest"),
        Measure.LARGEST: _("largest move"),
        Measure.SECOND: _("second largest move"),
        Measure.ABSORPTION: _("shift of the absorption ratio"),
    }.get(measure, measure.value)


def _base_rates(result: Stress, speech: Speech) -> list[str]:
    if result.base_rates is None:
        return []
    return rate_words.of_verdicts(
        result.base_rates,
        result.verdict,
        stress_words.verdict(result.verdict, speech._),
        speech,
        source=stress_words.joined(result.base_rates.sources),
    )


def _small_print(result: Stress, speech: Speech, now: datetime) -> list[str]:
    _ = speech._
    lines = ["**" + _("Where from, how old") + "**"]
    for one in result.inputs:
        market = stress_words.name(one.instrument, _)
        if one.last is None:
            lines.append("-# " + _("{market}: no close").format(market=market))
            continue
        parts = [
            one.source,
            speech.instant(one.last.closed_at),
            speech.age(now - one.last.closed_at),
            freshness_words.word(freshness(one.last.closed_at, now, result.alignment.rhythm), _),
        ]
        lines.append("-# " + _("{name}: {parts}").format(name=market, parts=" · ".join(parts)))
    quiet = next((one for one in result.contributions if one.instrument == "ES" and abs(one.z5) < 1), None)
    if quiet is not None:
        lines.append("-# " + _("The S&P 500 alone moved less than 1σ in those five days."))
    lines += [
        "-# " + sentence
        for sentence in (
            _("Oil never votes, its news is supply; the Nasdaq 100 would only vote a second time."),
            _("σ is daily EWMA volatility (0.94), known before the last close, times the root of the days."),
            _("A new verdict stands after two closes in a row; it does not depend on the first day asked."),
            _(
                "Alignment: daily close, bitcoin at 17:00 New York. Facts and arithmetic, not a forecast and not advice."
            )
            if result.alignment is Alignment.DAILY
            else _(
                "Alignment: what all seven traded at, at 16:00 New York. "
                "Facts and arithmetic, not a forecast and not advice."
            ),
        )
    ]
    return lines


def _data_line(result: Stress, speech: Speech, now: datetime) -> str:
    _ = speech._
    newest = result.closed_at
    parts = [
        stress_words.publishers(result),
        _("closed {time}").format(time=speech.instant(newest)),
        speech.age(now - newest),
        freshness_words.word(freshness(newest, now, result.alignment.rhythm), _),
        _("alignment: daily close")
        if result.alignment is Alignment.DAILY
        else _("alignment: 16:00 New York"),
    ]
    late = [one for one in result.missing if one.instrument in VOTERS]
    if late and not result.stale:
        parts.append(
            _("without {markets}").format(
                markets=_(", ").join(stress_words.name(one.instrument, _) for one in late)
            )
        )
    return data_line(parts, speech, is_sample=result.is_sample)
