"""A digest while it is being put together: its reports, what stands against it, whether its hour is too early."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import discord

from analysis import trading_days
from bot.digests import next_times
from bot.errors import UserError
from bot.language import N_, Speech
from bot.reports import REPORTS
from storage.digests import Part, Schedule
from storage.instants import flow_known, utc

MOST_DIGESTS: Final = 5
"""Of one server: as many as one message can list with their buttons."""
MOST_OF_PART: Final = 100
"""Characters of a report with its options: Discord's limit for the value of a choice."""
NEEDED: Final = {
    "view_channel": N_("View Channel"),
    "send_messages": N_("Send Messages"),
    "attach_files": N_("Attach Files"),
    "read_message_history": N_("Read Message History"),
}
"""What a post needs in its channel, by discord.py's name, and what Discord calls it."""
_LOOKED_AHEAD: Final = 7
_WEEK: Final = timedelta(days=7)


def part_of(typed: str, now: datetime) -> Part:
    """A report as it is typed, perhaps with options: ``levels``, ``levels instrument:ETH interval:4h``.

    Raises UserError for what no digest can tell: an unknown report or option, a value it refuses,
    an answer that is for one person alone.
    """
    name, *rest = unicodedata.normalize("NFKC", typed).split() or [""]
    report = REPORTS.get(name.casefold())
    if report is None:
        raise UserError("There is no report called {name}.", name=name[:40])
    if rest and not report.options:
        raise UserError("{report} takes no options: write its name alone.", report=report.name)
    words = {}
    for word in rest:
        option, _, value = word.partition(":")
        if not value or option not in {known.name for known in report.options}:
            raise UserError(
                "“{value}” is no option of {report}: write for instance {example}.",
                value=word[:40],
                report=report.name,
                example=part_text(_example(report.name)),
            )
        words[option] = value
    part = Part(report=report.name, words=words)
    if report.private(report.read(words, now)):
        raise UserError("This is told to whoever asks, and to nobody else.")
    if len(part_text(part)) > MOST_OF_PART:
        raise UserError(
            "That is too long: a report with its options has at most {most} characters.", most=MOST_OF_PART
        )
    return part


def part_text(part: Part) -> str:
    """As ``part_of`` reads it."""
    return " ".join((part.report, *(f"{option}:{value}" for option, value in part.words.items())))


def offered(typed: str) -> list[str]:
    """Reports as they can be typed that contain what was: each alone and with each value of its switch."""
    texts = []
    for report in REPORTS.values():
        texts.append(report.name)
        texts += [f"{report.name} {report.switch}:{value}" for value in report.buttons if report.switch]
    wanted = " ".join(unicodedata.normalize("NFKC", typed).casefold().split())
    return [text for text in texts if wanted in text.casefold()]


def _example(name: str) -> Part:
    report = REPORTS[name]
    option = next((each for each in report.options if each.choices), report.options[0])
    return Part(report=name, words={option.name: option.choices[0] if option.choices else "7d"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """The figures are usually not final at a digest's hour, but by ``final_by`` of the same date.

    None where that is another date: then there is nothing to wait for.
    """

    final_by: time | None


def early(schedule: Schedule, now: datetime) -> Early | None:
    """Whether one of the next posts comes before the flows it tells are usually final (09:00 UTC of the day after)."""
    if all(part.report != "flows" for part in schedule.parts):
        return None
    zone, found, latest = ZoneInfo(schedule.zone), False, time()
    for each in next_times(schedule, now, _LOOKED_AHEAD):
        closed = trading_days.sessions(each.day - _WEEK, each.at)
        known = utc(flow_known(closed[-1])) if closed else each.at
        if known <= each.at:
            continue
        local = known.astimezone(zone)
        if local.date() != each.day:
            return Early(final_by=None)
        found, latest = True, max(latest, local.time())
    return Early(final_by=latest) if found else None


def faults(
    schedule: Schedule, interaction: discord.Interaction[Any], others: Sequence[Schedule], speech: Speech
) -> list[UserError]:
    """Why a digest cannot be kept as it is; ``others`` are all digests of the server."""
    guild = interaction.guild
    if guild is None:
        return [UserError("Digests belong to a server: ask there.")]
    found = [*_channel_faults(schedule.channel_id, interaction, guild, speech)]
    role = None if schedule.ping_role is None else guild.get_role(schedule.ping_role)
    if schedule.ping_role is not None and role is None:
        found.append(UserError("That role does not belong to this server."))
    elif role is not None and role.is_default():
        found.append(UserError("A digest never pings everybody: choose another role."))
    if any(_alike(schedule, other) for other in others if other.id != schedule.id):
        found.append(UserError("There is a digest of the same reports at this time in this channel already."))
    if not schedule.id and len(others) >= MOST_DIGESTS:
        found.append(full())
    if schedule.latest_time is not None and schedule.latest_time <= schedule.local_time:
        found.append(UserError("The latest time has to be later than the time, on the same day."))
    return found


def full() -> UserError:
    return UserError(
        "This server has {most} digests, and that is the most. Remove one first.", most=MOST_DIGESTS
    )


def _channel_faults(
    channel_id: int, interaction: discord.Interaction[Any], guild: discord.Guild, speech: Speech
) -> Iterator[UserError]:
    _ = speech._
    channel, asker = guild.get_channel(channel_id), interaction.user
    if not isinstance(channel, discord.TextChannel) or not isinstance(asker, discord.Member):
        yield UserError("A digest goes into a text or announcement channel of this server: choose one.")
        return
    theirs, ours = channel.permissions_for(asker), channel.permissions_for(guild.me)
    if not (theirs.view_channel and theirs.send_messages):
        yield UserError(
            "You may not write in <#{channel}>, so no digest of yours goes there.", channel=channel_id
        )
    lacking = [_(name) for right, name in NEEDED.items() if not getattr(ours, right)]
    if lacking:
        yield UserError(
            "Leadline lacks in <#{channel}>: {permissions}. Give it these, or choose another channel.",
            channel=channel_id,
            permissions=" · ".join(lacking),
        )


def may_post_to(channel_id: int, interaction: discord.Interaction[Any], speech: Speech) -> None:
    """Raises UserError unless this person may have us post into the channel, and we may do so."""
    if interaction.guild is None:
        raise UserError("Digests belong to a server: ask there.")
    for fault in _channel_faults(channel_id, interaction, interaction.guild, speech):
        raise fault


def pings_silently(schedule: Schedule, guild: discord.Guild) -> bool:
    """Whether the role is named in the post but Discord would notify nobody."""
    role = None if schedule.ping_role is None else guild.get_role(schedule.ping_role)
    channel = guild.get_channel(schedule.channel_id)
    if role is None or channel is None:
        return False
    return not (role.mentionable or channel.permissions_for(guild.me).mention_everyone)


def _alike(one: Schedule, other: Schedule) -> bool:
    return (one.channel_id, one.local_time, one.zone, set(map(part_text, one.parts))) == (
        other.channel_id,
        other.local_time,
        other.zone,
        set(map(part_text, other.parts)),
    )
