"""A reply becomes a Discord card: the only place that knows Components V2 and its limits."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import discord
from discord import ui

from analysis.charts.look import ALT_TEXT_LIMIT, Picture
from bot import table
from bot.language import LOCALES, N_, Speech
from bot.reports.shapes import Reply, Report

TEXT_LIMIT: Final = 4000
"""Characters in all text of one V2 message."""
CUSTOM_ID_LIMIT: Final = 100
CUSTOM_ID_VERSION: Final = 1
ACTIONS: Final = frozenset({"to", "more", "csv", "lang", "post", "own", "pick"})
PICK: Final = "ll-pick"
"""Begins the custom_id of a select, before that of the card's buttons."""
DELETE_ID: Final = "ll-delete"
"""custom_id of the button that deletes the card it stands on, whatever the card says."""
ALERT_ID: Final = "al1|at|{instrument}|{price}"
"""custom_id of the button that opens the form of a new alert (``bot/alert_buttons.py``)."""
ALERT_LABEL: Final = N_("Alert at this level")
PICTURE_NAME: Final = "{report}.png"
LANGUAGE_NAMES: Final = {"en": "English", "zh-TW": "中文"}
_CUSTOM_ID = re.compile(r"ll(?P<version>\d{1,4})\|(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What a button says: an action on a report asked with certain words, in a language.

    ``action`` is ``to`` (change the switch option to ``argument``), ``more`` (details),
    ``csv``, ``lang`` (``argument`` is the language), ``post`` (the same card for all),
    ``own`` (the same card for the presser) or ``pick`` (of a select: what is picked comes
    with the interaction).
    """

    report: str
    action: str
    argument: str
    locale: str
    words: Mapping[str, str] = field(default_factory=dict)

    def custom_id(self, report: Report[Any, Any]) -> str:
        """At most 100 characters; options in the report's own order, empty where not asked."""
        values = [self.words.get(option.name, "") for option in report.options]
        text = "|".join(
            [f"ll{CUSTOM_ID_VERSION}", self.report, self.action, self.argument, self.locale, *values]
        )
        if len(text) > CUSTOM_ID_LIMIT or text.count("|") != 4 + len(values):
            raise ValueError("options do not fit a custom_id: shorten them where the report reads them")
        return text


def parse_press(custom_id: str, reports: Mapping[str, Report[Any, Any]]) -> Press | None:
    """The press behind a custom_id of this version; None for another version or one we never wrote.

    A card sent before its report learnt another option says nothing about it: options are
    only ever added at the end, and what is not there was not asked.
    """
    match = _CUSTOM_ID.fullmatch(custom_id)
    if match is None or int(match["version"]) != CUSTOM_ID_VERSION:
        return None
    name, *rest = match["rest"].split("|")
    report = reports.get(name)
    most = 3 + len(report.options) if report else 0
    if report is None or not min(4, most) <= len(rest) <= most:
        return None
    action, argument, locale, *values = rest
    if action not in ACTIONS or locale not in LOCALES:
        return None
    # A language becomes the name of a folder of words.
    if action == "lang" and argument not in LOCALES:
        return None
    words = {option.name: value for option, value in zip(report.options, values, strict=False) if value}
    return Press(report=name, action=action, argument=argument, locale=locale, words=words)


class Audience(Enum):
    """Who sees a card, which decides how its buttons end.

    ``EVERYBODY`` in the channel: the asker may delete it. ``ASKER`` alone, who may post it.
    ``ASKER_ONLY``: there is nowhere to post it.
    """

    EVERYBODY = "everybody"
    ASKER = "asker"
    ASKER_ONLY = "asker only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A message ready to send or to edit in."""

    view: ui.LayoutView
    files: tuple[discord.File, ...]


def build(
    report: Report[Any, Any],
    reply: Reply,
    picture: Picture | None,
    *,
    words: Mapping[str, str],
    speech: Speech,
    audience: Audience = Audience.EVERYBODY,
    private: bool = False,
) -> Card:
    """Text first, picture second, buttons last; complete without the picture.

    A private card has no buttons and tells its details at once.
    """
    _ = speech._
    container: ui.Container[Any] = ui.Container()
    lines = [line for line in (*reply.lines, *(reply.details if private else ())) if line]
    data_line = "-# " + reply.data_line
    if picture is None:
        data_line = (
            "-# " + _("The picture could not be drawn this time; the words are complete.") + "\n" + data_line
        )
    container.add_item(ui.TextDisplay(fit_lines(lines, TEXT_LIMIT - len(data_line), speech)))
    files: tuple[discord.File, ...] = ()
    if picture is not None:
        file = discord.File(io.BytesIO(picture.png), PICTURE_NAME.format(report=report.name))
        gallery: ui.MediaGallery[Any] = ui.MediaGallery()
        gallery.add_item(media=file, description=picture.alt[:ALT_TEXT_LIMIT])
        container.add_item(gallery)
        files = (file,)
    container.add_item(ui.TextDisplay(data_line))

    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    if not private:
        for row in _buttons(report, words, speech, audience, alert_at=reply.alert_at):
            view.add_item(row)
    # Presses are answered by their custom_id alone (bot/respond.py), so that they
    # work after a restart; discord.py need not remember this view.
    view.stop()
    return Card(view=view, files=files)


def _buttons(
    report: Report[Any, Any],
    words: Mapping[str, str],
    speech: Speech,
    audience: Audience,
    *,
    alert_at: float | None,
) -> list[ui.ActionRow[Any]]:
    """At most five in a row: those of the switch, and those that end the card."""
    _ = speech._

    def button(label: str, action: str, argument: str = "", *, current: bool = False) -> ui.Button[Any]:
        press = Press(report=report.name, action=action, argument=argument, locale=speech.locale, words=words)
        style = discord.ButtonStyle.primary if current else discord.ButtonStyle.secondary
        return ui.Button(label=label, style=style, disabled=current, custom_id=press.custom_id(report))

    rows: list[ui.ActionRow[Any]] = []
    if report.switch is not None:
        now = words[report.switch]
        rows.append(
            ui.ActionRow(
                *(
                    button(switch_label(value, speech), "to", value, current=value == now)
                    for value in report.buttons
                )
            )
        )
    if report.menu is not None:
        rows.append(ui.ActionRow(_select(report, words, speech)))
    other = next(locale for locale in LOCALES if locale != speech.locale)
    last = [button(_("Details"), "more"), button("CSV", "csv"), button(LANGUAGE_NAMES[other], "lang", other)]
    if alert_at is not None:
        last.append(ui.Button(label=_(ALERT_LABEL), custom_id=alert_id(words, alert_at)))
    match audience:
        case Audience.EVERYBODY:
            last.append(ui.Button(label=_("Delete"), custom_id=DELETE_ID))
        case Audience.ASKER:
            last.append(button(_("Post here"), "post"))
        case Audience.ASKER_ONLY:
            pass
    rows.append(ui.ActionRow(*last))
    return rows


def switch_label(value: str, speech: Speech) -> str:
    """What the button for ``value`` of a report's switch reads: an interval is translated, a ticker is not."""
    return speech._(value)


def alert_id(words: Mapping[str, str], price: float) -> str:
    """The custom_id of the button below an answer to ``words`` that offers an alert at ``price``."""
    return ALERT_ID.format(instrument=words["instrument"], price=f"{price:.9f}".rstrip("0").rstrip("."))


def _select(report: Report[Any, Any], words: Mapping[str, str], speech: Speech) -> ui.Select[Any]:
    press = Press(report=report.name, action="pick", argument="", locale=speech.locale, words=words)
    now = words.get(report.menu or "", report.menu_choices[0][0])
    options = [
        discord.SelectOption(label=speech._(label), value=value, default=value == now)
        for value, label in report.menu_choices
    ]
    return ui.Select(custom_id=f"{PICK}|{press.custom_id(report)}", options=options)


def asked_already(
    report: Report[Any, Any], link: str, *, words: Mapping[str, str], speech: Speech
) -> ui.LayoutView:
    """What somebody is shown instead of a second card: where the first is, and a way to one of their own."""
    _ = speech._
    press = Press(report=report.name, action="own", argument="", locale=speech.locale, words=words)
    view = ui.LayoutView(timeout=None)
    view.add_item(
        ui.TextDisplay(_("The same was asked here less than a minute ago: {link}").format(link=link))
    )
    view.add_item(
        ui.ActionRow(ui.Button(label=_("Answer me all the same"), custom_id=press.custom_id(report)))
    )
    view.stop()
    return view


def details(reply: Reply, speech: Speech) -> ui.LayoutView:
    """What is behind an answer, and where it comes from, which stays whatever does not fit."""
    data_line = "-# " + reply.data_line
    text = fit_lines(reply.details, TEXT_LIMIT - len(data_line) - 1, speech)
    return words_only(f"{text}\n{data_line}")


def words_only(text: str) -> ui.LayoutView:
    """A card of nothing but text: details, errors after a deferred answer."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.TextDisplay(fit(text, TEXT_LIMIT)))
    view.stop()
    return view


def fit(text: str, limit: int) -> str:
    """``text`` cut at a line's end to at most ``limit`` characters, with an ellipsis where cut."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 2]
    return kept[: kept.rfind("\n") + 1 or len(kept)] + "…"


def fit_lines(lines: Sequence[str], limit: int, speech: Speech) -> str:
    """``lines`` in at most ``limit`` characters; where some do not fit, how many stands in their place."""
    text = "\n".join(lines)
    kept = len(lines)
    while len(text) > limit and kept > 1:
        kept -= 1
        more = speech._("… lines that do not fit into a message: {n}").format(n=len(lines) - kept)
        text = "\n".join((*lines[:kept], "-# " + more))
    return fit(text, limit)


def csv_file(name: str, rows: Sequence[Sequence[object]]) -> discord.File:
    return discord.File(io.BytesIO(table.csv_bytes(rows)), name)
