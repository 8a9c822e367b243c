"""A digest in words, pictures and buttons: the first line first, because a notification shows no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo

import structlog

from analysis.charts.look import ALT_TEXT_LIMIT, Look, Palette, Picture, Theme
from analysis.flows import Flows
from bot.answers import Answered, Answers
from bot.card import ALERT_LABEL, LANGUAGE_NAMES, Press, alert_id, fit, switch_label
from bot.channels import CONTENT_LIMIT, Button, Enclosed, Letter
from bot.errors import UserError
from bot.language import LOCALES, Speech
from bot.posts import Written
from bot.reports import REPORTS
from bot.reports.shapes import Asked, Reply, Report
from bot.tree import shown
from storage.digests import BOTH, Part, Schedule
from storage.servers import ServerSettings

log = structlog.get_logger(__name__)

MOST_PARTS: Final = 5
"""Reports in one digest: a message has five rows of buttons."""
LATE_AFTER: Final = timedelta(minutes=5)
_AT_ONCE: Final = 2
"""Answers or pictures in the making at a time; people's questions come between."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """One report of a digest: its result, or the reason why there is none. ``question`` names it."""

    report: Report[Any, Any] | None
    question: Hashable
    words: dict[str, str]
    result: Any = None
    error: UserError | None = None

    @property
    def is_final(self) -> bool:
        """Whether everything it reports on has been published whole."""
        return not (isinstance(self.result, Flows) and self.result.pending)


class Asking:
    """The answers and pictures of one minute: a question is asked, and drawn, once for all channels."""

    def __init__(self, answers: Answers, now: datetime) -> None:
        self.at = now
        self.minute = now.replace(second=0, microsecond=0)
        self._answers = answers
        self._made: dict[Hashable, asyncio.Task[Any]] = {}
        self._said: dict[Hashable, Reply] = {}
        self._calculating = asyncio.Semaphore(_AT_ONCE)
        self._drawing = asyncio.Semaphore(_AT_ONCE)

    async def parts(self, schedule: Schedule, *, server_id: int) -> list[PartAnswer]:
        """What the reports of a digest answer for a server, in its order."""
        asked: dict[Hashable, Part] = {}
        for part in schedule.parts[:MOST_PARTS]:
            asked[part.report, tuple(sorted(part.words.items())), server_id] = part
        made = (
            self._once(question, partial(self._answer, part, question, server_id))
            for question, part in asked.items()
        )
        return list(await asyncio.gather(*made))

    def say(self, part: PartAnswer, speech: Speech) -> Reply | None:
        """The words of an answer; None where there is none."""
        if part.report is None or part.result is None:
            return None
        key = (part.question, speech)
        if key not in self._said:
            self._said[key] = part.report.say(part.result, speech, self.at)
        return self._said[key]

    async def picture(self, part: PartAnswer, look: Look) -> Picture | None:
        if part.report is None or part.result is None:
            return None
        return await self._once((part.question, look), partial(self._draw, part.report, part.result, look))

    async def _once(self, key: Hashable, make: Callable[[], Awaitable[_T]]) -> _T:
        if key not in self._made:
            self._made[key] = asyncio.ensure_future(make())
        made: asyncio.Task[_T] = self._made[key]
        return await asyncio.shield(made)

    async def _answer(self, part: Part, question: Hashable, server_id: int) -> PartAnswer:
        report = REPORTS.get(part.report)
        words = dict(part.words)
        try:
            if report is None:
                raise UserError("There is no report called {name}.", name=part.report)
            query = report.read(words, self.at)
            if report.private(query):
                raise UserError("This is told to whoever asks, and to nobody else.")
            asked = Asked(store=self._answers.store, at=self.at, server_id=server_id)
            async with self._calculating:
                result = await report.answer(query, asked)
            asked_for = report.write(report.settled(query, result))
            return PartAnswer(report=report, question=question, words=asked_for, result=result)
        except UserError as error:
            why = error
        except Exception:
            log.exception("a report of a digest failed", report=part.report)
            why = UserError("It could not be made this time; the operator's log says why.")
        return PartAnswer(report=report, question=question, words=words, error=why)

    async def _draw(self, report: Report[Any, Any], result: Any, look: Look) -> Picture | None:
        async with self._drawing:
            # A second time, because nobody waits for this one.
            answered = Answered(result, self.at)
            return await self._answers.picture(report, answered, look) or await self._answers.picture(
                report, answered, look
            )


async def written(
    schedule: Schedule,
    parts: Sequence[PartAnswer],
    asking: Asking,
    *,
    settings: ServerSettings | None,
    marker: str,
    due: datetime,
) -> Written:
    """The post of a digest; ``due`` is when it should have gone out."""
    locales = ("zh-TW", "en") if schedule.language == BOTH else (schedule.language,)
    speeches = [Speech(locale, ZoneInfo(schedule.zone)) for locale in locales]
    pictures = []
    look = _look(schedule, settings, locales[0])
    for number, part in enumerate(parts, 1):
        picture = await asking.picture(part, look)
        if picture is not None and part.report is not None:
            name = f"{part.report.name}-{number}-{marker}.png"
            pictures.append(Enclosed(name=name, alt=picture.alt[:ALT_TEXT_LIMIT], png=picture.png))
    drawable = sum(part.result is not None for part in parts)
    tail = [
        line
        for speech in speeches
        for line in _tail(speech, asking.at, due, missing=drawable - len(pictures))
    ]
    if schedule.ping_role is not None:
        tail.append(f"<@&{schedule.ping_role}>")
    letter = Letter(
        content=_content(parts, speeches, asking, tail),
        rows=tuple(_rows(parts, asking, speeches[0], marker, both=schedule.language == BOTH)),
        role=schedule.ping_role,
    )
    return Written(letter=letter, pictures=tuple(pictures), data_as_of=asking.at)


