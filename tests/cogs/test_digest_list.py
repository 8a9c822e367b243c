"""``/digest list``, ``edit``, ``pause``, ``resume``, ``remove`` and ``now``: what is told, and what becomes of posts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
import simcord
from digesting import NO_SUCH, NOW, Hands, choose, keep, kept, post_of, said_in, words
from people import Server, Speaking, bot_of, buttons, sent, texts
from raw import COMPONENT, Asked, message_of
from simcord.components import walk_components

from analysis.errors import UserError
from bot.answers import Answers
from bot.client import Leadline
from bot.pictures import Pictures
from storage import digests, outbox
from storage.digests import BOTH, Part, Schedule
from storage.outbox import Post, State
from storage.store import Store

SECONDS = int(NOW.timestamp())
DAY = 86400


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def answers(store: Store, pictures: Pictures, hands: Hands) -> Answers:
    return Answers(store, pictures, hands)


async def listed(server: Server) -> simcord.ResponseMessage:
    result = await server.moderator.slash(server.channel, "digest list")
    assert result.ephemeral
    return sent(result)


async def command(server: Server, name: str, **options: Any) -> simcord.InteractionResult:
    result = await server.moderator.slash(server.channel, f"digest {name}", **options)
    assert result.ephemeral
    return result


async def refused(server: Server, name: str, **options: Any) -> str:
    result = await command(server, name, **options)
    simcord.assert_error(server.env, UserError)
    return sent(result).content


async def later(server: Server, hands: Hands, by: timedelta) -> None:
    """So much later, the outbox having looked."""
    hands.at += by
    bot_of(server).outbox.changed()
    await server.env.advance_time(61)


async def change(server: Server, digest: Schedule, **fields: Any) -> None:
    async with bot_of(server).answers.store.write() as db:
        assert await digests.change(db, replace(digest, **fields))


async def test_an_empty_list_says_how_to_begin(server: Server) -> None:
    assert texts(await listed(server)) == ["### Digests: 0 of 5\nNone yet. /digest add sets one up."]
    assert await refused(server, "now") == "There is no digest here yet: /digest add sets one up."


async def test_the_list_tells_next_last_and_state(server: Server) -> None:
    role = server.channel.guild.create_role("traders")
    where, who = f"<#{server.channel.id}>", f"<@{server.moderator.id}>"
    await keep(server, language="en", ping_role=role.id)
    await keep(
        server,
        local_time=time(9),
        zone="UTC",
        days="135",
        language=BOTH,
        parts=(Part(report="flows", words={"asset": "ETH"}), Part(report="stress")),
        latest_time=time(10, 30),
        paused="moderator",
        changed_by=server.moderator.id,
        changed_at=NOW - timedelta(hours=1),
    )
    week_ago = SECONDS - 7 * DAY
    assert words(await listed(server)).split("\n") == [
        "### Digests: 2 of 5",
        f"**1** · **02:00** · Asia/Taipei · Taipei · UTC+8 · every day · {where}",
        f"`levels` · English · pings <@&{role.id}>",
        f"Next: <t:{SECONDS + DAY}:F> (<t:{SECONDS + DAY}:R>)",
        "Last: none in the past 30 days",
        f"-# Last changed <t:{week_ago}:R> by {who}",
        f"**2** · **09:00** · UTC · Mon, Wed, Fri · {where}",
        "`flows asset:ETH` · `stress` · Both, one after the other",
        "Posted when the figures are final, at the latest at 10:30.",
        "Paused by a moderator",
        "Last: none in the past 30 days",
        f"-# Last changed <t:{SECONDS - 3600}:R> by {who}",
    ]
    labels = [part["label"] for part in walk_components((await listed(server)).components) if "label" in part]
    assert labels == ["Edit", "Pause", "Post now", "Remove", "Edit", "Resume", "Post now", "Remove"]


async def test_the_last_post_and_what_became_of_it(server: Server) -> None:
    before = f"Last: <t:{SECONDS - 3600}:R>"
    link = f"https://discord.com/channels/{server.channel.guild.id}/{server.channel.id}/77"
    for state, message, told in [
        (State.DONE, 77, f"Last: <t:{SECONDS - 60}:R> · {link}"),
        (State.DONE, None, f"{before} · posted, and deleted since"),
        (State.SKIPPED, None, f"{before} · not posted"),
        (State.FAILED, None, f"{before} · not posted"),
        (State.SENDING, None, f"{before} · on its way"),
    ]:
        digest = await keep(server)
        post = Post(
            key=f"digest:{digest.id}:x",
            kind="digest",
            subject=digest.id,
            server_id=digest.server_id,
            channel_id=digest.channel_id,
            due_at=NOW - timedelta(hours=1),
            post_until=NOW,
            state=state,
            message_id=message,
            settled_at=NOW - timedelta(minutes=1),
        )
        async with bot_of(server).answers.store.write() as db:
            await outbox.add(db, post)
        assert told in texts(await listed(server))[digest.id].split("\n")


async def test_what_moderators_should_know_is_told(server: Server) -> None:
    digest = await keep(server)
    an_hour_ago = f"<t:{SECONDS - 3600}:R>"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"refused": 2}, "⚠ Discord refused the last post: 2 times so far."),
        ({"paused": "refused", "refused": 3}, "Paused: the channel refused it"),
        ({"note": "refused"}, "⚠ Discord refused it three times. Let Leadline view the channel"),
        ({"note": "skipped"}, f"⚠ A post was left out: it would have been too late. {an_hour_ago}"),
        ({"note": "unsure"}, "⚠ Whether a post arrived is not known"),
        ({"note": "failed"}, "⚠ Discord did not take a post; the operator's log says why."),
        ({"created_by": None}, f"-# Last changed <t:{SECONDS - 7 * DAY}:R>"),
    ]
    for fields, told in cases:
        await change(server, digest, noted_at=NOW - timedelta(hours=1), **fields)
        text = words(await listed(server))
        assert told in text
        assert ("⚠" in text) is told.startswith("⚠")


async def test_a_digest_this_version_cannot_read_is_listed_and_can_be_mended(server: Server) -> None:
    digest = await keep(server, zone="Mars/Olympus", paused="unreadable")
    told = words(await listed(server))
    assert "**02:00** · `Mars/Olympus` · `every`" in told
    assert "Paused: this version does not know its zone or its days" in told
    assert (await refused(server, "edit")).startswith("This version does not know its zone or its days.")
    panel = await command(server, "edit", zone="Taipei")
    await server.moderator.click(sent(panel), label="Save")
    assert "It stays paused until it is resumed: /digest resume." in words(sent(panel))
    await command(server, "resume")
    [mended] = await kept(server)
    assert (mended.id, mended.zone, mended.paused) == (digest.id, "Asia/Taipei", None)


async def test_five_digests_fit_with_all_there_is_to_say(server: Server) -> None:
    role = server.channel.guild.create_role("traders")
    parts = tuple(Part(report="flows", words={"asset": "ETH", "since": f"{n}d" + "0" * 50}) for n in range(5))
    for hour in range(5):
        await keep(
            server,
            local_time=time(hour),
            zone="America/Argentina/ComodRivadavia",
            days="12346",
            parts=parts,
            language=BOTH,
            latest_time=time(hour, 30),
            ping_role=role.id,
            refused=2,
            note="refused",
            noted_at=NOW,
        )
    message = await listed(server)
    assert len(list(walk_components(message.components))) <= 40
    assert sum(len(text) for text in texts(message)) <= 4000
    assert len(texts(message)) == 6


async def test_pause_and_resume_bring_nothing_back(server: Server, hands: Hands) -> None:
    await keep(server)
    panel = await listed(server)
    await server.moderator.click(panel, label="Pause")
    assert "Paused. Nothing is posted until it is resumed: /digest resume." in texts(panel)[0]
    [paused] = await kept(server)
    assert (paused.paused, paused.changed_by, paused.changed_at) == ("moderator", server.moderator.id, NOW)
    assert await refused(server, "pause") == "It is paused already."
    assert await refused(server, "now") == "It is paused: resume it first."

    # The hour of one day comes and goes; three hours later it goes on.
    await later(server, hands, timedelta(days=1, hours=3))
    await server.moderator.click(panel, label="Resume")
    assert "Resumed. What was due during the pause is not posted." in texts(panel)[0]
    await later(server, hands, timedelta(minutes=2))
    assert said_in(server.channel) == []
    [resumed] = await kept(server)
    assert (resumed.paused, resumed.since) == (None, NOW + timedelta(days=1, hours=3))
    assert await refused(server, "resume") == "It is not paused."
    await later(server, hands, timedelta(hours=21))
    assert len(said_in(server.channel)) == 1


async def test_resuming_forgets_refusals(server: Server) -> None:
    await keep(server, paused="refused", refused=3, note="refused", noted_at=NOW)
    await command(server, "resume")
    [digest] = await kept(server)
    assert (digest.paused, digest.refused, digest.note, digest.noted_at) == (None, 0, None, None)


async def test_removing_asks_once(server: Server) -> None:
    await keep(server)
    panel = await listed(server)
    await server.moderator.click(panel, label="Remove")
    assert texts(panel)[0].startswith(
        "Remove this digest? It cannot be brought back.\n**02:00** · Asia/Taipei"
    )
    assert len(await kept(server)) == 1
    await server.moderator.click(panel, label="Keep it")
    assert texts(panel)[0] == "### Digests: 1 of 5"
    await server.moderator.click(panel, label="Remove")
    await server.moderator.click(panel, label="Remove")
    assert "Removed. A post that is on its way at this moment may still arrive." in texts(panel)[0]
    assert await kept(server) == []


async def test_now_posts_at_once_and_the_hour_all_the_same(server: Server, hands: Hands) -> None:
    """It is 02:00; the post of this date is due at 03:00."""
    digest = await keep(server, language="en", local_time=time(3))
    panel = await listed(server)
    await server.moderator.click(panel, label="Post now")
    assert f"It is being posted in <#{server.channel.id}>." in texts(panel)[0]
    [text] = said_in(server.channel)
    assert text.startswith("**BTC 66,154**")
    # A button pressed twice posts once.
    told = await server.moderator.click(panel, label="Post now")
    assert sent(told).content == "It was posted less than a minute ago."
    assert len(said_in(server.channel)) == 1
    assert (await kept(server))[0].planned_through is None

    await later(server, hands, timedelta(hours=1))
    assert len(said_in(server.channel)) == 2
    post = await post_of(server, f"digest:{digest.id}:2026-02-06")
    assert post is not None
    assert post.state is State.DONE


async def test_a_press_delivered_again_posts_and_changes_nothing(server: Server, hands: Hands) -> None:
    await keep(server)
    panel = await listed(server)
    on = message_of(panel)
    for label in ("Post now", "Pause"):
        data = {"custom_id": buttons(panel)[label], "component_type": 2}
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on)
        await one.deliver(20)
        hands.at += timedelta(minutes=2)
        if label == "Pause":
            await command(server, "resume")
        await one.deliver(20)
        await server.env.advance_time(61)
    assert len(said_in(server.channel)) == 1
    assert (await kept(server))[0].paused is None


async def test_an_edit_of_time_or_zone_brings_no_second_post_that_day(server: Server, hands: Hands) -> None:
    digest = await keep(server, language="en", since=NOW - timedelta(hours=1))
    await later(server, hands, timedelta(0))
    assert len(said_in(server.channel)) == 1

    # 02:00 in Taipei is over; 03:00 is still to come, and 04:30 in Tokyo.
    panel = sent(await command(server, "edit", time="03:00"))
    assert texts(panel)[1].startswith("### Change a digest\n**03:00** · Asia/Taipei")
    await server.moderator.click(panel, label="Save")
    tomorrow = SECONDS + DAY + 3600
    assert texts(panel)[0].split("\n") == [
        f"Saved. **03:00** · Asia/Taipei · Taipei · UTC+8 · every day · <#{server.channel.id}>",
        f"Next: <t:{tomorrow}:F> (<t:{tomorrow}:R>)",
        "A day that has had its post gets no second one, whatever the time is now.",
        "-# All digests: /digest list",
    ]
    await later(server, hands, timedelta(hours=1, minutes=1))
    panel = sent(await command(server, "edit", digest=str(digest.id), time="4:30", zone="Tokyo"))
    await server.moderator.click(panel, label="Save")
    await later(server, hands, timedelta(hours=2))
    assert len(said_in(server.channel)) == 1
    [kept_now] = await kept(server)
    assert (kept_now.local_time, kept_now.zone, kept_now.planned_through) == (
        time(4, 30),
        "Asia/Tokyo",
        date(2026, 2, 6),
    )


async def test_an_edit_of_the_zone_brings_no_second_post_on_a_date_of_the_new_one(
    server: Server, hands: Hands
) -> None:
    """Posted at 18:00 of the 5th in UTC: in Taipei that is the 6th, whose 09:00 is still to come."""
    await keep(server, zone="UTC", local_time=time(18), since=NOW - timedelta(hours=1))
    await later(server, hands, timedelta(0))
    assert len(said_in(server.channel)) == 1
    panel = sent(await command(server, "edit", time="09:00", zone="Taipei"))
    await server.moderator.click(panel, label="Save")
    on_the_seventh = SECONDS + 31 * 3600
    assert f"Next: <t:{on_the_seventh}:F>" in texts(panel)[0]
    await later(server, hands, timedelta(hours=8))
    assert len(said_in(server.channel)) == 1
    await later(server, hands, timedelta(hours=23))
    assert len(said_in(server.channel)) == 2


async def test_an_edit_to_an_hour_that_is_over_posts_tomorrow(server: Server, hands: Hands) -> None:
    await keep(server, local_time=time(5), since=NOW - timedelta(hours=6))
    panel = sent(await command(server, "edit", time="01:00"))
    await server.moderator.click(panel, label="Save")
    await later(server, hands, timedelta(hours=4))
    assert said_in(server.channel) == []
    await later(server, hands, timedelta(hours=19, minutes=1))
    assert len(said_in(server.channel)) == 1


async def test_what_is_due_when_the_time_is_changed_is_still_posted(server: Server) -> None:
    """The hour has struck and the outbox has not looked yet."""
    digest = await keep(server, since=NOW - timedelta(hours=1), next_at=NOW + timedelta(days=3))
    panel = sent(await command(server, "edit", time="03:00"))
    await server.moderator.click(panel, label="Save")
    post = await post_of(server, f"digest:{digest.id}:2026-02-06")
    assert post is not None
    assert post.due_at == NOW
    assert len(said_in(server.channel)) == 1


async def test_an_edit_that_leaves_the_time_alone_moves_nothing(server: Server) -> None:
    digest = await keep(server)
    panel = sent(await command(server, "edit"))
    await choose(server, panel, "language", "zh-TW")
    await choose(server, panel, "reports", "levels", "flows")
    await server.moderator.click(panel, label="Save")
    assert "A day that has had its post" not in words(panel)
    [after] = await kept(server)
    assert after.since == digest.since
    assert (after.language, len(after.parts)) == ("zh-TW", 2)
    assert (after.changed_by, after.changed_at) == (server.moderator.id, NOW)
    assert (after.created_by, after.created_at) == (digest.created_by, digest.created_at)


async def test_a_digest_removed_while_its_panel_is_open_is_not_brought_back(server: Server) -> None:
    digest = await keep(server)
    panel = await listed(server)
    await server.moderator.click(panel, label="Edit")
    async with bot_of(server).answers.store.write() as db:
        await digests.remove(db, digest.id)
    told = await server.moderator.click(panel, label="Save")
    assert sent(told).content == NO_SUCH
    assert await kept(server) == []


async def test_presses_work_after_a_restart(server: Server) -> None:
    await keep(server)
    panel = await listed(server)
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await server.moderator.click(panel, label="Pause")
    assert (await kept(server))[0].paused == "moderator"
    await server.moderator.click(panel, label="Edit")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await choose(server, panel, "days", "67")
    await server.moderator.click(panel, label="Save")
    assert (await kept(server))[0].days == "67"


async def test_another_servers_digest_does_not_exist_here(server: Server) -> None:
    foreign = await keep(server, server_id=4711)
    own = await keep(server)
    for name in ("edit", "pause", "resume", "remove", "now"):
        assert await refused(server, name, digest=str(foreign.id)) == NO_SUCH
        for typed in ("x", "-1", "٣", "9" * 5_000):
            assert await refused(server, name, digest=typed) == NO_SUCH
    panel = await listed(server)
    whole = message_of(panel)
    for action in ("edit", "pause", "resume", "remove", "gone", "now"):
        custom_id = f"dl1|{action}|{foreign.id}"
        button = {"type": 2, "id": 98, "style": 2, "label": "x", "custom_id": custom_id, "disabled": False}
        on = whole | {"components": [{"type": 1, "id": 99, "components": [button]}]}
        data = {"custom_id": custom_id, "component_type": 2}
        one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on)
        assert sent(await one.deliver()).content == NO_SUCH, action
    # A panel that names it saves nothing either.
    panel = sent(await command(server, "edit", time="05:00"))
    whole = message_of(panel)
    label = next(part for part in walk_components(whole["components"]) if part.get("label") == "Save")
    label["custom_id"] = label["custom_id"].replace(f"|save|{own.id}|", f"|save|{foreign.id}|")
    data = {"custom_id": label["custom_id"], "component_type": 2}
    one = Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=whole)
    assert sent(await one.deliver()).content == NO_SUCH
    async with bot_of(server).answers.store.read() as db:
        untouched = await digests.find(db, foreign.id)
    assert untouched is not None
    assert replace(untouched, next_at=None) == foreign


async def test_of_several_one_is_chosen_from_what_is_offered(server: Server) -> None:
    first = await keep(server)
    second = await keep(server, local_time=time(9), days="67", parts=(Part(report="stress"),))
    assert await refused(server, "pause") == "There are 2 digests here: choose one."
    for name in ("edit", "pause", "resume", "remove", "now"):
        offered = await server.moderator.autocomplete(server.channel, f"digest {name}", "digest", "")
        assert [(choice["name"], choice["value"]) for choice in offered] == [
            ("02:00 · every day · #trading · levels", str(first.id)),
            ("09:00 · at weekends · #trading · stress", str(second.id)),
        ]
    offered = await server.moderator.autocomplete(server.channel, "digest pause", "digest", "STRESS")
    assert [choice["value"] for choice in offered] == [str(second.id)]
    await command(server, "pause", digest=str(second.id))
    assert [digest.paused for digest in await kept(server)] == [None, "moderator"]


async def test_members_see_and_change_nothing(server: Server) -> None:
    await keep(server)
    for name in ("list", "edit", "pause", "resume", "remove", "now"):
        told = await server.alice.slash(server.channel, f"digest {name}")
        assert sent(told).content.startswith("Only moderators can do this"), name
    assert said_in(server.channel) == []


async def test_in_a_channel_closed_meanwhile_nothing_is_posted_now(server: Server) -> None:
    await keep(server, channel_id=4711)
    assert (await refused(server, "now")).startswith("A digest goes into a text or announcement channel")
    await change(server, (await kept(server))[0], paused="refused")
    assert (await refused(server, "resume")).startswith("A digest goes into a text or announcement channel")
    assert (await kept(server))[0].paused == "refused"


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    await keep(server, days="15")
    with speaking("zh-TW"):
        panel = await listed(server)
        text = words(panel)
        assert text.startswith(
            "### 定時快報：1 / 5\n**1** · **02:00** · Asia/Taipei · 台北 · UTC+8 · 週一、週五"
        )
        assert "\n下次：<t:" in text
        assert list(buttons(panel)) == ["修改", "暫停", "立即發布", "移除"]
        await server.moderator.click(panel, label="移除")
        assert texts(panel)[0].startswith("要移除這個定時快報嗎？移除後無法復原。")
