"""``/alerts`` as people meet it: asked about before it is kept, listed by distance, changed by whom it belongs to."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
from digesting import NOW, Hands
from people import Server, Speaking, bot_of, buttons, changed_in_place, sent, texts
from raw import COMPONENT, Asked, message_of
from simcord.components import walk_components
from sqlalchemy import insert

from analysis.alerts import Direction, Kind
from analysis.errors import UserError
from analysis.levels import Interval
from bot.alert_buttons import AlertItem
from bot.alert_draft import recalled, remembered
from bot.answers import Answers
from bot.client import Leadline
from bot.pictures import Pictures
from storage import alerts, schema
from storage.alerts import Acting, Alert
from storage.instants import epoch
from storage.store import Store

NBSP = "\N{NO-BREAK SPACE}"
NO_SUCH = "There is no such alert here: see /alerts list."
OTHER_VERSION = "This button is from another version of Leadline. Type /alerts list to go on."
RULE = (
    "-# Judged on closed bars only: never on a running bar, never on stale data. A close counts beyond a band of "
    "0.1 % or 0.25 ATR around the price, whichever is wider."
)
FINAL = "-# Figures count when they are final: nothing is told of stale or partial ones."
TO_ME = "Told to you alone, by direct message"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def answers(store: Store, pictures: Pictures, hands: Hands) -> Answers:
    return Answers(store, pictures, hands)


def wide(digits: str) -> str:
    """As a Chinese keyboard types them."""
    return "".join(chr(ord(char) + 0xFEE0) for char in digits)


def lines(message: simcord.ResponseMessage) -> list[str]:
    return "\n".join(texts(message)).replace(NBSP, " ").split("\n")


async def add(server: Server, by: simcord.MemberActor | None = None, **options: Any) -> Any:
    result = await (by or server.alice).slash(server.channel, "alerts add", **options)
    assert result.ephemeral
    return result


async def refused(server: Server, by: simcord.MemberActor | None = None, **options: Any) -> str:
    told: str = sent(await add(server, by, **options)).content
    assert told
    assert await kept(server) == []
    return told


async def confirmed(server: Server, by: simcord.MemberActor, **options: Any) -> Alert:
    asked = await add(server, by, **options)
    before = await kept(server)
    await by.click(sent(asked), label="Confirm")
    [new] = [alert for alert in await kept(server) if alert not in before]
    return new


async def kept(server: Server) -> list[Alert]:
    """All there are, whosever."""
    async with bot_of(server).answers.store.read() as db:
        rows = (await db.execute(schema.alerts.select().order_by(schema.alerts.c.id))).mappings()
        return [alerts.alert_of(row) for row in rows]


async def listed(server: Server, by: simcord.MemberActor) -> simcord.ResponseMessage:
    result = await by.slash(server.channel, "alerts list")
    assert result.ephemeral
    return sent(result)


async def chosen(server: Server, by: simcord.MemberActor, alert: Alert) -> simcord.ResponseMessage:
    """The list with one alert chosen from it."""
    panel = await listed(server, by)
    [select] = [part for part in walk_components(panel.components) if part.get("type") == 3]
    await by.select(panel, [str(alert.id)], custom_id=select["custom_id"])
    return panel


def controls(result: Any) -> dict[str, dict[str, Any]]:
    """The fields of a form by name."""
    return {
        part["custom_id"]: part for part in walk_components(result.modal["components"]) if "custom_id" in part
    }


def preset(field: dict[str, Any]) -> str | None:
    if "options" not in field:
        return field.get("value")
    return next((option["value"] for option in field["options"] if option.get("default")), None)


async def press(
    server: Server, by: Any, custom_id: str, *, on: dict[str, Any], times: int = 1, place: Any = None
) -> simcord.InteractionResult:
    """A button that nobody was shown, on a message that was."""
    button = {"type": 2, "id": 98, "style": 2, "label": "x", "custom_id": custom_id, "disabled": False}
    on = on | {"components": [{"type": 1, "id": 99, "components": [button]}]}
    data = {"custom_id": custom_id, "component_type": 2}
    return await Asked(server.env, COMPONENT, by, place or server.channel, data, on=on).deliver(times)


# Adding


async def test_what_was_understood_is_shown_before_anything_is_kept(server: Server) -> None:
    """73.6k in full width. 73,600 / 66,153.9 - 1 = 11.26 %; the sample's ATR14 is the cards'."""
    asked = await add(server, kind="close", price=wide("73.6") + "k")
    assert lines(sent(asked)) == [
        "### New alert · 1/20",
        "**BTC 73,600 · a close beyond it · 30m**",
        "Now 66,154 (5 Feb 18:00 UTC): +11.3 %, 2.0 daily ATR",
        TO_ME,
        RULE,
    ]
    assert list(buttons(sent(asked))) == ["Confirm", "Change", "Cancel"]
    assert await kept(server) == []

    await server.alice.click(sent(asked), label="Cancel")
    assert lines(sent(asked)) == ["Cancelled: nothing was kept."]
    assert await kept(server) == []


async def test_confirmed_it_comes_by_direct_message_to_who_asked(server: Server) -> None:
    asked = await add(server, kind="hold", price="73,600", bars=8)
    await server.alice.click(sent(asked), label="Confirm")
    assert lines(sent(asked)) == [
        "The alert is set.",
        "**BTC 73,600 · reclaimed and held, 8 bars · 30m**",
        TO_ME,
    ]
    [alert] = await kept(server)
    assert alert == Alert(
        id=alert.id,
        server_id=server.channel.guild.id,
        channel_id=server.alice.user.dm_channel.id,
        owner_id=server.alice.id,
        kind=Kind.HOLD,
        subject="BTC",
        interval=Interval.M30,
        price=73_600.0,
        direction=Direction.UP,
        bars=8,
        language="en",
        zone="UTC",
        since=NOW,
        added_by=server.alice.id,
        added_at=NOW,
    )
    await server.alice.click(sent(asked), label="All alerts")
    assert lines(sent(asked))[0] == "### Your alerts: 1/20"


KINDS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "touch", "price": "70k", "direction": "down"}, "BTC 70,000 · touched from above · 30m"),
    (
        {"kind": "close", "price": "70k", "direction": "up", "interval": "4h"},
        "BTC 70,000 · a close above it · 4h",
    ),
    (
        {"kind": "hold", "price": "61.5k", "direction": "down"},
        "BTC 61,500 · broken, 2 bars below it · 30m",
    ),
    ({"kind": "close", "price": "80", "instrument": "si"}, "SI 80 · a close beyond it · 1d"),
    ({"kind": "flow_final"}, "BTC · the ETF flow of a day is final"),
    ({"kind": "flow_regime", "instrument": "eth"}, "ETH · the regime of ETF flows changes"),
    ({"kind": "margin_recorded"}, "SI · a notice of CME margin is recorded"),
    ({"kind": "margin_tomorrow", "instrument": "GC"}, "GC · a CME margin takes effect tomorrow"),
    ({"kind": "stress"}, "the verdict of market stress changes"),
    ({"kind": "stale", "instrument": "eth flows"}, "ETF flows of ETH · a data source goes stale"),
]


async def test_every_kind_can_be_waited_for(server: Server) -> None:
    for options, told in KINDS:
        asked = await add(server, **options)
        assert lines(sent(asked))[1] == f"**{told}**"
        if options["kind"] not in {"touch", "close", "hold", "stale"}:
            assert lines(sent(asked))[-1] == FINAL
        await server.alice.click(sent(asked), label="Confirm")
    assert [alert.kind for alert in await kept(server)] == [options["kind"] for options, _ in KINDS]
    shown = "\n".join(lines(await listed(server, server.alice))).replace("**", "")
    for _, told in KINDS:
        assert all(part in shown for part in told.split(" · "))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "close"}, "Which price? Write 73.6k or 73,600."),
    ({"kind": "close", "price": "73.6x"}, "“73.6x” is not a number: write 76.53, 57,397.50 or 57.4k."),
    (
        {"kind": "close", "price": "736k"},
        "736,000 is more than 10 times away from the present price of 66,153.9. Check the unit.",
    ),
    (
        {"kind": "stress", "price": "70k"},
        "Price, interval and direction belong to a price: leave them out here.",
    ),
    (
        {"kind": "close", "price": "70k", "bars": 4},
        "A number of bars belongs to what is reclaimed and held: leave it out here.",
    ),
    (
        {"kind": "hold", "price": "70k", "direction": "either"},
        "Reclaimed is upwards, broken is downwards: choose one of them.",
    ),
    ({"kind": "flow_final", "instrument": "SI"}, "SI is not known; known are BTC, ETH."),
    (
        {"kind": "close", "price": "80", "instrument": "SI", "interval": "1h"},
        "SI is known by daily bars only: ask with interval 1d.",
    ),
]


async def test_what_cannot_be_waited_for_is_said(server: Server) -> None:
    for options, told in REFUSED:
        assert await refused(server, **options) == told
        simcord.assert_error(server.env, UserError)


async def test_an_unknown_instrument_is_answered_with_the_known(server: Server) -> None:
    told = await refused(server, kind="close", price="1", instrument="DOGE")
    assert told.startswith("There are no candles of “DOGE” here; there are of BTC, ")
    simcord.assert_error(server.env, UserError)


async def test_near_duplicates_are_refused_in_the_same_place_alone(server: Server) -> None:
    """73,700 is 0.14 % from 73,600; 73,800 is 0.27 %."""
    await confirmed(server, server.alice, kind="close", price="73.6k")
    for direction in ("either", "up"):
        told = await add(server, kind="close", price="73.7k", direction=direction)
        assert sent(told).content == (
            "There is such an alert at 73,600 already, within 0.2 % of 73,700: see /alerts list."
        )
    for by, options in [
        (server.alice, {"price": "73.8k"}),
        (server.alice, {"price": "73.7k", "interval": "4h"}),
        (server.bob, {"price": "73.6k"}),
        (server.moderator, {"price": "73.6k", "channel": server.channel}),
    ]:
        await confirmed(server, by, kind="close", **options)
    await confirmed(server, server.alice, kind="stress")
    told = await add(server, kind="stress")
    assert sent(told).content == "There is such an alert already: see /alerts list."
    simcord.assert_error(server.env, UserError)


async def test_two_previews_confirmed_are_one_alert(server: Server) -> None:
    """What was free when it was shown need not be when it is confirmed."""
    first, second = [await add(server, kind="close", price="70k") for _ in range(2)]
    await server.alice.click(sent(first), label="Confirm")
    told = await server.alice.click(sent(second), label="Confirm")
    assert sent(told).content.startswith("There is such an alert at 70,000 already")
    assert len(await kept(server)) == 1


async def test_a_reclaim_of_what_was_not_lost_says_what_must_come_first(server: Server) -> None:
    asked = await add(server, kind="hold", price="61.5k")
    assert "The price lies above it: it has to be broken before it can be reclaimed." in lines(sent(asked))
    asked = await add(server, kind="hold", price="73.6k", direction="down")
    assert "The price lies below it: it has to be reclaimed before it can be broken." in lines(sent(asked))


async def test_while_prices_are_stale_it_is_told_that_alerts_rest(server: Server, hands: Hands) -> None:
    hands.at = datetime(2026, 2, 9, 6, tzinfo=UTC)
    asked = await add(server, kind="close", price="70k")
    [told] = [line for line in lines(sent(asked)) if line.startswith("⚠")]
    assert told.startswith("⚠ BTC: the last price is of ")
    assert told.endswith(
        "Its alerts rest until bars come again; what closed meanwhile is judged then, in order, and told with "
        "its own time."
    )
    await server.alice.click(sent(asked), label="Confirm")
    assert told in lines(await listed(server, server.alice))


# Channels


async def test_only_moderators_have_a_channel_told_and_one_role_pinged(server: Server) -> None:
    role = server.channel.guild.create_role("traders")
    told = await refused(server, kind="close", price="70k", channel=server.channel)
    assert told.startswith("Only moderators have alerts told in a channel.")
    assert (await refused(server, kind="close", price="70k", ping=role)) == (
        "A direct message pings nobody else: leave the role out."
    )
    everybody = server.channel.guild.default_role
    assert (
        await refused(server, server.moderator, kind="stress", channel=server.channel, ping=everybody)
    ) == "An alert never pings everybody: choose another role."
    asked = await add(server, server.moderator, kind="close", price="70k", channel=server.channel, ping=role)
    assert f"Told in <#{server.channel.id}> · pings <@&{role.id}>" in lines(sent(asked))
    await server.moderator.click(sent(asked), label="Confirm")
    [alert] = await kept(server)
    assert (alert.owner_id, alert.channel_id, alert.ping_role) == (None, server.channel.id, role.id)
    # What both languages' readers see is written in both, unless the server has chosen one.
    assert alert.language == "both"
    assert server.channel.history() == []
    simcord.assert_error(server.env, UserError)


async def test_where_we_may_not_write_no_alert_goes(server: Server) -> None:
    guild = server.channel.guild
    nothing = discord.PermissionOverwrite(send_messages=False)
    mute = guild.create_text_channel("mute", overwrites={guild.me: nothing})
    told = await refused(server, server.moderator, kind="stress", channel=mute)
    assert told == (
        f"Leadline lacks in <#{mute.id}>: Send Messages. Give it these, or choose another channel."
    )
    simcord.assert_error(server.env, UserError)


async def test_who_moderates_no_more_confirms_nothing(server: Server) -> None:
    """The right is asked for again at the press, whatever the button says."""
    asked = await add(server, server.moderator, kind="stress", channel=server.channel)
    custom_id = buttons(sent(asked))["Confirm"]
    told = await press(server, server.alice, custom_id, on=message_of(sent(asked)))
    assert sent(told).content.startswith("Only moderators have alerts told in a channel.")
    assert await kept(server) == []


# From the card, and changed before it is kept


async def test_a_card_offers_an_alert_at_the_level_it_speaks_of(server: Server) -> None:
    card = await server.alice.slash(server.channel, "levels")
    form = await server.bob.click(sent(card), label="Alert at this level")
    assert form.modal is not None
    assert form.modal["title"] == "New alert · BTC"
    fields = controls(form)
    assert len(fields) == 5
    assert {name: preset(field) for name, field in fields.items()} == {
        "price": "73,600",
        "way": "close:either",
        "interval": "30m",
        "bars": "8",
        "where": "me",
    }
    assert [option["value"] for option in fields["where"]["options"]] == ["me"]

    before = texts(sent(card))
    asked = await server.bob.submit_modal(
        form,
        {"price": wide("72") + "k", "way": ["hold:up"], "interval": ["1h"], "bars": "12", "where": ["me"]},
    )
    # The card is everybody's; the question is the presser's alone.
    assert asked.ephemeral
    assert texts(sent(card)) == before
    assert lines(sent(asked))[1] == "**BTC 72,000 · reclaimed and held, 12 bars · 1h**"
    await server.bob.click(sent(asked), label="Confirm")
    [alert] = await kept(server)
    assert (alert.owner_id, alert.price, alert.bars, alert.interval) == (server.bob.id, 72_000, 12, "1h")


async def test_a_moderator_may_choose_the_channel_in_the_form(server: Server) -> None:
    card = await server.moderator.slash(server.channel, "levels", private=True)
    form = await server.moderator.click(sent(card), label="Alert at this level")
    here = str(server.channel.id)
    options = controls(form)["where"]["options"]
    assert [(option["label"], option["value"]) for option in options] == [
        ("To me, by direct message", "me"),
        ("In #trading, for all to see", here),
    ]
    asked = await server.moderator.submit_modal(
        form, {"price": "72k", "way": ["touch:either"], "interval": ["30m"], "bars": "8", "where": [here]}
    )
    assert f"Told in <#{here}>" in lines(sent(asked))


async def test_a_private_chat_is_offered_none(server: Server) -> None:
    user = server.alice.user
    card = await user.slash("levels")
    assert "Alert at this level" not in buttons(sent(card))


async def test_change_opens_the_form_with_what_was_understood(server: Server) -> None:
    asked = await add(server, kind="close", price="70k", direction="up", interval="4h")
    form = await server.alice.click(sent(asked), label="Change")
    assert {name: preset(field) for name, field in controls(form).items()} == {
        "price": "70,000",
        "way": "close:up",
        "interval": "4h",
        "bars": "8",
        "where": "me",
    }
    again = await server.alice.submit_modal(
        form, {"price": "71k", "way": ["close:down"], "interval": ["4h"], "bars": "8", "where": ["me"]}
    )
    assert changed_in_place(again, asked)
    assert lines(sent(asked))[1] == "**BTC 71,000 · a close below it · 4h**"
    told = await server.alice.submit_modal(
        await server.alice.click(sent(asked), label="Change"),
        {"price": "nothing", "way": ["close:down"], "interval": ["4h"], "bars": "8", "where": ["me"]},
    )
    assert sent(told).content.startswith("“nothing” is not a number")
    assert await kept(server) == []


# The list


async def test_the_nearest_comes_first_and_prices_before_the_rest(server: Server) -> None:
    """From 66,153.9: 61,500 is -7.0 %, 70,000 +5.8 %, 73,600 +11.3 %."""
    for options in ({"kind": "stress"}, {"kind": "close", "price": "73.6k"}):
        await confirmed(server, server.alice, **options)
    for price in ("61.5k", "70k"):
        await confirmed(server, server.alice, kind="close", price=price)
    panel = await listed(server, server.alice)
    numbered = [line for line in lines(panel) if line.startswith("**")]
    assert [line.split(" daily")[0].split(",  ")[0] for line in numbered] == [
        "**1** · **BTC 70,000** · +5.8 %, 1.1",
        "**2** · **BTC 61,500** · −7.0 %, 1.3",
        "**3** · **BTC 73,600** · +11.3 %, 2.0",
        "**4** · the verdict of market stress changes",
    ]
    assert lines(panel)[0] == "### Your alerts: 4/20"
    assert lines(panel)[-2:] == [RULE, FINAL]


async def test_an_empty_list_says_how_to_begin(server: Server) -> None:
    assert lines(await listed(server, server.alice)) == [
        "### Your alerts: 0/20",
        "None yet. /alerts add sets one up.",
    ]


async def test_muted_edited_and_deleted_after_a_restart(server: Server, hands: Hands) -> None:
    alert = await confirmed(server, server.alice, kind="close", price="70k")
    panel = await chosen(server, server.alice, alert)
    assert list(buttons(panel)) == ["Edit", "Mute 1 h", "Mute 1 day", "Delete", "Back"]
    for label, until in (("Mute 1 h", NOW + timedelta(hours=1)), ("Mute 1 day", NOW + timedelta(days=1))):
        await server.env.restart_bot(Leadline(bot_of(server).answers))
        await server.alice.click(panel, label=label)
        assert f"Muted; it speaks again <t:{epoch(until)}:R>" in lines(panel)
        assert (await kept(server))[0].muted_until == until
        panel = await chosen(server, server.alice, alert)
        assert list(buttons(panel)) == ["Edit", "Unmute", "Delete", "Back"]
        await server.alice.click(panel, label="Unmute")
        assert (await kept(server))[0].muted_until is None
        panel = await chosen(server, server.alice, alert)

    await server.env.restart_bot(Leadline(bot_of(server).answers))
    hands.at += timedelta(hours=1)
    form = await server.alice.click(panel, label="Edit")
    assert preset(controls(form)["price"]) == "70,000"
    await server.alice.submit_modal(
        form, {"price": "71k", "way": ["touch:down"], "interval": ["1h"], "bars": "8", "where": ["me"]}
    )
    assert lines(panel)[:2] == ["### Change an alert", "**BTC 71,000 · touched from above · 1h**"]
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await server.alice.click(panel, label="Confirm")
    assert lines(panel)[0] == "Saved."
    [edited] = await kept(server)
    assert (edited.id, edited.price, edited.kind, edited.since) == (alert.id, 71_000, Kind.TOUCH, hands.at)

    panel = await chosen(server, server.alice, alert)
    await server.alice.click(panel, label="Delete")
    assert lines(panel)[:2] == ["### Your alerts: 0/20", "Deleted: BTC 71,000 · touched from above · 1h"]
    assert await kept(server) == []


async def test_a_press_delivered_again_is_done_once(server: Server) -> None:
    asked = await add(server, kind="close", price="70k")
    await press(server, server.alice, buttons(sent(asked))["Confirm"], on=message_of(sent(asked)), times=20)
    [alert] = await kept(server)
    panel = await chosen(server, server.alice, alert)
    await press(server, server.alice, f"al1|gone|{alert.id}", on=message_of(panel), times=20)
    assert await kept(server) == []


async def test_moderators_see_the_channels_and_never_anybodys_own(server: Server) -> None:
    await confirmed(server, server.alice, kind="close", price="70k")
    told = await confirmed(server, server.moderator, kind="close", price="61.5k", channel=server.channel)
    panel = await listed(server, server.moderator)
    assert lines(panel)[0] == "### Alerts of the channels: 1/20"
    assert lines(panel)[2] == f"a close beyond it · 30m · <#{server.channel.id}>"
    assert "70,000" not in "\n".join(lines(panel))
    await server.moderator.click(panel, label="Your own: 0/20")
    assert lines(panel)[0] == "### Your alerts: 0/20"
    await server.moderator.click(panel, label="Of the channels: 1/20")
    assert lines(panel)[0] == "### Alerts of the channels: 1/20"
    # Who does not moderate is shown their own, whatever the button says.
    shown = await press(server, server.alice, "al1|list|channels", on=message_of(panel))
    assert lines(sent(shown))[0] == "### Your alerts: 1/20"
    panel = await chosen(server, server.moderator, told)
    form = await server.moderator.click(panel, label="Edit")
    # A channel's alert stays a channel's.
    assert [one["value"] for one in controls(form)["where"]["options"]] == [str(server.channel.id)]


async def test_foreign_numbers_in_custom_ids_change_nothing(server: Server) -> None:
    """Alice's own, a channel's, and another server's; pressed by who may not, in every way there is."""
    own = await confirmed(server, server.alice, kind="close", price="70k")
    channel = await confirmed(server, server.moderator, kind="stress", channel=server.channel)
    async with bot_of(server).answers.store.write() as db:
        values = alerts._row(replace(own, id=4711, server_id=99, owner_id=server.bob.id))
        await db.execute(insert(schema.alerts).values(values))
    elsewhere = 4711
    before = await kept(server)
    on = message_of(await listed(server, server.bob))
    cases = [
        *((server.bob, number) for number in (own.id, channel.id, elsewhere, 10**17)),
        *((server.moderator, number) for number in (own.id, elsewhere)),
        (server.alice, channel.id),
    ]
    for by, number in cases:
        for custom_id in (
            f"al1|edit|{number}",
            f"al1|mute|{number}|1h",
            f"al1|unmute|{number}",
            f"al1|gone|{number}",
            f"al1|keep|close|BTC|30m|61500|e|-|-|-|{number}",
            f"al1|form|close|BTC|30m|61500|e|-|-|-|{number}",
            # In a server the server named in a button counts for nothing.
            f"al1|mute|{number}|1h|99|marker",
        ):
            told = await press(server, by, custom_id, on=on)
            assert sent(told).content == NO_SUCH, (by.name, custom_id)
    assert await kept(server) == before


