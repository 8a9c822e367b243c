"""The macro line: what the Federal Reserve decided and when it meets, prices, and what markets say of them.

Facts with their dates; no score and no forecast. Everything is as it was known at an instant.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from analysis.closes import Close
from analysis.errors import NoData
from analysis.freshness import DAILY, Freshness, Rhythm, Sessions, freshness

MONTHS_SHOWN: Final = 13
"""So many months of consumer prices: the last, and back to the same month a year ago."""
CHANGE_OVER: Final = timedelta(days=30)
SHOWN: Final = timedelta(days=182)
"""How much of a daily series is shown."""
ARRIVES_WITHIN: Final = timedelta(hours=6)
"""How long after its release a figure may take to arrive before it counts as missing."""
CPI_LATE, CPI_STALE = timedelta(days=45), timedelta(days=75)
"""Since the last release, where the schedule is not known; two releases are 27 to 35 days apart."""

_NEW_YORK: Final = ZoneInfo("America/New_York")
_DAY: Final = timedelta(days=1)


def _told(day: date) -> datetime:
    """A daily figure of FRED should be there at 21:00 UTC of the day after its own."""
    return datetime.combine(day + _DAY, time(21), UTC)


FRED_DAILY: Final = Sessions(due=_told, stale_from=3, awaited=True)
"""Daily figures by the sessions of New York: of a weekend or a holiday none is missed."""


class Point(NamedTuple):
    """A published value: the date it is of and the instant from which it was known."""

    dated: date
    known_at: datetime
    value: float


class Outcome(StrEnum):
    RAISED = "raised"
    CUT = "cut"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A target range in percent and the first date in the series that has it."""

    low: float
    high: float
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The federal funds target range.

    ``spans`` oldest first, the last one in force; ``decided`` the day of the meeting before
    the first date of it, null where it followed none that is known; ``dated`` the newest
    date of the series, which changes the day after a decision.
    """

    spans: tuple[Span, ...]
    decided: date | None
    dated: date
    freshness: Freshness

    @property
    def now(self) -> Span:
        return self.spans[-1]

    @property
    def before(self) -> Span | None:
        return self.spans[-2] if len(self.spans) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meetings:
    """The last scheduled decision and the next; both null outside the table of them.

    ``outcome`` is null while the day after the last one is not in the series.
    """

    last: datetime | None
    outcome: Outcome | None
    next: datetime | None
    days_to_next: int | None = None
    """Counted in New York, where the days of meetings are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Consumer prices of a month (its first day) and their change on the same month a year before.

    ``index`` is null for a month that was not published although a later one was, or will
    not be; ``yoy_pct`` also where the month a year before is missing.
    """

    first: date
    index: float | None
    yoy_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflation:
    """``months`` oldest first, the last of them the newest published, at ``released``.

    ``missing``: months without a figure from a year before the newest to the next that has
    a release; ``next_month`` and ``next_at`` null where no schedule is known.
    """

    months: tuple[Month, ...]
    released: datetime
    missing: tuple[date, ...]
    next_month: date | None
    next_at: datetime | None
    freshness: Freshness

    @property
    def last(self) -> Month:
        return self.months[-1]

    @property
    def year_ago(self) -> date:
        return _months_after(self.last.first, -12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A daily series: its last value, and the one 30 days before or the last before that.

    ``shown`` is its half year, oldest first.
    """

    last: Point
    before: Point | None
    shown: tuple[Point, ...]
    source: str
    freshness: Freshness
    is_sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """What ``/macro`` knows at ``as_of``; a part is null where nothing of it was known.

    ``breakeven`` in percent, ``oil`` in USD a barrel, ``dollar`` in index points.
    """

    as_of: datetime
    target: Target | None
    meetings: Meetings
    inflation: Inflation | None
    breakeven: Gauge | None
    oil: Gauge | None
    dollar: Gauge | None
    source: str
    is_sample: bool

    @property
    def freshness(self) -> Freshness:
        """That of the part that is worst off."""
        parts = (self.target, self.inflation, self.breakeven, self.oil, self.dollar)
        return max((part.freshness for part in parts if part is not None), key=lambda state: state.worse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A daily series with where it comes from, oldest first."""

    points: Sequence[Point]
    source: str
    is_sample: bool = False


def closes_track(closes: Sequence[Close], source: str, *, is_sample: bool = False) -> Track:
    points = [Point(close.date, close.closed_at, close.price) for close in closes]
    return Track(points=points, source=source, is_sample=is_sample)


def assess(
    *,
    lower: Sequence[Point],
    upper: Sequence[Point],
    cpi: Sequence[Point],
    breakeven: Track,
    oil: Track,
    dollar: Track,
    decisions: Sequence[datetime],
    releases: Sequence[tuple[date, datetime]],
    as_of: datetime,
    source: str,
    is_sample: bool = False,
) -> Macro:
    """The macro line as it was known at ``as_of``.

    Points oldest first, one a date. ``decisions``: scheduled meetings, ``releases``: months of
    consumer prices with the instants of their release, as scheduled at ``as_of``; both oldest
    first. ``source`` and ``is_sample`` are of the target range and the prices.

    Raises NoData where nothing at all was known.
    """
    spans, dated = _spans(_known(lower, as_of), _known(upper, as_of))
    last = max((at for at in decisions if at <= as_of), default=None)
    coming = None if last is None else min((at for at in decisions if at > as_of), default=None)
    result = Macro(
        as_of=as_of,
        target=None if dated is None else _target(spans, dated, decisions, as_of),
        meetings=Meetings(
            last=last,
            outcome=None if last is None or dated is None else _outcome(spans, dated, last),
            next=coming,
            days_to_next=None if coming is None else (_day(coming) - _day(as_of)).days,
        ),
        inflation=_inflation(_known(cpi, as_of), releases, as_of),
        breakeven=_gauge(breakeven, as_of, FRED_DAILY),
        oil=_gauge(oil, as_of, DAILY),
        dollar=_gauge(dollar, as_of, DAILY),
        source=source,
        is_sample=is_sample,
    )
    if not any((result.target, result.inflation, result.breakeven, result.oil, result.dollar)):
        raise NoData("No macro figure was known at that time.")
    return result


def fresh_by(point: Point, as_of: datetime, rhythm: Rhythm) -> Freshness:
    """How a daily series stands whose newest point that is."""
    noon = datetime.combine(point.dated, time(12), _NEW_YORK)
    return freshness(noon, as_of, rhythm)


def _known(points: Sequence[Point], as_of: datetime) -> list[Point]:
    return [point for point in points if point.known_at <= as_of]


def _spans(lower: Sequence[Point], upper: Sequence[Point]) -> tuple[list[Span], date | None]:
    """Ranges in the order of their first dates, and the newest date that has both ends."""
    lows = {point.dated: point.value for point in lower}
    spans: list[Span] = []
    dated = None
    for point in upper:
        low = lows.get(point.dated)
        if low is None:
            continue
        dated = point.dated
        if not spans or (spans[-1].low, spans[-1].high) != (low, point.value):
            spans.append(Span(low=low, high=point.value, since=point.dated))
    return spans, dated


def _target(spans: Sequence[Span], dated: date, decisions: Sequence[datetime], as_of: datetime) -> Target:
    days = {_day(at) for at in decisions}
    before = spans[-1].since - _DAY
    state = fresh_by(Point(dated, as_of, 0.0), as_of, FRED_DAILY)
    return Target(
        spans=tuple(spans),
        decided=before if before in days and len(spans) > 1 else None,
        dated=dated,
        # No market closes a range: at a weekend it stands as on any other day.
        freshness=Freshness.FRESH if state is Freshness.CLOSED else state,
    )


def _day(at: datetime) -> date:
    return at.astimezone(_NEW_YORK).date()


def _outcome(spans: Sequence[Span], dated: date, decision: datetime) -> Outcome | None:
    day = _day(decision)
    before = [span for span in spans if span.since <= day]
    if dated <= day or not before:
        return None
    after = [span for span in spans if span.since <= day + _DAY]
    moved = after[-1].high - before[-1].high
    return Outcome.RAISED if moved > 0 else Outcome.CUT if moved < 0 else Outcome.HELD


def _months_after(first: date, months: int) -> date:
    count = 12 * first.year + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _inflation(
    points: Sequence[Point], releases: Sequence[tuple[date, datetime]], as_of: datetime
) -> Inflation | None:
    if not points:
        return None
    index = {point.dated.replace(day=1): point.value for point in points}
    newest = points[-1].dated.replace(day=1)

    def yoy(month: date) -> float | None:
        now, then = index.get(month), index.get(_months_after(month, -12))
        return None if now is None or then is None else 100 * (now / then - 1)

    shown = [_months_after(newest, back) for back in range(1 - MONTHS_SHOWN, 1)]
    shown = [month for month in shown if month >= points[0].dated.replace(day=1)]
    coming = None
    # Before its first release and after its last one the schedule says nothing.
    if any(at <= as_of for _, at in releases):
        coming = next(((month, at) for month, at in releases if at > as_of), None)
    until = newest if coming is None else _months_after(coming[0], -1)
    scheduled = {month for month, _ in releases}
    gone, month = [], shown[0]
    while month <= until:
        # A month whose release was missed is awaited, not gone.
        if month not in index and (month < newest or month not in scheduled):
            gone.append(month)
        month = _months_after(month, 1)
    return Inflation(
        months=tuple(Month(first=one, index=index.get(one), yoy_pct=yoy(one)) for one in shown),
        released=points[-1].known_at,
        missing=tuple(gone),
        next_month=None if coming is None else coming[0],
        next_at=None if coming is None else coming[1],
        freshness=_cpi_freshness(newest, points[-1].known_at, releases, as_of),
    )


def _cpi_freshness(
    newest: date, released: datetime, releases: Sequence[tuple[date, datetime]], as_of: datetime
) -> Freshness:
    """By the releases that should have followed; by its age where no schedule is known."""
    if releases and releases[0][1] <= as_of <= releases[-1][1]:
        due = [at for month, at in releases if month > newest and at <= as_of]
        if not due:
            return Freshness.FRESH
        if as_of - due[0] < ARRIVES_WITHIN:
            return Freshness.PENDING
        return Freshness.LATE if len(due) == 1 else Freshness.STALE
    age = as_of - released
    if age < CPI_LATE:
        return Freshness.FRESH
    return Freshness.LATE if age < CPI_STALE else Freshness.STALE


def _gauge(track: Track, as_of: datetime, rhythm: Rhythm) -> Gauge | None:
    points = _known(track.points, as_of)
    if not points:
        return None
    last = points[-1]
    then = bisect_right(points, last.dated - CHANGE_OVER, key=lambda point: point.dated) - 1
    return Gauge(
        last=last,
        before=points[then] if then >= 0 else None,
        shown=tuple(point for point in points if point.dated > last.dated - SHOWN),
        source=track.source,
        freshness=fresh_by(last, as_of, rhythm),
        is_sample=track.is_sample,
    )
