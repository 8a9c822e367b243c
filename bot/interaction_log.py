"""One line in the log for each interaction: what became of it, and how long it took.

Never what was typed or chosen: the name of a command or of a button and our own
sentences are all the words that stand there. Commands and autocompletes get their
line from ``bot/tree.py``, buttons, selects and modals from ``bot/handlers.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import discord
import structlog

from bot.errors import AlreadyDone, UserError

log = structlog.get_logger(__name__)

_KEY: Final = "leadline_line"


class Outcome(StrEnum):
    """What became of an interaction.

    ``repeated``: a link to the same card instead of a second one. ``replayed``: Discord
    delivered it twice, and the first time stands. ``late``: Discord no longer takes an
    answer. ``gone``: the message to change is not there any more. ``lost``: cut off by closing.
    """

    ANSWERED = "answered"
    REPEATED = "repeated"
    REFUSED = "refused"
    REPLAYED = "replayed"
    LATE = "late"
    GONE = "gone"
    LOST = "lost"
    FAILED = "failed"


_REFUSALS: Final = {
    10008: Outcome.GONE,  # unknown message
    10015: Outcome.LATE,  # unknown webhook: the token of the interaction has run out
    10062: Outcome.LATE,  # unknown interaction
    40060: Outcome.REPLAYED,  # already acknowledged
    50027: Outcome.LATE,  # invalid webhook token
}
"""What Discord's refusal of an answer means. Nothing is tried again, and nobody can be told."""


def outcome_of(error: Exception) -> Outcome:
    """What an error makes of the interaction in which it was raised."""
    match error:
        case AlreadyDone():
            return Outcome.REPLAYED
        case UserError():
            return Outcome.REFUSED
        case discord.HTTPException(code=code) if code in _REFUSALS:
            return _REFUSALS[code]
        case _:
            return Outcome.FAILED


@dataclass(slots=True)
class Line:
    """What will be said about one interaction.

    ``what`` is a command or a button, ``cache`` whether its answer was calculated before,
    ``reason`` a sentence of ours, without the values in it.
    """

    what: str
    outcome: Outcome | None = None
    cache: str | None = None
    reason: str | None = None
    came_at: float = field(default_factory=time.perf_counter)
    acknowledged_at: float | None = None


def line_of(interaction: discord.Interaction[Any]) -> Line:
    """The line being written about this interaction."""
    line = interaction.extras.get(_KEY)
    # An interaction that came by no door of ours has a line that nobody will read.
    return line if isinstance(line, Line) else Line("unknown")


@contextmanager
def one_line(interaction: discord.Interaction[Any], what: str) -> Iterator[Line]:
    """Logs one line about the interaction when the block ends, however it ends."""
    line = Line(what)
    interaction.extras[_KEY] = line
    # The slot behind ``interaction.response``, into which discord.py puts one of its own when it is empty.
    interaction._cs_response = _Timed(interaction)  # type: ignore[attr-defined] # noqa: SLF001
    try:
        yield line
    finally:
        _write(interaction, line)


def _write(interaction: discord.Interaction[Any], line: Line) -> None:
    ended = time.perf_counter()
    autocomplete = interaction.type is discord.InteractionType.autocomplete
    outcome = line.outcome
    if outcome is None:
        # Without a word of ours the person reads that the application did not respond.
        outcome = Outcome.ANSWERED if interaction.response.is_done() else Outcome.FAILED
    told: dict[str, Any] = {
        "interaction": interaction.id,
        "what": line.what,
        "server": interaction.guild_id,
        "outcome": outcome.value,
        "ack_ms": None if line.acknowledged_at is None else _ms(line.acknowledged_at - line.came_at),
        "total_ms": _ms(ended - line.came_at),
        "cache": line.cache,
    }
    if line.reason is not None:
        told["reason"] = line.reason
    # One for every key pressed: more than anybody reads.
    (log.debug if autocomplete else log.info)("interaction", **told)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


class _Timed(discord.InteractionResponse[Any]):
    """Notes when Discord has taken the first word."""

    __slots__ = ()

    def _taken(self) -> None:
        line_of(self._parent).acknowledged_at = time.perf_counter()

    async def defer(self, *args: Any, **kwargs: Any) -> Any:
        taken = await super().defer(*args, **kwargs)
        self._taken()
        return taken

    async def send_message(self, *args: Any, **kwargs: Any) -> Any:
        taken = await super().send_message(*args, **kwargs)
        self._taken()
        return taken

    async def edit_message(self, *args: Any, **kwargs: Any) -> Any:
        taken = await super().edit_message(*args, **kwargs)
        self._taken()
        return taken

    async def send_modal(self, *args: Any, **kwargs: Any) -> Any:
        taken = await super().send_modal(*args, **kwargs)
        self._taken()
        return taken

    async def autocomplete(self, *args: Any, **kwargs: Any) -> None:
        await super().autocomplete(*args, **kwargs)
        self._taken()