async def test_what_no_button_of_ours_says_changes_nothing(server: Server) -> None:
    alert = await confirmed(server, server.alice, kind="close", price="70k")
    on = message_of(await listed(server, server.alice))
    for custom_id in (
        "al2|list|own",
        "al0|",
        "al1|",
        f"al1|mute|{alert.id}|1y",
        f"al1|mute|{alert.id}|1y|1|x",
        "al1|gone|" + "9" * 20,
        *(f"al1|{what}|{2**63}{more}" for what, more in (("edit", ""), ("gone", ""), ("mute", "|1h"))),
        "al1|gone|x",
        "al1|keep|close|BTC|30m|61500|e|-|-|-",
        "al1|keep|close|BTC|30m|61500|q|-|-|-|0",
        "al1|keep|never|BTC|30m|61500|e|-|-|-|0",
        "al1|keep|close|BTC|2m|61500|e|-|-|-|0",
        "al1|keep|close|BTC|30m|61500|e|-|zz|-|0",
        "al1|at|BTC",
    ):
        told = await press(server, server.alice, custom_id, on=on)
        assert sent(told).content == OTHER_VERSION, custom_id
    assert await kept(server) == [alert]


async def test_mute_below_what_an_alert_told(server: Server) -> None:
    """In a channel for moderators, and in a private chat for its owner, who names the server."""
    own = await confirmed(server, server.alice, kind="close", price="70k")
    channel = await confirmed(server, server.moderator, kind="stress", channel=server.channel)
    on = message_of(await listed(server, server.moderator))
    guild = server.channel.guild.id
    told = await press(server, server.moderator, f"al1|mute|{channel.id}|1h|{guild}|m", on=on)
    assert told.ephemeral
    assert lines(sent(told)) == [f"Muted; it speaks again <t:{epoch(NOW) + 3600}:R>"]

    custom_id = f"al1|mute|{own.id}|1d|{guild}|m"
    for by in (server.bob.user, server.moderator.user, server.alice.user):
        on = message_of(sent(await by.slash("levels")))
        result = await press(server, by, custom_id, on=on, place=by.dm_channel)
        if by is server.alice.user:
            assert lines(sent(result)) == [f"Muted; it speaks again <t:{epoch(NOW) + 86400}:R>"]
        else:
            assert sent(result).content == NO_SUCH
    assert [alert.muted_until for alert in await kept(server)] == [
        NOW + timedelta(days=1),
        NOW + timedelta(hours=1),
    ]


