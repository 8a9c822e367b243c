"""From a press on a digest's panel to the next panel, and at the end to what is kept."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import digest_draft, digest_store, digest_words, times_of_day, zones
from bot import digest_lines as lines
from bot.digest_panel import EVERY_SINGLE_DAY, Panel, drafted
from bot.digest_words import Asking
from bot.digests import next_times, rhythm_of
from bot.errors import UserError
from bot.handlers import Form, Pressable
from bot.language import Speech
from bot.permissions import Right, open_to
from bot.reader import defaults, speech_of
from bot.schedule import EVERY_DAY
from bot.tell import Said, tell
from storage.digests import Part, Schedule

if TYPE_CHECKING:
    from bot.client import Leadline

FIRST_TIMES = 3
MARKER = "preview"
"""Stands in a preview's file names where a post has its marker."""


async def blank(interaction: discord.Interaction[Leadline], part: Part, at: time) -> Schedule:
    """A new digest with all that was not said: this channel, every day, the server's zone and language, no ping."""
    server_id = digest_store.server_of(interaction)
    stored = await interaction.client.answers.server(server_id)
    settings = stored or defaults(server_id, interaction.guild_locale)
    now = interaction.client.clock.now()
    # A digest is no thread's: it goes into the channel above.
    parent = getattr(interaction.channel, "parent_id", None)
    return Schedule(
        server_id=server_id,
        channel_id=parent or interaction.channel_id or 0,
        parts=(part,),
        local_time=at,
        zone=settings.zone,
        language=settings.language,
        since=now,
        created_by=interaction.user.id,
        created_at=now,
    )


async def panel(interaction: discord.Interaction[Leadline], draft: Schedule) -> Panel:
    """The draft with the post it would be now, its first times and all that stands against it."""
    bot = interaction.client
    now, guild = bot.clock.now(), interaction.guild
    if guild is None:
        raise UserError("Digests belong to a server: ask there.")
    try:
        rhythm_of(draft)
    except (ValueError, KeyError, OSError) as error:
        raise UserError(
            "This version does not know its zone or its days. Choose a zone with /digest edit, or remove it."
        ) from error
    speech, settings = await speech_of(interaction), await bot.answers.server(guild.id)
    others = await digest_store.of_server(interaction)
    # In a thread: the calendar of sessions and the names of places are read from files the first time.
    coming, early, _ = await asyncio.to_thread(
        lambda: (next_times(draft, now, FIRST_TIMES), digest_draft.early(draft, now), zones.places())
    )
    asking = Asking(bot.answers, now)
    parts = await asking.parts(draft, server_id=guild.id)
    written = await digest_words.written(draft, parts, asking, settings=settings, marker=MARKER, due=now)
    return Panel(
        draft=draft,
        written=written,
        coming=coming,
        early=early,
        faults=digest_draft.faults(draft, interaction, others, speech),
        silent=digest_draft.pings_silently(draft, guild),
        others=len(others),
        speech=speech,
        guild=guild,
        now=now,
    )


async def retimed(draft: Schedule, at: str | None, zone: str | None, now: datetime) -> Schedule:
    """The draft at another time or on another clock, as typed. It waits no longer where waiting would end before."""
    if at is not None:
        draft = replace(draft, local_time=times_of_day.parse(at))
    if zone is not None:
        # In a thread: names of places are read from files the first time.
        draft = replace(draft, zone=await asyncio.to_thread(zones.resolve, zone, now))
    if draft.latest_time is not None and draft.latest_time <= draft.local_time:
        draft = replace(draft, latest_time=None)
    return draft


def _single(days: list[str]) -> str:
    """Single days as a rhythm has them."""
    chosen = "".join(sorted(set(days) & set(EVERY_SINGLE_DAY)))
    return EVERY_DAY if chosen == EVERY_SINGLE_DAY else chosen


