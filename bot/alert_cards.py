"""What somebody is shown of alerts, for their eyes alone: one before it is kept, all of them, one of them.

Everything needed to act on a press stands in its custom_id; whose an alert is is looked up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from analysis.alerts import Kind
from bot import alert_draft, alert_store
from bot import alert_words as words
from bot.alert_draft import MOST_ALERTS, Watched
from bot.alert_ids import MUTE_LABELS, custom_id
from bot.alert_prices import Standing, standings
from bot.card import TEXT_LIMIT, fit
from bot.errors import UserError
from bot.language import Speech
from bot.level_book import in_range
from bot.permissions import is_moderator
from bot.reader import defaults, speech_of
from storage.alerts import Acting, Alert, Crossing

if TYPE_CHECKING:
    from bot.client import Leadline

OWN, CHANNELS = "own", "channels"
"""Whose alerts a list shows: the reader's own, or those of the server's channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who asks, how they read, and in which language the server's channels do."""

    acting: Acting
    speech: Speech
    server_language: str


async def who(interaction: discord.Interaction[Leadline]) -> Who:
    """Raises UserError where there is no server."""
    if interaction.guild_id is None:
        raise UserError("Alerts belong to a server: ask there.")
    settings = await interaction.client.answers.server(interaction.guild_id)
    acting = Acting(
        server_id=interaction.guild_id,
        user_id=interaction.user.id,
        moderates=is_moderator(interaction, settings),
    )
    chosen = settings or defaults(acting.server_id, interaction.guild_locale)
    return Who(
        acting=acting,
        speech=await speech_of(interaction),
        server_language=chosen.language,
    )


