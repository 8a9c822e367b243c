"""What the state of a level is called, for pictures and for words without one: nothing here loads the renderer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.levels import State

if TYPE_CHECKING:
    from analysis.charts.look import Gettext


def state(value: State, _: Gettext) -> str:
    match value:
        case State.UNKNOWN:
            return _("unknown")
        case State.ABOVE:
            return _("price above")
        case State.BREAKING:
            return _("breaking")
        case State.BROKEN:
            return _("broken")
        case State.RECLAIMING:
            return _("reclaiming")
        case State.RECLAIMED:
            return _("reclaimed")
