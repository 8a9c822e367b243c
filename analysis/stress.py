"""Cross-asset stress: how far seven markets moved, in percent and in sigmas, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from math import exp, log, sqrt

from analysis import links
from analysis.closes import Alignment, Close
from analysis.depth import Depth, History, depth
from analysis.errors import NoData
from analysis.freshness import Freshness, freshness
from analysis.links import Beta, Link, Nearer, Pair
from analysis.sessions import INSTRUMENTS, WEEK, Quotes, Series, quotes_of, series_of, sessions_of
from analysis.verdict import (
    VOTERS,
    Check,
    Flip,
    Quantities,
    Skip,
    Verdict,
    checks,
    flips,
    quantities,
    skipped,
    verdict,
)
from analysis.verdict_history import Stood, stood
from analysis.verdict_rates import VerdictRates, verdict_rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    date: date
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From one close to another: percent, and ln(to / from) / (sigma sqrt(returns)).

    ``sigma`` is null without 21 returns to judge it by, or with no return in the window.
    """

    instrument: str
    start: Quote
    end: Quote
    pct: float
    sigma: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """The five-day z of one market; ``votes`` is false for those that are shown only."""

    instrument: str
    z5: float
    votes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A flip with its price: where the last close of that market would have had to be."""

    flip: Flip
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A market without a usable close of the session judged, with the last date it has one of."""

    instrument: str
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Where the closes of one market come from and the last of them that was looked at."""

    instrument: str
    source: str
    last: Close | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Long:
    """Daily closes and their sources by instrument code, where others that do not reach as far back are judged."""

    closes: Mapping[str, Sequence[Close]]
    sources: Mapping[str, str]


class View(StrEnum):
    """What a reader wants to see of it."""

    BOARD = "board"
    INDEX = "index"
    CORRELATION = "correlation"
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What ``/stress`` knows at ``as_of``.

    ``session``: the New York trade date judged, the last whose closes are there.
    ``latest`` is the verdict of that close alone, ``verdict`` the one that stands: a new
    one has to be found at two closes in a row. ``verdict_since``: the session from which
    it stands. ``stale``: the closes are too old to judge. ``rules`` holds what each rule
    found for ``latest`` and ``skipped`` what could not be asked. ``turns``: what would
    change ``latest``, nearest first; ``confidence`` = share of voters fresh x sigmas to
    the nearest turn, null while unknown. ``freshness`` is that of the session at ``as_of``.
    ``depth`` is judged by daily closes, whatever the alignment of the rest. ``base_rates``:
    what followed the verdicts before.
    """

    as_of: datetime
    since: date
    session: date
    moves: tuple[Move, ...]
    verdict: Verdict
    verdict_since: date
    latest: Verdict
    stale: bool
    quantities: Quantities
    rules: tuple[tuple[Verdict, tuple[Check, ...]], ...]
    skipped: tuple[Skip, ...]
    contributions: tuple[Contribution, ...]
    turns: tuple[Turn, ...]
    confidence: float | None
    missing: tuple[Missing, ...]
    correlations: tuple[Pair, ...]
    inputs: tuple[Input, ...]
    is_sample: bool
    betas: tuple[Beta, ...] = ()
    links: tuple[Link, ...] = ()
    nearer: tuple[Nearer, ...] = ()
    depth: Depth | None = None
    base_rates: VerdictRates | None = None
    view: View = View.BOARD
    alignment: Alignment = Alignment.DAILY
    freshness: Freshness = Freshness.FRESH

    @property
    def closed_at(self) -> datetime:
        """When the last close of the session was made."""
        return max(one.last.closed_at for one in self.inputs if one.last and one.last.date == self.session)


