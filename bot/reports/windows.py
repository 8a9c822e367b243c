"""Since when, and between which days: the few ways people write dates."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta

from analysis.errors import UserError

_DAYS_BACK = re.compile(r"(\d{1,4})\s*d", re.ASCII | re.IGNORECASE)
_MONTH_DAY = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})", re.ASCII)
_FULL = re.compile(r"(\d{4})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{1,2})", re.ASCII)
_BETWEEN = re.compile(r"\s*(?:\.\.\.?|~|\u2013|\u2014|→|至|到|\bto\b)\s*", re.IGNORECASE)
_EARLIEST = date(2009, 1, 3)


def start_date(text: str, now: datetime) -> date:
    """``7d``, ``1/28`` (the latest such day not after now) or ``2026-01-28``; full-width digits too.

    Days are UTC days. Raises UserError for anything else, for a day that does not
    exist and for one in the future.
    """
    today = now.astimezone(UTC).date()
    typed = unicodedata.normalize("NFKC", text).strip()
    try:
        day = _parse(typed, today)
    except (ValueError, OverflowError):
        day = None
    if day is None:
        raise UserError("“{value}” is not a start date: write 7d, 1/28 or 2026-01-28.", value=typed[:40])
    if day > today:
        raise UserError("The start date {value} lies in the future.", value=day.isoformat())
    if day < _EARLIEST:
        raise UserError(
            "The start date {value} lies before there was anything to trade.", value=day.isoformat()
        )
    return day


def _parse(typed: str, today: date) -> date | None:
    if match := _DAYS_BACK.fullmatch(typed):
        return today - timedelta(days=int(match[1]))
    if match := _FULL.fullmatch(typed):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _MONTH_DAY.fullmatch(typed):
        month, day = int(match[1]), int(match[2])
        year = today.year
        while not _exists(year, month, day) or date(year, month, day) > today:
            year -= 1
            if year < today.year - 8:
                return None
        return date(year, month, day)
    return None


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def suggestions(typed: str, now: datetime) -> list[str]:
    """What to offer while somebody types a start date, best first; all of them are valid."""
    common = ["3d", "7d", "14d", "30d", "90d"]
    if not typed.strip():
        return common
    try:
        day = start_date(typed, now)
    except UserError:
        return [item for item in common if item.startswith(typed.strip())]
    exact = unicodedata.normalize("NFKC", typed).strip()
    return [exact] if exact == day.isoformat() else [day.isoformat()]


def span(text: str, now: datetime) -> tuple[date, date]:
    """Two days as ``1/29..2/4``, ``2026-01-29~2026-02-04`` or ``1/29 to 2/4``, the earlier one first.

    Each is written as for ``start_date``. Raises UserError for anything else.
    """
    typed = unicodedata.normalize("NFKC", text[:80]).strip()
    days = _span(typed, now)
    if days is None:
        raise UserError(
            "“{value}” is not two past days, the earlier one first: write 1/29..2/4 or 2026-01-29..2026-02-04.",
            value=typed[:40],
        )
    return days


def _span(typed: str, now: datetime) -> tuple[date, date] | None:
    try:
        first, last = (start_date(part, now) for part in _BETWEEN.split(typed))
    except (UserError, ValueError):
        return None
    return (first, last) if first < last else None
