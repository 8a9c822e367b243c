"""A digest that a moderator sets up, over the wire from the command to the post in the channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.posts import marker_of
from storage.outbox import State
from tests.wire import payloads, rules
from tests.wire.payloads import ALICE, CHANNEL, GUILD, MODERATOR
from tests.wire.test_digests import DUE, Stage, key_of, stage  # noqa: F401 -- a fixture


async def test_a_digest_is_set_up_with_presses_and_posted_at_its_hour(stage: Stage) -> None:  # noqa: F811
    """18:00 UTC every day; it is half past five."""
    asked = await stage.discord.slash(MODERATOR, "digest add", report="levels", time="18:00")
    panel = await asked.answer()
    assert asked.ephemeral
    assert "**18:00** · UTC · every day" in rules.texts(panel)
    preview = rules.texts(panel).split("\n")[1:]
    assert len(rules.pictures(panel)) == 1
    assert asked.picture.startswith(b"\x89PNG")
    confirmed = await stage.discord.press(MODERATOR, asked, "Confirm")
    said = rules.texts(await confirmed.answer())
    assert said.startswith("The digest is set up. **18:00** · UTC · every day")
    assert f"<t:{int(DUE.timestamp())}:R>" in said
    assert stage.said() == []
    schedule = await stage.schedule(1)
    assert (schedule.server_id, schedule.channel_id) == (int(GUILD), int(CHANNEL))

    await stage.at(DUE)
    post = await stage.settled(key_of(1, "2026-02-05"))
    assert post.state is State.DONE
    [message] = stage.discord.posts.messages(CHANNEL)
    [attachment] = message["attachments"]
    assert marker_of(post) in attachment["filename"]
    # What the preview has shown is what was posted; half an hour has passed, so of each line its beginning.
    assert [line[:6] for line in message["content"].split("\n")] == [
        line[:6] for line in preview[: len(message["content"].split("\n"))]
    ]

    listed = await stage.discord.slash(MODERATOR, "digest list")
    text = rules.texts(await listed.answer())
    assert f"https://discord.com/channels/{GUILD}/{CHANNEL}/{message['id']}" in text
    following = int(datetime(2026, 2, 6, 18, tzinfo=UTC).timestamp())
    assert f"Next: <t:{following}:F>" in text

    # Beside its hours, by a press on the list.
    await stage.at(DUE + timedelta(minutes=5))
    pressed = await stage.discord.press(MODERATOR, listed, "Post now")
    await pressed.answer()
    assert (await stage.settled(f"digest:1:now:{pressed.id}")).state is State.DONE
    assert len(stage.said()) == 2
    assert (await stage.schedule(1)).planned_through == datetime(2026, 2, 5, tzinfo=UTC).date()


async def test_what_the_bot_lacks_in_the_channel_is_named(
    stage: Stage,  # noqa: F811
) -> None:
    channel = payloads.channel("trading", deny=payloads.ATTACH | payloads.HISTORY)
    await stage.discord.gateway.dispatch("CHANNEL_UPDATE", channel)
    asked = await stage.discord.slash(MODERATOR, "digest add", report="levels", time="9")
    told = rules.texts(await asked.answer())
    assert f"⚠ Leadline lacks in <#{CHANNEL}>: Attach Files · Read Message History." in told


async def test_members_set_nothing_up(stage: Stage) -> None:  # noqa: F811
    asked = await stage.discord.slash(ALICE, "digest add", report="levels", time="9")
    assert (await asked.answer())["content"].startswith("Only moderators can do this")
