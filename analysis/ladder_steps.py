"""The ladder of leverages from one price, without a position."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.ladder_positions import Kind, Position, liquidation
from analysis.ladder_tiers import Tier
from analysis.margin_account import Side

STEPS = (2, 3, 5, 10, 20, 25, 50, 100)
"""The leverages of a ladder without a position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A leverage without a position: where a long or short of it would be liquidated, in US dollars."""

    leverage: int
    linear: float | None
    linear_pct: float | None
    inverse: float | None
    inverse_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The ladder of leverages from ``entry``."""

    entry: float
    side: Side
    rate: float
    fee: float
    rows: tuple[Step, ...]


def climb(entry: float, *, side: Side, rate: float, fee: float) -> Steps:
    """The ladder of leverages without a position; ``rate`` and ``fee`` are shares."""
    rows = []
    for leverage in STEPS:
        prices: dict[Kind, float | None] = {}
        for kind in (Kind.LINEAR, Kind.INVERSE):
            made = Position(
                kind=kind,
                side=side,
                instrument="",
                entry=entry,
                size=1.0,
                leverage=leverage,
                mark=entry,
                tiers=(Tier(0.0, rate),),
                fee=fee,
            )
            sound = made.own_margin >= made.maintenance(entry)
            prices[kind] = liquidation(made, made.own_margin) if sound else None
        linear, inverse = prices[Kind.LINEAR], prices[Kind.INVERSE]
        rows.append(
            Step(
                leverage=leverage,
                linear=linear,
                linear_pct=distance(linear, entry),
                inverse=inverse,
                inverse_pct=distance(inverse, entry),
            )
        )
    return Steps(entry=entry, side=side, rate=rate, fee=fee, rows=tuple(rows))


def distance(price: float | None, mark: float) -> float | None:
    """100 (price / mark - 1), signed."""
    return None if price is None else 100 * (price / mark - 1)
