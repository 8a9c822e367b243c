"""What holds for maintenance tiers, whichever venue they are of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from providers.errors import Malformed
from providers.shapes import TierRow

HIGHEST_FLOOR: Final = 1e12
MOST_TIERS: Final = 200
HIGHEST_RATE: Final = 1.0
"""A tier under which the whole value is kept as margin: beyond any size that is traded."""


def checked(rows: Sequence[TierRow], *, body: bytes) -> tuple[TierRow, ...]:
    """``rows`` as they are, lowest first. Raises Malformed for what no venue's table can be."""
    if not 0 < len(rows) <= MOST_TIERS:
        raise Malformed(f"{len(rows)} tiers", body=body)
    if rows[0].floor != 0 or rows[0].deduction != 0:
        raise Malformed("the lowest tier is missing", body=body)
    for row in rows:
        if not all(math.isfinite(number) for number in row):
            raise Malformed("not a number", body=body)
        if not (0 < row.rate <= HIGHEST_RATE and 0 <= row.floor <= HIGHEST_FLOOR and row.deduction >= 0):
            raise Malformed(f"a tier out of bounds from {row.floor:g} on", body=body)
    for lower, higher in pairwise(rows):
        if higher.floor <= lower.floor or higher.rate < lower.rate or higher.deduction < lower.deduction:
            raise Malformed(f"tiers do not rise at {higher.floor:g}", body=body)
    return tuple(rows)
