"""What the picture of ``/ladder`` says, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analysis.charts import quantities
from analysis.charts.look import ALT_TEXT_LIMIT
from analysis.charts.text import clean
from analysis.charts.time_words import moment
from analysis.ladder_positions import Kind
from analysis.margin_account import Side

if TYPE_CHECKING:
    from analysis.charts.look import Gettext, Look
    from analysis.ladder import Ladder, Rung
    from analysis.ladder_steps import Step, Steps


def side(which: Side, _: Gettext) -> str:
    return _("long") if which is Side.LONG else _("short")


def exact(value: float) -> str:
    """A price to the cent below ten thousand, whole above."""
    return quantities.price(value) if value >= 10_000 or value < 1 else f"{value:,.2f}"


def percent(value: float) -> str:
    """Two decimals where one would say too little: at 100x half a percent is all there is."""
    return quantities.percent(value) if abs(value) >= 1 else f"{quantities.signed(value, decimals=2)} %"


def nearest(result: Ladder) -> Rung | None:
    """The position nearest to its liquidation price, one beyond it first; null where none has such a price."""
    found = [rung for rung in result.rungs if rung.distance_pct is not None]
    return min(found, key=lambda rung: (rung.at_mark.stands, abs(rung.distance_pct or 0.0)), default=None)


def title(result: Ladder, _: Gettext) -> str:
    """The answer in one line."""
    if result.steps is not None:
        return _("Leverages of a {side} from {entry}").format(
            side=side(result.steps.side, _), entry=exact(result.steps.entry)
        )
    rung = nearest(result)
    if rung is None or rung.liquidation_price is None or rung.distance_pct is None:
        return _("No price liquidates it")
    values = {
        "side": side(rung.position.side, _),
        "instrument": rung.position.instrument,
        "leverage": f"{rung.position.leverage:.4g}",
        "price": exact(rung.liquidation_price),
        "percent": percent(rung.distance_pct),
        "n": len(result.rungs),
    }
    futures = rung.position.kind is Kind.FUTURES
    if not rung.at_mark.stands and futures:
        told = _("{side} {instrument} {leverage}x · at or past margin call {price}")
    elif not rung.at_mark.stands:
        told = _("{side} {instrument} {leverage}x · already beyond {price}")
    elif futures:
        told = _("{side} {instrument} {leverage}x · margin call {price} · {percent}")
    else:
        told = _("{side} {instrument} {leverage}x · liquidation {price} · {percent}")
    if len(result.rungs) > 1:
        return _("{n} positions, the nearest: {told}").format(n=len(result.rungs), told=told.format(**values))
    return told.format(**values)


def outlook(result: Ladder, _: Gettext) -> str:
    """How far that is, or at which rate the leverages are told."""
    if result.steps is not None:
        return _("maintenance {rate} · bar: linear · diamond: inverse").format(
            rate=quantities.rate(float(f"{100 * result.steps.rate:.10g}"))
        )
    rung = nearest(result)
    parts = [_("mark {price}").format(price=exact(result.price))]
    if rung is not None and rung.distance_atr is not None:
        parts.append(_("{atr} daily ATRs").format(atr=quantities.signed(rung.distance_atr)))
    parts.append(_("bars: notional released"))
    return " · ".join(parts)


def rung(found: Rung, number: int | None, _: Gettext) -> str:
    """One rung beside the panel."""
    told = _("{side} {leverage}x · {price} · {percent}").format(
        side=side(found.position.side, _),
        leverage=f"{found.position.leverage:.4g}",
        price=exact(found.liquidation_price or 0.0),
        percent=percent(found.distance_pct or 0.0),
    )
    return told if number is None else f"{number} {found.position.instrument} {told}"


def step(row: Step, _: Gettext) -> str:
    """One leverage beside the panel: linear, then inverse."""
    if row.linear_pct is None or row.inverse_pct is None:
        return _("{leverage}x · none").format(leverage=row.leverage)
    return f"{row.leverage}x · {percent(row.linear_pct)} / {percent(row.inverse_pct)}"


def notional(usd: float) -> str:
    """US dollars released, in as few figures as say it."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if usd >= size:
            return f"{usd / size:,.3g}{unit}" if usd < 1000 * size else f"{usd / size:,.0f}{unit}"
    return f"{usd:,.0f}"


def more(count: int, _: Gettext) -> str:
    return _("+{n} in the words").format(n=count)


def foot(result: Ladder, look: Look, _: Gettext) -> str:
    parts = [_("estimate, not advice")]
    market = result.market
    if market is not None:
        parts.append(
            _("{source} to {time}").format(
                source=clean(market.source),
                time=moment(market.closed_at, ZoneInfo(look.zone), _("%-d %b %H:%M")),
            )
        )
        parts.append(_("time zone {zone}").format(zone=clean(look.zone)))
    return " · ".join(parts)


def alt(result: Ladder, _: Gettext) -> str:
    """The picture for those who do not see it."""
    said = [title(result, _), " · "]
    if result.steps is not None:
        said.append(_(", ").join(step(row, _) for row in _shown(result.steps)))
    else:
        said.append(outlook(result, _))
        said += [
            " · " + rung(found, number if len(result.rungs) > 1 else None, _)
            for number, found in enumerate(result.rungs, start=1)
            if found.liquidation_price is not None and len(result.rungs) > 1
        ]
    return clean("".join(said), ALT_TEXT_LIMIT)


def _shown(steps: Steps) -> tuple[Step, ...]:
    return tuple(row for row in steps.rows if row.linear is not None)
