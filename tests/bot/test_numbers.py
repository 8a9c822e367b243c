"""Numbers as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import UserError
from bot.reports.numbers import amount, count


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("76.53", 76.53),
        ("57.4k", 57_400.0),
        ("57.4 K", 57_400.0),
        ("1.25m", 1_250_000.0),
        ("5.74萬", 57_400.0),
        ("57,397.50", 57_397.5),
        ("$57,397.50", 57_397.5),
        ("1,234,567", 1_234_567.0),
        ("-500", -500.0),
        ("\N{MINUS SIGN}500", -500.0),
        ("+500", 500.0),
        # Full-width digits, point, comma and minus, as Chinese keyboards write them.
        ("\uff17\uff16\uff0e\uff15\uff13", 76.53),
        ("\uff0d\uff15\uff17\uff0c\uff13\uff19\uff17", -57_397.0),
        ("\uff15\uff17\uff0e\uff14\uff4b", 57_400.0),
        ("\uff17\uff13\uff0e\uff16\u3000\uff2b", 73_600.0),
        ("\uff17\uff0e\uff13\uff16萬", 73_600.0),
        (" " * 300 + "80" + " " * 300, 80.0),
        (" 80 ", 80.0),
        ("007", 7.0),
    ],
)
def test_what_is_a_number(typed: str, value: float) -> None:
    assert amount(typed, low=-1e9, high=1e9) == value


@pytest.mark.parametrize(
    "typed",
    ["", "k", "76,53", "1,23", "12,3456", "1,234,5", "1 000", "1.2.3", "76.", ".5", "1e3", "nan", "inf", "--5",
     "5-", "0x10", "1_000", "57.4kk", "57.4b", "seventy", "76.53 USD", "\u0667\u0666", "9" * 13, "1" * 5000,
     # Plain only to Unicode's eye: 7² is not 72, ½ not 1/2. Nothing behind the end of what is read is lost.
     "7²", "²", "½", "①", "５⁴", "80" + " " * 200 + "k", "80" + " " * 158 + "thousand"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(UserError, match=r"is not a number: write 76\.53, 57,397\.50 or 57\.4k") as refused:
        amount(typed, low=-1e9, high=1e9)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("typed", ["0", "0.009", "-3", "1000.01", "2k"])
def test_a_number_out_of_range_is_told_the_range(typed: str) -> None:
    with pytest.raises(UserError) as refused:
        amount(typed, low=0.01, high=1_000)
    assert str(refused.value) == f"“{typed}” is out of range: it may be from 0.01 to 1,000."


@given(st.integers(-(10**11), 10**11))
def test_thousands_with_and_without_commas_are_the_same(cents: int) -> None:
    value = cents / 100
    for typed in (f"{value:.2f}", f"{value:,.2f}"):
        assert amount(typed, low=-1e10, high=1e10) == value


@pytest.mark.parametrize(("typed", "value"), [("1", 1), ("1,000", 1000), ("\uff13", 3), (" 20 ", 20)])
def test_whole_numbers(typed: str, value: int) -> None:
    assert count(typed, most=1000) == value


@pytest.mark.parametrize("typed", ["", "1.5", "2k", "-1", "1,00", "two", "\u0663"])
def test_what_is_no_whole_number(typed: str) -> None:
    with pytest.raises(UserError, match="is not a whole number"):
        count(typed, most=1000)


@pytest.mark.parametrize("typed", ["0", "1001"])
def test_too_few_and_too_many(typed: str) -> None:
    with pytest.raises(UserError, match="it may be from 1 to 1,000"):
        count(typed, most=1000)
