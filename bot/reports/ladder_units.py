"""Figures of the ladder as they are written: prices, amounts in a currency, sizes in their own unit."""

from __future__ import annotations

from analysis.ladder_positions import Kind, Position
from analysis.margin import Side
from bot.language import NO_BREAK_SPACE, Speech


def dollars(value: float) -> str:
    """A price to the cent; of a cheap coin four figures."""
    return f"{value:,.2f}" if value >= 1 else f"{value:.4g}"


def amount(value: float, currency: str, speech: Speech) -> str:
    if currency == "USD":
        return speech._("{amount} USD").format(amount=speech.dollars(value))
    return f"{speech.number(value, decimals=6)}{NO_BREAK_SPACE}{currency}"


def size_of(position: Position, size: float, speech: Speech) -> str:
    """So much of a position in its own unit."""
    _ = speech._
    match position.kind:
        case Kind.INVERSE:
            return _("{amount} USD").format(amount=speech.dollars(size).removesuffix(".00"))
        case Kind.FUTURES:
            return _("{n} {product} contracts").format(n=f"{size:,.0f}", product=position.instrument)
        case Kind.LINEAR:
            return f"{_plain(size)}{NO_BREAK_SPACE}{position.instrument}"


def _plain(value: float) -> str:
    """At most five decimals, none that say nothing."""
    text = f"{value:,.5f}"
    return text.rstrip("0").rstrip(".")


def side(side: Side, speech: Speech) -> str:
    return speech._("long") if side is Side.LONG else speech._("short")


def kind(kind: Kind, speech: Speech) -> str:
    _ = speech._
    return {Kind.LINEAR: _("linear"), Kind.INVERSE: _("inverse"), Kind.FUTURES: _("futures")}[kind]


def rate(share: float) -> str:
    return f"{100 * share:.10g}{NO_BREAK_SPACE}%"
