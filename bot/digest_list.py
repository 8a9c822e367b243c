"""A server's digests as its moderators see them, and the buttons that change one.

Everything needed to act on a press stands in its custom_id; whether the digest is this
server's is looked up.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from bot import digest_changes, digest_store, zones
from bot import digest_lines as lines
from bot.card import TEXT_LIMIT, fit
from bot.digest_draft import MOST_DIGESTS
from bot.digests import next_times
from bot.errors import UserError
from bot.handlers import Pressable
from bot.language import Speech
from bot.permissions import Right, open_to
from bot.reader import speech_of
from bot.schedule import Occurrence
from bot.tell import Shown, tell
from storage import outbox
from storage.digests import Schedule
from storage.outbox import Post

if TYPE_CHECKING:
    from bot.client import Leadline

PREFIX: Final = "dl1"
_PRESS = re.compile(r"dl1\|(?P<action>\w+)\|(?P<number>\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A digest with its next post and the last one."""

    digest: Schedule
    coming: Sequence[Occurrence]
    last: Post | None


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """All digests of a server; ``done`` says what has just been done."""

    digests: Sequence[Listed]
    speech: Speech
    now: datetime
    done: str = ""

    def files(self) -> list[discord.File]:
        return []

    def view(self) -> ui.LayoutView:
        _ = self.speech._
        container: ui.Container[Any] = ui.Container()
        counted = _("Digests: {n} of {most}").format(n=len(self.digests), most=MOST_DIGESTS)
        head = "\n".join(line for line in (f"### {counted}", self.done) if line)
        if not self.digests:
            head += "\n" + _("None yet. /digest add sets one up.")
        container.add_item(ui.TextDisplay(head))
        room = (TEXT_LIMIT - len(head)) // max(1, len(self.digests))
        for number, listed in enumerate(self.digests, 1):
            container.add_item(ui.TextDisplay(fit(self._words(number, listed), room)))
            container.add_item(ui.ActionRow(*self._buttons(listed.digest)))
        view = ui.LayoutView(timeout=None)
        view.add_item(container)
        view.stop()
        return view

    def _words(self, number: int, listed: Listed) -> str:
        _, digest = self.speech._, listed.digest
        facts = [lines.reports_words(digest), _(lines.LANGUAGES[digest.language])]
        if digest.ping_role is not None:
            facts.append(_("pings {role}").format(role=f"<@&{digest.ping_role}>"))
        rhythm = lines.rhythm_line(digest, self.speech, self.now)
        text = [
            f"**{number}** · {rhythm} · <#{digest.channel_id}>",
            " · ".join(facts),
            lines.final_line(digest, self.speech),
            *lines.state_lines(digest, listed.coming, listed.last, self.speech),
            "-# " + self._changed(digest),
        ]
        return "\n".join(line for line in text if line)

    def _changed(self, digest: Schedule) -> str:
        _ = self.speech._
        when = lines.short_stamp(digest.changed_at or digest.created_at)
        who = digest.created_by if digest.changed_at is None else digest.changed_by
        if who is None:
            return _("Last changed {when}").format(when=when)
        return _("Last changed {when} by {who}").format(when=when, who=f"<@{who}>")

    def _buttons(self, digest: Schedule) -> list[ui.Button[Any]]:
        _, paused = self.speech._, digest.paused is not None
        now = _button("now", _("Post now"), digest.id)
        now.disabled = paused
        return [
            _button("edit", _("Edit"), digest.id),
            _button("resume", _("Resume"), digest.id) if paused else _button("pause", _("Pause"), digest.id),
            now,
            _button("remove", _("Remove"), digest.id),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asked once before a digest is removed."""

    digest: Schedule
    speech: Speech
    now: datetime

    def files(self) -> list[discord.File]:
        return []

    def view(self) -> ui.LayoutView:
        _, digest = self.speech._, self.digest
        text = _("Remove this digest? It cannot be brought back.")
        rhythm = lines.rhythm_line(digest, self.speech, self.now)
        view = ui.LayoutView(timeout=None)
        view.add_item(
            ui.TextDisplay(f"{text}\n{rhythm} · <#{digest.channel_id}>\n{lines.reports_words(digest)}")
        )
        yes = _button("gone", _("Remove"), digest.id)
        yes.style = discord.ButtonStyle.danger
        view.add_item(ui.ActionRow(yes, _button("list", _("Keep it"), digest.id)))
        view.stop()
        return view


def name_of(digest: Schedule, guild: discord.Guild | None, speech: Speech) -> str:
    """A digest among others, in words without formatting: ``09:00 · every day · #trading · levels``."""
    channel = None if guild is None else guild.get_channel(digest.channel_id)
    where = "#?" if channel is None else f"#{channel.name}"
    reports = speech._(", ").join(part.report for part in digest.parts)
    return " · ".join((f"{digest.local_time:%H:%M}", lines.days_words(digest.days, speech), where, reports))[
        :100
    ]


def _button(action: str, label: str, number: int) -> ui.Button[Any]:
    return ui.Button(label=label, custom_id=f"{PREFIX}|{action}|{number}")


async def listed(interaction: discord.Interaction[Leadline], done: str = "") -> List:
    bot = interaction.client
    now, speech = bot.clock.now(), await speech_of(interaction)
    known = await digest_store.of_server(interaction)
    async with bot.answers.store.read() as db:
        last = {each.id: await outbox.last_of(db, "digest", each.id) for each in known}

    def told() -> list[Listed]:
        zones.places()
        return [
            Listed(
                digest=each,
                coming=next_times(each, now, 1) if each.paused is None else [],
                last=last[each.id],
            )
            for each in known
        ]

    # In a thread: the calendar of sessions and the names of places are read from files the first time.
    return List(digests=await asyncio.to_thread(told), speech=speech, now=now, done=done)


async def question(interaction: discord.Interaction[Leadline], number: int) -> Question:
    digest = await digest_store.one_of(interaction, number)
    now = interaction.client.clock.now()
    await asyncio.to_thread(zones.places)
    return Question(digest=digest, speech=await speech_of(interaction), now=now)


async def paused(interaction: discord.Interaction[Leadline], number: int) -> str:
    speech = await speech_of(interaction)
    await digest_store.pause(interaction, number)
    return speech._("Paused. Nothing is posted until it is resumed: /digest resume.")


async def resumed(interaction: discord.Interaction[Leadline], number: int) -> str:
    speech = await speech_of(interaction)
    await digest_store.resume(interaction, number, speech)
    return speech._("Resumed. What was due during the pause is not posted.")


async def posted(interaction: discord.Interaction[Leadline], number: int) -> str:
    speech = await speech_of(interaction)
    digest = await digest_store.post(interaction, number, speech)
    return speech._("It is being posted in <#{channel}>. The next regular post comes all the same.").format(
        channel=digest.channel_id
    )


async def _removed(interaction: discord.Interaction[Leadline], number: int) -> str:
    speech = await speech_of(interaction)
    await digest_store.remove(interaction, number)
    return speech._("Removed. A post that is on its way at this moment may still arrive.")


@open_to(Right.MODERATOR)
class DigestButton(Pressable[ui.Button[Any]], template=r"dl\d+\|.*"):
    """Every button of every list ever shown, known by its custom_id alone."""

    async def pressed(self, interaction: discord.Interaction[Leadline]) -> None:
        press = _PRESS.fullmatch(self.custom_id)
        if press is None:
            raise UserError(
                "This list is from another version of Leadline. Type /digest list to get a new one."
            )
        await tell(
            interaction, self._answer(interaction, press["action"], int(press["number"])), in_place=True
        )

    async def _answer(self, interaction: discord.Interaction[Leadline], action: str, number: int) -> Shown:
        match action:
            case "edit":
                digest = await digest_store.one_of(interaction, number)
                return await digest_changes.panel(interaction, digest)
            case "remove":
                return await question(interaction, number)
            case "pause":
                done = await paused(interaction, number)
            case "resume":
                done = await resumed(interaction, number)
            case "now":
                done = await posted(interaction, number)
            case "gone":
                done = await _removed(interaction, number)
            case _:
                done = ""
        return await listed(interaction, done)
