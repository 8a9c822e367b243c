"""The one clock. Below ``cogs`` nothing asks for the time: it is handed ``now``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the present instant, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SetClock:
    """Stands where it was last ``set``: the clock of a replay."""

    def __init__(self, start: datetime) -> None:
        self._at = _utc(start)

    def now(self) -> datetime:
        return self._at

    def set(self, to: datetime) -> None:
        self._at = _utc(to)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """Stands still at ``instant`` (aware): for one-shot reports *as of*, and for tests."""

    instant: datetime

    def now(self) -> datetime:
        return _utc(self.instant)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a clock needs an instant with a time zone")
    return instant.astimezone(UTC)
