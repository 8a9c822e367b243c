"""Figures as a chart writes them: short, with a true minus sign, never in exponents."""

from __future__ import annotations

import math

_MINUS = "−"


def price(value: float) -> str:
    """66,712 from a thousand up, two decimals from one up, four significant figures below."""
    size = abs(value)
    if size >= 1000:
        decimals = 0
    elif size >= 1:
        decimals = 2
    else:
        decimals = 3 - math.floor(math.log10(size)) if size > 0 else 2
    return _signed(f"{value:,.{decimals}f}")


def tick(value: float, step: float) -> str:
    """A price on a scale: as many decimals as the step between ticks needs."""
    decimals = 0
    while decimals < 8 and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    return _signed(f"{value:,.{decimals}f}")


def percent(value: float, *, sign: bool = True) -> str:
    """-15.9 % with its sign, or without one where the words say the direction."""
    return _signed(f"{value:+,.1f} %" if sign else f"{abs(value):,.1f} %")


def musd(value: float, locale: str, *, sign: bool = True) -> str:
    """US$ million as a language counts them: −544.9 in English, −5.45 (億, a hundred million) in Chinese.

    Without ``sign`` only a minus is written.
    """
    decimals = 1
    if locale == "zh-TW":
        value /= 100
        decimals = 2 if abs(value) < 100 else 1
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return (_MINUS if value < 0 else "+" if sign else "") + text


def dollars(value: float, *, cents: bool = False) -> str:
    """An amount of US dollars without its unit."""
    return _signed(f"{value:,.{2 if cents else 0}f}")


def change(value: float, *, cents: bool = False) -> str:
    """The same with its sign; what rounds to nothing is 0."""
    text = dollars(value, cents=cents)
    if float(text.replace(",", "").replace(_MINUS, "-")) == 0:
        return "0"
    return text if value < 0 else f"+{text}"


def ounce(value: float) -> str:
    """US dollars an ounce, to the cent."""
    return _signed(f"{value:,.2f}")


def rate(value: float) -> str:
    """A percent rule as it is written: 15 %, 16.5 %."""
    return f"{value:g} %"


def ratio(value: float) -> str:
    """A number of ATRs."""
    return _signed(f"{value:,.1f}")


def signed(value: float, *, decimals: int = 1) -> str:
    """-2.9 with its sign; nought has none."""
    text = f"{value:+,.{decimals}f}"
    return _signed(text if float(text.replace(",", "")) else text[1:])


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)
