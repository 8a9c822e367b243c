"""Start dates as people type them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import UserError
from bot.reports.windows import span, start_date, suggestions

NOW = datetime(2026, 2, 5, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("7d", date(2026, 1, 29)),
        ("0d", date(2026, 2, 5)),
        ("1/28", date(2026, 1, 28)),
        ("2/6", date(2025, 2, 6)),  # tomorrow's date is last year's
        ("12/31", date(2025, 12, 31)),
        ("2/29", date(2024, 2, 29)),
        ("2026-01-28", date(2026, 1, 28)),
        ("2026/1/28", date(2026, 1, 28)),
        ("\uff11\uff0f\uff12\uff18", date(2026, 1, 28)),
        (" \uff17\uff44 ", date(2026, 1, 29)),
    ],
)
def test_the_ways_to_write_a_start(typed: str, day: date) -> None:
    assert start_date(typed, NOW) == day


@pytest.mark.parametrize(
    "typed",
    ["", "soon", "13/1", "2026-02-30", "2/30", "-7d", "7", "2026-02-06", "1999-01-01", "9999d", "\u0667d"],
)
def test_anything_else_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(UserError) as refused:
        start_date(typed, NOW)
    assert str(refused.value).endswith(".")


@given(st.text(max_size=30))
def test_no_input_does_more_than_be_refused(typed: str) -> None:
    try:
        day = start_date(typed, NOW)
    except UserError:
        return
    assert date(2009, 1, 3) <= day <= NOW.date()


@given(st.text(max_size=30))
def test_whatever_is_offered_can_be_read(typed: str) -> None:
    for offered in suggestions(typed, NOW):
        assert start_date(offered, NOW) <= NOW.date()
        assert 1 <= len(offered) <= 100


def test_what_is_offered() -> None:
    assert suggestions("", NOW) == ["3d", "7d", "14d", "30d", "90d"]
    assert suggestions("1/28", NOW) == ["2026-01-28"]
    assert suggestions("2026-01-28", NOW) == ["2026-01-28"]
    assert suggestions("nonsense", NOW) == []


@pytest.mark.parametrize(
    "typed",
    ["1/29..2/4", "2026-01-29..2026-02-04", "2026/1/29 ~ 2026/2/4", "1/29 to 2/4", "1/29到2/4", "1/29→2/4",
     "1/29\u20132/4", "\uff11\uff0f\uff12\uff19\uff5e\uff12\uff0f\uff14", "7d..1d"],
)  # fmt: skip
def test_the_ways_to_write_two_days(typed: str) -> None:
    assert span(typed, NOW) == (date(2026, 1, 29), date(2026, 2, 4))


@pytest.mark.parametrize(
    "typed",
    ["", "1/29", "2/4..1/29", "1/29..1/29", "1/29..2/6/2026", "1/29..2026-02-06", "a..b", "..", "1..2..3"],
)
def test_two_days_are_two_days_in_order(typed: str) -> None:
    with pytest.raises(UserError, match="is not two past days, the earlier one first"):
        span(typed, NOW)
