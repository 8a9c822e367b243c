"""The gate for what sources send: only what is whole, of the agreed shape and within bounds gets in.

A batch is taken as a whole or not at all.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Never, TypeVar

from pydantic import BeforeValidator, Strict, TypeAdapter, ValidationError

from providers.errors import Malformed
from providers.shapes import Bar, BarQuery, Bars

T = TypeVar("T")

MARGIN: Final = timedelta(seconds=2)
"""A bar counts as closed so long after its end, at the earliest."""
AHEAD: Final = timedelta(minutes=5)
"""How far our clock may lie behind the source's; what opens later than that is nonsense."""
HIGHEST_PRICE: Final = 1e9
HIGHEST_VOLUME: Final = 1e15
JUMP: Final = 0.20
_DAY_S: Final = 86_400
FOR_A_RHYTHM: Final = 4
"""Bars from which on two at least must be neighbours: markets rest, but not after every bar."""


def _decimal(sent: object) -> float:
    # float() alone would take "1_000", "infinity" and figures of other scripts.
    if isinstance(sent, str) and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,20})?", sent):
        return float(sent)
    raise ValueError("not a decimal in text")


def _digits(sent: object) -> int:
    if isinstance(sent, str) and re.fullmatch(r"[0-9]{1,15}", sent):
        return int(sent)
    raise ValueError("not a whole number in text")


Decimal = Annotated[float, BeforeValidator(_decimal)]
"""A number from nought up that is sent as text."""
Digits = Annotated[int, BeforeValidator(_digits)]
"""A whole number from nought up that is sent as text."""
Number = Annotated[float, Strict()]
"""A number that is sent as one, with a point or without."""
Whole = Annotated[int, Strict()]


def _day(sent: object) -> date:
    # fromisoformat() alone would take "20260204" and "2026-W06-3".
    if isinstance(sent, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", sent):
        return date.fromisoformat(sent)
    raise ValueError("not a date")


Day = Annotated[date, BeforeValidator(_day)]
"""A date that is sent as text, year first."""


def read(body: bytes) -> object:
    """JSON without what other readers let pass: NaN, infinities, one name twice. Raises Malformed."""
    if body.lstrip()[:1] == b"<":
        raise Malformed("a page, not JSON", body=body)
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_constant=_no_number,
            parse_float=_finite,
            object_pairs_hook=_once_each,
        )
    # Deep nesting ends in RecursionError, digits by the thousand in ValueError.
    except (ValueError, RecursionError) as error:
        reason = f"not JSON ({type(error).__name__})"
    raise Malformed(reason, body=body)


def shaped(shape: TypeAdapter[T], value: object, *, body: bytes) -> T:
    """``value`` as the shape the source agreed to. Raises Malformed, naming the first place that differs."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(_clean(str(step)) for step in first["loc"][:6])
        reason = f"another shape at {place or 'the top'}: {first['type']}, {error.error_count()} in all"
    raise Malformed(reason, body=body)


def unknown(value: object, known: Iterable[str]) -> frozenset[str]:
    """Names in an object that nobody told us of, fit for a log: ten at most."""
    if not isinstance(value, Mapping):
        return frozenset()
    return frozenset(_clean(name) for name in sorted(set(value) - set(known))[:10])


def words(said: str) -> str:
    """What a source says, fit for a log."""
    return re.sub(r"[^ -~]+", " ", said).strip()[:120]


def bars(
    rows: Iterable[Bar],
    query: BarQuery,
    now: datetime,
    *,
    body: bytes,
    step: timedelta | None = None,
    last_runs: bool = False,
    traded: bool = False,
    settled: datetime | None = None,
    unknown: frozenset[str] = frozenset(),
) -> Bars:
    """The asked ones of ``rows``, sorted; Malformed if a single one of them all cannot be.

    ``now`` is the instant of the answer by the more careful clock (``Answer.at``).
    ``step`` is the length of the rows where it is not the asked one, for ``build``. Bars
    open on multiples of their length, which for days is 00:00 UTC; a day may close before
    it is over, as that of a future does. With ``last_runs`` the newest row is never a
    closed bar, whatever the time. With ``traded`` a flat row without volume is left out:
    nobody traded, the source only carried its last price forward. ``settled`` is up to when
    the answer can tell of everything, where its prices come late.
    """
    length = int((step or query.interval.length).total_seconds())
    newest = int((now + AHEAD).timestamp())
    found: dict[int, Bar] = {}
    for row in rows:
        if reason := _impossible(row, length, newest):
            raise Malformed(f"{reason} at {row.opened_at}", body=body)
        if found.setdefault(row.opened_at, row) != row:
            raise Malformed(f"two different bars at {row.opened_at}", body=body)
    ordered = [found[opened] for opened in sorted(found)]
    apart = {late.opened_at - early.opened_at for early, late in itertools.pairwise(ordered)}
    if len(ordered) >= FOR_A_RHYTHM and length not in apart:
        raise Malformed(f"bars are {min(apart)} s apart, not {length}", body=body)

    last_closed = min(now - MARGIN, settled or now).timestamp()
    running = ordered[-1].opened_at if last_runs and ordered else None
    since, until = query.since.timestamp(), query.until.timestamp()
    closed: list[Bar] = []
    for bar in ordered:
        if not since <= bar.opened_at < until or (traded and bar.volume == 0 and bar.high == bar.low):
            continue
        if bar.closed_at > last_closed or bar.opened_at == running:
            # Within two seconds of an end there are two that are not closed yet: the earlier
            # one follows the closed ones without a gap.
            return made(closed, bar, unknown=unknown)
        closed.append(bar)
    return made(closed, None, unknown=unknown)


def made(closed: Iterable[Bar], unfinished: Bar | None, *, unknown: frozenset[str] = frozenset()) -> Bars:
    """Bars that were looked at, oldest first, with what is doubtful among them marked."""
    whole = tuple(closed)
    jumps = []
    before: float | None = None
    for bar in (*whole, unfinished) if unfinished else whole:
        base = bar.open if before is None else before
        if bar.high > base * (1 + JUMP) or bar.low < base * (1 - JUMP):
            jumps.append(bar.opened_at)
        before = bar.close
    return Bars(closed=whole, unfinished=unfinished, jumps=tuple(jumps), unknown=unknown)


def _impossible(bar: Bar, length: int, newest: int) -> str | None:
    lasts = bar.closed_at - bar.opened_at
    if bar.opened_at % length or not (lasts == length or (length == _DAY_S and 0 < lasts < length)):
        return "a bar off the grid"
    # A day that closes early began as much before 00:00 UTC.
    if not 0 < bar.opened_at <= newest + length - lasts:
        return "a bar at no time it can have"
    if not all(math.isfinite(price) for price in bar[2:6]) or (
        bar.volume is not None and not math.isfinite(bar.volume)
    ):
        return "not a number"
    if not (
        0 < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high <= HIGHEST_PRICE
    ):
        return "prices out of bounds"
    if bar.volume is not None and not 0 <= bar.volume <= HIGHEST_VOLUME:
        return "volume out of bounds"
    return None


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("too large for a number")
    return value


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("one name twice")
    return value


def _clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "?", name)[:40]
