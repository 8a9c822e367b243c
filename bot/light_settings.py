"""What a server may choose of its four lights: read as typed, told in words, and the fields of the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import discord
from discord import ui

from analysis.lights import Thresholds
from bot.language import N_, Speech
from bot.reports import numbers
from bot.reports.lights import thresholds
from storage.servers import ServerSettings

MOST_CLOSES: Final = 96
"""Two days of half hours."""
MOST_FLOW: Final = 10_000
"""US$ million: several times what five days have ever brought."""
LONGEST: Final = 20
DEFAULTS: Final = frozenset({"", "-", "default", "預設"})
"""What is typed for what holds by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One threshold: the field of ServerSettings and of Thresholds, its words, and how it is read."""

    setting: str
    name: str
    label: str
    read: Callable[[str], float]


FIELDS: Final = (
    Field(
        setting="light_line",
        name="line",
        label=N_("The line, a bitcoin price: 73,600"),
        read=lambda typed: numbers.amount(typed, low=0.01, high=1_000_000_000),
    ),
    Field(
        setting="light_closes",
        name="closes",
        label=N_("30-minute closes until it is held: 8"),
        read=lambda typed: numbers.count(typed, most=MOST_CLOSES),
    ),
    Field(
        setting="light_flows_musd",
        name="flows_musd",
        label=N_("Least flow of five days, US$ million: 0"),
        read=lambda typed: numbers.amount(typed, low=-MOST_FLOW, high=MOST_FLOW),
    ),
    Field(
        setting="light_macro_sigma",
        name="macro_sigma",
        label=N_("Macro is calm under so many sigmas: 1.5"),
        read=lambda typed: numbers.amount(typed, low=0.5, high=6),
    ),
    Field(
        setting="light_silver_sigma",
        name="silver_sigma",
        label=N_("Silver is quiet under so many sigmas: 1.5"),
        read=lambda typed: numbers.amount(typed, low=0.5, high=6),
    ),
)


def drafted(typed: Mapping[str, str | None]) -> dict[str, float | None]:
    """Fields of ServerSettings by what was typed for each name; those not typed are left out.

    Nothing, ``-`` and ``default`` are what holds by default. Raises UserError for what is no such number.
    """
    found: dict[str, float | None] = {}
    for field in FIELDS:
        text = typed.get(field.name)
        if text is not None:
            is_default = text.strip().casefold() in DEFAULTS
            found[field.setting] = None if is_default else field.read(text)
    return found


def none_chosen() -> dict[str, None]:
    return {field.setting: None for field in FIELDS}


def words(settings: ServerSettings, speech: Speech) -> str:
    """All five in one line."""
    _, chosen = speech._, thresholds(settings)
    return _(
        "line {line} · held after {closes} closes · flows from {flows} · macro under {macro}σ · silver under {silver}σ"
    ).format(
        line=speech.price(chosen.line),
        closes=chosen.closes,
        flows=speech.money(chosen.flows_musd),
        macro=f"{chosen.macro_sigma:g}",
        silver=f"{chosen.silver_sigma:g}",
    )


def is_default(settings: ServerSettings) -> bool:
    return thresholds(settings) == Thresholds()


def inputs(settings: ServerSettings | None, speech: Speech) -> dict[str, ui.TextInput[Any]]:
    """The fields of the form by name, filled with what holds."""
    chosen = thresholds(settings)
    return {
        field.name: ui.TextInput(
            label=speech._(field.label)[:45],
            custom_id=field.name,
            default=f"{getattr(chosen, field.name):.12g}",
            max_length=LONGEST,
            required=False,
            style=discord.TextStyle.short,
        )
        for field in FIELDS
    }