async def change(server: Server, alert: Alert, **values: Any) -> None:
    async with bot_of(server).answers.store.write() as db:
        t = schema.alerts
        await db.execute(t.update().where(t.c.id == alert.id).values(values))


async def test_a_direct_message_that_was_blocked_is_noted(server: Server) -> None:
    alert = await confirmed(server, server.alice, kind="close", price="70k")
    await change(server, alert, note="blocked", noted_at=epoch(NOW), fired_at=epoch(NOW))
    note = (
        "⚠ Your direct messages are closed to Leadline: open them for members of this server. "
        f"<t:{epoch(NOW)}:R>"
    )
    assert note in lines(await listed(server, server.alice))
    panel = await chosen(server, server.alice, alert)
    assert note in lines(panel)


async def test_what_happened_last_is_told_of_one_alert(server: Server, hands: Hands) -> None:
    alert = await confirmed(server, server.alice, kind="close", price="70k")
    figures = '{"close": 70500.5, "venue": "Binance", "quote": "USDT", "edge": 70200.0}'
    rows = [
        {"name": "1", "at": epoch(NOW) + 1800, "what": "up", "state": "blocked"},
        {"name": "2", "at": epoch(NOW) + 3600, "what": "down", "state": "told"},
        # Before the alert was what it is now.
        {"name": "0", "at": epoch(NOW) - 3600, "what": "down", "state": "told"},
    ]
    async with bot_of(server).answers.store.write() as db:
        for row in rows:
            values = row | {"alert_id": alert.id, "figures": figures, "noted_at": epoch(NOW)}
            await db.execute(insert(schema.alert_crossings).values(values))
    panel = await chosen(server, server.alice, alert)
    assert [line for line in lines(panel) if line.startswith("- ")] == [
        "- **BTC closed below 70,000** · 70,500 · 5 Feb 19:00 UTC",
        "- **BTC closed above 70,000** · 70,500 · 5 Feb 18:30 UTC · not told: your direct messages are closed",
    ]


