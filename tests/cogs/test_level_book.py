"""``/level-book`` as moderators and members meet it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import simcord
import simcord.interactions
from people import Server, Speaking, body_of, bot_of, people_of, sent, texts
from simcord import assert_error

from bot.errors import AlreadyDone, UserError
from storage import level_book


async def prices(server: Server) -> list[float]:
    """The book as the store has it; the default one while the server has none."""
    async with bot_of(server).answers.store.read() as db:
        return [level.price for level in await level_book.read(db, server.channel.guild.id)]


DEFAULT = [83_500, 77_000, 73_600, 56_100, 40_000]


async def test_a_moderator_adds_a_level_and_levels_judges_it_at_once(server: Server) -> None:
    before = await server.alice.slash(server.channel, "levels")
    assert "Next floor **56,100**" in texts(sent(before))[0]
    added = await server.moderator.slash(
        server.channel,
        "level-book add",
        price="\uff16\uff11\uff0e\uff15\uff4b",
        label="range low",
        venue="Coinbase",
        date="2024-09-06",
        source="our notes",
    )
    assert added.ephemeral
    [text] = texts(sent(added))
    assert text == (
        "Added: **61,500** · `range low` · `Coinbase` · 6 Sep 2024 · `our notes`\n"
        "This server's book now holds 6 of at most 25 levels.\n"
        "Until now the default book was shown here; this server's own began as a copy of it.\n"
        "-# /levels judges it from now on. To undo: /level-book remove."
    )
    after = await server.alice.slash(server.channel, "levels")
    # 100 (61,500 / 66,153.9 - 1) = -7.035
    assert "Next floor **61,500** (`range low`): −7.0" in texts(sent(after))[0]
    assert await prices(server) == [83_500, 77_000, 73_600, 61_500, 56_100, 40_000]


async def test_a_removed_level_is_gone_at_once_and_the_second_change_copies_nothing(server: Server) -> None:
    removed = await server.moderator.slash(server.channel, "level-book remove", level="56,100")
    assert texts(sent(removed))[0].startswith("Removed: **56,100** · fourth layer · ")
    assert "This server's book now holds 4 of at most 25 levels." in texts(sent(removed))[0]
    assert "Until now the default book" in texts(sent(removed))[0]
    asked = await server.alice.slash(server.channel, "levels")
    assert "Next floor **40,000** (round number)" in texts(sent(asked))[0]
    second = await server.moderator.slash(server.channel, "level-book remove", level="4萬")
    assert "Until now" not in texts(sent(second))[0]
    assert await prices(server) == [83_500, 77_000, 73_600]


async def test_with_its_last_level_a_server_has_the_default_book_again(server: Server) -> None:
    for price in DEFAULT[:-1]:
        await server.moderator.slash(server.channel, "level-book remove", level=str(price))
    last = await server.moderator.slash(server.channel, "level-book remove", level="40k")
    assert texts(sent(last))[0].split("\n")[1] == (
        "That was the last one: this server has the default book again."
    )
    assert await prices(server) == DEFAULT


async def test_who_added_a_level_is_kept_and_when(server: Server) -> None:
    await server.moderator.slash(server.channel, "level-book add", price="61.5k")
    async with bot_of(server).answers.store.read() as db:
        rows = await db.exec_driver_sql(
            "SELECT price, added_by, added_at FROM levels WHERE server_id = ? ORDER BY price",
            [(server.channel.guild.id,)],
        )
        kept = {row.price: (row.added_by, row.added_at) for row in rows}
    assert kept.pop(61_500.0) == (server.moderator.id, 1_770_314_400)  # 5 February 2026 18:00 UTC
    assert set(kept.values()) == {(None, None)}


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ("73.61k", "73,610 is within 0.2 % of 73,600 (near the March 2024 high), which is in the book already."),
        ("736", "736 is more than 10 times away from the present price of 66,153.9. Check the unit."),
        ("736k", "736,000 is more than 10 times away from the present price of 66,153.9. Check the unit."),
        ("0", "“0” is out of range: it may be from 0.01 to 1,000,000,000."),
        ("-61.5k", "“-61.5k” is out of range: it may be from 0.01 to 1,000,000,000."),
        ("61²", "“61²” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ("nan", "“nan” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ("61,50", "“61,50” is not a number: write 76.53, 57,397.50 or 57.4k."),
    ],
)  # fmt: skip
async def test_what_may_not_stand_in_a_book_is_refused_and_nothing_is_changed(
    server: Server, price: str, told: str
) -> None:
    refused = await server.moderator.slash(server.channel, "level-book add", price=price)
    assert refused.ephemeral
    assert sent(refused).content == told
    assert_error(server.env, UserError)
    assert await prices(server) == DEFAULT


async def test_a_day_that_is_none_is_refused(server: Server) -> None:
    refused = await server.moderator.slash(server.channel, "level-book add", price="61.5k", date="2027-01-01")
    assert sent(refused).content == "“2027-01-01” is not a past day: write 2026-01-28 or 1/28."
    assert_error(server.env, UserError)


async def test_the_default_book_tells_its_sources_in_the_readers_language(
    server: Server, speaking: Speaking
) -> None:
    told = texts(sent(await server.alice.slash(server.channel, "level-book list")))[0].splitlines()
    assert told[1] == "- **83,500** · first layer · market analysis of 5 Feb 2026"
    assert told[3] == (
        "- **73,600** · near the March 2024 high · `Binance spot` · 14 Mar 2024 · "
        "73,777 was the high; market analysis of 5 Feb 2026"
    )
    with speaking("zh-TW"):
        told = texts(sent(await server.alice.slash(server.channel, "level-book list")))[0].splitlines()
    assert told[1] == "- **83,500** · 第一層 · 2026/2/5 市場分析"
    assert told[3].endswith(" · 當時最高 73,777；2026/2/5 市場分析")


async def test_what_is_too_long_for_the_list_is_seen_to_be_cut(server: Server) -> None:
    await server.moderator.slash(
        server.channel, "level-book add", price="61.5k", label="x" * 41, source="y" * 32
    )
    [line] = [
        line
        for line in texts(sent(await server.alice.slash(server.channel, "level-book list")))[0].splitlines()
        if "61,500" in line
    ]
    assert line == f"- **61,500** · `{'x' * 39}…` · `{'y' * 32}`"


async def test_moderators_are_told_who_added_a_level_and_members_are_not(server: Server) -> None:
    await server.moderator.slash(server.channel, "level-book add", price="61.5k")
    told = texts(sent(await server.moderator.slash(server.channel, "level-book list")))[0]
    assert told.splitlines()[-1] == f"-# 61,500: added by <@{server.moderator.id}>, 5 Feb 18:00 UTC"
    for_all = texts(sent(await server.alice.slash(server.channel, "level-book list")))[0]
    assert str(server.moderator.id) not in for_all
    assert told.startswith(for_all)


async def test_a_book_holds_twenty_five(server: Server) -> None:
    for k in range(20):
        await server.moderator.slash(server.channel, "level-book add", price=str(60_000 - 600 * k))
    assert len(await prices(server)) == 25
    full = await server.moderator.slash(server.channel, "level-book add", price="61.5k")
    assert sent(full).content == "The book is full: it holds at most 25 levels. Remove one first."
    assert_error(server.env, UserError)
    listed = await server.alice.slash(server.channel, "level-book list")
    assert texts(sent(listed))[0].count("\n- ") == 25
    assert "25 of at most 25 levels" in texts(sent(listed))[0]


async def test_the_longest_book_fits_one_message(server: Server) -> None:
    wide = "寬" * 80
    await server.moderator.slash(server.channel, "level-book remove", level="40k")
    for k in range(21):
        await server.moderator.slash(
            server.channel, "level-book add", price=f"{60_000 - 600 * k}.125",
            label=wide, venue=wide, date="2024-11-30", source=wide,
        )  # fmt: skip
    [text] = texts(sent(await server.alice.slash(server.channel, "level-book list")))
    assert len(text) <= 4000
    assert text.count("\n- ") == 25
    assert not text.endswith("…")


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_members_may_read_but_not_write(server: Server, who: str) -> None:
    member = getattr(server, who)
    listed = await member.slash(server.channel, "level-book list")
    assert listed.ephemeral
    assert texts(sent(listed))[0].startswith("**The default level book**\n- **83,500** · first layer · ")
    for command, options in (("add", {"price": "61.5k"}), ("remove", {"level": "56.1k"})):
        refused = await member.slash(server.channel, f"level-book {command}", **options)
        assert refused.ephemeral
        assert sent(refused).content.startswith("Only moderators can do this")
    assert await member.autocomplete(server.channel, "level-book remove", "level", "") == []
    assert await prices(server) == DEFAULT


async def test_autocomplete_offers_the_servers_own_levels(server: Server) -> None:
    await server.moderator.slash(server.channel, "level-book add", price="61.5k", label="range low")
    offered = await server.moderator.autocomplete(server.channel, "level-book remove", "level", "")
    assert [choice["name"] for choice in offered] == [
        "83,500 · first layer", "77,000 · second layer", "73,600 · near the March 2024 high",
        "61,500 · range low", "56,100 · fourth layer", "40,000 · round number",
    ]  # fmt: skip
    [found] = await server.moderator.autocomplete(server.channel, "level-book remove", "level", "RANGE")
    await server.moderator.slash(server.channel, "level-book remove", level=found["value"])
    assert await prices(server) == DEFAULT


async def test_a_server_sees_only_its_own(server: Server) -> None:
    elsewhere = people_of(server.env)
    await server.moderator.slash(server.channel, "level-book add", price="61.5k", label="ours alone")
    listed = await elsewhere.moderator.slash(elsewhere.channel, "level-book list")
    assert "ours alone" not in texts(sent(listed))[0]
    asked = await elsewhere.alice.slash(elsewhere.channel, "levels")
    assert "Next floor **56,100**" in texts(sent(asked))[0]
    offered = await elsewhere.moderator.autocomplete(elsewhere.channel, "level-book remove", "level", "61,5")
    assert offered == []
    gone = await elsewhere.moderator.slash(elsewhere.channel, "level-book remove", level="61.5k")
    assert sent(gone).content == "There is no level at 61,500 in this server's book."
    assert_error(server.env, UserError)


@contextmanager
def delivered_again() -> Iterator[None]:
    """Inside, every interaction arrives under the id of the first: Discord delivering it twice."""
    original = simcord.interactions.base_payload
    ids: list[str] = []

    def same(*args: Any, **kwargs: Any) -> Any:
        record, payload = original(*args, **kwargs)
        ids.append(payload["id"])
        return record, payload | {"id": ids[0]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simcord.interactions, "base_payload", same)
        yield


def answered(server: Server) -> list[simcord.HttpLogEntry]:
    return [request for request in server.env.http_requests if request.path.endswith("/callback")]


async def test_a_replayed_interaction_changes_nothing(server: Server) -> None:
    with delivered_again():
        await server.moderator.slash(server.channel, "level-book add", price="61.5k")
        await server.moderator.slash(server.channel, "level-book add", price="61.5k")
        await server.moderator.slash(server.channel, "level-book remove", level="61.5k")
    # The simulated Discord shows nothing of an answer to an id it has an answer for.
    told = [body_of(request)["data"]["content"] for request in answered(server)[1:]]
    assert told == ["This has been done already."] * 2
    assert_error(server.env, AlreadyDone)
    assert 61_500 in await prices(server)


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        added = await server.moderator.slash(server.channel, "level-book add", price="6.15萬", date="9/6")
        listed = await server.alice.slash(server.channel, "level-book list")
    assert texts(sent(added))[0].startswith("已新增：**61,500** · 2025/9/6\n本伺服器的價位表現有 6 個價位")
    assert "- **56,100** · 第四層" in texts(sent(listed))[0]


async def test_no_answer_can_ping(server: Server) -> None:
    await server.moderator.slash(
        server.channel, "level-book add", price="61.5k", label="@everyone <@&1> [x](https://evil.example)"
    )
    refused = await server.moderator.slash(server.channel, "level-book add", price="@everyone")
    near = await server.moderator.slash(server.channel, "level-book add", price="61.51k")
    assert "@everyone" not in sent(refused).content
    assert sent(near).content == (
        "61,510 is within 0.2 % of 61,500 (＠everyone ＜＠&1＞ ［x］(https：//evil.example)), "  # noqa: RUF001
        "which is in the book already."
    )
    assert_error(server.env, UserError)
    assert len(answered(server)) == 3
    for request in answered(server):
        assert body_of(request)["data"]["allowed_mentions"] == {"parse": []}
