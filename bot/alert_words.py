"""An alert in words: what it waits for, how far off that is, where it is told, in which state it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from analysis.alerts import Direction, Kind
from analysis.freshness import Freshness
from bot.alert_draft import FLOWS, KINDS
from bot.alert_posts import headline
from bot.alert_prices import Standing
from bot.language import N_, Speech
from bot.level_book import in_full
from storage.alerts import Alert, Crossing

SHOWN: Final = 3
"""What happened last is told of an alert by itself: so much of it."""
INTERVALS: Final[Mapping[str, str]] = {
    "30m": N_("30 minutes"),
    "1h": N_("1 hour"),
    "4h": N_("4 hours"),
    "1d": N_("1 day"),
}
NOTES: Final[Mapping[str, str]] = {
    "blocked": N_("Your direct messages are closed to Leadline: open them for members of this server."),
    "refused": N_("The channel refused it: let Leadline view it, write there and read its history."),
    "late": N_("Something was not told: it would have been too late."),
    "unsure": N_("Whether a message arrived is not known: the history could not be read."),
    "failed": N_("Discord did not take a message; the operator's log says why."),
}
PRICED: Final[Mapping[tuple[Kind, Direction], str]] = {
    (Kind.TOUCH, Direction.EITHER): N_("touched"),
    (Kind.TOUCH, Direction.DOWN): N_("touched from above"),
    (Kind.TOUCH, Direction.UP): N_("touched from below"),
    (Kind.CLOSE, Direction.EITHER): N_("a close beyond it"),
    (Kind.CLOSE, Direction.DOWN): N_("a close below it"),
    (Kind.CLOSE, Direction.UP): N_("a close above it"),
    (Kind.HOLD, Direction.UP): N_("reclaimed and held, {n} bars"),
    (Kind.HOLD, Direction.DOWN): N_("broken, {n} bars below it"),
}
_HAPPENED: Final[Mapping[str, str]] = {
    "held": N_("collected"),
    "blocked": N_("not told: your direct messages are closed"),
    "muted": N_("not told: muted"),
    "old": N_("not told: too old"),
}


def stamp(at: datetime) -> str:
    """In the reader's own clock: Discord writes it out."""
    return f"<t:{int(at.timestamp())}:R>"


def awaited(alert: Alert, speech: Speech) -> str:
    """What has to happen: ``a close above it · 30m``."""
    _ = speech._
    if alert.direction is None or alert.interval is None:
        return _(KINDS[alert.kind])
    words = _(PRICED.get((alert.kind, alert.direction), KINDS[alert.kind])).format(n=alert.bars)
    return f"{words} · {alert.interval}"


def about(alert: Alert, speech: Speech) -> str:
    """Of what: ``BTC 73,600``, ``BTC``, or nothing where there is only one."""
    if alert.price is not None:
        return f"{alert.subject} {in_full(alert.price)}"
    if alert.kind is Kind.STRESS:
        return ""
    if alert.kind is Kind.STALE and alert.subject.endswith(FLOWS):
        return speech._("ETF flows of {asset}").format(asset=alert.subject.removesuffix(FLOWS))
    return alert.subject


def line(alert: Alert, speech: Speech) -> str:
    """Both in one line without formatting, as a choice among others."""
    return " · ".join(part for part in (about(alert, speech), awaited(alert, speech)) if part)


def distance(alert: Alert, standings: Mapping[str, Standing], speech: Speech) -> str:
    """From the price to the level, in per cent and daily ATRs; empty where neither is known."""
    standing = standings.get(alert.subject)
    if alert.price is None or standing is None:
        return ""
    percent = speech.percent(standing.distance_pct(alert.price))
    atr = standing.distance_atr(alert.price)
    if atr is None:
        return percent
    return speech._("{percent}, {atr} daily ATR").format(percent=percent, atr=speech.number(abs(atr)))


def place(alert: Alert, speech: Speech) -> str:
    _ = speech._
    if alert.owner_id is not None:
        return _("by direct message")
    if alert.ping_role is None:
        return f"<#{alert.channel_id}>"
    return f"<#{alert.channel_id}> · " + _("pings {role}").format(role=f"<@&{alert.ping_role}>")


