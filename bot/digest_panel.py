"""A digest being put together: its real post as a preview, and a select for each thing to choose.

Nothing is kept before it is confirmed: what has been chosen so far stands in the message
itself, in its custom_ids and its chosen reports, so that presses work after a restart.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, Final

import discord
from discord import ui

from bot import digest_lines as lines
from bot.card import TEXT_LIMIT, fit
from bot.digest_draft import MOST_DIGESTS, Early, part_of, part_text
from bot.digest_words import MOST_PARTS
from bot.digests import rhythm_of
from bot.errors import UserError
from bot.language import Speech
from bot.posts import Written
from bot.reports import REPORTS
from bot.schedule import SESSIONS, Occurrence
from bot.tree import shown
from storage.digests import BOTH, Schedule

PREFIX: Final = "dg1"
EVERY_SINGLE_DAY: Final = "1234567"
_NONE: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All that the panel shows of a draft. ``others`` counts the server's digests."""

    draft: Schedule
    written: Written
    coming: Sequence[Occurrence]
    early: Early | None
    faults: Sequence[UserError]
    silent: bool
    others: int
    speech: Speech
    guild: discord.Guild
    now: datetime

    def files(self) -> list[discord.File]:
        return [
            discord.File(io.BytesIO(each.png), each.name, description=each.alt)
            for each in self.written.pictures
        ]

    def view(self) -> ui.LayoutView:
        """The post as it will be, but for its buttons; below it what can be chosen."""
        view = ui.LayoutView(timeout=None)
        below: ui.Container[Any] = ui.Container()
        head = "\n".join(self._head())
        below.add_item(ui.TextDisplay(head))
        for item in self._choices():
            below.add_item(item)
        view.add_item(self._post(TEXT_LIMIT - 1000 - len(head)))
        view.add_item(below)
        view.stop()
        return view

    def _post(self, room: int) -> ui.Container[Any]:
        post: ui.Container[Any] = ui.Container()
        content = self.written.letter.content
        preview = "-# " + self.speech._("Preview: what will be posted, with the figures of now")
        post.add_item(ui.TextDisplay(f"{preview}\n{fit(content, room)}"))
        if self.written.pictures:
            gallery: ui.MediaGallery[Any] = ui.MediaGallery()
            for each in self.written.pictures:
                gallery.add_item(media=f"attachment://{each.name}", description=each.alt)
            post.add_item(gallery)
        return post

    def _head(self) -> Iterator[str]:
        _, draft = self.speech._, self.draft
        if draft.id:
            yield "### " + _("Change a digest")
        else:
            yield "### " + _("New digest, {n} of {most}").format(n=self.others + 1, most=MOST_DIGESTS)
        yield lines.rhythm_line(draft, self.speech, self.now)
        if waits := lines.final_line(draft, self.speech):
            yield waits
        elif self.early is not None:
            yield "⚠ " + lines.early_line(self.early, self.speech)
        if self.silent:
            yield "⚠ " + _(
                "Nobody will be notified: the role is not mentionable, and Leadline may not mention every role."
            )
        for fault in self.faults:
            yield "⚠ " + fault.in_words(_, shown)
        if draft.language == BOTH:
            yield "-# " + _("Words in both languages; pictures in Chinese.")
        # Last: a line after a list would be shown as if it belonged to it.
        yield from (f"- {lines.stamp(each.at)}" for each in self.coming)

    def _choices(self) -> Iterator[ui.Item[Any]]:
        _, draft = self.speech._, self.draft
        yield _title(_("Channel"))
        yield ui.ActionRow(self._channel())
        yield _title(_("Days"))
        yield ui.ActionRow(self._days())
        yield ui.ActionRow(self._single_days())
        yield _title(_("Language"))
        yield ui.ActionRow(_select("language", _one(lines.LANGUAGES, draft.language, self.speech)))
        yield _title(_("Reports, at most {most}").format(most=MOST_PARTS))
        yield ui.ActionRow(self._reports())
        yield _title(_("Ping"))
        yield ui.ActionRow(self._ping())
        changes = [_button("time", _("Time and zone"))]
        if draft.latest_time is not None:
            changes.append(_button("latest", _("Post at once, final or not"), _NONE))
        elif self.early is not None and self.early.final_by is not None:
            label = _("Post when final, at the latest {time}").format(time=f"{self.early.final_by:%H:%M}")
            changes.append(_button("latest", label, f"{self.early.final_by:%H%M}"))
        if draft.ping_role is not None:
            changes.append(_button("noping", _("No ping")))
        yield ui.ActionRow(*changes)
        label = _("Save") if draft.id else _("Confirm")
        confirm = _button("save", label, *_core(draft), style=discord.ButtonStyle.success)
        confirm.disabled = bool(self.faults)
        yield ui.ActionRow(confirm, _button("cancel", _("Cancel")))

    def _channel(self) -> ui.ChannelSelect[Any]:
        """A channel that is gone is not shown as chosen: Discord would refuse the whole message."""
        channel = self.draft.channel_id
        known = isinstance(self.guild.get_channel(channel), discord.TextChannel)
        return ui.ChannelSelect(
            custom_id=_custom_id("channel", channel),
            channel_types=[discord.ChannelType.text, discord.ChannelType.news],
            placeholder=self.speech._("Choose a channel"),
            default_values=[
                discord.SelectDefaultValue.from_channel(discord.Object(channel)) for _ in range(known)
            ],
        )

    def _days(self) -> ui.Select[Any]:
        _, days = self.speech._, self.draft.days
        select = _select("days", _one(lines.DAYS, days, self.speech), days)
        select.placeholder = lines.days_words(days, self.speech)
        return select

    def _single_days(self) -> ui.Select[Any]:
        _, days = self.speech._, self.draft.days
        chosen = {"every": EVERY_SINGLE_DAY, SESSIONS: ""}.get(days, days)
        options = [
            discord.SelectOption(
                label=lines.day_name(int(day), self.speech, "wide"), value=day, default=day in chosen
            )
            for day in EVERY_SINGLE_DAY
        ]
        select = _select("single", options)
        select.max_values, select.placeholder = len(options), _("Or single days")
        return select

    def _reports(self) -> ui.Select[Any]:
        chosen = [part_text(part) for part in self.draft.parts]
        options = [
            discord.SelectOption(label=text, value=text, default=text in chosen)
            for text in dict.fromkeys((*chosen, *REPORTS))
        ]
        select = _select("reports", options)
        select.max_values = min(MOST_PARTS, len(options))
        return select

    def _ping(self) -> ui.RoleSelect[Any]:
        role = self.draft.ping_role
        known = role is not None and self.guild.get_role(role) is not None
        return ui.RoleSelect(
            custom_id=_custom_id("ping", role or _NONE),
            placeholder=self.speech._("Nobody is pinged"),
            default_values=[discord.Object(role)] if known and role is not None else [],
        )


