"""The form of an alert, filled in with what is known so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import discord
from discord import ui

from analysis.alerts import Direction, Kind
from analysis.levels import Interval
from bot import alert_cards, alert_draft
from bot.alert_draft import MOST_BARS, PLAIN_BARS
from bot.alert_words import INTERVALS, PRICED
from bot.handlers import Form
from bot.language import N_
from bot.level_book import in_full
from bot.permissions import Right, open_to
from bot.reports import numbers
from bot.tell import tell

if TYPE_CHECKING:
    from bot.alert_cards import Asked, Who
    from bot.client import Leadline
    from storage.alerts import Alert

MOST_TYPED: Final = 40
"""Characters of a field; a price of ours has half of them."""
_SECONDS: Final = 900
_TO_ME: Final = "me"
_HELD: Final = {Direction.UP: N_("reclaimed and held"), Direction.DOWN: N_("broken")}
_WAYS: Final = {f"{kind}:{way}": (kind, way) for kind, way in PRICED}
_Choice = ui.Select[Any]


@open_to(Right.MEMBER)
class AlertForm(Form):
    """An alert to be made or changed; whoever sends it is asked once more before anything is kept.

    ``only_days``: of instruments known by daily bars alone. ``about``: what else an alert without a
    price can be about. ``in_place`` where the form was opened from a message that is the reader's alone.
    Discord forgets the form, not the message, when the bot restarts.
    """

    draft: Alert | None = None
    in_place = False

    def __init__(
        self,
        interaction: discord.Interaction[Leadline],
        draft: Alert,
        asker: Who,
        *,
        only_days: bool = False,
        about: Sequence[str] = (),
        in_place: bool = False,
    ) -> None:
        _ = asker.speech._
        title = _("Change an alert") if draft.id else _("New alert")
        super().__init__(title=f"{title} · {draft.subject}"[:45], timeout=_SECONDS)
        self.draft, self.in_place = draft, in_place
        self._price, self._bars = _price(draft), _bars(draft)
        # How many bars stands in a field of its own.
        ways = {
            key: _HELD[way] if kind is Kind.HOLD else PRICED[kind, way] for key, (kind, way) in _WAYS.items()
        }
        self._way = _choice("way", [(key, _(words)) for key, words in ways.items()])
        _preset(self._way, f"{draft.kind}:{draft.direction}")
        lengths = [Interval.D1] if only_days else list(Interval)
        self._interval = _choice("interval", [(each.value, _(INTERVALS[each.value])) for each in lengths])
        _preset(self._interval, draft.interval or "")
        self._about = _choice("about", [(each, each) for each in about or (draft.subject,)])
        _preset(self._about, draft.subject)
        self._where = _choice("where", _places(interaction, draft, asker))
        _preset(self._where, _TO_ME if draft.owner_id is not None else str(draft.channel_id))
        if draft.price is not None:
            self.add_item(ui.Label(text=_("Price: 73.6k or 73,600"), component=self._price))
            self.add_item(ui.Label(text=_("Tell it when"), component=self._way))
            self.add_item(ui.Label(text=_("Length of a bar"), component=self._interval))
            self.add_item(
                ui.Label(
                    text=_("Closes it takes to hold, up to {most}").format(most=MOST_BARS),
                    component=self._bars,
                )
            )
        else:
            self.add_item(ui.Label(text=_("About"), component=self._about))
        self.add_item(ui.Label(text=_("Told where"), component=self._where))

    async def submitted(self, interaction: discord.Interaction[Leadline]) -> None:
        draft = self.draft
        if draft is None:
            raise alert_draft.other_version()
        asker = await alert_cards.who(interaction)
        await tell(interaction, self._asked(interaction, draft, asker), in_place=self.in_place)

    async def _asked(self, interaction: discord.Interaction[Leadline], draft: Alert, asker: Who) -> Asked:
        kind, direction = _WAYS[_one(self._way)] if draft.price is not None else (draft.kind, None)
        of_price = draft.price is not None
        async with interaction.client.answers.store.read() as db:
            wanted = await alert_draft.watched(
                db,
                kind,
                instrument=draft.subject if of_price else _one(self._about),
                price=self._price.value if of_price else "",
                interval=Interval(_one(self._interval)) if of_price else None,
                direction=direction,
                bars=numbers.count(self._bars.value, most=MOST_BARS) if kind is Kind.HOLD else None,
            )
        where = _one(self._where)
        channel_id = None if where == _TO_ME else int(where)
        if draft.id:
            changed = alert_draft.instead(draft, wanted)
            if channel_id is not None and draft.owner_id is None:
                changed = replace(changed, channel_id=channel_id)
        else:
            changed = alert_cards.drafted(
                wanted,
                asker,
                interaction.client.clock.now(),
                channel_id=channel_id,
                ping_role=None if channel_id is None else draft.ping_role,
            )
        return await alert_cards.asked(interaction, changed, asker)


def _price(draft: Alert) -> ui.TextInput[Any]:
    price = None if draft.price is None else in_full(draft.price)
    return ui.TextInput(custom_id="price", default=price, max_length=MOST_TYPED)


def _bars(draft: Alert) -> ui.TextInput[Any]:
    return ui.TextInput(
        custom_id="bars", default=str(draft.bars or PLAIN_BARS[Direction.UP]), max_length=MOST_TYPED
    )


def _choice(custom_id: str, options: Sequence[tuple[str, str]]) -> _Choice:
    shown = [discord.SelectOption(value=value, label=label[:100]) for value, label in options[:25]]
    return ui.Select(custom_id=custom_id, options=shown)


def _preset(select: _Choice, value: str) -> None:
    for option in select.options:
        option.default = option.value == value


def _one(select: _Choice) -> str:
    """What was chosen. Raises UserError for what was not among the choices: Discord does not check."""
    offered = {option.value for option in select.options}
    match select.values:
        case [str(value)] if value in offered:
            return value
    raise alert_draft.other_version()


def _places(interaction: discord.Interaction[Leadline], draft: Alert, asker: Who) -> list[tuple[str, str]]:
    """To the reader, in the alert's channel, in this one; an alert that is kept stays whose it is."""
    _ = asker.speech._
    places = [] if draft.id and draft.owner_id is None else [(_TO_ME, _("To me, by direct message"))]
    if not asker.acting.moderates or (draft.id and draft.owner_id is not None):
        return places
    here = getattr(interaction.channel, "parent_id", None) or interaction.channel_id
    chosen = None if draft.owner_id is not None else draft.channel_id
    for channel_id in dict.fromkeys(each for each in (chosen, here) if each):
        channel = None if interaction.guild is None else interaction.guild.get_channel(channel_id)
        name = "#?" if channel is None else f"#{channel.name}"
        places.append((str(channel_id), _("In {channel}, for all to see").format(channel=name)))
    return places