async def test_deleting_what_is_kept_of_a_person_deletes_their_own_alerts(server: Server) -> None:
    await confirmed(server, server.moderator, kind="close", price="70k")
    await confirmed(server, server.moderator, kind="stress", channel=server.channel)
    told = await server.moderator.slash(server.channel, "privacy export")
    assert "Alerts told to you by direct message: 1" in "\n".join(lines(sent(told)))
    asked = await server.moderator.slash(server.channel, "privacy delete")
    await server.moderator.click(sent(asked), label="Delete")
    [left] = await kept(server)
    assert (left.kind, left.added_by, left.owner_id) == (Kind.STRESS, None, None)


# On a phone


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


async def test_twenty_alerts_fit_one_message_in_both_languages(server: Server, speaking: Speaking) -> None:
    """With all there is to say; a head and its facts take at most two lines of a phone each (45 narrow letters)."""
    role = server.channel.guild.create_role("traders")
    ours = Acting(server_id=server.channel.guild.id, user_id=server.moderator.id, moderates=True)
    async with bot_of(server).answers.store.write() as db:
        for number in range(20):
            await alerts.add(
                db,
                Alert(
                    server_id=ours.server_id,
                    channel_id=server.channel.id,
                    kind=Kind.HOLD,
                    subject="BTC",
                    interval=Interval.M30,
                    price=60_000.25 + 500 * number,
                    direction=Direction.UP,
                    bars=48,
                    ping_role=role.id,
                    since=NOW,
                    fired_at=NOW,
                    muted_until=NOW + timedelta(days=1),
                    note="unsure",
                    noted_at=NOW,
                    added_by=ours.user_id,
                    added_at=NOW,
                ),
            )
    for locale in ("en-US", "zh-TW"):
        with speaking(locale):
            panel = await listed(server, server.moderator)
            [text] = texts(panel)
            assert len(text) <= 4000
            numbered = [line for line in lines(panel) if line.startswith("**")]
            assert len(numbered) == 20
            # Mentions are shown by their names.
            shown = [
                line.replace(f"<#{server.channel.id}>", "#trading")
                .replace(f"<@&{role.id}>", "@traders")
                .replace("**", "")
                for line in lines(panel)
                if "<@&" in line or line.startswith("**")
            ]
            assert all(width(line.split("<t:")[0]) <= 90 for line in shown)
            [select] = [part for part in walk_components(panel.components) if part.get("type") == 3]
            assert len(select["options"]) == 20
            assert all(len(option["label"]) <= 100 for option in select["options"])


