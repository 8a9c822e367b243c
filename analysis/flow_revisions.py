"""Totals that their publisher changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.flows import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A total and what it became, known from ``known_at`` on; US$ million.

    ``partial``: the figure before was one of some funds only.
    """

    date: date
    before: float
    after: float
    known_at: datetime
    partial: bool


def revisions(reports: Sequence[Report]) -> tuple[Revision, ...]:
    """Every change of a day's total, newest first. ``reports``: versions of one publisher, in any order.

    Of two that were known at the same instant the later in ``reports`` came later.
    """
    told: dict[date, tuple[float, bool]] = {}
    found = []
    for one in sorted(reports, key=lambda one: one.known_at):
        if one.total_musd is None:
            continue
        before, partial = told.get(one.date, (one.total_musd, False))
        if before != one.total_musd:
            found.append(
                Revision(
                    date=one.date,
                    before=before,
                    after=one.total_musd,
                    known_at=one.known_at,
                    partial=partial,
                )
            )
        told[one.date] = one.total_musd, one.state != "final"
    return tuple(reversed(found))
