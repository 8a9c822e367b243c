"""``/lights`` as people meet it: the card, a digest's one line, and thresholds of a server's own."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from digesting import keep, post_of
from people import Server, Speaking, bot_of, buttons, pictures_of, sent, texts

from bot import digests
from bot.digest_words import Asking, written
from bot.language import Speech
from bot.posts import Written
from bot.reports.lights import REPORT
from bot.reports.shapes import Asked
from storage import servers
from storage.digests import Part, Schedule
from storage.servers import ServerSettings

SELL_OFF = datetime(2026, 2, 5, 18, tzinfo=UTC)


async def test_five_lines_a_picture_and_where_it_comes_from(server: Server) -> None:
    result = await server.alice.slash(server.channel, "lights")
    first, data = texts(sent(result))
    assert [line[:60] for line in first.split("\n")] == [
        "**Lights: 1 of 4 on**",
        "🔺 **Line 73,600: not held** · since 4 Feb 18:00 UTC · price ",
        "🔺 **ETF flows: not steady** · since 21 Jan · five days to 4 ",
        "🟢 **Macro: calm** · since 30 Jan 22:00 UTC · five days to 4 ",
        "🔺 **Silver and margin: not quiet** · since 28 Jan 05:00 UTC ",
    ]
    assert data.removeprefix("-# ") == (
        "Binance USD-M, BTCUSDT perpetual · closed 5 Feb 18:00 UTC · under a minute old · Farside Investors · "
        "Yahoo Finance DX-Y.NYB · FRED · Yahoo Finance SI=F · sample, ends 2026-02-06"
    )
    [picture] = pictures_of(sent(result))
    assert picture["description"].startswith("Lights: 1 of 4 on")
    assert list(buttons(sent(result))) == ["Details", "CSV", "中文", "Delete"]


async def test_details_have_each_rule_in_words(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "lights")
    told = texts(sent(await server.bob.click(sent(asked), label="Details")))[0]
    assert told.count("Rule: On ") == 4
    assert told.count("What would change it: ") == 4
    assert "Default thresholds; moderators choose others in /settings." in told
    assert not told.endswith("…")
    # The five-day moves are not of the instant of bitcoin's price, and say so.
    assert told.split("Where from, as of when**\n")[1].split("\n")[:5] == [
        "-# Bitcoin: Binance USD-M, BTCUSDT perpetual · 5 Feb 18:00 UTC · fresh",
        "-# ETF flows: Farside Investors · 4 Feb 2026 · fresh",
        "-# Dollar index: Yahoo Finance DX-Y.NYB · 4 Feb 2026 · fresh",
        "-# 10-year breakeven: FRED · 4 Feb 2026 · fresh",
        "-# Silver: Yahoo Finance SI=F · 4 Feb 2026 · fresh",
    ]


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "lights")
    assert texts(sent(asked))[0].split("\n")[:2] == [
        "**四燈：4 盞亮 1 盞**",
        (
            "🔺 **關鍵線 73,600：未守住** · 自 2/4（三）18:00 UTC 起 · 價格 66,154 · 已跌破 · "
            "收 8 根高於 73,600 就亮燈，首根須高於 73,885"
        ),
    ]


async def test_a_digest_is_one_line(server: Server) -> None:
    bot = bot_of(server)
    schedule = Schedule(
        id=1, server_id=server.channel.guild.id, channel_id=server.channel.id, parts=(Part(report="lights"),),
        local_time=SELL_OFF.time(), zone="UTC", days="every", language="en", since=SELL_OFF,
        created_by=None, created_at=SELL_OFF,
    )  # fmt: skip
    asking = Asking(bot.answers, SELL_OFF)
    parts = await asking.parts(schedule, server_id=0)
    post = await written(schedule, parts, asking, settings=None, marker="x" * 12, due=SELL_OFF)
    line, data = post.letter.content.split("\n")
    assert line == (
        "**Lights: 1 of 4 on** · 🔺 Line 73,600: not held · 🔺 ETF flows: not steady · 🟢 Macro: calm · "
        "🔺 Silver and margin: not quiet"
    )
    assert data.startswith("-# ")
    assert [picture.alt[:17] for picture in post.pictures] == ["Lights: 1 of 4 on"]


@pytest.mark.parametrize("own", [True, False])
async def test_a_digest_is_judged_by_the_thresholds_of_its_server(server: Server, own: bool) -> None:
    bot, guild = bot_of(server), server.channel.guild.id
    if own:
        async with bot.answers.store.write() as db:
            await servers.keep(db, ServerSettings(server_id=guild, light_line=60_000.0))
    digest = await keep(server, parts=(Part(report="lights"),))
    async with bot.answers.store.write() as db:
        await digests.post_now(db, digest, interaction_id=7, now=SELL_OFF)
    post = await post_of(server, f"digest:{digest.id}:now:7")
    assert post is not None
    writing = await digests.DigestWriter(bot.answers, lambda _server: None).writing([post])
    made = await writing(post, "x" * 12, SELL_OFF)
    assert isinstance(made, Written)
    assert ("Line 60,000: held" in made.letter.content) is own
    assert ("Line 73,600: not held" in made.letter.content) is not own


async def test_a_server_s_own_line_and_thresholds(server: Server) -> None:
    guild = server.channel.guild.id
    settings = ServerSettings(
        server_id=guild, light_line=60_000.0, light_closes=4, light_flows_musd=-2_000.0, light_macro_sigma=1.0,
        light_silver_sigma=1.2,
    )  # fmt: skip
    async with bot_of(server).answers.store.write() as db:
        await servers.keep(db, settings)
    asked = await server.alice.slash(server.channel, "lights")
    lines = texts(sent(asked))[0].split("\n")
    # 66,154 never closed below 60,000; -1,582.6 is more than -2,000; the dollar moved 1.3 sigmas.
    assert lines[0] == "**Lights: 2 of 4 on**"
    assert lines[1].startswith("🟢 **Line 60,000: held** · for as long as the data reach · price 66,154")
    assert lines[2].startswith("🟢 **ETF flows: steady**")
    assert lines[3].startswith("🔺 **Macro: not calm**")
    assert "silver next closing within" in lines[4]
    details = texts(sent(await server.bob.click(sent(asked), label="Details")))[0]
    assert "once 4 closes of 30 minutes held 60,000" in details
    assert "Thresholds of this server, chosen in /settings." in details
    # Another server is judged by what holds by default.
    store = bot_of(server).answers.store
    other = await REPORT.answer(
        REPORT.read({}, SELL_OFF), Asked(store=store, at=SELL_OFF, server_id=guild + 1)
    )
    assert REPORT.say(other, Speech("en", ZoneInfo("UTC")), SELL_OFF).lines[0] == "**Lights: 1 of 4 on**"
