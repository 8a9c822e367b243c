"""When a price alert speaks: the states of ``analysis/breaks.py``, for one alert and one bar at a time.

``breaks.follow`` judges a whole tape against one level for a card. Here many alerts wait for the next
bar, so each remembers in two small values (its phase, and the bar at which a count is full) what the
bars so far have done, and ``reach`` says which of them a bar can move at all.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an alert waits for."""

    TOUCH = "touch"
    CLOSE = "close"
    HOLD = "hold"
    FLOW_FINAL = "flow_final"
    FLOW_REGIME = "flow_regime"
    MARGIN_RECORDED = "margin_recorded"
    MARGIN_TOMORROW = "margin_tomorrow"
    STRESS = "stress"
    STALE = "stale"

    @property
    def of_price(self) -> bool:
        return self in {Kind.TOUCH, Kind.CLOSE, Kind.HOLD}


class Direction(StrEnum):
    """Which way the price has to come: through the level upwards, downwards, or whichever way."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"


class Phase(StrEnum):
    """``NEW``: not judged yet; ``WATCHING``: an alert of no price. The others are of the level.

    ``OVER`` and ``UNDER`` wait for a touch, ``TOUCHED`` for the price to leave; the rest are the states
    of ``breaks.State``.
    """

    NEW = "new"
    WATCHING = "watching"
    UNKNOWN = "unknown"
    OVER = "over"
    UNDER = "under"
    TOUCHED = "touched"
    ABOVE = "above"
    BREAKING = "breaking"
    BROKEN = "broken"
    RECLAIMING = "reclaiming"
    RECLAIMED = "reclaimed"
