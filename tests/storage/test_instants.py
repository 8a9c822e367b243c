"""Instants computed by hand from the calendar: New York is UTC-5 in winter, UTC-4 from 8 March 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from storage import instants


@pytest.mark.parametrize(
    ("computed", "by_hand"),
    [
        (instants.day_closes(date(2026, 2, 5), "utc"), "2026-02-06T00:00:00Z"),
        (instants.day_closes(date(2026, 2, 5), "new_york_17"), "2026-02-05T22:00:00Z"),
        (instants.day_closes(date(2026, 7, 1), "new_york_17"), "2026-07-01T21:00:00Z"),
        (instants.day_closes(date(2026, 3, 6), "new_york_17"), "2026-03-06T22:00:00Z"),
        (instants.day_closes(date(2026, 3, 9), "new_york_17"), "2026-03-09T21:00:00Z"),
        (instants.flow_known(date(2026, 2, 4)), "2026-02-05T09:00:00Z"),
        (instants.flow_known(date(2026, 1, 30)), "2026-01-31T09:00:00Z"),
        (instants.margin_effective(date(2026, 2, 6)), "2026-02-06T22:00:00Z"),
        (instants.margin_known(date(2026, 2, 5)), "2026-02-06T05:00:00Z"),
        (instants.margin_known(date(2026, 6, 30)), "2026-07-01T04:00:00Z"),
        (instants.margin_in_force_undated(date(2026, 1, 30)), "2026-01-30T05:00:00Z"),
        (instants.macro_known("CPIAUCSL", date(2025, 11, 1), date(2025, 12, 18)), "2025-12-18T13:30:00Z"),
        (instants.macro_known("CPIAUCSL", date(2025, 6, 1), None), "2025-07-15T12:30:00Z"),
        (instants.macro_known("CPIAUCSL", date(2025, 12, 1), None), "2026-01-15T13:30:00Z"),
        (instants.macro_known("CPIAUCSL", date(2026, 1, 31), None), "2026-02-15T13:30:00Z"),
        (instants.macro_known("DFEDTARU", date(2025, 12, 11), None), "2025-12-11T00:00:00Z"),
        (instants.macro_known("T10YIE", date(2026, 2, 5), None), "2026-02-06T09:00:00Z"),
        (instants.macro_known("T10YIE", date(2026, 2, 6), None), "2026-02-09T09:00:00Z"),
    ],
)
def test_instant(computed: int, by_hand: str) -> None:
    assert instants.utc(computed) == datetime.fromisoformat(by_hand)


def test_an_instant_is_rounded_down_and_has_a_zone() -> None:
    taipei = timezone(timedelta(hours=8))
    assert instants.epoch(datetime(1970, 1, 1, 8, 0, 1, 999_999, tzinfo=taipei)) == 1
    assert instants.epoch(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == -1
    with pytest.raises(ValueError, match="without a zone"):
        instants.epoch(datetime(2026, 2, 5))  # noqa: DTZ001
