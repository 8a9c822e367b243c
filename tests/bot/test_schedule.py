"""One occurrence on every local date, whatever the clocks do; the right days, the right next times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.schedule import Rhythm, occurrence
from tests.soak import times

FIRST, LAST = date(2005, 1, 1), date(2037, 12, 31)
AWKWARD = (time(0), time(1, 30), time(2, 30), time(23, 59))
SOAK = times(short=0, long=1)
DAY = 86_400
_ORIGIN = date(1970, 1, 1)


class Offsets:
    """A zone as stretches of one offset each, found by asking it for the offset of instants alone."""

    def __init__(self, zone: ZoneInfo) -> None:
        begin, end = _seconds(FIRST) - 9 * DAY, _seconds(LAST) + 9 * DAY
        self.starts, self.offsets = [begin], [_offset(zone, begin)]
        for before in range(begin, end, 9 * DAY):
            last = _offset(zone, before + 9 * DAY)
            if last != self.offsets[-1]:
                low, high = before, before + 9 * DAY
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if _offset(zone, middle) == last else (middle, high)
                self.starts.append(high)
                self.offsets.append(last)
        # The local reading at which each stretch ends.
        self.ends = [
            after + offset for after, offset in zip([*self.starts[1:], end], self.offsets, strict=True)
        ]

    def instant(self, reading: int) -> int | None:
        """The first instant with this local reading; one that is jumped over counts on from before the jump."""
        number = bisect_right(self.ends, reading)
        if reading >= self.starts[number] + self.offsets[number]:
            return reading - self.offsets[number]
        jump_from = self.starts[number] + self.offsets[number - 1]
        jump_to = self.starts[number] + self.offsets[number]
        midnight = reading - reading % DAY
        if jump_from <= midnight and midnight + DAY <= jump_to:
            return None
        return reading - self.offsets[number - 1]

    def dates_near_changes(self) -> Iterator[date]:
        for start in self.starts[1:]:
            day = _ORIGIN + timedelta(seconds=start)
            yield from (day + timedelta(days=near) for near in (-1, 0, 1))


def _offset(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _seconds(day: date) -> int:
    return (day - _ORIGIN).days * DAY


@pytest.mark.soak
def test_one_occurrence_on_every_date_of_every_zone() -> None:
    """Those near a change of the clocks; with LEADLINE_SOAK every date from 2005 to 2037."""
    every = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    checked, missing = 0, set()
    violations: list[tuple[object, ...]] = []
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        offsets = Offsets(zone)
        days = every if SOAK else sorted(set(offsets.dates_near_changes()))
        for at in AWKWARD:
            clock = at.hour * 3600 + at.minute * 60
            before: datetime | None = None
            for day in days:
                due = occurrence(day, at, zone)
                wanted = offsets.instant(_seconds(day) + clock)
                checked += 1
                if due is None:
                    missing.add((name, day))
                if (None if due is None else due.timestamp()) != wanted:
                    violations.append((name, day, at, due, wanted))
                elif due is not None:
                    if before is not None and due <= before:
                        violations.append((name, day, at, due, before))
                    before = due
    print(f"{checked} occurrences, {len(violations)} violations, dates left out: {sorted(missing)}")
    assert violations == []
    assert checked > (2_500_000 if SOAK else 100_000)
    assert {name for name, _ in missing} == {"Pacific/Apia", "Pacific/Fakaofo"}
    assert {day for _, day in missing} == {date(2011, 12, 30)}


@pytest.mark.parametrize(
    ("zone", "day", "at", "due"),
    [
        # The clock jumps from 02:00 to 03:00, and goes back from 03:00 to 02:00.
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        # From 00:00 to 01:00, so that the day has no midnight.
        ("Africa/Cairo", "2027-04-30", "00:00", "2027-04-29T22:00"),
        # Half an hour, and two hours.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45"),
        ("Antarctica/Troll", "2026-03-29", "02:30", "2026-03-29T02:30"),
        # From 23:00 to 00:00: what was to come at 23:59 comes at 00:59.
        ("America/Nuuk", "2024-03-30", "23:59", "2024-03-31T01:59"),
        ("Asia/Taipei", "2026-02-05", "09:00", "2026-02-05T01:00"),
        ("Pacific/Apia", "2011-12-30", "10:00", None),
    ],
)
def test_known_days(zone: str, day: str, at: str, due: str | None) -> None:
    found = occurrence(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    assert found == (None if due is None else datetime.fromisoformat(due).replace(tzinfo=UTC))


def days_of(rhythm: Rhythm, after: str, count: int, later_than: date | None = None) -> list[str]:
    found = rhythm.after(datetime.fromisoformat(after), later_than=later_than)
    return [f"{each.day:%a %m-%d}" for each in islice(found, count)]


def test_weekdays_are_those_of_the_local_date() -> None:
    rhythm = Rhythm(at=time(7), zone=ZoneInfo("Asia/Taipei"), days="15")
    # Sunday 23:30 in London is Monday 07:30 in Taipei: that one is over.
    assert days_of(rhythm, "2026-02-01T23:30+00:00", 3) == ["Fri 02-06", "Mon 02-09", "Fri 02-13"]


def test_after_each_us_trading_day() -> None:
    """Friday 13 February 2026 is the last session before Presidents' Day, Monday 16."""
    taipei = Rhythm(at=time(9), zone=ZoneInfo("Asia/Taipei"), days="sessions")
    assert days_of(taipei, "2026-02-11T12:00+08:00", 5) == [
        "Thu 02-12",
        "Fri 02-13",
        "Sat 02-14",
        "Wed 02-18",
        "Thu 02-19",
    ]
    # Before the close of the same day, and after it.
    morning = Rhythm(at=time(8, 30), zone=ZoneInfo("America/New_York"), days="sessions")
    evening = Rhythm(at=time(17), zone=ZoneInfo("America/New_York"), days="sessions")
    assert days_of(morning, "2026-02-12T12:00-05:00", 2) == ["Fri 02-13", "Sat 02-14"]
    assert days_of(evening, "2026-02-12T18:00-05:00", 2) == ["Fri 02-13", "Tue 02-17"]


def test_a_date_that_was_dealt_with_never_comes_again() -> None:
    rhythm = Rhythm(at=time(18), zone=ZoneInfo("Asia/Taipei"))
    now = "2026-02-05T10:00+08:00"
    assert days_of(rhythm, now, 2) == ["Thu 02-05", "Fri 02-06"]
    assert days_of(rhythm, now, 2, later_than=date(2026, 2, 5)) == ["Fri 02-06", "Sat 02-07"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Nuuk", "UTC"])
def test_next_times_are_after_now_and_in_order(zone: str) -> None:
    rhythm = Rhythm(at=time(23, 59), zone=ZoneInfo(zone))
    for hour in range(0, 24 * 3, 5):
        now = datetime(2024, 3, 29, tzinfo=UTC) + timedelta(hours=hour)
        found = [each.at for each in islice(rhythm.after(now), 4)]
        assert found[0] > now
        assert found[0] - now <= timedelta(hours=25)
        assert all(
            timedelta(hours=22) <= later - earlier <= timedelta(hours=26)
            for earlier, later in pairwise(found)
        )


@pytest.mark.parametrize("days", ["", "0", "18", "daily"])
def test_days_that_are_none(days: str) -> None:
    with pytest.raises(ValueError, match="no such days"):
        Rhythm(at=time(9), zone=ZoneInfo("UTC"), days=days)
