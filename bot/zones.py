"""Time zones as people write them: a city, a country, an abbreviation or an offset, in English or Chinese.

What is found is always a name of the IANA database, one that stands for a place. The places
and their countries are those of the pinned tzdata package, their names Babel's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from babel.core import Locale, get_global

from analysis.errors import UserError
from bot.language import LOCALES, MINUS

NOWHERE: Final = "UTC"
FIRST: Final = (
    "Asia/Taipei", NOWHERE, "America/New_York", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo",
    "Europe/London", "America/Chicago", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney",
)  # fmt: skip
"""What is offered first where several fit: where those who trade live."""
LONGEST: Final = 64
"""Characters of a name that are looked at."""

_OFFSET: Final = re.compile(r"(?:utc|gmt)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?")
_ALIKE: Final = str.maketrans({"臺": "台", MINUS: "-", "–": "-", "_": " "})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A zone with its city in each language of ours, and what both it and its country are known by.

    ``names`` are of its city, ``countries`` of its country with the ISO code; all folded.
    """

    zone: str
    cities: tuple[str, ...]
    names: frozenset[str]
    countries: frozenset[str]

    def city(self, locale: str) -> str:
        return self.cities[LOCALES.index(locale)]


def folded(text: str) -> str:
    """As it is compared: width, case and accents aside, 臺 as 台."""
    wide = unicodedata.normalize("NFKD", text[:LONGEST].translate(_ALIKE)).casefold()
    return " ".join("".join(char for char in wide if not unicodedata.combining(char)).split())


@lru_cache(maxsize=1)
def places() -> dict[str, Place]:
    """Every place by its zone, those offered first before the others; some 100 ms the first time."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    found = {
        NOWHERE: Place(
            zone=NOWHERE, cities=(NOWHERE,) * len(LOCALES), names=frozenset(), countries=frozenset()
        )
    }
    for country, _, zone, *_ in rows:
        found.setdefault(zone, _place(zone, country))
    return {zone: found[zone] for zone in (*FIRST, *found)}


def _place(zone: str, country: str) -> Place:
    languages = [Locale.parse(locale, sep="-") for locale in LOCALES]
    # Babel knows some zones by an older name alone (Asia/Calcutta), and so do people (Kiev).
    keys = (zone, *(key for key in _older_names().get(zone, ()) if "/" in key))
    bare = [key.rpartition("/")[2].replace("_", " ") for key in keys]
    cities = tuple(
        next((str(city) for key in keys if (city := language.time_zones.get(key, {}).get("city"))), bare[0])
        for language in languages
    )
    countries = (country, *(language.territories[country] for language in languages))
    return Place(
        zone=zone,
        cities=cities,
        names=frozenset(map(folded, (*bare, *cities))),
        countries=frozenset(map(folded, countries)),
    )


@lru_cache(maxsize=1)
def _older_names() -> dict[str, list[str]]:
    older: dict[str, list[str]] = {}
    for name, today in get_global("zone_aliases").items():
        older.setdefault(today, []).append(name)
    return older


def search(typed: str, now: datetime) -> list[Place]:
    """The places that fit what was typed, best first; with nothing typed, those offered first."""
    wanted = folded(typed)
    if not wanted:
        return [places()[zone] for zone in FIRST]
    offset = _offset(wanted)
    if offset is not None:
        return [place for place in places().values() if _offset_at(place.zone, now) == offset]
    graded = [
        (grade, place) for place in places().values() if (grade := _grade(place, wanted, now)) is not None
    ]
    # Sorting keeps the order of those that fit equally well.
    return [place for _, place in sorted(graded, key=lambda one: one[0])]


def resolve(typed: str, now: datetime) -> str:
    """The IANA name meant by what was typed.

    Raises UserError when nothing fits, and when several places do whose clocks differ within
    the year. Where they agree all year round (UTC+8), the first of them stands for all.
    """
    if typed in places():  # as it was offered
        return typed
    wanted = folded(typed)
    if _offset(wanted) == timedelta(0):
        return NOWHERE
    fitting = search(typed, now) if wanted else []
    if not fitting:
        raise UserError(
            "“{value}” is no time zone known here: write a city (Taipei), a country, UTC+8 or EST.",
            value=typed.strip()[:40],
        )
    best = _grade(fitting[0], wanted, now)
    equal = [place for place in fitting if _grade(place, wanted, now) == best]
    if len({_year(place.zone, now) for place in equal}) > 1:
        raise UserError(
            "“{value}” fits several time zones: choose {zones} or another one.",
            value=typed.strip()[:40],
            zones=tuple(place.zone for place in equal[:4]),
        )
    return equal[0].zone


def offset_words(zone: str, now: datetime) -> str:
    """``UTC+8``, ``UTC−3:30`` or ``UTC``: how far the zone's clock is from UTC at ``now``."""
    minutes = int(_offset_at(zone, now).total_seconds()) // 60
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else MINUS}{hours}" + (f":{rest:02}" if rest else "")


def line(zone: str, locale: str, now: datetime) -> str:
    """A zone as it is shown: ``Asia/Taipei · 台北 · UTC+8``."""
    place = places().get(zone)
    names = (zone, "" if place is None else place.city(locale), offset_words(zone, now))
    return " · ".join(dict.fromkeys(name for name in names if name))


def _offset(wanted: str) -> timedelta | None:
    """UTC+8, GMT+8, +08:00 or +0800 as a distance from UTC; None if it is something else."""
    match = _OFFSET.fullmatch(wanted.replace(" ", ""))
    if match is None:
        return timedelta(0) if wanted in {"utc", "gmt", "z"} else None
    minutes = 60 * int(match["hours"]) + int(match["minutes"] or 0)
    return timedelta(minutes=minutes if match["sign"] == "+" else -minutes)


@lru_cache(maxsize=1024)
def _clock(zone: str) -> ZoneInfo:
    """Kept: ZoneInfo itself remembers only the last eight."""
    return ZoneInfo(zone)


def _offset_at(zone: str, at: datetime) -> timedelta:
    return at.astimezone(_clock(zone)).utcoffset() or timedelta(0)


def _year(zone: str, now: datetime) -> tuple[timedelta, ...]:
    """The zone's distance from UTC in each of the next twelve months."""
    return tuple(_offset_at(zone, now + timedelta(days=30 * month)) for month in range(13))


def _grade(place: Place, wanted: str, now: datetime) -> int | None:
    """How well a place fits: 0 best; None not at all. All places of one offset fit alike."""
    if wanted in place.names or wanted == folded(place.zone):
        return 0
    if wanted in place.countries or wanted in _abbreviations(place.zone, now.year):
        return 1
    known = place.names | place.countries
    if any(name.startswith(wanted) for name in known):
        return 2
    if len(wanted) > 1 and any(wanted in name for name in (folded(place.zone), *known)):
        return 3
    return None


@lru_cache(maxsize=1024)
def _abbreviations(zone: str, year: int) -> frozenset[str]:
    """What the clock is called in winter and in summer: est and edt; empty where it has only figures."""
    days = (datetime(year, month, 1, tzinfo=UTC).astimezone(_clock(zone)) for month in (1, 7))
    return frozenset(name for day in days if (name := day.strftime("%Z").casefold()).isalpha())
