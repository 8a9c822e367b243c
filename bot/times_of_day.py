"""Times of day as people write them: 09:00, 9, 9:30pm, 上午9點, 晚上九點半, full width too."""

from __future__ import annotations

import re
import unicodedata
from datetime import time
from typing import Final

from analysis.errors import UserError

LONGEST: Final = 20
"""Characters that are looked at."""

_BEFORE_NOON: Final = ("上午", "早上", "清晨", "凌晨")
_AFTER_NOON: Final = ("下午", "傍晚")
_AT_NIGHT: Final = ("晚上", "晚間")
_NOON: Final = ("中午",)
_HALVES: Final = "|".join((*_BEFORE_NOON, *_AFTER_NOON, *_AT_NIGHT, *_NOON, "[ap]m"))
_TIME: Final = re.compile(
    rf"(?P<first>{_HALVES})?"
    r"(?:(?P<together>\d{3,4})|(?P<hour>\d{1,2})(?:[:.點点時h](?P<minute>\d{1,2}|半)?分?整?)?)"
    rf"(?P<last>{_HALVES})?",
    re.ASCII,
)
_FIGURES: Final = str.maketrans("零一二兩三四五六七八九", "01223456789")


def parse(typed: str) -> time:
    """The time of day meant. Raises UserError when it is none, or says two things at once."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST]).casefold().replace(".m.", "m")
    match = _TIME.fullmatch(_in_figures("".join(plain.split())))
    found = None if match is None else _read(match)
    if found is None:
        raise UserError(
            "“{value}” is no time of day: write 09:00, 21:30 or 9pm.", value=typed.strip()[:LONGEST]
        )
    return found


def _read(match: re.Match[str]) -> time | None:
    together = match["together"]
    hour = int(match["hour"] or together[:-2])
    told = together[-2:] if together else match["minute"] or "0"
    minute = 30 if told == "半" else int(told)
    if match["first"] and match["last"]:
        return None
    # A single figure after the colon is a slip more often than a wish.
    if minute > 59 or (match["minute"] is not None and len(told) == 1 and ":" in match[0]):
        return None
    hour_of_day = _of_day(hour, match["first"] or match["last"])
    return None if hour_of_day is None else time(hour_of_day, minute)


def _of_day(hour: int, half: str | None) -> int | None:
    """The hour from 0 to 23; None where hour and half of the day do not go together."""
    if half is None:
        return hour if hour < 24 else None
    if half == "am" or half in _BEFORE_NOON:
        return hour % 12 if hour <= 12 else None
    if half in _NOON:
        return {11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14}.get(hour)
    if not 1 <= hour <= 23:
        return None
    if half in _AT_NIGHT and hour == 12:
        return 0
    return hour if hour >= 12 else hour + 12


def _in_figures(text: str) -> str:
    """二十一點 as 21點, 十點 as 10點."""
    return re.sub(
        r"([0-9]?)十([0-9]?)",
        lambda found: str(int(found[1] or 1) * 10 + int(found[2] or 0)),
        text.translate(_FIGURES),
    )