def state_lines(alert: Alert, now: datetime, speech: Speech) -> list[str]:
    """What is unusual about it: muted, collecting, something its owner should know."""
    _ = speech._
    lines = []
    if alert.muted_until is not None and alert.muted_until > now:
        lines.append(_("Muted; it speaks again {when}").format(when=stamp(alert.muted_until)))
    elif alert.quiet_until is not None and alert.quiet_until > now:
        lines.append(_("Too much at once: summarised {when}").format(when=stamp(alert.quiet_until)))
    if alert.note is not None and alert.note in NOTES and alert.noted_at is not None:
        lines.append(f"⚠ {_(NOTES[alert.note])} {stamp(alert.noted_at)}")
    return lines


def listed(
    number: int, alert: Alert, standings: Mapping[str, Standing], now: datetime, speech: Speech
) -> str:
    """An alert in a list: two short lines, and what is unusual."""
    _ = speech._
    head = [f"**{number}**", f"**{about(alert, speech)}**" if about(alert, speech) else ""]
    facts = (
        [awaited(alert, speech)]
        if alert.owner_id is not None
        else [awaited(alert, speech), place(alert, speech)]
    )
    if alert.price is None:
        head, facts = [*head, facts[0]], facts[1:]
    else:
        head.append(distance(alert, standings, speech))
    if alert.fired_at is not None:
        facts.append(_("last {when}").format(when=stamp(alert.fired_at)))
    lines = [" · ".join(filter(None, head)), " · ".join(facts), *state_lines(alert, now, speech)]
    return "\n".join(filter(None, lines))


def whole(
    alert: Alert,
    happened: Sequence[Crossing],
    standings: Mapping[str, Standing],
    now: datetime,
    speech: Speech,
) -> str:
    """An alert by itself: what it waits for, where it stands, what happened last."""
    _ = speech._
    lines = [f"**{line(alert, speech)}**", now_line(alert, standings, speech), told_line(alert, speech)]
    lines += state_lines(alert, now, speech)
    # What came before an edit may have been about another price.
    since = [each for each in happened if alert.price is None or each.at > alert.since]
    for each in since[:SHOWN]:
        told = _(_HAPPENED[each.state]) if each.state in _HAPPENED else ""
        lines.append(" · ".join(filter(None, (f"- {headline(alert, each, speech)}", told))))
    return "\n".join(filter(None, lines))


def now_line(alert: Alert, standings: Mapping[str, Standing], speech: Speech) -> str:
    """Where the price stands now, and how far that is from the alert's."""
    standing = standings.get(alert.subject)
    if alert.price is None or standing is None:
        return ""
    return speech._("Now {price} ({time}): {distance}").format(
        price=speech.price(standing.price),
        time=speech.instant(standing.price_at),
        distance=distance(alert, standings, speech),
    )


def told_line(alert: Alert, speech: Speech) -> str:
    _ = speech._
    if alert.owner_id is not None:
        return _("Told to you alone, by direct message")
    return _("Told in {place}").format(place=place(alert, speech))


def stale_lines(standings: Mapping[str, Standing], speech: Speech) -> list[str]:
    """That alerts rest while their prices are stale."""
    _ = speech._
    return [
        "⚠ "
        + _(
            "{instrument}: the last price is of {time}. Its alerts rest until bars come again; what closed "
            "meanwhile is judged then, in order, and told with its own time."
        ).format(instrument=each.instrument, time=speech.instant(each.price_at))
        for each in standings.values()
        if each.freshness is Freshness.STALE
    ]


def not_yet_line(alert: Alert, standings: Mapping[str, Standing], speech: Speech) -> str:
    """That what is to be reclaimed was not lost yet, or what is to break lies above; else empty."""
    _, standing = speech._, standings.get(alert.subject)
    if alert.kind is not Kind.HOLD or alert.price is None or standing is None:
        return ""
    if alert.direction is Direction.UP and standing.price > alert.price:
        return _("The price lies above it: it has to be broken before it can be reclaimed.")
    if alert.direction is Direction.DOWN and standing.price < alert.price:
        return _("The price lies below it: it has to be reclaimed before it can be broken.")
    return ""


def rule_lines(known: Sequence[Alert], speech: Speech) -> list[str]:
    """What never makes these alerts speak."""
    _, lines = speech._, []
    if any(alert.price is not None for alert in known):
        lines.append(
            "-# "
            + _(
                "Judged on closed bars only: never on a running bar, never on stale data. A close counts beyond a "
                "band of 0.1 % or 0.25 ATR around the price, whichever is wider."
            )
        )
    if any(alert.price is None and alert.kind is not Kind.STALE for alert in known):
        lines.append(
            "-# " + _("Figures count when they are final: nothing is told of stale or partial ones.")
        )
    return lines
