"""Numbers as people type them: 76.53, 57,397.50, 57.4k, in full-width digits too."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from analysis.errors import UserError

_AMOUNT: Final = re.compile(
    r"(?P<sign>[+-]?)\$?"
    r"(?P<whole>\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(?P<part>\.\d{1,9})?"
    r"\s?(?P<unit>[km萬]?)",
    re.ASCII | re.IGNORECASE,
)
_COUNT: Final = re.compile(r"\d{1,12}|\d{1,3}(?:,\d{3}){1,3}", re.ASCII)
_UNITS: Final = {"": 1, "k": 1_000, "萬": 10_000, "m": 1_000_000}
_ECHOED: Final = 40
_LONGEST: Final = 160
"""Characters looked at; five times as many as a number of ours can have."""


def amount(text: str, *, low: float, high: float) -> float:
    """What was typed, from ``low`` to ``high``: commas only between thousands, then k, m or 萬.

    Raises UserError for anything else; nothing is guessed.
    """
    typed = _typed(text)
    match = _AMOUNT.fullmatch(typed)
    if match is None:
        raise UserError("“{value}” is not a number: write 76.53, 57,397.50 or 57.4k.", value=typed[:_ECHOED])
    digits = match["sign"] + match["whole"].replace(",", "") + (match["part"] or "")
    # As a decimal: 57.4k is 57,400, not a hair beside it.
    value = float(Decimal(digits) * _UNITS[match["unit"].lower()])
    _within(typed, value, low, high)
    return value


def count(text: str, *, most: int) -> int:
    """A whole number from 1 to ``most``; raises UserError for anything else."""
    typed = _typed(text)
    if _COUNT.fullmatch(typed) is None:
        raise UserError("“{value}” is not a whole number.", value=typed[:_ECHOED])
    value = int(typed.replace(",", ""))
    _within(typed, value, 1, most)
    return value


def _typed(text: str) -> str:
    """Full-width digits, points and signs as plain ones; a true minus sign as a hyphen.

    What Unicode would also make plain stays as it is, and is refused: 2² is not 22, ½ is
    not 1/2. Nothing is cut away before it is read; what is too long is no number.
    """
    kept = text.strip()[:_LONGEST]
    plain = "".join(unicodedata.normalize("NFKC", char) if _is_wide(char) else char for char in kept)
    return plain.replace("\N{MINUS SIGN}", "-")


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) == "F"


def _within(typed: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(
            "“{value}” is out of range: it may be from {low} to {high}.",
            value=typed[:_ECHOED],
            low=f"{low:,}",
            high=f"{high:,}",
        )
