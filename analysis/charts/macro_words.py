"""What ``/macro`` calls its figures, in the reader's language; the picture and the card share these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.charts import quantities
from analysis.macro import Outcome

if TYPE_CHECKING:
    from analysis.charts.look import Gettext
    from analysis.macro import Gauge, Macro, Span


def outcome(value: Outcome | None, _: Gettext) -> str:
    """What a meeting did to the range; that it is not in the series yet, if so."""
    if value is None:
        return _("not in the series yet")
    return {
        Outcome.RAISED: _("raised"),
        Outcome.CUT: _("cut"),
        Outcome.HELD: _("unchanged"),
    }[value]


def span(one: Span) -> str:
    """3.50-3.75 %, as the Federal Reserve writes it, in decimals."""
    return f"{one.low:.2f}–{one.high:.2f} %"


def points_change(gauge: Gauge, _: Gettext) -> str:
    """The change of a figure that is itself in percent, in percentage points; empty without one before."""
    if gauge.before is None:
        return ""
    return _("{change} pp").format(
        change=quantities.signed(gauge.last.value - gauge.before.value, decimals=2)
    )


def percent_change(gauge: Gauge) -> str:
    """The change of a price in percent; empty where the price before it gives none."""
    if gauge.before is None or gauge.before.value <= 0:
        return ""
    return quantities.signed(100 * (gauge.last.value / gauge.before.value - 1)) + " %"


def publishers(result: Macro) -> str:
    parts = (result.breakeven, result.oil, result.dollar)
    return " · ".join(
        dict.fromkeys(
            source for source in (result.source, *(one.source for one in parts if one is not None)) if source
        )
    )
