"""Where a label goes: boxes in pixels, and two ways to keep them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Box(NamedTuple):
    """Pixels from the top left corner; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


def stacked(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Middles for labels in one column, none over another, each as near as may be to where it is wanted.

    Labels keep the order of ``wanted``. Those that would collide form a block, and a block
    stands where the sum of squared shifts of its labels is least, inside ``top`` and ``bottom``.
    They must fit in there: the caller leaves out the least important ones first.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[tuple[float, float, list[int]]] = []
    for i in order:
        members = [i]
        start, length = _settle(members, wanted, heights, top, bottom)
        while blocks and blocks[-1][0] + blocks[-1][1] > start:
            members = blocks.pop()[2] + members
            start, length = _settle(members, wanted, heights, top, bottom)
        blocks.append((start, length, members))
    middles = [0.0] * len(wanted)
    for start, _, members in blocks:
        edge = start
        for i in members:
            middles[i] = edge + heights[i] / 2
            edge += heights[i]
    return middles


def _settle(
    members: list[int], wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float
) -> tuple[float, float]:
    length = 0.0
    starts = 0.0
    for i in members:
        starts += wanted[i] - heights[i] / 2 - length
        length += heights[i]
    return max(top, min(starts / len(members), bottom - length)), length


def free(candidates: Iterable[Box], taken: NDArray[np.float64]) -> Box | None:
    """The first candidate that touches none of the ``taken`` boxes, rows of left, top, right, bottom."""
    for box in candidates:
        hit = (
            (taken[:, 0] < box.right)
            & (taken[:, 2] > box.left)
            & (taken[:, 1] < box.bottom)
            & (taken[:, 3] > box.top)
        )
        if not hit.any():
            return box
    return None
