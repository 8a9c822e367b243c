"""``/digest add`` as moderators meet it: the preview, each select, what is kept and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import discord
import pytest
import simcord
from digesting import NOW, Hands, choose, chosen, keep, kept, said_in, selects, words
from people import Server, Speaking, bot_of, buttons, pictures_of, sent, texts
from raw import COMMAND, COMPONENT, Asked, command, message_of
from simcord.components import walk_components

from analysis.errors import UserError
from bot.answers import Answers
from bot.client import Leadline
from bot.digest_draft import part_of, part_text
from bot.pictures import Pictures
from storage.digests import Part, Schedule
from storage.store import Store


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def answers(store: Store, pictures: Pictures, hands: Hands) -> Answers:
    return Answers(store, pictures, hands)


async def added(server: Server, report: str = "levels", at: str = "09:00") -> simcord.ResponseMessage:
    result = await server.moderator.slash(server.channel, "digest add", report=report, time=at)
    assert result.ephemeral
    return sent(result)


async def refused(server: Server, report: str = "levels", at: str = "09:00") -> str:
    result = await server.moderator.slash(server.channel, "digest add", report=report, time=at)
    assert result.ephemeral
    simcord.assert_error(server.env, UserError)
    return sent(result).content


async def test_the_preview_is_the_post_and_nothing_is_kept(server: Server) -> None:
    await server.moderator.slash(server.channel, "settings", language="en", zone="Asia/Taipei")
    panel = await added(server)
    preview, head = texts(panel)[:2]
    # 18:00 UTC is 02:00 of 6 February in Taipei: 09:00 there is 01:00 UTC, first on the 6th.
    first = int(NOW.timestamp()) + 7 * 3600
    assert head.split("\n") == [
        "### New digest, 1 of 5",
        "**09:00** · Asia/Taipei · Taipei · UTC+8 · every day",
        *(f"- <t:{first + n * 86400}:F> (<t:{first + n * 86400}:R>)" for n in range(3)),
    ]
    assert preview.startswith("-# Preview: what will be posted, with the figures of now\n**BTC 66,154**")
    assert len(pictures_of(panel)) == 1
    assert chosen(panel) == {
        "channel": [str(server.channel.id)],
        "days": ["every"],
        "single": list("1234567"),
        "language": ["en"],
        "reports": ["levels"],
        "ping": [],
    }
    assert list(buttons(panel)) == ["Time and zone", "Confirm", "Cancel"]
    assert await kept(server) == []

    await server.moderator.click(panel, label="Confirm")
    assert texts(panel)[0].split("\n") == [
        f"The digest is set up. **09:00** · Asia/Taipei · Taipei · UTC+8 · every day · <#{server.channel.id}>",
        f"Next: <t:{first}:F> (<t:{first}:R>)",
        "-# All digests: /digest list",
    ]
    digest = Schedule(
        id=1,
        server_id=server.channel.guild.id,
        channel_id=server.channel.id,
        parts=(Part(report="levels"),),
        local_time=time(9),
        zone="Asia/Taipei",
        language="en",
        since=NOW,
        created_by=server.moderator.id,
        created_at=NOW,
    )
    [there] = await kept(server)
    assert replace(there, next_at=None) == digest

    # Word for word what is posted.
    await server.moderator.slash(server.channel, "digest now")
    [posted] = said_in(server.channel)
    assert preview.partition("\n")[2] == posted


async def test_a_server_that_set_nothing_has_both_languages_and_utc(server: Server) -> None:
    panel = await added(server, at="9pm")
    assert "**21:00** · UTC · every day" in texts(panel)[1]
    assert chosen(panel)["language"] == ["both"]
    assert "-# Words in both languages; pictures in Chinese." in texts(panel)[1]
    assert "24 小時" in texts(panel)[0]
    assert " in 24 h " in texts(panel)[0]


async def test_every_select_is_kept_on_confirmation(server: Server) -> None:
    guild = server.channel.guild
    other, role = guild.create_news_channel("news"), guild.create_role("traders", mentionable=True)
    panel = await added(server)
    for select, values, now in [
        ("channel", [other], [str(other.id)]),
        ("days", ["sessions"], ["sessions"]),
        ("days", ["67"], ["67"]),
        ("single", ["5", "1", "3"], ["1", "3", "5"]),
        ("language", ["zh-TW"], ["zh-TW"]),
        ("language", ["en"], ["en"]),
        ("reports", ["levels", "stress"], ["levels", "stress"]),
        ("ping", [role], [str(role.id)]),
    ]:
        pressed = await choose(server, panel, select, *values)
        assert pressed.response is None or pressed.response.id == panel.id
        assert chosen(panel)[select] == now
    assert "UTC · Mon, Wed, Fri" in texts(panel)[1]
    assert chosen(panel)["days"] == []
    assert len(pictures_of(panel)) == 2
    assert texts(panel)[0].endswith(f"<@&{role.id}>")
    assert "Nobody will be notified" not in words(panel)
    assert await kept(server) == []

    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert digest.parts == (Part(report="levels"), Part(report="stress"))
    assert (digest.channel_id, digest.days, digest.language, digest.ping_role) == (
        other.id,
        "135",
        "en",
        role.id,
    )


async def test_presets_and_single_days_say_the_same(server: Server) -> None:
    panel = await added(server)
    await choose(server, panel, "days", "sessions")
    assert chosen(panel)["single"] == []
    assert "after each US trading day" in texts(panel)[1]
    # Sessions close at 21:00 UTC: 09:00 is after Thursday's on Friday, after Friday's on Saturday, then Tuesday.
    days = [line for line in texts(panel)[1].split("\n") if line.startswith("- ")]
    ninth = int(NOW.timestamp()) + 15 * 3600
    assert days == [f"- <t:{ninth + n * 86400}:F> (<t:{ninth + n * 86400}:R>)" for n in (0, 1, 4)]
    await choose(server, panel, "single", *"12345")
    assert chosen(panel)["days"] == ["12345"]
    await choose(server, panel, "single", *"7654321")
    assert chosen(panel)["days"] == ["every"]


async def test_a_ping_is_taken_back_and_a_silent_one_is_told(server: Server) -> None:
    guild = server.channel.guild
    role = guild.create_role("quiet")
    shut = {guild.roles["TestBot"]: deny(mention_everyone=False)} if "TestBot" in guild.roles else {}
    channel = guild.create_text_channel("quiet-room", overwrites=shut)
    panel = await added(server)
    await choose(server, panel, "channel", channel)
    await choose(server, panel, "ping", role)
    assert "⚠ Nobody will be notified: the role is not mentionable" in texts(panel)[1]
    await server.moderator.click(panel, label="No ping")
    assert chosen(panel)["ping"] == []
    assert "Nobody will be notified" not in words(panel)
    await choose(server, panel, "ping", guild.default_role)
    assert "⚠ A digest never pings everybody: choose another role." in texts(panel)[1]
    assert not await confirmed(server, panel)


def deny(**permissions: bool) -> discord.PermissionOverwrite:
    return discord.PermissionOverwrite(**permissions)


async def confirmed(server: Server, panel: simcord.ResponseMessage) -> bool:
    """Presses Confirm although it may be disabled; whether a digest came of it."""
    before = await kept(server)
    data = {"custom_id": buttons(panel)["Confirm"], "component_type": 2}
    one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=message_of(panel))
    await one.deliver()
    return await kept(server) != before


async def test_time_and_zone_are_changed_in_a_form(server: Server) -> None:
    panel = await added(server)
    shown = await server.moderator.click(panel, label="Time and zone")
    await server.moderator.submit_modal(shown, {"time": "晚上九點半", "zone": "Tokyo"})
    assert "**21:30** · Asia/Tokyo · Tokyo · UTC+9 · every day" in texts(panel)[1]
    shown = await server.moderator.click(panel, label="Time and zone")
    told = await server.moderator.submit_modal(shown, {"time": "25:00", "zone": "Tokyo"})
    assert sent(told).content == "“25:00” is no time of day: write 09:00, 21:30 or 9pm."
    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert (digest.local_time, digest.zone) == (time(21, 30), "Asia/Tokyo")


async def test_an_hour_before_the_figures_are_final_is_told_and_can_wait(server: Server) -> None:
    """Flows of a session are final by 09:00 UTC of the day after: 17:00 in Taipei."""
    await server.moderator.slash(server.channel, "settings", language="en", zone="Asia/Taipei")
    panel = await added(server, report="flows")
    head = texts(panel)[1]
    assert "⚠ At this time the flows of the last US trading day are usually not final yet; by 17:00" in head
    await server.moderator.click(panel, label="Post when final, at the latest 17:00")
    assert "Posted when the figures are final, at the latest at 17:00." in texts(panel)[1]
    assert "⚠" not in texts(panel)[1]
    await server.moderator.click(panel, label="Post at once, final or not")
    assert "⚠" in texts(panel)[1]
    await server.moderator.click(panel, label="Post when final, at the latest 17:00")
    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert (digest.local_time, digest.latest_time) == (time(9), time(17))

    assert "⚠" not in texts(await added(server, report="flows", at="17:00"))[1]
    assert "⚠" not in texts(await added(server, report="stress"))[1]
    # In Los Angeles 18:00 comes after the close and the figures on the next date: nothing to wait for.
    await server.moderator.slash(server.channel, "settings", zone="America/Los_Angeles")
    panel = await added(server, report="flows", at="18:00")
    assert "usually not final yet." in texts(panel)[1]
    assert "Post when final" not in "".join(buttons(panel))


async def test_a_time_after_the_latest_does_not_wait(server: Server) -> None:
    await server.moderator.slash(server.channel, "settings", language="en", zone="Asia/Taipei")
    panel = await added(server, report="flows")
    await server.moderator.click(panel, label="Post when final, at the latest 17:00")
    shown = await server.moderator.click(panel, label="Time and zone")
    await server.moderator.submit_modal(shown, {"time": "18:00", "zone": "Asia/Taipei"})
    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert (digest.local_time, digest.latest_time) == (time(18), None)


async def test_cancel_keeps_nothing(server: Server) -> None:
    panel = await added(server)
    await server.moderator.click(panel, label="Cancel")
    assert texts(panel) == ["Cancelled: nothing was kept."]
    assert buttons(panel) == {}
    assert await kept(server) == []


async def test_a_panel_goes_on_after_a_restart(server: Server) -> None:
    panel = await added(server, report="levels interval:4h")
    await choose(server, panel, "days", "12345")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await choose(server, panel, "language", "en")
    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert (digest.days, digest.language, digest.local_time) == ("12345", "en", time(9))
    assert digest.parts == (Part(report="levels", words={"interval": "4h"}),)


async def test_a_panel_of_another_version_or_of_nothing_is_refused(server: Server) -> None:
    panel = await added(server)
    whole = message_of(panel)
    row = {"type": 1, "id": 99, "components": []}
    for custom_id, rest in [
        ("dg0|save|0|0900|-|en|UTC", []),
        ("dg1|save|0|0900|-|en|UTC", []),
        ("dg1|x", whole["components"]),
        ("dg1|latest|9999", whole["components"]),
        ("dg1|latest|2400", whole["components"]),
    ]:
        on = whole | {"components": [*rest, row | {"components": [button(custom_id)]}]}
        data = {"custom_id": custom_id, "component_type": 2}
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on)
        told = sent(await one.deliver()).content
        assert told.startswith("This panel is from another version of Leadline."), custom_id
    for select, value in [("days", "8"), ("single", "9"), ("language", "fr"), ("reports", "prices")]:
        custom_id = selects(panel)[select]["custom_id"]
        data = {"custom_id": custom_id, "component_type": 3, "values": [value]}
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=whole)
        assert sent(await one.deliver()).content.startswith(("This panel is from", "There is no report"))
    assert await kept(server) == []


def button(custom_id: str) -> dict[str, Any]:
    return {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": custom_id, "disabled": False}


async def test_members_are_refused_and_a_right_taken_away_is_seen(server: Server) -> None:
    told = await server.alice.slash(server.channel, "digest add", report="levels", time="9")
    assert sent(told).content.startswith("Only moderators can do this")

    role = server.channel.guild.create_role("analysts")
    await server.moderator.slash(server.channel, "settings", role=role)
    carol = server.channel.guild.add_member(server.env.create_user("carol"), roles=[role])
    panel = await carol.slash(server.channel, "digest add", report="levels", time="9")
    settings = await server.moderator.slash(server.channel, "settings")
    await server.moderator.click(sent(settings), label="No role")
    told = await carol.click(sent(panel), label="Confirm")
    assert sent(told).content.startswith("Only moderators can do this")
    assert await kept(server) == []


async def test_in_a_private_chat_there_is_no_digest(server: Server) -> None:
    user = server.moderator.user
    options = [{"name": "report", "type": 3, "value": "levels"}, {"name": "time", "type": 3, "value": "9"}]
    one = Asked(server.env, COMMAND, user, user.dm_channel, command("digest add", options))
    assert sent(await one.deliver()).content.startswith("Only moderators can do this")


async def test_a_confirmation_delivered_again_keeps_one(server: Server) -> None:
    panel = await added(server)
    data = {"custom_id": buttons(panel)["Confirm"], "component_type": 2}
    one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=message_of(panel))
    await one.deliver(20)
    await one.deliver(5)
    assert len(await kept(server)) == 1
    # Somebody removes it; the same press comes once more.
    listed = sent(await server.moderator.slash(server.channel, "digest remove"))
    await server.moderator.click(listed, label="Remove")
    await one.deliver()
    assert await kept(server) == []


async def test_confirmed_twice_is_one_digest(server: Server) -> None:
    panel = await added(server)
    on = message_of(panel)
    data = {"custom_id": buttons(panel)["Confirm"], "component_type": 2}
    for _ in range(2):
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on)
        told = await one.deliver()
    assert sent(told).content.startswith("There is a digest of the same reports at this time")
    assert len(await kept(server)) == 1


async def test_what_cannot_be_told_is_refused_at_once(server: Server) -> None:
    no_option = "“interval” is no option of levels: write for instance levels interval:30m."
    for report, at, told in [
        ("levels", "25:00", "“25:00” is no time of day: write 09:00, 21:30 or 9pm."),
        ("levels", "noonish", "“noonish” is no time of day: write 09:00, 21:30 or 9pm."),
        ("prices", "9", "There is no report called prices."),
        ("levels interval", "9", no_option),
        ("levels interval:2h", "9", "“2h” is not a choice for interval: use one of 30m, 1h, 4h, 1d."),
        ("macro since:7d", "9", "macro takes no options: write its name alone."),
        ("silver-margin equity:57.4k", "9", "This is told to whoever asks, and to nobody else."),
        ("silver-margin contracts:2", "9", "This is told to whoever asks, and to nobody else."),
    ]:
        assert await refused(server, report, at) == told
    assert await kept(server) == []


async def test_a_report_that_has_no_answer_says_so_in_the_preview(server: Server) -> None:
    panel = await added(server, report="levels instrument:DOGEX")
    assert "DOGEX" in texts(panel)[0]
    assert pictures_of(panel) == []


async def test_a_channel_that_does_not_do_is_named_and_not_confirmed(server: Server) -> None:
    guild = server.channel.guild
    blind = guild.create_text_channel(
        "blind",
        overwrites={guild.default_role: deny(attach_files=False, read_message_history=False)}
        | {role: deny(attach_files=False, read_message_history=False) for role in bot_roles(server)},
    )
    gagged = guild.create_text_channel("gagged", overwrites={server.moderator: deny(send_messages=False)})
    panel = await added(server)
    for channel, told in [
        (blind, f"⚠ Leadline lacks in <#{blind.id}>: Attach Files · Read Message History. Give it these"),
        (gagged, f"⚠ You may not write in <#{gagged.id}>, so no digest of yours goes there."),
        (guild.create_voice_channel("voice"), "⚠ A digest goes into a text or announcement channel"),
        (guild.create_forum_channel("forum"), "⚠ A digest goes into a text or announcement channel"),
    ]:
        # A press that Discord's own select would not offer, for two of them.
        data = {
            "custom_id": selects(panel)["channel"]["custom_id"],
            "component_type": 8,
            "values": [str(channel.id)],
            "resolved": {"channels": {str(channel.id): resolved(channel)}},
        }
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=message_of(panel))
        await one.deliver()
        assert told in texts(panel)[1], channel.name
        confirm = next(part for part in walk_components(panel.components) if part.get("label") == "Confirm")
        assert confirm["disabled"]
        assert not await confirmed(server, panel)


def resolved(channel: Any) -> dict[str, Any]:
    return {"id": str(channel.id), "type": 0, "name": channel.name, "permissions": "0"}


def bot_roles(server: Server) -> list[Any]:
    return [role for name, role in server.channel.guild.roles.items() if name == "TestBot"]


async def test_a_thread_stands_for_its_channel(server: Server) -> None:
    server.env.backend.create_thread(server.channel.id, "a thread", server.alice.id)
    thread = server.channel.threads[-1]
    result = await server.moderator.slash(thread, "digest add", report="levels", time="9")
    assert chosen(sent(result))["channel"] == [str(server.channel.id)]


async def test_five_are_the_most(server: Server) -> None:
    panel = await added(server)
    for hour in range(4):
        await keep(server, local_time=time(hour))
    assert texts(await added(server))[1].startswith("### New digest, 5 of 5")
    await keep(server, local_time=time(4))
    full = "This server has 5 digests, and that is the most. Remove one first."
    assert await refused(server) == full
    # One that was begun before the fifth came.
    told = await server.moderator.click(panel, label="Confirm")
    assert sent(told).content == full
    assert len(await kept(server)) == 5


async def test_the_same_twice_is_refused_and_another_time_is_not(server: Server) -> None:
    await keep(server, local_time=time(9), zone="UTC")
    panel = await added(server)
    assert "⚠ There is a digest of the same reports at this time in this channel already." in texts(panel)[1]
    assert not await confirmed(server, panel)
    await choose(server, panel, "reports", "levels", "flows")
    assert await confirmed(server, panel)
    assert await confirmed(server, await added(server, at="9:01"))


async def test_at_its_fullest_it_fits_into_a_message(server: Server) -> None:
    guild = server.channel.guild
    role = guild.create_role("quiet")
    panel = await added(server, report="flows asset:ETH", at="08:00")
    await choose(server, panel, "reports", "flows asset:ETH", "flows", "levels", "stress", "silver-margin")
    await choose(server, panel, "ping", role)
    await server.moderator.click(panel, label="Post when final, at the latest 09:00")
    parts = list(walk_components(panel.components))
    assert len(parts) <= 40
    assert sum(len(text) for text in texts(panel)) <= 4000
    assert len(pictures_of(panel)) == 5
    await server.moderator.click(panel, label="Confirm")
    [digest] = await kept(server)
    assert len(digest.parts) == 5


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        panel = await added(server, at="上午9點")
        assert texts(panel)[1].startswith(
            "### 新的定時快報（1 / 5）\n**09:00** · UTC · 每天\n-# 文字為雙語，圖表為中文。\n- <t:"
        )
        await choose(server, panel, "single", "1", "3")
        assert "UTC · 週一、週三" in texts(panel)[1]
        assert list(buttons(panel)) == ["時間與時區", "確認", "取消"]
        await server.moderator.click(panel, label="確認")
        assert texts(panel)[0].startswith("定時快報已設定。 **09:00** · UTC · 週一、週三 · <#")


async def test_reports_are_offered_with_the_values_of_their_switch(server: Server) -> None:
    offered = await server.moderator.autocomplete(server.channel, "digest add", "report", "levels")
    assert [choice["value"] for choice in offered][:2] == ["levels", "levels interval:30m"]
    every = await server.moderator.autocomplete(server.channel, "digest add", "report", "")
    assert {"levels", "flows", "silver-margin", "stress"} <= {choice["value"] for choice in every}
    assert len(every) <= 25
    for choice in every:
        assert part_text(part_of(choice["value"], NOW)) == choice["value"]


async def test_the_zone_of_the_server_moves_no_digest_and_says_so(server: Server) -> None:
    await keep(server)
    changed = await server.moderator.slash(server.channel, "settings", zone="Asia/Tokyo")
    assert "Digests keep their own time zone (1): /digest list shows it." in texts(sent(changed))[0]
    [digest] = await kept(server)
    assert digest.zone == "Asia/Taipei"
    back = await server.moderator.slash(server.channel, "settings", zone="Asia/Taipei")
    assert "Digests keep" not in texts(sent(back))[0]


async def test_the_hour_that_is_due_this_minute_is_posted_only_from_the_next_on(
    server: Server, hands: Hands
) -> None:
    panel = await added(server, at="18:00")
    await server.moderator.click(panel, label="Confirm")
    hands.at = NOW + timedelta(minutes=1)
    bot_of(server).outbox.changed()
    await server.env.advance_time(61)
    assert said_in(server.channel) == []
    hands.at = NOW + timedelta(days=1)
    bot_of(server).outbox.changed()
    await server.env.advance_time(61)
    assert len(said_in(server.channel)) == 1
