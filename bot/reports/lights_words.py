"""What ``lights`` says: how many are on, then each with since when and what would change it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from analysis.charts import freshness_words, lights_words
from analysis.charts.lights_words import LightWords, Voice
from analysis.lights import Lights, State
from bot.language import Speech
from bot.reports.shapes import Reply, data_line

# Told apart by their shape, too.
SHAPES: Final = {State.GREEN: "🟢", State.RED: "🔺", State.UNKNOWN: "⚪"}


def words_of(result: Lights, speech: Speech) -> tuple[LightWords, LightWords, LightWords, LightWords]:
    voice = Voice(_=speech._, locale=speech.locale, when=speech.instant, day=speech.short_day)
    return lights_words.tell(result, voice)


def say(result: Lights, speech: Speech, now: datetime) -> Reply:
    told = words_of(result, speech)
    shapes = [SHAPES[light.state] for light in result.all]
    one_line = " · ".join(
        (
            f"**{lights_words.headline(result, speech._)}**",
            *(f"{shape} {words.title}" for shape, words in zip(shapes, told, strict=True)),
        )
    )
    each = [
        f"{shape} **{words.title}** · {words.since} · {words.reading} · {words.flips}"
        for shape, words in zip(shapes, told, strict=True)
    ]
    return Reply(
        lines=(f"**{lights_words.headline(result, speech._)}**", *each),
        details=tuple(_details(result, told, speech)),
        data_line=_data_line(result, speech, now),
        digest=(one_line,),
    )


def _details(result: Lights, told: tuple[LightWords, ...], speech: Speech) -> list[str]:
    _ = speech._
    lines = []
    for light, words in zip(result.all, told, strict=True):
        lines += [
            f"{SHAPES[light.state]} **{words.title}** · {words.since}",
            words.reading,
            _("Rule: {rule}").format(rule=words.rule),
            _("What would change it: {flips}").format(flips=words.flips),
        ]
    lines += _where_from(result, speech)
    lines += [
        "-# " + sentence
        for sentence in (
            _("Thresholds of this server, chosen in /settings.")
            if result.is_own
            else _("Default thresholds; moderators choose others in /settings."),
            _(
                "σ is daily EWMA volatility (0.94), known before the last value, times the root of five. "
                "A light over stale or missing figures is unknown, never on or off."
            ),
            _("Facts and arithmetic, not a forecast and not advice."),
        )
    ]
    return lines


def _where_from(result: Lights, speech: Speech) -> list[str]:
    """Each figure that a light goes by: they are of different days."""
    _, line, flows = speech._, result.line, result.flows
    told = []
    if line.price_at is not None:
        told.append((_("Bitcoin"), line.source, speech.instant(line.price_at), line.freshness))
    if flows.last_date is not None:
        told.append((_("ETF flows"), flows.source, speech.day(flows.last_date), flows.freshness))
    for name, move in (
        (_("Dollar index"), result.macro.dollar),
        (_("10-year breakeven"), result.macro.breakeven),
        (_("Silver"), result.silver.silver),
    ):
        if move is not None:
            told.append((name, move.source, speech.day(move.last.dated), move.freshness))
    lines = ["**" + _("Where from, as of when") + "**"]
    for name, source, of, fresh in told:
        parts = " · ".join((source, of, freshness_words.word(fresh, _)))
        lines.append("-# " + _("{name}: {parts}").format(name=name, parts=parts))
    return lines


def _data_line(result: Lights, speech: Speech, now: datetime) -> str:
    """The time is that of bitcoin's price, and stands beside its source alone; Details date the others."""
    _, line = speech._, result.line
    parts: list[str] = []
    if line.price_at is not None:
        parts = [
            line.source,
            _("closed {time}").format(time=speech.instant(line.price_at)),
            speech.age(now - line.price_at),
        ]
    parts += [source for source in result.sources if source not in parts]
    return data_line(parts, speech, is_sample=result.is_sample)
