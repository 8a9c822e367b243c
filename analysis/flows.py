"""Net flows of spot ETFs: streak, odds, rolling sums, cushion, regime. Amounts in US$ million.

Only days whose every fund is final count. A day that is partly reported or not at all
is shown and left out of every figure; a holiday is no day. Absence is not zero: a session
without a report is pending, however long ago it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from math import exp, fsum, lgamma, log, log1p
from statistics import fmean

from analysis import flow_days, trading_days
from analysis.errors import NoData
from analysis.flow_days import Day, DayState, Fund, Month, Report
from analysis.flow_rates import FlowRates, flow_rates
from analysis.flow_regime import Reading, Regime, read, regime
from analysis.flow_revisions import Revision, revisions
from analysis.freshness import Freshness, Rhythm, freshness

__all__ = [
    "Cushion",
    "Day",
    "DayState",
    "Extreme",
    "Flows",
    "Fund",
    "Month",
    "Odds",
    "Reading",
    "Regime",
    "Report",
    "Revision",
    "assess",
    "binomial_at_most",
    "regime",
]

DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    date: date
    total_musd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cushion:
    """How far cumulative net inflow has fallen from its peak: 0 or negative.

    ``pct`` of the peak (null where that is not positive); ``days_left`` = inflow of the
    last 60 final days / the mean daily outflow of the last 20, null while that mean is
    no outflow or there are fewer days.
    """

    musd: float
    pct: float | None
    peak_musd: float
    peak_date: date
    days_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """How rare so few inflow days are: P(X <= positive) with X binomial(final_days, base_share).

    ``base_share`` is the share of positive days among the ``base_days`` final days
    before the window.
    """

    p_value: float
    base_share: float
    base_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What ``/flows`` knows at ``as_of``, an instant of the UTC day ``today``.

    ``last_date`` is the last final day, of ``history_days`` since launch. Counts, ``sum_musd``, ``best``, ``worst``,
    ``odds`` and ``days`` speak of the window, from ``since`` inclusive; everything else
    of the whole history. ``streak``: days of one sign in a row, negative for outflow; a
    day of exactly zero neither breaks nor lengthens it, ``streak_zeros`` says how many
    are inside. ``waiting``: days not yet final from the 20th last final day on; ``pending``: those
    after the last final day, oldest first. ``latest`` is the last session, whatever its
    state, or the holiday after it. ``largest``:
    the fund with most of |flow| on the last final day, with its share in percent.
    ``days`` oldest first, with holidays as ``closed``; ``revisions`` newest first. ``manual``: the days,
    of all history, whose total was entered by hand; they are in every figure but those of single funds.
    ``base_rates``: what followed streaks before, of all final days.
    ``published_to``: the last final day that was not, null without any. ``freshness`` is that of the
    published days at ``as_of``: what is typed by hand makes the source no fresher.
    """

    as_of: datetime
    today: date
    asset: str
    source: str
    since: date
    last_date: date
    last_musd: float
    latest: Day
    history_days: int
    final_days: int
    positive_days: int
    negative_days: int
    sum_musd: float
    best: Extreme | None
    worst: Extreme | None
    odds: Odds | None
    streak: int
    streak_since: date | None
    streak_zeros: int
    cumulative_musd: float
    cushion: Cushion
    reading: Reading
    regime: Regime
    waiting: int
    pending: tuple[Day, ...]
    largest: str | None
    largest_share_pct: float | None
    days: tuple[Day, ...]
    months: tuple[Month, ...]
    funds: tuple[Fund, ...]
    revisions: tuple[Revision, ...] = ()
    freshness: Freshness = Freshness.FRESH
    is_sample: bool = False
    manual: tuple[date, ...] = ()
    published_to: date | None = None
    base_rates: FlowRates | None = None

    @property
    def last_published(self) -> date:
        """The last final day of the publisher's own."""
        return self.published_to or self.last_date