def _button(
    label: str, action: str, *values: object, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> ui.Button[Any]:
    return ui.Button(label=label, style=style, custom_id=custom_id(action, *values))


def _view(*items: ui.Item[Any]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    # Presses are answered by their custom_id alone (bot/alert_buttons.py).
    view.stop()
    return view


class _NoFiles:
    def files(self) -> list[discord.File]:
        return []


@dataclass(frozen=True, kw_only=True)
class Asked(_NoFiles):
    """An alert as it was understood, asked about before it is kept. ``beside`` counts those in the same place."""

    draft: Alert
    beside: int
    standings: Mapping[str, Standing]
    speech: Speech

    def view(self) -> ui.LayoutView:
        _, draft = self.speech._, self.draft
        core = alert_draft.remembered(draft)
        return _view(
            ui.TextDisplay(fit("\n".join(self._lines()), TEXT_LIMIT)),
            ui.ActionRow(
                _button(_("Confirm"), "keep", core, style=discord.ButtonStyle.success),
                _button(_("Change"), "form", core),
                _button(_("Cancel"), "drop"),
            ),
        )

    def _lines(self) -> list[str]:
        _, draft = self.speech._, self.draft
        title = (
            _("Change an alert")
            if draft.id
            else _("New alert · {n}/{most}").format(n=self.beside + 1, most=MOST_ALERTS)
        )
        lines = [
            f"### {title}",
            f"**{words.line(draft, self.speech)}**",
            words.now_line(draft, self.standings, self.speech),
            words.told_line(draft, self.speech),
            words.not_yet_line(draft, self.standings, self.speech),
            *words.stale_lines(self.standings, self.speech),
            *words.rule_lines([draft], self.speech),
        ]
        return [line for line in lines if line]


def drafted(
    wanted: Watched, asker: Who, now: datetime, *, channel_id: int | None, ping_role: int | None = None
) -> Alert:
    """A new alert: for a channel in its server's language, by direct message in the reader's."""
    return alert_draft.alert(
        wanted,
        acting=asker.acting,
        channel_id=channel_id,
        ping_role=ping_role,
        language=asker.speech.locale if channel_id is None else asker.server_language,
        zone=asker.speech.zone.key,
        now=now,
    )


async def asked(interaction: discord.Interaction[Leadline], draft: Alert, asker: Who) -> Asked:
    """Raises UserError or NotAllowed for what may not be kept."""
    answers, acting = interaction.client.answers, asker.acting
    alert_draft.may_tell(draft, interaction, acting, asker.speech)
    known = await alert_store.visible(answers.store, acting)
    alert_draft.refuse(draft, known)
    prices = await standings(answers, _priced([draft]), server_id=acting.server_id)
    if draft.price is not None:
        standing = prices.get(draft.subject)
        in_range(draft.price, None if standing is None else standing.price)
    beside = len(alert_store.in_place_of(known, draft.owner_id))
    return Asked(draft=draft, beside=beside, standings=prices, speech=asker.speech)


@dataclass(frozen=True, kw_only=True)
class Listed(_NoFiles):
    """The alerts of one person or of a server's channels, the nearest to its price first.

    ``others`` counts those of the channels in a person's list, and the other way round; null for who
    does not moderate. ``done`` says what has just been done.
    """

    scope: str
    alerts: Sequence[Alert]
    others: int | None
    standings: Mapping[str, Standing]
    speech: Speech
    now: datetime
    done: str = ""

    def view(self) -> ui.LayoutView:
        _ = self.speech._
        items: list[ui.Item[Any]] = [ui.TextDisplay(self._text())]
        if self.alerts:
            items.append(ui.ActionRow(self._choice()))
        if self.others is not None:
            counted, other = (
                (_("Of the channels: {n}/{most}"), CHANNELS)
                if self.scope == OWN
                else (_("Your own: {n}/{most}"), OWN)
            )
            label = counted.format(n=self.others, most=MOST_ALERTS)
            items.append(ui.ActionRow(_button(label, "list", other)))
        return _view(*items)

    def _text(self) -> str:
        _, speech = self.speech._, self.speech
        title = _("Your alerts: {n}/{most}") if self.scope == OWN else _("Alerts of the channels: {n}/{most}")
        head = ["### " + title.format(n=len(self.alerts), most=MOST_ALERTS), self.done]
        tail = [*words.stale_lines(self.standings, speech), *words.rule_lines(self.alerts, speech)]
        if not self.alerts:
            head.append(_("None yet. /alerts add sets one up."))
        around = "\n".join(filter(None, (*head, *tail)))
        room = (TEXT_LIMIT - len(around)) // max(1, len(self.alerts)) - 1
        rows = [
            fit(words.listed(number, alert, self.standings, self.now, speech), room)
            for number, alert in enumerate(self.alerts, 1)
        ]
        return "\n".join(filter(None, (*head, *rows, *tail)))

    def _choice(self) -> ui.Select[Any]:
        _ = self.speech._
        return ui.Select(
            custom_id=custom_id("pick", self.scope),
            placeholder=_("Edit, mute or delete one"),
            options=[
                discord.SelectOption(
                    label=f"{number} · {words.line(alert, self.speech)}"[:100], value=str(alert.id)
                )
                for number, alert in enumerate(self.alerts, 1)
            ],
        )


async def listed(
    interaction: discord.Interaction[Leadline], asker: Who, scope: str = "", *, done: str = ""
) -> Listed:
    """Without a ``scope`` a person's own, or the channels' for a moderator who has none."""
    answers, acting = interaction.client.answers, asker.acting
    known = await alert_store.visible(answers.store, acting)
    own = alert_store.in_place_of(known, acting.user_id)
    channels = alert_store.in_place_of(known, None)
    if not acting.moderates:
        scope = OWN
    elif scope not in {OWN, CHANNELS}:
        scope = OWN if own or not channels else CHANNELS
    shown, others = (own, channels) if scope == OWN else (channels, own)
    prices = await standings(answers, _priced(shown), server_id=acting.server_id)
    return Listed(
        scope=scope,
        alerts=sorted(shown, key=lambda alert: _nearness(alert, prices)),
        others=len(others) if acting.moderates else None,
        standings=prices,
        speech=asker.speech,
        now=answers.clock.now(),
        done=done,
    )


def _priced(known: Sequence[Alert]) -> list[str]:
    return [alert.subject for alert in known if alert.price is not None]


def _nearness(alert: Alert, prices: Mapping[str, Standing]) -> tuple[bool, float, int]:
    standing = prices.get(alert.subject)
    if alert.price is None or standing is None:
        return alert.price is None, math.inf, alert.id
    return False, abs(standing.distance_pct(alert.price)), alert.id


@dataclass(frozen=True, kw_only=True)
class One(_NoFiles):
    """One alert with what can be done to it."""

    alert: Alert
    happened: Sequence[Crossing]
    standings: Mapping[str, Standing]
    speech: Speech
    now: datetime

    def view(self) -> ui.LayoutView:
        _, alert = self.speech._, self.alert
        muted = alert.muted_until is not None and alert.muted_until > self.now
        mutes = (
            [_button(_("Unmute"), "unmute", alert.id)]
            if muted
            else [_button(_(label), "mute", alert.id, span) for span, label in MUTE_LABELS.items()]
        )
        edit = _button(_("Edit"), "edit", alert.id)
        # There is one verdict, and a direct message has one reader: nothing to choose.
        edit.disabled = alert.kind is Kind.STRESS and alert.owner_id is not None
        text = words.whole(alert, self.happened, self.standings, self.now, self.speech)
        return _view(
            ui.TextDisplay(fit(text, TEXT_LIMIT)),
            ui.ActionRow(
                edit,
                *mutes,
                _button(_("Delete"), "gone", alert.id, style=discord.ButtonStyle.danger),
                _button(_("Back"), "list", CHANNELS if alert.owner_id is None else OWN),
            ),
        )


async def one(interaction: discord.Interaction[Leadline], asker: Who, alert_id: int) -> One:
    answers = interaction.client.answers
    alert, happened = await alert_store.one_of(answers.store, alert_id, asker.acting)
    prices = await standings(answers, _priced([alert]), server_id=asker.acting.server_id)
    return One(alert=alert, happened=happened, standings=prices, speech=asker.speech, now=answers.clock.now())