def _title(words: str) -> ui.TextDisplay[Any]:
    return ui.TextDisplay(f"**{words}**")


def _custom_id(action: str, *values: object) -> str:
    return "|".join((PREFIX, action, *map(str, values)))


def _core(draft: Schedule) -> tuple[str, ...]:
    """What no select says: which digest, when, on whose clock, in which language."""
    latest = _NONE if draft.latest_time is None else f"{draft.latest_time:%H%M}"
    return str(draft.id), f"{draft.local_time:%H%M}", latest, draft.language, draft.zone


def _button(
    action: str, label: str, *values: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> ui.Button[Any]:
    return ui.Button(label=label, style=style, custom_id=_custom_id(action, *values))


def _select(action: str, options: list[discord.SelectOption], *values: str) -> ui.Select[Any]:
    return ui.Select(custom_id=_custom_id(action, *values), options=options)


def _one(choices: Mapping[str, str], now: str, speech: Speech) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=speech._(words), value=value, default=value == now)
        for value, words in choices.items()
    ]


def drafted(message: discord.Message | None, blank: Schedule, now: datetime) -> Schedule:
    """What a panel says of its draft, in place of what ``blank`` does.

    Raises UserError for a message that is no panel of this version.
    """
    told: dict[str, list[str]] = {}
    chosen: list[str] = []
    for part in _walk(() if message is None else message.components):
        prefix, *rest = (getattr(part, "custom_id", None) or "").split("|")
        if prefix == PREFIX and rest:
            told[rest[0]] = rest[1:]
            if isinstance(part, discord.SelectMenu) and rest[0] == "reports":
                chosen = [option.value for option in part.options if option.default]
    try:
        number, at, latest, language, zone = told["save"]
        [channel], [days], [role] = told["channel"], told["days"], told["ping"]
        draft = replace(
            blank,
            id=int(number),
            channel_id=int(channel),
            parts=tuple(part_of(text, now) for text in chosen),
            local_time=_time(at),
            latest_time=None if latest == _NONE else _time(latest),
            language=language,
            zone=zone,
            days=days,
            ping_role=None if role == _NONE else int(role),
        )
        rhythm_of(draft)
        if language not in lines.LANGUAGES or not draft.parts:
            raise ValueError(language)
    except (KeyError, ValueError, OSError) as error:
        raise UserError(
            "This panel is from another version of Leadline. Type /digest to get a new one."
        ) from error
    return draft


def _walk(components: Iterable[Any]) -> Iterator[Any]:
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))


def _time(told: str) -> time:
    return time(int(told[:2]), int(told[2:]))