def assess(
    closes: Mapping[str, Sequence[Close]],
    *,
    as_of: datetime,
    since: date | None = None,
    sources: Mapping[str, str] | None = None,
    alignment: Alignment = Alignment.DAILY,
    is_sample: bool = False,
    history: History | None = None,
    long: Long | None = None,
    view: View = View.BOARD,
) -> Stress:
    """Judge the seven markets with the closes known at ``as_of``.

    ``closes`` by instrument code, oldest first, every one dated by its New York trade
    date, all taken as ``alignment`` says. A session is a date on which at least three
    of SI, GC, ES and DXY closed; other dates, such as bitcoin's weekends, are left out.
    ``since``: the board compares the close of that date, or the last before it, with
    the last; null for five sessions. The verdict does not depend on it. ``sources`` by
    instrument code are passed on. ``history`` as known at ``as_of``; without it there is no depth.
    ``long``: what the base rates are counted in; null: ``closes``.

    Raises NoData if there is no session, or none since ``since``.
    """
    quotes = quotes_of(closes, as_of)
    sessions = sessions_of(quotes, as_of)
    if not sessions:
        raise NoData("No New York close of {markets} was known at that time.", markets=tuple(INSTRUMENTS))
    last = sessions[-1]
    if since is None:
        since = sessions[-WEEK - 1 :][0]
    elif since > last:
        raise NoData(
            "There has been no New York close since {since}; the newest is that of {newest}.",
            since=since.isoformat(),
            newest=last.isoformat(),
        )
    series = {code: series_of(quotes[code], sessions) for code in INSTRUMENTS}
    state = freshness(_made_at(quotes, last), as_of, alignment.rhythm)
    stale = state is Freshness.STALE
    z5 = {} if stale else _z5(series, last)
    shifts = history.shifts if history else {}
    shift = shifts.get(last)
    latest = verdict(z5, shift)
    past = stood(series, sessions, shifts)
    stands, standing_since = (latest, last) if stale else (past.verdict, past.since)
    turns = _turns(z5, series, shift)
    deep = depth(history) if history else None
    fresh = sum(code in z5 for code in VOTERS) / len(VOTERS)
    return Stress(
        as_of=as_of,
        since=since,
        session=last,
        moves=tuple(move for code in INSTRUMENTS if (move := _move(code, series[code], since)) is not None),
        verdict=stands,
        verdict_since=standing_since,
        latest=latest,
        stale=stale,
        quantities=quantities(z5),
        rules=checks(z5, shift),
        skipped=skipped(z5, shift),
        contributions=tuple(
            Contribution(instrument=code, z5=z5[code], votes=code in VOTERS)
            for code in INSTRUMENTS
            if code in z5
        ),
        turns=turns,
        confidence=fresh * abs(turns[0].flip.border - turns[0].flip.z5) if turns else None,
        missing=tuple(
            Missing(instrument=code, last=max(quotes[code], default=None))
            for code in INSTRUMENTS
            if code not in z5
        ),
        correlations=links.pairs(quotes, sessions),
        betas=links.betas(quotes, sessions),
        links=links.links(quotes, sessions),
        nearer=links.nearer(quotes, sessions),
        base_rates=_base_rates(past, quotes, sources or {})
        if long is None
        else _long_base_rates(long, as_of, shifts),
        depth=deep and replace(deep, history=None if view is View.BOARD else history),
        view=view,
        inputs=tuple(
            Input(
                instrument=code,
                source=(sources or {}).get(code, ""),
                last=quotes[code][series[code].dates[-1]] if series[code].dates else None,
            )
            for code in INSTRUMENTS
        ),
        alignment=alignment,
        freshness=state,
        is_sample=is_sample,
    )


def _made_at(quotes: Quotes, session: date) -> datetime:
    """When the last close of a session was made."""
    return max(closes[session].closed_at for closes in quotes.values() if session in closes)


def _z5(series: Mapping[str, Series], session: date) -> dict[str, float]:
    """z5 at the close of ``session`` of every market that has one."""
    found = {}
    for code, one in series.items():
        if one.dates and one.dates[-1] == session:
            z = one.z5(len(one.dates) - 1)
            if z is not None:
                found[code] = z
    return found


def _base_rates(past: Stood, quotes: Quotes, sources: Mapping[str, str]) -> VerdictRates | None:
    told = [sources[code] for code in INSTRUMENTS if sources.get(code)]
    return verdict_rates(past.sessions, {day: one.price for day, one in quotes["BTC"].items()}, sources=told)


def _long_base_rates(long: Long, as_of: datetime, shifts: Mapping[date, float]) -> VerdictRates | None:
    quotes = quotes_of(long.closes, as_of)
    sessions = sessions_of(quotes, as_of)
    if not sessions:
        return None
    series = {code: series_of(quotes[code], sessions) for code in INSTRUMENTS}
    return _base_rates(stood(series, sessions, shifts), quotes, long.sources)


def _move(code: str, one: Series, since: date) -> Move | None:
    """Null where there is no close at ``since`` or before."""
    first = sum(day <= since for day in one.dates) - 1
    if first < 0:
        return None
    returns = len(one.dates) - 1 - first
    sigma = one.sigmas[-1] if returns else None
    start, end = one.prices[first], one.prices[-1]
    return Move(
        instrument=code,
        start=Quote(date=one.dates[first], price=start),
        end=Quote(date=one.dates[-1], price=end),
        pct=100 * (end / start - 1),
        sigma=log(end / start) / (sigma * sqrt(returns)) if sigma else None,
    )


def _turns(z5: Mapping[str, float], series: Mapping[str, Series], shift: float | None) -> tuple[Turn, ...]:
    turns = []
    for flip in flips(z5, shift):
        one = series[flip.instrument]
        sigma = one.sigmas[-1] or 0.0
        turns.append(Turn(flip=flip, price=one.prices[-1 - WEEK] * exp(flip.border * sigma * sqrt(WEEK))))
    return tuple(turns)
