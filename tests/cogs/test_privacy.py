"""``/privacy`` as anybody meets it."""

from __future__ import annotations

import json

from people import Server, Speaking, bot_of, buttons, sent, texts

from bot.client import Leadline
from storage import level_book, privacy, servers
from storage.servers import ServerSettings

NOTHING = (
    "Leadline keeps nothing about you.\n"
    "-# What you ask is not kept. All of it in a file: /privacy export. Gone: /privacy delete."
)


async def has_given(server: Server) -> int:
    """The moderator adds a level and changes a setting; returns their id."""
    await server.moderator.slash(server.channel, "level-book add", price="61.5k", label="range low")
    async with bot_of(server).answers.store.write() as db:
        await servers.keep(
            db,
            ServerSettings(
                server_id=server.channel.guild.id,
                language="both",
                changed_by=server.moderator.id,
                changed_at=5,
            ),
        )
    return int(server.moderator.id)


async def test_who_gave_nothing_is_told_so(server: Server) -> None:
    await has_given(server)
    for command in ("show", "delete"):
        told = await server.alice.slash(server.channel, f"privacy {command}")
        assert told.ephemeral
        assert texts(sent(told)) == [NOTHING]
        assert buttons(sent(told)) == {}


async def test_show_counts_what_is_kept(server: Server) -> None:
    await has_given(server)
    told = await server.moderator.slash(server.channel, "privacy show")
    assert told.ephemeral
    assert texts(sent(told))[0].split("\n")[:3] == [
        "**What Leadline keeps about you**",
        "- Levels you added to a server's level book: 1",
        "- Servers whose settings you changed last: 1",
    ]


async def test_export_is_a_file_with_all_of_it(server: Server) -> None:
    user_id = await has_given(server)
    told = await server.moderator.slash(server.channel, "privacy export")
    assert told.ephemeral
    [file] = sent(told).attachments
    assert file.filename == "leadline-privacy.json"
    document = json.loads(await file.read())
    assert document["user_id"] == str(user_id)
    assert document["made_at"] == "2026-02-05T18:00:00Z"
    [level] = document["levels_added"]
    assert level["server_id"] == str(server.channel.guild.id)
    assert (level["price"], level["label"], level["added_by"]) == (61_500.0, "range low", str(user_id))
    assert [row["changed_by"] for row in document["settings_changed"]] == [str(user_id)]
    assert set(document) == {"user_id", "made_at", *(place.kind for place in privacy.USER_COLUMNS)}


async def test_delete_asks_first_and_then_forgets_the_person_and_not_the_level(server: Server) -> None:
    user_id = await has_given(server)
    asked = await server.moderator.slash(server.channel, "privacy delete")
    assert asked.ephemeral
    assert "Your user id is taken out of all of it, for good." in texts(sent(asked))[0]
    store = bot_of(server).answers.store
    async with store.read() as db:
        assert any((await privacy.held(db, user_id)).values())
    await server.moderator.click(sent(asked), label="Delete")
    assert texts(sent(asked))[0].startswith("Done: nothing here names you any more.")
    assert buttons(sent(asked)) == {}
    async with store.read() as db:
        assert not any((await privacy.held(db, user_id)).values())
        assert 61_500 in [level.price for level in await level_book.read(db, server.channel.guild.id)]
    again = await server.moderator.slash(server.channel, "privacy show")
    assert texts(sent(again)) == [NOTHING]


async def test_the_button_works_after_a_restart(server: Server) -> None:
    user_id = await has_given(server)
    asked = await server.moderator.slash(server.channel, "privacy delete")
    answers = bot_of(server).answers
    await server.env.restart_bot(Leadline(answers))
    await server.moderator.click(sent(asked), label="Delete")
    async with answers.store.read() as db:
        assert not any((await privacy.held(db, user_id)).values())


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    await has_given(server)
    with speaking("zh-TW"):
        told = await server.moderator.slash(server.channel, "privacy show")
    assert texts(sent(told))[0].startswith("**Leadline 保存了哪些與你有關的資料**")
