"""Bars as numpy columns, without pandas: of one instrument at one interval, closed bars only, oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Columns of equal length; instants in epoch seconds UTC, prices that are not known NaN."""

    opened_at: NDArray[np.int64]
    closed_at: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.opened_at)

    def part(self, first: int, end: int | None = None) -> Bars:
        return Bars(**{name: getattr(self, name)[first:end] for name in _NAMES})

    def until(self, instant: int) -> Bars:
        """Those that had closed by then."""
        return self.part(0, int(np.searchsorted(self.closed_at, instant, side="right")))


_NAMES = tuple(field.name for field in fields(Bars))


def of_rows(rows: Iterable[tuple[Any, ...]]) -> Bars:
    """From rows in the order of the store. Raises ValueError if they are not oldest first, each opening once."""
    columns = list(zip(*rows, strict=True)) or [()] * len(_NAMES)
    bars = Bars(
        opened_at=np.array(columns[0], dtype=np.int64),
        closed_at=np.array(columns[1], dtype=np.int64),
        **{
            name: np.array(values, dtype=np.float64)
            for name, values in zip(_NAMES[2:], columns[2:], strict=True)
        },
    )
    if not np.all(bars.opened_at[1:] > bars.opened_at[:-1]):
        raise ValueError("bars must be oldest first, each opening once")
    return bars


def of_frame(frame: pd.DataFrame) -> Bars:
    """From a frame of ``analysis.frames``."""
    prices = {name: frame[name].to_numpy(dtype=np.float64) for name in _NAMES[2:]}
    return Bars(
        opened_at=frame.index.to_numpy(dtype=np.int64),
        closed_at=frame["closed_at"].to_numpy(dtype=np.int64),
        **prices,
    )


def joined(first: Bars, then: Bars) -> Bars:
    """Those of ``first``, then those of ``then``, which came after them."""
    return Bars(**{name: np.concatenate([getattr(first, name), getattr(then, name)]) for name in _NAMES})


class Column(Generic[_T]):
    """Values that are only ever added to; what was handed out stays as it was."""

    def __init__(self, kind: type[_T]) -> None:
        self._room: NDArray[_T] = np.empty(64, dtype=kind)
        self._count = 0

    @property
    def filled(self) -> NDArray[_T]:
        return self._room[: self._count]

    def add(self, more: NDArray[Any]) -> None:
        count = self._count + len(more)
        if count > len(self._room):
            # Doubled, so that adding one by one copies each value but a few times.
            room = np.empty(max(count, 2 * len(self._room)), dtype=self._room.dtype)
            room[: self._count] = self.filled
            self._room = room
        self._room[self._count : count] = more
        self._count = count


class Growing:
    """Bars that are only ever added to."""

    def __init__(self) -> None:
        self._columns: dict[str, Column[Any]] = {
            name: Column(np.int64 if name.endswith("_at") else np.float64) for name in _NAMES
        }

    @property
    def bars(self) -> Bars:
        return Bars(**{name: column.filled for name, column in self._columns.items()})

    def add(self, more: Bars) -> None:
        """Raises ValueError unless they come after all that are there."""
        there = self._columns["opened_at"].filled
        if len(there) and len(more) and more.opened_at[0] <= there[-1]:
            raise ValueError("bars are added after those that are there")
        for name, column in self._columns.items():
            column.add(getattr(more, name))
