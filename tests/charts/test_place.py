"""Labels in a column, and labels among candles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.charts.place import Box, free, stacked


def test_labels_with_room_stay_where_they_are_wanted() -> None:
    assert stacked([300.0, 100.0], [40.0, 40.0], 0.0, 500.0) == [300.0, 100.0]


def test_labels_that_collide_share_the_shift() -> None:
    # 100 and 120 with a height of 40 must be 40 apart: ten pixels each.
    assert stacked([100.0, 120.0], [40.0, 40.0], 0.0, 500.0) == [90.0, 130.0]


def test_a_block_stays_inside() -> None:
    assert stacked([5.0, 10.0, 480.0], [40.0, 40.0, 60.0], 0.0, 500.0) == [20.0, 60.0, 470.0]


def test_equal_wishes_keep_their_order() -> None:
    assert stacked([50.0, 50.0, 50.0], [10.0, 10.0, 10.0], 0.0, 100.0) == [40.0, 50.0, 60.0]


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(1, 80)), max_size=7))
def test_no_two_labels_overlap(rows: list[tuple[float, float]]) -> None:
    wanted, heights = [w for w, _ in rows], [h for _, h in rows]
    middles = stacked(wanted, heights, 0.0, 560.0)
    spans = sorted((m - h / 2, m + h / 2) for m, h in zip(middles, heights, strict=True))
    assert all(top + 1e-6 >= 0.0 and bottom <= 560.0 + 1e-6 for top, bottom in spans)
    assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(spans))
    assert sorted(range(len(rows)), key=lambda i: (wanted[i], i)) == sorted(
        range(len(rows)), key=lambda i: (middles[i], i)
    )


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        ([(0, 0, 5, 5)], Box(0, 10, 30, 20)),
        ([(10, 0, 12, 11)], Box(40, 10, 70, 20)),
        ([(0, 0, 100, 100)], None),
        # Boxes that only touch do not overlap.
        ([(30, 10, 40, 20), (0, 0, 30, 10)], Box(0, 10, 30, 20)),
    ],
)
def test_first_free_place(taken: list[tuple[int, int, int, int]], found: Box | None) -> None:
    assert free([Box(0, 10, 30, 20), Box(40, 10, 70, 20)], np.array(taken, dtype=np.float64)) == found


def test_box() -> None:
    box = Box(1, 2, 11, 8)
    assert (box.width, box.height, box.middle) == (10, 6, 5)
    assert box.overlaps(Box(10, 7, 20, 20))
    assert not box.overlaps(Box(11, 2, 20, 8))
    assert box.grown(2) == Box(-1, 0, 13, 10)
