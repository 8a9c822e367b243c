"""What ``lights`` says: how many are on, then each with since when and what would change it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from analysis.charts import lights_words
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
        f"{shape} **{words.title}** {words.since} · {words.reading} · {words.flips}"
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
            f"{SHAPES[light.state]} **{words.title}** {words.since}",
            words.reading,
            _("Rule: {rule}").format(rule=words.rule),
            _("What would change it: {flips}").format(flips=words.flips),
        ]
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


def _data_line(result: Lights, speech: Speech, now: datetime) -> str:
    _ = speech._
    parts = [" · ".join(result.sources)]
    if result.line.price_at is not None:
        parts += [
            _("closed {time}").format(time=speech.instant(result.line.price_at)),
            speech.age(now - result.line.price_at),
        ]
    return data_line(parts, speech, is_sample=result.is_sample)
