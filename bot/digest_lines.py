"""What moderators read of a digest besides its posts: when, where, in which state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from babel.core import Locale
from babel.dates import get_day_names

from bot import zones
from bot.digest_draft import Early, part_text
from bot.language import N_, Speech
from bot.plain_text import quoted
from bot.schedule import EVERY_DAY, SESSIONS, Occurrence
from storage.digests import BOTH, Schedule
from storage.outbox import Post, State

UNREADABLE: Final = "unreadable"
"""Why a digest is paused whose zone or days this version does not know."""
DAYS: Final[Mapping[str, str]] = {
    EVERY_DAY: N_("every day"),
    "12345": N_("on weekdays"),
    "67": N_("at weekends"),
    SESSIONS: N_("after each US trading day"),
}
LANGUAGES: Final[Mapping[str, str]] = {
    "zh-TW": N_("Traditional Chinese"),
    "en": N_("English"),
    BOTH: N_("Both, one after the other"),
}
_NOTES: Final[Mapping[str, str]] = {
    "skipped": N_("A post was left out: it would have been too late."),
    "refused": N_(
        "Discord refused it three times. Let Leadline view the channel, send messages, attach files and read "
        "the message history there, or choose another channel; then resume it."
    ),
    "unsure": N_("Whether a post arrived is not known: the message history could not be read."),
    "failed": N_("Discord did not take a post; the operator's log says why."),
}
_PAUSED: Final[Mapping[str, str]] = {
    "moderator": N_("Paused by a moderator"),
    "refused": N_("Paused: the channel refused it"),
    UNREADABLE: N_("Paused: this version does not know its zone or its days"),
}


def day_name(day: int, speech: Speech, width: Literal["abbreviated", "wide"] = "abbreviated") -> str:
    """Of an ISO weekday, 1 for Monday: ``Mon`` or ``週一``."""
    return str(get_day_names(width, locale=Locale.parse(speech.locale, sep="-"))[day - 1])


def days_words(days: str, speech: Speech) -> str:
    if days in DAYS:
        return speech._(DAYS[days])
    separator = "、" if speech.locale == "zh-TW" else ", "
    return separator.join(day_name(int(day), speech) for day in days)


def rhythm_line(schedule: Schedule, speech: Speech, now: datetime) -> str:
    """``**09:00** · Asia/Taipei · Taipei · UTC+8 · every day``."""
    at = f"**{schedule.local_time:%H:%M}**"
    if schedule.paused == UNREADABLE:
        return " · ".join((at, quoted(schedule.zone), quoted(schedule.days)))
    zone = zones.line(schedule.zone, speech.locale, now)
    return " · ".join((at, zone, days_words(schedule.days, speech)))


def final_line(schedule: Schedule, speech: Speech) -> str:
    """That it waits for final figures; empty when it does not."""
    if schedule.latest_time is None:
        return ""
    return speech._("Posted when the figures are final, at the latest at {time}.").format(
        time=f"{schedule.latest_time:%H:%M}"
    )


def early_line(early: Early, speech: Speech) -> str:
    _ = speech._
    if early.final_by is None:
        return _("At this time the flows of the last US trading day are usually not final yet.")
    return _(
        "At this time the flows of the last US trading day are usually not final yet; by {time} they are."
    ).format(time=f"{early.final_by:%H:%M}")


def reports_words(schedule: Schedule) -> str:
    return " · ".join(f"`{part_text(part)}`" for part in schedule.parts)


def stamp(at: datetime) -> str:
    """In the reader's own clock, wherever they are: Discord writes it out."""
    seconds = int(at.timestamp())
    return f"<t:{seconds}:F> (<t:{seconds}:R>)"


def short_stamp(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:R>"


def state_lines(
    schedule: Schedule, coming: Sequence[Occurrence], last: Post | None, speech: Speech
) -> list[str]:
    """Its next post or why there is none, what became of the last, and what moderators should know."""
    _ = speech._
    lines = []
    if schedule.paused is not None:
        lines.append(_(_PAUSED.get(schedule.paused, _PAUSED[UNREADABLE])))
    elif coming:
        lines.append(_("Next: {time}").format(time=stamp(coming[0].at)))
    lines.append(_last_line(last, speech))
    if schedule.refused and schedule.paused is None:
        lines.append("⚠ " + _("Discord refused the last post: {n} times so far.").format(n=schedule.refused))
    if schedule.note is not None and schedule.note in _NOTES and schedule.noted_at is not None:
        lines.append("⚠ " + _(_NOTES[schedule.note]) + " " + short_stamp(schedule.noted_at))
    return lines


def _last_line(last: Post | None, speech: Speech) -> str:
    _ = speech._
    if last is None:
        return _("Last: none in the past 30 days")
    if last.state is State.DONE and last.message_id is not None:
        link = f"https://discord.com/channels/{last.server_id}/{last.channel_id}/{last.message_id}"
        return _("Last: {when} · {link}").format(when=short_stamp(last.settled_at or last.due_at), link=link)
    when = short_stamp(last.due_at)
    if last.state is State.DONE:
        return _("Last: {when} · posted, and deleted since").format(when=when)
    if last.state in {State.FAILED, State.SKIPPED}:
        return _("Last: {when} · not posted").format(when=when)
    return _("Last: {when} · on its way").format(when=when)
