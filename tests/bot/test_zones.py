"""Time zones are found as people write them, and what is found is a name of the IANA database."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from bot import zones

WINTER = datetime(2026, 2, 5, 18, tzinfo=UTC)
SUMMER = datetime(2026, 7, 5, 18, tzinfo=UTC)


def found(typed: str, now: datetime = WINTER) -> list[str]:
    return [place.zone for place in zones.search(typed, now)]


@pytest.mark.parametrize(
    "typed",
    [
        "Taipei", "taipei", "TAIPEI", "taip", "台北", "臺北", "台灣", "臺灣", "Taiwan", "TW", "Asia/Taipei", "asia/taipei",
        "UTC+8", "GMT+8", "utc+08", "UTC + 8", "+08:00", "+8", "+0800", "\uff35\uff34\uff23\uff0b\uff18", "",
    ],
)  # fmt: skip
def test_taipei_comes_first(typed: str) -> None:
    assert found(typed)[0] == "Asia/Taipei"


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("EST", "America/New_York"),
        ("edt", "America/New_York"),
        ("New York", "America/New_York"),
        ("new_york", "America/New_York"),
        ("紐約", "America/New_York"),
        ("美國", "America/New_York"),
        ("United States", "America/New_York"),
        ("PST", "America/Los_Angeles"),
        ("Japan", "Asia/Tokyo"),
        ("東京", "Asia/Tokyo"),
        ("JST", "Asia/Tokyo"),
        ("香港", "Asia/Hong_Kong"),
        ("HKT", "Asia/Hong_Kong"),
        ("London", "Europe/London"),
        ("加爾各答", "Asia/Kolkata"),
        ("Calcutta", "Asia/Kolkata"),
        ("Kiev", "Europe/Kyiv"),
        ("Sao Paulo", "America/Sao_Paulo"),
        ("德國", "Europe/Berlin"),
        ("UTC+5:30", "Asia/Kolkata"),
        ("−03:30", "America/St_Johns"),
        ("GMT", "UTC"),
    ],
)
def test_cities_countries_abbreviations_and_offsets(typed: str, zone: str) -> None:
    assert found(typed)[0] == zone


def test_an_offset_is_that_of_the_day() -> None:
    """New York is 5 hours behind in winter and 4 in summer, when Chicago is 5 behind."""
    assert "America/New_York" in found("UTC-5", WINTER)
    assert "America/New_York" not in found("UTC-5", SUMMER)
    assert "America/Chicago" in found("UTC-5", SUMMER)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("台北", "Asia/Taipei"),
        # The clocks of all that are 8 hours ahead agree all year round.
        ("UTC+8", "Asia/Taipei"),
        ("GMT", "UTC"),
        ("UTC+0", "UTC"),
        ("+14:00", "Pacific/Kiritimati"),
        # Germany has two zones with one clock.
        ("germany", "Europe/Berlin"),
        ("  london ", "Europe/London"),
    ],
)
def test_what_can_only_be_one_clock_is_taken(typed: str, zone: str) -> None:
    assert zones.resolve(typed, WINTER) == zone


@pytest.mark.parametrize(
    "typed", ["", "   ", "Atlantis", "UTC+25", "+99:00", "UTC+8.5", "../etc", "x" * 5000]
)
def test_what_is_nowhere_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="no time zone known here"):
        zones.resolve(typed, WINTER)


@pytest.mark.parametrize("typed", ["UTC-5", "EST", "CST", "美國", "中國"])
def test_what_could_be_several_clocks_is_asked_back(typed: str) -> None:
    with pytest.raises(UserError, match="several time zones"):
        zones.resolve(typed, WINTER)


def test_every_place_resolves_to_itself_and_has_a_name_in_both_languages() -> None:
    assert len(zones.places()) > 400
    assert set(zones.places()) <= available_timezones()
    for zone, place in zones.places().items():
        assert zones.resolve(zone, WINTER) == zone
        assert all(place.city(locale) for locale in ("en", "zh-TW"))
    assert zones.places()["Asia/Taipei"].city("zh-TW") == "台北"
    assert set(zones.FIRST) <= set(zones.places())


@settings(max_examples=50)
@given(st.text(max_size=80))
def test_whatever_is_typed_is_answered_or_refused(typed: str) -> None:
    offered = found(typed)
    assert len(set(offered)) == len(offered)
    with contextlib.suppress(UserError):
        assert zones.resolve(typed, WINTER) in zones.places()


@pytest.mark.parametrize(
    ("zone", "now", "shown"),
    [
        ("Asia/Taipei", WINTER, "UTC+8"),
        ("America/New_York", WINTER, "UTC−5"),
        ("America/New_York", SUMMER, "UTC−4"),
        ("America/St_Johns", WINTER, "UTC−3:30"),
        ("Asia/Kolkata", WINTER, "UTC+5:30"),
        ("UTC", WINTER, "UTC"),
    ],
)
def test_how_far_from_utc(zone: str, now: datetime, shown: str) -> None:
    assert zones.offset_words(zone, now) == shown


def test_a_line_names_the_zone_the_city_and_the_distance() -> None:
    assert zones.line("Asia/Taipei", "zh-TW", WINTER) == "Asia/Taipei · 台北 · UTC+8"
    assert zones.line("UTC", "en", WINTER) == "UTC"
    # One that is stored but stands for no place.
    assert zones.line("Etc/GMT-3", "en", WINTER) == "Etc/GMT-3 · UTC+3"


def test_a_zone_whose_clock_is_about_to_change_does_not_stand_for_one_that_stays() -> None:
    """Around the year: Phoenix and Denver agree in winter alone."""
    assert ZoneInfo("America/Phoenix").utcoffset(WINTER.replace(tzinfo=None)) == timedelta(hours=-7)
    with pytest.raises(UserError, match="several time zones"):
        zones.resolve("UTC-7", WINTER)
