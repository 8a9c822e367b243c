"""An alert in words: the first line says all of it, because a notification shows no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analysis.alerts import Kind
from analysis.charts import stress_words
from analysis.flows import Regime
from analysis.levels import Interval
from analysis.margin_rules import Basis
from analysis.verdict import Verdict
from bot.card import fit
from bot.channels import CONTENT_LIMIT, Letter
from bot.language import Speech
from bot.plain_text import quoted
from bot.reports import margin_words
from bot.reports.flow_terms import regime_word
from bot.reports.level_words import interval_word
from storage.alerts import Alert, Crossing
from storage.digests import BOTH
from storage.instants import utc

LATE_AFTER: Final = timedelta(hours=1)
"""From then on a post says that it comes late."""
MOST_LINES: Final = 6
"""Of several crossings in one post; the last ones."""


def letter(alert: Alert, crossings: Sequence[Crossing], now: datetime) -> Letter:
    """The post of an alert: its last crossing first, and what came before it."""
    locales = ("zh-TW", "en") if alert.language == BOTH else (alert.language,)
    speeches = [Speech(locale, ZoneInfo(alert.zone)) for locale in locales]
    # The first lines of both languages before anything else.
    lines = [headline(alert, crossings[-1], speech) for speech in speeches]
    for speech in speeches:
        lines += _further(alert, crossings, speech, now)
    tail = "" if alert.ping_role is None else f"\n<@&{alert.ping_role}>"
    content = fit("\n".join(lines), CONTENT_LIMIT - len(tail) - len("\n-# ") - 12) + tail
    return Letter(content=content, role=alert.ping_role)


def headline(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    """One crossing, whole in one line."""
    words: Mapping[Kind, Callable[[Alert, Crossing, Speech], str]] = {
        Kind.TOUCH: _touched,
        Kind.CLOSE: _closed,
        Kind.HOLD: _held,
        Kind.FLOW_FINAL: _final,
        Kind.FLOW_REGIME: _regime,
        Kind.MARGIN_RECORDED: _margin,
        Kind.MARGIN_TOMORROW: _margin,
        Kind.STRESS: _verdict,
        Kind.STALE: _stale,
    }
    return words[alert.kind](alert, crossing, speech)


def _further(alert: Alert, crossings: Sequence[Crossing], speech: Speech, now: datetime) -> list[str]:
    _ = speech._
    lines = []
    if len(crossings) > 1:
        lines.append(
            _("{n} times since {time}; before that:").format(
                n=len(crossings), time=speech.instant(crossings[0].at)
            )
        )
        lines += [
            "- " + headline(alert, each, speech).replace("**", "") for each in crossings[-MOST_LINES:-1]
        ]
    lines += [f"-# {line}" for line in _small_print(alert, crossings[-1], speech, now)]
    return lines


def _small_print(alert: Alert, last: Crossing, speech: Speech, now: datetime) -> list[str]:
    _ = speech._
    lines = []
    if alert.kind.of_price:
        interval = interval_word(alert.interval or Interval.M30, speech)
        venue = str(last.figures["venue"])
        if "edge" in last.figures:
            lines.append(
                _("Closed bars of {interval} · {venue} · beyond the edge of the level at {edge}").format(
                    interval=interval, venue=venue, edge=speech.price(last.figures["edge"])
                )
            )
        else:
            lines.append(
                _("Closed bars of {interval} · {venue} · closed at {price}").format(
                    interval=interval, venue=venue, price=speech.price(last.figures["close"])
                )
            )
        if now - last.at > LATE_AFTER:
            lines.append(_("Told late: this was known only at {time}.").format(time=speech.instant(now)))
    elif last.figures.get("source"):
        lines.append(_("Source: {source}").format(source=quoted(str(last.figures["source"]))))
    if alert.quiet_until is not None and alert.quiet_until > now:
        lines.append(
            _("That was often: until {time} what happens is collected, and then told in one message.").format(
                time=speech.instant(alert.quiet_until)
            )
        )
    return lines


def _touched(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    values = {
        "instrument": alert.subject,
        "level": speech.price(alert.price or 0.0),
        "price": speech.price(crossing.figures["extreme"]),
        "time": speech.instant(crossing.at),
    }
    if crossing.what == "down":
        return _("**{instrument} has come down to {level}** · low {price} · {time}").format(**values)
    return _("**{instrument} has come up to {level}** · high {price} · {time}").format(**values)


def _closed(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    values = _price_values(alert, crossing, speech)
    if crossing.what == "down":
        return _("**{instrument} closed below {level}** · {price} · {time}").format(**values)
    return _("**{instrument} closed above {level}** · {price} · {time}").format(**values)


def _held(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    values = {**_price_values(alert, crossing, speech), "n": alert.bars or 0}
    if crossing.what == "down":
        return _("**{instrument} has broken {level}**, {n} closes below it · {price} · {time}").format(
            **values
        )
    return _("**{instrument} has reclaimed {level}** and held it for {n} closes · {price} · {time}").format(
        **values
    )


def _price_values(alert: Alert, crossing: Crossing, speech: Speech) -> dict[str, object]:
    return {
        "instrument": alert.subject,
        "level": speech.price(alert.price or 0.0),
        "price": speech.price(crossing.figures["close"]),
        "time": speech.instant(crossing.at),
    }


def _final(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    return _("**{asset} spot ETFs {money}** · {day} · {state}").format(
        asset=alert.subject,
        money=speech.money(crossing.figures["total_musd"]),
        day=_day(crossing, speech),
        state=_("final"),
    )


def _regime(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    return _("**{asset} ETF flows: {after}**, before that {before} · {day}").format(
        asset=alert.subject,
        after=regime_word(Regime(crossing.what), speech),
        before=regime_word(Regime(crossing.figures["before"]), speech),
        day=_day(crossing, speech),
    )


def _verdict(alert: Alert, crossing: Crossing, speech: Speech) -> str:  # noqa: ARG001 -- as all headlines
    _ = speech._
    return _("**Market stress: {after}**, before that {before} · {day}").format(
        after=stress_words.verdict(Verdict(crossing.what), _),
        before=stress_words.verdict(Verdict(crossing.figures["before"]), _),
        day=_day(crossing, speech),
    )


def _margin(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _, figures = speech._, crossing.figures
    basis = Basis(figures["basis"])
    values = {
        "product": alert.subject,
        "value": margin_words.rule(basis, figures["initial"], speech),
        "time": "" if figures["in_force_from"] is None else speech.instant(utc(figures["in_force_from"])),
    }
    if crossing.what == "tomorrow":
        told = _("**{product} initial margin tomorrow: {value}** · in force from {time}").format(**values)
    elif figures["dated"]:
        told = _("**{product} initial margin: {value}** · recorded · in force from {time}").format(**values)
    else:
        told = _("**{product} initial margin: {value}** · recorded · at the latest from {time}").format(
            **values
        )
    if figures["previous"] is None:
        return told
    before = margin_words.rule(basis, figures["previous"], speech)
    return f"{told} · " + _("before that {value}").format(value=before)


def _stale(alert: Alert, crossing: Crossing, speech: Speech) -> str:
    _ = speech._
    return _("**{subject}: no new data**, the newest is of {time}").format(
        subject=alert.subject, time=speech.instant(crossing.at)
    )


def _day(crossing: Crossing, speech: Speech) -> str:
    return speech.weekday(date.fromisoformat(crossing.figures["day"]))
