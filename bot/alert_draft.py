"""An alert while it is being put together: what was typed, made sure of, and as the buttons remember it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import discord

from analysis.alerts import Direction, Kind
from analysis.breaks import Rule
from analysis.levels import Interval
from bot.data_entries import ASSETS, LEADERS
from bot.digest_draft import NEEDED
from bot.errors import NotAllowed, UserError
from bot.language import N_
from bot.level_book import HIGHEST, LOWEST, NEAR, in_full, within
from bot.reports import numbers
from storage import instruments
from storage.alerts import Acting, Alert

if TYPE_CHECKING:
    from bot.language import Speech
    from storage.store import Db

MOST_ALERTS: Final = 20
"""Of one person in a server, and of a server's channels."""
MOST_BARS: Final = 48
"""A day of half hours: what takes longer to hold is asked of longer bars."""
PLAIN_BARS: Final = {Direction.UP: Rule().bars_to_hold, Direction.DOWN: Rule().bars_to_break}
"""How many closes it takes on the cards to have reclaimed a level, and to have broken it."""
STRESS: Final = "stress"
FLOWS: Final = " flows"
"""After the asset: the subject of an alert about a source of flows."""
KINDS: Final[Mapping[Kind, str]] = {
    Kind.TOUCH: N_("the price is touched"),
    Kind.CLOSE: N_("a bar closes beyond the price"),
    Kind.HOLD: N_("the price is reclaimed and held, or broken"),
    Kind.FLOW_FINAL: N_("the ETF flow of a day is final"),
    Kind.FLOW_REGIME: N_("the regime of ETF flows changes"),
    Kind.MARGIN_RECORDED: N_("a notice of CME margin is recorded"),
    Kind.MARGIN_TOMORROW: N_("a CME margin takes effect tomorrow"),
    Kind.STRESS: N_("the verdict of market stress changes"),
    Kind.STALE: N_("a data source goes stale"),
}
"""What can be waited for, in words."""
_NEEDED: Final = ("view_channel", "send_messages", "read_message_history")
_NONE: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What an alert waits for; the fields are those of ``storage.alerts.Alert``."""

    kind: Kind
    subject: str
    interval: Interval | None = None
    price: float | None = None
    direction: Direction | None = None
    bars: int | None = None


async def watched(
    db: Db,
    kind: Kind,
    *,
    instrument: str = "",
    price: str = "",
    interval: Interval | None = None,
    direction: Direction | None = None,
    bars: int | None = None,
) -> Watched:
    """As typed; what was not is the plainest there is. Raises UserError for what cannot be waited for."""
    if not kind.of_price and (price.strip() or interval or direction):
        raise UserError("Price, interval and direction belong to a price: leave them out here.")
    if kind is not Kind.HOLD and bars is not None:
        raise UserError("A number of bars belongs to what is reclaimed and held: leave it out here.")
    if not kind.of_price:
        return Watched(kind=kind, subject=await _subject(db, kind, instrument))
    if not price.strip():
        raise UserError("Which price? Write 73.6k or 73,600.")
    if kind is Kind.HOLD and direction is Direction.EITHER:
        raise UserError("Reclaimed is upwards, broken is downwards: choose one of them.")
    amount = numbers.amount(price, low=LOWEST, high=HIGHEST)
    code, daily = await _candles(db, instrument)
    if daily and interval not in {None, Interval.D1}:
        raise UserError("{instrument} is known by daily bars only: ask with interval 1d.", instrument=code)
    way = direction or (Direction.UP if kind is Kind.HOLD else Direction.EITHER)
    return Watched(
        kind=kind,
        subject=code,
        interval=interval or (Interval.D1 if daily else Interval.M30),
        price=amount,
        direction=way,
        bars=(bars or PLAIN_BARS[way]) if kind is Kind.HOLD else None,
    )


async def subjects(db: Db, kind: Kind | None) -> list[str]:
    """What an alert of this kind can be about, the plainest first."""
    match kind:
        case Kind.FLOW_FINAL | Kind.FLOW_REGIME:
            return list(ASSETS)
        case Kind.MARGIN_RECORDED | Kind.MARGIN_TOMORROW:
            return list(LEADERS)
        case Kind.STRESS:
            return [STRESS]
        case Kind.STALE:
            codes = dict.fromkeys(series.code for series in await instruments.stored(db))
            return [*codes, *(asset + FLOWS for asset in ASSETS)]
        case _:
            return [series.code for series in await instruments.with_candles(db)]


async def _subject(db: Db, kind: Kind, typed: str) -> str:
    known = await subjects(db, kind)
    plain = "BTC" if "BTC" in known else known[0]
    wanted = " ".join(typed.split()).casefold() or plain.casefold()
    found = next((each for each in known if each.casefold() == wanted), None)
    if found is None:
        raise UserError(
            "{instrument} is not known; known are {known}.", instrument=typed[:40], known=tuple(known)
        )
    return found


async def only_days(db: Db, code: str) -> bool:
    """Whether an instrument is known by its days alone."""
    return (await _candles(db, code))[1]


async def _candles(db: Db, typed: str) -> tuple[str, bool]:
    """The code of an instrument with candles, and whether it is known by its days alone."""
    wanted = typed.strip().upper() or "BTC"
    known = await instruments.with_candles(db)
    found = next((series for series in known if series.code == wanted), None)
    if found is None:
        raise UserError(
            "There are no candles of “{instrument}” here; there are of {known}.",
            instrument=typed[:40],
            known=tuple(series.code for series in known),
        )
    return found.code, found.interval is Interval.D1


def alert(
    wanted: Watched,
    *,
    acting: Acting,
    channel_id: int | None,
    ping_role: int | None = None,
    language: str,
    zone: str,
    now: datetime,
) -> Alert:
    """A new alert for a channel, or for who asks by direct message where there is none."""
    return Alert(
        server_id=acting.server_id,
        channel_id=channel_id or 0,
        owner_id=acting.user_id if channel_id is None else None,
        kind=wanted.kind,
        subject=wanted.subject,
        interval=wanted.interval,
        price=wanted.price,
        direction=wanted.direction,
        bars=wanted.bars,
        language=language,
        zone=zone,
        ping_role=ping_role,
        since=now,
        added_by=acting.user_id,
        added_at=now,
    )


def instead(kept: Alert, wanted: Watched) -> Alert:
    """The alert waiting for something else."""
    return replace(
        kept,
        kind=wanted.kind,
        subject=wanted.subject,
        interval=wanted.interval,
        price=wanted.price,
        direction=wanted.direction,
        bars=wanted.bars,
    )


def refuse(draft: Alert, known: Sequence[Alert]) -> None:
    """Raises UserError where the same place has such an alert already, or has too many. ``known``: all of the server's
    that its author may see.
    """
    beside = [each for each in known if each.owner_id == draft.owner_id and each.id != draft.id]
    near = next((each for each in beside if _alike(draft, each)), None)
    if near is not None and draft.price is not None and near.price is not None:
        raise UserError(
            "There is such an alert at {existing} already, within {share} % of {price}: see /alerts list.",
            existing=in_full(near.price),
            share=f"{100 * NEAR:g}",
            price=in_full(draft.price),
        )
    if near is not None:
        raise UserError("There is such an alert already: see /alerts list.")
    if not draft.id and len(beside) >= MOST_ALERTS:
        raise full(draft.owner_id)


def full(owner_id: int | None) -> UserError:
    if owner_id is None:
        return UserError(
            "The channels of this server have {n}/{most} alerts: delete one with /alerts list first.",
            n=MOST_ALERTS,
            most=MOST_ALERTS,
        )
    return UserError(
        "You have {n}/{most} alerts in this server: delete one with /alerts list first.",
        n=MOST_ALERTS,
        most=MOST_ALERTS,
    )


def _alike(one: Alert, other: Alert) -> bool:
    """Whether both would say the same of nearly the same price in the same place."""
    if any(getattr(one, name) != getattr(other, name) for name in ("kind", "subject", "interval", "bars")):
        return False
    if one.owner_id is None and one.channel_id != other.channel_id:
        return False
    if one.price is None or other.price is None:
        return True
    ways = {one.direction, other.direction}
    return (len(ways) == 1 or Direction.EITHER in ways) and within(one.price, other.price, NEAR)


def may_tell(draft: Alert, interaction: discord.Interaction[Any], acting: Acting, speech: Speech) -> None:
    """Raises NotAllowed or UserError unless who asks may have it told there, and we may do so."""
    if draft.owner_id is not None:
        if draft.ping_role is not None:
            raise UserError("A direct message pings nobody else: leave the role out.")
        return
    if not acting.moderates:
        raise NotAllowed(
            "Only moderators have alerts told in a channel. Leave the channel out, and it comes to you alone "
            "by direct message."
        )
    guild, asker = interaction.guild, interaction.user
    channel = None if guild is None else guild.get_channel(draft.channel_id)
    if guild is None or not isinstance(channel, discord.TextChannel) or not isinstance(asker, discord.Member):
        raise UserError("An alert goes into a text or announcement channel of this server: choose one.")
    theirs, ours = channel.permissions_for(asker), channel.permissions_for(guild.me)
    if not (theirs.view_channel and theirs.send_messages):
        raise UserError(
            "You may not write in <#{channel}>, so no alert of yours goes there.", channel=channel.id
        )
    lacking = [speech._(NEEDED[right]) for right in _NEEDED if not getattr(ours, right)]
    if lacking:
        raise UserError(
            "Leadline lacks in <#{channel}>: {permissions}. Give it these, or choose another channel.",
            channel=channel.id,
            permissions=" · ".join(lacking),
        )
    role = None if draft.ping_role is None else guild.get_role(draft.ping_role)
    if draft.ping_role is not None and role is None:
        raise UserError("That role does not belong to this server.")
    if role is not None and role.is_default():
        raise UserError("An alert never pings everybody: choose another role.")


# As the buttons remember it


def remembered(draft: Alert) -> str:
    """All that was chosen, in at most 90 characters; ``recalled`` reads it back."""
    channel = None if draft.owner_id is not None else draft.channel_id
    price = None if draft.price is None else f"{draft.price:.9f}".rstrip("0").rstrip(".")
    told = (
        draft.kind.value,
        draft.subject,
        draft.interval,
        price,
        None if draft.direction is None else draft.direction.value[0],
        draft.bars,
        None if channel is None else f"{channel:x}",
        None if draft.ping_role is None else f"{draft.ping_role:x}",
        draft.id,
    )
    return "|".join(_NONE if value is None else str(value) for value in told)


def other_version() -> UserError:
    return UserError("This button is from another version of Leadline. Type /alerts list to go on.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a button says was chosen: nothing of it is trusted before it is read again as if it was typed."""

    kind: Kind
    words: Mapping[str, Any]
    channel_id: int | None
    ping_role: int | None
    alert_id: int


def recalled(parts: Sequence[str]) -> Recalled:
    """Raises UserError for what no button of this version says."""
    try:
        kind, subject, interval, price, direction, bars, channel, role, number = parts
        letters = {each.value[0]: each for each in Direction}
        return Recalled(
            kind=Kind(kind),
            words={
                "instrument": subject,
                "price": "" if price == _NONE else price,
                "interval": None if interval == _NONE else Interval(interval),
                "direction": None if direction == _NONE else letters[direction],
                "bars": None if bars == _NONE else numbers.count(bars, most=MOST_BARS),
            },
            channel_id=None if channel == _NONE else _snowflake(channel),
            ping_role=None if role == _NONE else _snowflake(role),
            alert_id=int(number[:18]),
        )
    except (ValueError, KeyError) as error:
        raise other_version() from error


def _snowflake(text: str) -> int:
    number = int(text[:17], 16)
    if not 0 < number < 2**63:
        raise ValueError(text)
    return number