def assess(
    reports: Sequence[Report],
    *,
    asset: str,
    as_of: datetime,
    source: str,
    since: date | None = None,
    sessions: Collection[date] = (),
    closed: Collection[date] = (),
    rhythm: Rhythm | None = None,
    is_sample: bool = False,
) -> Flows:
    """Judge the flows of ``asset`` with what was known at ``as_of``.

    ``reports``: every version of every day since launch, in any order; of each day the
    last version known by then counts. All are of one publisher: two differ by rounding
    and at times by days, so they never meet in one streak or sum. ``sessions``: days on
    which the market traded and has closed; one without a report since the first is
    pending. ``closed``: market holidays up to then, shown as such. ``since``: trade date,
    null for the last 30 final days. ``rhythm``: when a day should be final; null: never late.

    Raises NoData if no final day was known.
    """
    latest = flow_days.with_silent(flow_days.latest(reports, as_of), sessions, as_of)
    final = [
        (day.date, day.total_musd) for day in latest if flow_days.is_final(day) and day.total_musd is not None
    ]
    if not final:
        raise NoData("No final day of {asset} ETF flows was known at that time.", asset=asset)
    dates, totals = [day for day, _ in final], [total for _, total in final]
    since = dates[-DEFAULT_DAYS:][0] if since is None else since
    window = [(day, total) for day, total in final if day >= since]
    streak, streak_since, streak_zeros = _streak(dates, totals)
    recent = dates[-20:][0]
    waiting = sum(not flow_days.is_final(day) and day.date >= recent for day in latest)
    reading = read(totals)
    largest, share = _largest(next(day for day in latest if day.date == dates[-1]).funds)
    published_to = max(
        (day.date for day in latest if flow_days.is_final(day) and not day.manual), default=None
    )
    off = [day for day in closed if day <= as_of.date()]
    days = flow_days.days(latest, dict(zip(dates, accumulate(totals), strict=True)), off)
    return Flows(
        as_of=as_of,
        today=as_of.astimezone(UTC).date(),
        asset=asset,
        source=source,
        since=since,
        last_date=dates[-1],
        last_musd=totals[-1],
        latest=days[-1],
        history_days=len(final),
        final_days=len(window),
        positive_days=sum(total > 0 for _, total in window),
        negative_days=sum(total < 0 for _, total in window),
        sum_musd=fsum(total for _, total in window),
        best=_extreme(max(window, key=lambda day: day[1], default=None)),
        worst=_extreme(min(window, key=lambda day: day[1], default=None)),
        odds=_odds(totals[: len(totals) - len(window)], [total for _, total in window]),
        streak=streak,
        streak_since=streak_since,
        streak_zeros=streak_zeros,
        cumulative_musd=fsum(totals),
        cushion=_cushion(dates, totals),
        reading=reading,
        regime=regime(reading, final_days=len(final), waiting=waiting),
        waiting=waiting,
        pending=tuple(day for day in days if day.date > dates[-1] and day.state is not DayState.CLOSED),
        largest=largest,
        largest_share_pct=share,
        days=tuple(day for day in days if day.date >= since),
        months=flow_days.months(latest, as_of),
        funds=flow_days.funds(latest, since),
        revisions=revisions([one for one in reports if one.known_at <= as_of]),
        freshness=Freshness.FRESH
        if rhythm is None
        else freshness(trading_days.closed_at(published_to or dates[-1]), as_of, rhythm),
        is_sample=is_sample,
        manual=tuple(day.date for day in latest if day.manual),
        published_to=published_to,
        base_rates=flow_rates(dates, totals),
    )


def binomial_at_most(positive: int, days: int, share: float) -> float:
    """P(X <= positive), X ~ binomial(days, share): sum of C(n, i) p^i (1 - p)^(n - i)."""
    if share <= 0 or positive >= days:
        return 1.0
    if share >= 1:
        return 0.0
    return fsum(
        exp(
            lgamma(days + 1)
            - lgamma(i + 1)
            - lgamma(days - i + 1)
            + i * log(share)
            + (days - i) * log1p(-share)
        )
        for i in range(positive + 1)
    )


def _streak(dates: Sequence[date], totals: Sequence[float]) -> tuple[int, date | None, int]:
    """k_t = k_(t-1) + sgn F_t if the signs agree, else sgn F_t; a zero changes nothing."""
    length, first, zeros = 0, None, 0
    for day, total in zip(dates, totals, strict=True):
        sign = (total > 0) - (total < 0)
        if not sign:
            zeros += length != 0
        elif length * sign > 0:
            length += sign
        else:
            length, first, zeros = sign, day, 0
    return length, first, zeros


def _odds(before: Sequence[float], window: Sequence[float]) -> Odds | None:
    if not before or not window:
        return None
    share = sum(total > 0 for total in before) / len(before)
    positive = sum(total > 0 for total in window)
    return Odds(
        p_value=binomial_at_most(positive, len(window), share), base_share=share, base_days=len(before)
    )


def _cushion(dates: Sequence[date], totals: Sequence[float]) -> Cushion:
    """Q_t = C_t - max_(s <= t) C_s of C = cumulative net flow."""
    # Rounded, so that a cushion which is zero on paper is zero.
    cumulative = [round(pile, 6) for pile in accumulate(totals)]
    peak = max(cumulative)
    pace = fmean(totals[-20:])
    enough = len(totals) >= 60 and pace < 0
    return Cushion(
        musd=round(cumulative[-1] - peak, 6),
        pct=100 * (cumulative[-1] - peak) / peak if peak > 0 else None,
        peak_musd=peak,
        peak_date=dates[cumulative.index(peak)],
        days_left=fsum(total for total in totals[-60:] if total > 0) / -pace if enough else None,
    )


def _extreme(day: tuple[date, float] | None) -> Extreme | None:
    return None if day is None else Extreme(date=day[0], total_musd=day[1])


def _largest(funds: Mapping[str, float | None]) -> tuple[str | None, float | None]:
    sizes = {code: abs(flow) for code, flow in funds.items() if flow}
    if not sizes:
        return None, None
    code = max(sizes, key=lambda one: sizes[one])
    return code, 100 * sizes[code] / fsum(sizes.values())
