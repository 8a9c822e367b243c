"""What is said about a replay, and how its instants are typed."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

from bot.errors import UserError
from bot.language import Speech
from bot.replay import Replay


def instant(typed: str, replay: Replay) -> datetime:
    """``2026-02-05 18:00``, ``2026-02-05`` (its midnight) or any ISO 8601; without a zone it is UTC.

    Raises UserError for anything else, and for what lies outside of the replay.
    """
    text = unicodedata.normalize("NFKC", typed[:40]).strip()
    try:
        found = datetime.fromisoformat(text)
        to = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError("“{value}” is not an instant: write 2026-02-05 18:00.", value=text) from None
    if not replay.start <= to <= replay.end:
        raise UserError(
            "This replay reaches from {start} to {end} UTC.",
            start=_short(replay.start),
            end=_short(replay.end),
        )
    return to


def days(replay: Replay) -> list[str]:
    """The midnights of a replay, to choose from."""
    first = replay.start.replace(hour=0, minute=0, second=0, microsecond=0)
    midnights = (first + timedelta(days=day) for day in range((replay.end - first).days + 1))
    return [_short(midnight) for midnight in midnights if midnight >= replay.start]


def told(replay: Replay, speech: Speech) -> str:
    _, playing = speech._, replay.playing
    lines = [_("**Replay** · {now} UTC").format(now=_short(replay.clock.now()))]
    if playing.to is not None:
        lines.append(
            _("On the way to {to} UTC: what happens until then appears here.").format(to=_short(playing.to))
        )
    if playing.paused:
        lines.append(_("Paused. {resume} lets it go on.").format(resume="`/replay resume`"))
    else:
        lines.append(_("{times} times real time.").format(times=f"{playing.speed:g}"))
    lines.append(
        _("It reaches from {start} to {end} UTC.").format(start=_short(replay.start), end=_short(replay.end))
    )
    return "\n".join(lines)


def _short(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"
