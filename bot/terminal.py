"""What every command of the terminal shares: its installation, its options, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import typer

from bot.errors import OperatorMustAct, StartLater, UserError

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

# As in sysexits.h; deploy/leadline.service starts the bot again after neither.
MUST_ACT: Final = 78
START_LATER: Final = 75

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""Room enough for whatever history a question before it would reach back for."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its settings, and whether its store was named rather than defaulted to."""

    settings: Settings
    store_was_named: bool


def fail(sentence: str, *, status: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)


def carry_out(work: Coroutine[Any, Any, T], *, locale: str = "en") -> T:
    """Runs ``work``; a UserError becomes one sentence and an exit status, 1 for most."""
    from bot.language import catalogue

    try:
        return asyncio.run(work)
    except UserError as error:
        sentence = error.in_words(catalogue(locale).gettext)
        match error:
            case OperatorMustAct():
                fail(sentence, status=MUST_ACT)
            case StartLater():
                fail(sentence, status=START_LATER)
            case _:
                fail(sentence)


def instant(text: str, *, locale: str = "en") -> datetime:
    """An ISO 8601 instant; a date alone is its midnight, no zone means UTC."""
    from bot.language import catalogue

    _ = catalogue(locale).gettext
    try:
        typed = datetime.fromisoformat(text)
        # Overflows where the zone takes it out of the years 1 to 9999.
        when = typed.replace(tzinfo=UTC) if typed.tzinfo is None else typed.astimezone(UTC)
    except (ValueError, OverflowError):
        told = _("“{value}” is not an instant: write it like 2026-02-05T18:00:00Z.")
        fail(told.format(value=text[:40]), status=2)
    if when < EARLIEST:
        told = _("“{value}” is too early: nothing is known from before {year}.")
        fail(told.format(value=text[:40], year=EARLIEST.year), status=2)
    return when


def one_of(option: str, value: str, choices: tuple[str, ...], *, locale: str = "en") -> None:
    from bot.language import catalogue

    _ = catalogue(locale).gettext
    if value not in choices:
        told = _("{option} takes one of {choices}.")
        fail(told.format(option=option, choices=_(", ").join(choices)), status=2)