def test_the_longest_draft_fits_a_button_and_is_read_back() -> None:
    draft = Alert(
        id=999_999_999,
        server_id=2**62,
        channel_id=2**62,
        kind=Kind.HOLD,
        subject="XAUUSD",
        interval=Interval.M30,
        price=999_999_999.123456,
        direction=Direction.UP,
        bars=48,
        ping_role=2**62,
        since=NOW,
        added_by=1,
        added_at=NOW,
    )
    told = remembered(draft)
    assert len(f"al1|keep|{told}") <= 100
    back = recalled(told.split("|"))
    assert (back.kind, back.channel_id, back.ping_role, back.alert_id) == (
        Kind.HOLD,
        2**62,
        2**62,
        999_999_999,
    )
    assert float(back.words["price"]) == draft.price
    assert AlertItem.__discord_ui_compiled_template__.fullmatch(f"al1|keep|{told}")


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await add(server, kind="hold", price="73.6k")
        assert lines(sent(asked))[:4] == [
            "### 新增提醒 · 1/20",
            "**BTC 73,600 · 站回並守住 8 根 · 30m**",
            "目前 66,154（2/5（四）18:00 UTC）：+11.3 %，2.0 倍日 ATR",
            "只以私訊通知你",
        ]
        assert list(buttons(sent(asked))) == ["確認", "修改", "取消"]
        await server.alice.click(sent(asked), label="確認")
        assert (await kept(server))[0].language == "zh-TW"
        panel = await listed(server, server.alice)
        assert lines(panel)[:3] == [
            "### 你的提醒：1/20",
            "**1** · **BTC 73,600** · +11.3 %，2.0 倍日 ATR",
            "站回並守住 8 根 · 30m",
        ]


# While somebody types


async def test_prices_are_offered_from_the_book_and_subjects_by_kind(server: Server) -> None:
    offered = await server.alice.autocomplete(server.channel, "alerts add", "price", "73", kind="close")
    assert "73,600" in [choice["value"] for choice in offered]
    offered = await server.alice.autocomplete(
        server.channel, "alerts add", "price", "", kind="close", instrument="ETH"
    )
    assert offered == []
    for kind, known in (
        ("margin_recorded", ["SI", "GC"]),
        ("flow_final", ["BTC", "ETH"]),
        ("stress", ["stress"]),
    ):
        offered = await server.alice.autocomplete(server.channel, "alerts add", "instrument", "", kind=kind)
        assert [choice["value"] for choice in offered] == known
