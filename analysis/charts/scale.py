"""From values and times to pixels, and the round numbers and wall-clock hours worth a tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal, overload
from zoneinfo import ZoneInfo

from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Grain = Literal["minute", "day", "month"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale. ``top`` and ``bottom`` are pixels, counted downwards."""

    low: float
    high: float
    top: float
    bottom: float

    @overload
    def y(self, value: float) -> float: ...
    @overload
    def y(self, value: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def y(self, value: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def ticks(self, most: int) -> list[float]:
        """At most ``most`` steps of 1, 2, 2.5 or 5 times a power of ten, inside the scale."""
        found = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        return [float(v) for v in found if self.low <= v <= self.high]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Epoch seconds to pixels, in proportion, so that a gap in time is a gap in the picture."""

    start: float
    end: float
    left: float
    right: float

    def x(self, epoch: float) -> float:
        return self.left + (epoch - self.start) * self.per_second

    @property
    def per_second(self) -> float:
        return (self.right - self.left) / (self.end - self.start)

    def ticks(self, zone: ZoneInfo, most: int) -> tuple[Grain, list[int]]:
        """The finest round wall-clock step in ``zone`` that makes at most ``most`` ticks.

        Hours that a change to summer time skips have no tick, hours that come twice have one.
        """
        for grain, step in _STEPS:
            if _LENGTH[grain] * step * (most + 1) < self.end - self.start:
                continue
            made = _GRAINS[grain](self.start, self.end, zone, step)
            found = [t for t in made if self.start <= t <= self.end]
            if len(found) <= most:
                return grain, found
        return "month", []


_LENGTH: dict[Grain, int] = {"minute": 60, "day": 86_400, "month": 28 * 86_400}
_STEPS: tuple[tuple[Grain, int], ...] = (
    *(("minute", n) for n in (5, 15, 30, 60, 120, 180, 240, 360, 720)),
    *(("day", n) for n in (1, 2, 7, 14)),
    *(("month", n) for n in (1, 2, 3, 6, 12, 24, 60, 120)),
)  # fmt: skip


def _days(start: float, end: float, zone: ZoneInfo) -> Iterator[date]:
    day = datetime.fromtimestamp(start, UTC).astimezone(zone).date()
    last = datetime.fromtimestamp(end, UTC).astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _minutes(start: float, end: float, zone: ZoneInfo, step: int) -> Iterator[int]:
    for day in _days(start, end, zone):
        for minute in range(0, 1440, step):
            yield from _instant(datetime.combine(day, time(minute // 60, minute % 60)), zone)


def _every_day(start: float, end: float, zone: ZoneInfo, step: int) -> Iterator[int]:
    for day in _days(start, end, zone):
        # Day 1 of the calendar was a Monday, so steps of 7 and 14 fall on Mondays.
        if (day.toordinal() - 1) % step == 0:
            yield from _instant(datetime.combine(day, time()), zone)


def _every_month(start: float, end: float, zone: ZoneInfo, step: int) -> Iterator[int]:
    first = datetime.fromtimestamp(start, UTC).astimezone(zone).date()
    last = datetime.fromtimestamp(end, UTC).astimezone(zone).date()
    for count in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        if count % step == 0:
            yield from _instant(datetime.combine(date(count // 12, count % 12 + 1, 1), time()), zone)


def _instant(wall: datetime, zone: ZoneInfo) -> Iterator[int]:
    aware = wall.replace(tzinfo=zone)
    back = aware.astimezone(UTC).astimezone(zone)
    if back.replace(tzinfo=None) == wall:
        yield int(aware.timestamp())
    elif wall.time() == time():
        # A day whose midnight is skipped begins when its clock does.
        yield int(aware.timestamp())


_GRAINS = {"minute": _minutes, "day": _every_day, "month": _every_month}
