"""Times of day as people write them, in both languages and any width."""

from __future__ import annotations

from datetime import time

import pytest

from analysis.errors import UserError
from bot.times_of_day import parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("09:00", time(9)),
        ("9", time(9)),
        ("0", time(0)),
        ("9:30", time(9, 30)),
        ("21:00", time(21)),
        ("23:59", time(23, 59)),
        ("0930", time(9, 30)),
        ("930", time(9, 30)),
        ("9pm", time(21)),
        ("9 P.M.", time(21)),
        ("9:30 am", time(9, 30)),
        ("12am", time(0)),
        ("12pm", time(12)),
        ("pm 3", time(15)),
        ("21h05", time(21, 5)),
        ("上午9點", time(9)),
        ("上午 9 點", time(9)),
        ("早上九點", time(9)),
        ("凌晨12點", time(0)),
        ("中午12點", time(12)),
        ("中午一點", time(13)),
        ("下午三點半", time(15, 30)),
        ("下午兩點", time(14)),
        ("下午15點", time(15)),
        ("晚上十點二十分", time(22, 20)),
        ("晚上十二點", time(0)),
        ("二十一點", time(21)),
        ("十點十分", time(10, 10)),
        ("９：３０", time(9, 30)),  # noqa: RUF001 -- full width, as a phone may write it
        ("０９００", time(9)),  # noqa: RUF001
        ("９点", time(9)),
    ],
)
def test_is_read(typed: str, meant: time) -> None:
    assert parse(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "", "abc", "24:00", "25", "9:60", "9:3", "-1", "9:00:00", "13am", "上午13點", "am 9 pm", "下午0點",
        "晚上0點", "中午9點", "12345", "9點9點", "٩", "1" * 1000,
    ],
)  # fmt: skip
def test_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="is no time of day"):
        parse(typed)