@open_to(Right.MODERATOR)
class DigestPanelItem(Pressable[ui.Item[Any]], template=r"dg\d+\|.*"):
    """Every select and button of every panel ever shown, known by its custom_id and its message."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        now = interaction.client.clock.now()
        draft = drafted(interaction.message, await blank(interaction, Part(report=""), time()), now)
        speech = await speech_of(interaction)
        match self.custom_id.split("|")[1:]:
            case ["time"]:
                await interaction.response.send_modal(DigestTime(draft, speech))
            case ["cancel"]:
                await tell(interaction, _said(speech._("Cancelled: nothing was kept.")), in_place=True)
            case ["save", *_]:
                await tell(interaction, _saved(interaction, draft, speech), in_place=True)
            case _:
                chosen = replace(draft, **self._chosen(draft, now))
                await tell(interaction, panel(interaction, chosen), in_place=True)

    def _chosen(self, draft: Schedule, now: datetime) -> dict[str, Any]:
        """The fields of the draft that a press changes. Raises UserError for what no panel offers."""
        values: list[Any] = list(self.item.values) if isinstance(self.item, _SELECTS) else []
        match self.custom_id.split("|")[1:], values:
            case ["channel", *_], [channel] if isinstance(self.item, ui.ChannelSelect):
                return {"channel_id": channel.id}
            case ["days", *_], [str(days)] if days in lines.DAYS:
                return {"days": days}
            case ["single"], [*days] if _single(days):
                return {"days": _single(days)}
            case ["language"], [str(language)] if language in lines.LANGUAGES:
                return {"language": language}
            case ["reports"], [_, *_] as texts if isinstance(self.item, ui.Select):
                # In the order in which they stood, whatever the order of choosing.
                stood = [digest_draft.part_text(part) for part in draft.parts]
                ordered = sorted(texts, key=lambda text: stood.index(text) if text in stood else len(stood))
                return {"parts": tuple(digest_draft.part_of(text, now) for text in ordered)}
            case ["ping", *_], [discord.Role() as role]:
                return {"ping_role": role.id}
            case ["noping"], []:
                return {"ping_role": None}
            case ["latest", "-"], []:
                return {"latest_time": None}
            case ["latest", at], [] if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d", at):
                return {"latest_time": time(int(at[:2]), int(at[2:]))}
        raise UserError("This panel is from another version of Leadline. Type /digest to get a new one.")


_SELECTS = (ui.Select, ui.ChannelSelect, ui.RoleSelect)


@open_to(Right.MODERATOR)
class DigestTime(Form):
    """Another time or zone for a draft; Discord forgets the form, not the panel, when the bot restarts."""

    def __init__(self, draft: Schedule, speech: Speech) -> None:
        _ = speech._
        super().__init__(title=_("Time and zone"), timeout=900)
        self._draft = draft
        self._time: ui.TextInput[Any] = ui.TextInput(
            custom_id="time", default=f"{draft.local_time:%H:%M}", max_length=times_of_day.LONGEST
        )
        self._zone: ui.TextInput[Any] = ui.TextInput(
            custom_id="zone", default=draft.zone, max_length=zones.LONGEST
        )
        self.add_item(ui.Label(text=_("Time: 09:00, 21:30 or 9pm"), component=self._time))
        self.add_item(ui.Label(text=_("Zone: a city, a country or UTC+8"), component=self._zone))

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        now = interaction.client.clock.now()
        draft = await retimed(self._draft, self._time.value, self._zone.value, now)
        await tell(interaction, panel(interaction, draft), in_place=True)


async def _said(text: str) -> Said:
    return Said(text=text)


async def _saved(interaction: discord.Interaction[Leadline], draft: Schedule, speech: Speech) -> Said:
    _ = speech._
    changed = await digest_store.save(interaction, draft, speech)
    digest, now = changed.digest, interaction.client.clock.now()
    coming = await asyncio.to_thread(next_times, digest, now, 1)
    where = f"<#{digest.channel_id}>"
    said = [
        (_("Saved.") if draft.id else _("The digest is set up."))
        + f" {lines.rhythm_line(digest, speech, now)} · {where}"
    ]
    if digest.paused is not None:
        said.append(_("It stays paused until it is resumed: /digest resume."))
    elif coming:
        said.append(_("Next: {time}").format(time=lines.stamp(coming[0].at)))
    if changed.timing:
        said.append(_("A day that has had its post gets no second one, whatever the time is now."))
    said.append("-# " + _("All digests: /digest list"))
    return Said(text="\n".join(said))
