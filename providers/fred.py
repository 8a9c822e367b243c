"""FRED, the database of the Federal Reserve Bank of St. Louis, over its API; needs a free key.

Without one, ``providers/fredgraph.py`` gives the same observations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, SecretStr, TypeAdapter

from providers import gate
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import MacroQuery, Observation, Observations, Request

NAME: Final = "FRED"
HOST: Final = "api.stlouisfed.org"

# What a value of each series can be, in its own unit; WTI was at -36.98 on 20 April 2020.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "DFEDTARU": (-5.0, 25.0),
        "DFEDTARL": (-5.0, 25.0),
        "CPIAUCSL": (10.0, 1_000.0),
        "T10YIE": (-5.0, 10.0),
        "DTWEXBGS": (50.0, 200.0),
        "DCOILWTICO": (-100.0, 300.0),
    }
)

_FIELDS: Final = frozenset(
    {
        "realtime_start",
        "realtime_end",
        "observation_start",
        "observation_end",
        "units",
        "output_type",
        "file_type",
        "order_by",
        "sort_order",
        "count",
        "offset",
        "limit",
        "observations",
    }
)
_CPI_RELEASE: Final = "10"
_FIRST_DAY: Final = date(1900, 1, 1)
_SCHEDULED_AHEAD: Final = timedelta(days=2 * 366)


def _value(sent: object) -> float | None:
    """None where FRED says that a date has no value: ``.``, or nothing in a CSV of today."""
    if sent in {".", ""}:
        return None
    if isinstance(sent, str) and re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,12})?", sent):
        return float(sent)
    raise ValueError("not a value in text")


Value = Annotated[float | None, BeforeValidator(_value)]


class _Observation(BaseModel):
    date: gate.Day
    value: Value


class _Page(BaseModel):
    count: gate.Whole
    observations: list[_Observation]


class _ReleaseDate(BaseModel):
    date: gate.Day


class _ReleaseDates(BaseModel):
    release_dates: list[_ReleaseDate]


_PAGE: Final = TypeAdapter(_Page)
_RELEASES: Final = TypeAdapter(_ReleaseDates)


def request(query: MacroQuery, key: SecretStr) -> Request:
    since = {} if query.since is None else {"observation_start": query.since.isoformat()}
    return Request(
        host=HOST,
        path="/fred/series/observations",
        params={"series_id": query.series, "file_type": "json", **since},
        secret_params={"api_key": key},
    )


def parse(body: bytes, query: MacroQuery, now: datetime) -> Observations:
    answer = _answer(body)
    page = gate.shaped(_PAGE, answer, body=body)
    if page.count != len(page.observations):
        raise Malformed(f"{len(page.observations)} of {page.count} observations", body=body)
    rows = (Observation(date=row.date, value=row.value) for row in page.observations)
    return checked(rows, query, now, body=body, unknown=gate.unknown(answer, _FIELDS))


def cpi_releases_request(since: date, key: SecretStr) -> Request:
    """The days on which consumer prices are released, from ``since`` on, those to come included."""
    return Request(
        host=HOST,
        path="/fred/release/dates",
        params={
            "release_id": _CPI_RELEASE,
            "file_type": "json",
            "include_release_dates_with_no_data": "true",
            "sort_order": "asc",
            "realtime_start": since.isoformat(),
        },
        secret_params={"api_key": key},
    )


def parse_cpi_releases(body: bytes, now: datetime) -> tuple[date, ...]:
    """Oldest first. Each is of the month before it; the times, 08:30 New York, FRED does not tell."""
    rows = gate.shaped(_RELEASES, _answer(body), body=body).release_dates
    days = sorted({row.date for row in rows})
    if days and not _FIRST_DAY <= days[0] <= days[-1] <= now.date() + _SCHEDULED_AHEAD:
        raise Malformed("a release out of bounds", body=body)
    return tuple(days)


def checked(
    rows: Iterable[Observation],
    query: MacroQuery,
    now: datetime,
    *,
    body: bytes,
    unknown: frozenset[str] = frozenset(),
) -> Observations:
    """The asked ones of ``rows``, oldest first. No row at all may be true: nothing new since.

    Raises Malformed for a value or a date that cannot be, and for two accounts of one date.
    """
    low, high = BOUNDS[query.series]
    # The target range is dated by the day it applies to, which may be tomorrow.
    last = now.date() + timedelta(days=1)
    found: dict[date, Observation] = {}
    for row in rows:
        if not _FIRST_DAY <= row.date <= last:
            raise Malformed(f"a date out of bounds, {row.date}", body=body)
        if row.value is not None and not low <= row.value <= high:
            raise Malformed(f"a value out of bounds on {row.date}", body=body)
        if found.setdefault(row.date, row) != row:
            raise Malformed(f"two values of {row.date}", body=body)
    asked = tuple(found[day] for day in sorted(found) if query.since is None or day >= query.since)
    return Observations(rows=asked, unknown=unknown)


def _answer(body: bytes) -> object:
    """What is in the body. Raises Refused for an error, whatever the status it came with."""
    answer = gate.read(body)
    if isinstance(answer, dict) and "error_code" in answer:
        said = f"error {gate.words(str(answer['error_code']))}"
        raise TooMany(said) if answer["error_code"] == 429 else Refused(said)
    return answer