def _look(schedule: Schedule, settings: ServerSettings | None, locale: str) -> Look:
    if settings is None:
        return Look(locale=locale, palette="tw" if locale == "zh-TW" else "intl", zone=schedule.zone)
    theme, palette = cast("Theme", settings.theme), cast("Palette", settings.palette)
    return Look(locale=locale, theme=theme, palette=palette, zone=schedule.zone)


def _tail(speech: Speech, at: datetime, due: datetime, *, missing: int) -> list[str]:
    """What is unusual about this one: a picture is missing, it is late."""
    _ = speech._
    lines = []
    if missing:
        lines.append("-# " + _("The picture could not be drawn this time; the words are complete."))
    if at - due >= LATE_AFTER:
        lines.append(
            "-# "
            + _("Late: due at {due}; the figures are those of {made}.").format(
                due=speech.instant(due), made=speech.instant(at)
            )
        )
    return lines


def _content(
    parts: Sequence[PartAnswer], speeches: Sequence[Speech], asking: Asking, tail: Sequence[str]
) -> str:
    """As many lines of every answer as fit; its first one and that about its data stay longest."""
    room = CONTENT_LIMIT - sum(len(line) + 1 for line in tail)
    content = ""
    for most in (3, 2, 1):
        lines: list[str] = []
        for speech in speeches:
            for part in parts:
                lines += _section(part, asking.say(part, speech), speech, most)
        content = "\n".join(lines)
        if len(content) <= room:
            break
    return "\n".join((fit(content, room), *tail))


def _section(part: PartAnswer, reply: Reply | None, speech: Speech, most: int) -> list[str]:
    if reply is not None:
        return [*(line for line in (reply.digest or reply.lines)[:most] if line), "-# " + reply.data_line]
    if part.error is None:
        return []
    _ = speech._
    name = "" if part.report is None else f"{part.report.name}: "
    return [name + part.error.in_words(_, shown)]


def _rows(
    parts: Sequence[PartAnswer], asking: Asking, speech: Speech, marker: str, *, both: bool
) -> list[tuple[Button, ...]]:
    """One report has the buttons of its card; several have a row each."""
    _ = speech._
    rows: list[tuple[Button, ...]] = []
    offered: set[str] = set()
    for part in parts:
        report = part.report
        if report is None:
            continue
        alone = len(parts) == 1
        name = "" if alone else f"{report.name} · "
        press = partial(Press, report=report.name, locale=speech.locale, words=part.words)
        if alone and report.switch is not None and part.error is None:
            now = part.words.get(report.switch)
            presses = ((value, press(action="to", argument=value)) for value in report.buttons)
            rows.append(
                tuple(
                    _button(switch_label(value, speech), one, report, current=value == now)
                    for value, one in presses
                )
            )
        # Details take no argument: the marker of the post stands there, for the outbox to find.
        last = [
            _button(name + _("Details"), press(action="more", argument=marker), report),
            _button(name + "CSV", press(action="csv", argument=""), report),
        ]
        if alone and not both:
            other = next(locale for locale in LOCALES if locale != speech.locale)
            last.append(_button(LANGUAGE_NAMES[other], press(action="lang", argument=other), report))
        reply = asking.say(part, speech)
        if reply is not None and reply.alert_at is not None:
            at = alert_id(part.words, reply.alert_at)
            # Two intervals may speak of one level, and Discord takes no message with the same button twice.
            if at not in offered:
                last.append(Button(label=name + _(ALERT_LABEL), custom_id=at))
                offered.add(at)
        rows.append(tuple(last))
    return rows


def _button(label: str, press: Press, report: Report[Any, Any], *, current: bool = False) -> Button:
    return Button(label=label, custom_id=press.custom_id(report), current=current)


def notice(schedule: Schedule, *, refused: bool, due: datetime, following: datetime | None) -> Letter:
    """What moderators are told of a digest that was not posted, or is paused."""
    locales = ("zh-TW", "en") if schedule.language == BOTH else (schedule.language,)
    lines = []
    for locale in locales:
        speech = Speech(locale, ZoneInfo(schedule.zone))
        _ = speech._
        reports = _(", ").join(part.report for part in schedule.parts)
        if refused:
            lines.append(
                _(
                    "The digest {reports} is paused: Discord refused it three times in <#{channel}>. Let Leadline view the "
                    "channel, send messages, attach files and read the message history there, or choose another "
                    "channel; then resume it with /digest."
                ).format(reports=reports, channel=schedule.channel_id)
            )
            continue
        lines.append(
            _(
                "The digest {reports} of {due} for <#{channel}> was not posted: it would have been too late."
            ).format(reports=reports, due=speech.instant(due), channel=schedule.channel_id)
        )
        if following is not None:
            lines.append(_("The next one comes at {time}.").format(time=speech.instant(following)))
    return Letter(content=fit("\n".join(lines), CONTENT_LIMIT))
