"""``/settings`` as moderators meet it: the panel, one line, presses after a restart, what is refused."""

from __future__ import annotations

from typing import Any

import discord
import pytest
import simcord
import simcord.interactions
from people import Server, Speaking, body_of, bot_of, buttons, changed_in_place, sent, texts
from simcord import assert_error
from simcord.components import walk_components

from analysis.errors import UserError
from bot.client import Leadline
from storage import servers
from storage.servers import ServerSettings

SELL_OFF = 1770314400
"""The instant of the bot's clock: 5 February 2026, 18:00 UTC."""


def panel(message: simcord.ResponseMessage) -> str:
    return "\n".join(texts(message))


def selects(message: simcord.ResponseMessage) -> dict[str, dict[str, Any]]:
    """The selects by the setting they are for."""
    parts = [part for part in walk_components(message.components) if part.get("type") in {3, 6, 8}]
    return {part["custom_id"].split("|")[1]: part for part in parts}


def chosen(select: dict[str, Any]) -> list[Any]:
    if "options" in select:
        return [option["value"] for option in select["options"] if option.get("default")]
    return [int(value["id"]) for value in select.get("default_values") or ()]


async def kept(server: Server) -> ServerSettings | None:
    async with bot_of(server).answers.store.read() as db:
        return await servers.settings(db, server.channel.guild.id)


@pytest.fixture
def chinese_server(monkeypatch: pytest.MonkeyPatch) -> None:
    original = simcord.interactions.base_payload

    def with_locale(*args: Any, **kwargs: Any) -> Any:
        record, payload = original(*args, **kwargs)
        return record, payload | {"guild_locale": "zh-TW"}

    monkeypatch.setattr(simcord.interactions, "base_payload", with_locale)


async def test_the_panel_shows_what_holds_by_default(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    assert opened.ephemeral
    assert panel(sent(opened)).split("\n") == [
        "### Settings of this server",
        "**Language**: Both: each reader their own · default",
        "**Palette**: Green up, red down (international) · default",
        "**Theme**: Dark pictures · default",
        "**Time zone**: UTC · default",
        "-# To change it, type `/settings zone:` and a city, a country or UTC+8.",
        "**Public answers**: in every channel · default",
        "**Moderators**: whoever may manage the server · default",
        (
            "**Four lights**: line 73,600 · held after 8 closes · flows from 0.0\N{NO-BREAK SPACE}US$\N{NO-BREAK SPACE}m"
            " · macro under 1.5σ · silver under 1.5σ · default"
        ),
    ]
    assert {name: chosen(select) for name, select in selects(sent(opened)).items()} == {
        "language": ["both"],
        "palette": ["intl"],
        "theme": ["dark"],
        "public_channels": [],
        "moderator_role": [],
    }
    assert list(buttons(sent(opened))) == [
        "Every channel", "Only for the asker", "No role", "Change the thresholds", "Default thresholds",
    ]  # fmt: skip
    assert await kept(server) is None


async def test_a_chinese_server_has_other_defaults(server: Server, chinese_server: None) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    assert panel(sent(opened)).split("\n") == [
        "### 本伺服器設定",
        "**語言**：繁體中文 · 預設",
        "**漲跌配色**：紅漲綠跌（台灣慣例） · 預設",
        "**圖表明暗**：深色圖表 · 預設",
        "**時區**：Asia/Taipei · 台北 · UTC+8 · 預設",
        "-# 如要更改，請輸入 `/settings zone:` 與城市、國家或 UTC+8。",
        "**公開回覆**：所有頻道 · 預設",
        "**管理人員**：可管理伺服器者 · 預設",
        "**四燈**：關鍵線 73,600 · 收 8 根算守住 · 資金流不低於 0.00\N{NO-BREAK SPACE}億美元 · 總經小於 1.5σ · 白銀小於 1.5σ · 預設",
    ]
    card = await server.alice.slash(server.channel, "flows", since="2026-01-16")
    assert texts(sent(card))[0].startswith("**BTC 現貨 ETF")


async def test_every_select_saves_at_once_and_says_so(server: Server) -> None:
    guild, me = server.channel.guild, server.moderator
    role = guild.create_role("analysts")
    other = guild.create_text_channel("second")
    opened = await me.slash(server.channel, "settings")
    ids = {name: select["custom_id"] for name, select in selects(sent(opened)).items()}

    for setting, values, line in [
        ("language", ["en"], "Saved. Language: **English**"),
        ("palette", ["cb"], "Saved. Palette: **Blue up, orange down (colour-blind safe)**"),
        ("theme", ["light"], "Saved. Theme: **Light pictures**"),
        (
            "public_channels",
            [other, server.channel],
            f"Saved. Public answers: **in <#{server.channel.id}> <#{other.id}>, elsewhere only for the asker**",
        ),
        (
            "moderator_role",
            [role],
            f"Saved. Moderators: **<@&{role.id}> and whoever may manage the server**",
        ),
    ]:
        pressed = await me.select(sent(opened), values, custom_id=ids[setting])
        assert changed_in_place(pressed, opened)
        assert texts(sent(opened))[0] == f"### Settings of this server\n{line}"

    assert {name: chosen(select) for name, select in selects(sent(opened)).items()} == {
        "language": ["en"],
        "palette": ["cb"],
        "theme": ["light"],
        "public_channels": [server.channel.id, other.id],
        "moderator_role": [role.id],
    }
    assert texts(sent(opened))[-1] == f"-# Last changed <t:{SELL_OFF}:R> by <@{me.id}>"
    expected = ServerSettings(
        server_id=guild.id,
        language="en",
        zone="UTC",
        palette="cb",
        theme="light",
        public_channels=(server.channel.id, other.id),
        moderator_role=role.id,
        changed_by=me.id,
        changed_at=SELL_OFF,
    )
    assert await kept(server) == expected

    for label, line in [
        ("Only for the asker", "Saved. Public answers: **in no channel, only for the asker**"),
        ("Every channel", "Saved. Public answers: **in every channel**"),
        ("No role", "Saved. Moderators: **whoever may manage the server**"),
    ]:
        await me.click(sent(opened), label=label)
        assert texts(sent(opened))[0].endswith(line)
        button = next(part for part in walk_components(sent(opened).components) if part.get("label") == label)
        assert button["disabled"]
    settings = await kept(server)
    assert settings is not None
    assert (settings.public_channels, settings.moderator_role) == (None, None)


async def test_only_for_the_asker_is_kept_as_no_channel(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    await server.moderator.click(sent(opened), label="Only for the asker")
    settings = await kept(server)
    assert settings is not None
    assert settings.public_channels == ()


async def test_all_in_one_line(server: Server) -> None:
    role = server.channel.guild.create_role("analysts")
    done = await server.moderator.slash(
        server.channel, "settings", language="zh-TW", zone="臺北", palette="tw", theme="light", role=role
    )
    assert done.ephemeral
    assert texts(sent(done))[0].split("\n") == [
        "### 本伺服器設定",
        "已儲存。語言：**繁體中文**",
        "已儲存。漲跌配色：**紅漲綠跌（台灣慣例）**",
        "已儲存。圖表明暗：**淺色圖表**",
        "已儲存。時區：**Asia/Taipei · 台北 · UTC+8**",
        f"已儲存。管理人員：**<@&{role.id}> 與可管理伺服器者**",
    ]
    assert await kept(server) == ServerSettings(
        server_id=server.channel.guild.id,
        language="zh-TW",
        zone="Asia/Taipei",
        palette="tw",
        theme="light",
        moderator_role=role.id,
        changed_by=server.moderator.id,
        changed_at=SELL_OFF,
    )
    card = await server.alice.slash(server.channel, "flows", since="2026-01-16")
    assert texts(sent(card))[0].startswith("**BTC 現貨 ETF")


async def test_what_is_set_already_changes_nothing(server: Server) -> None:
    await server.moderator.slash(server.channel, "settings", theme="light")
    again = await server.moderator.slash(server.channel, "settings", theme="light")
    assert texts(sent(again))[0].endswith("Nothing changed: it was set like that already.")


async def test_a_default_that_was_chosen_stays_when_the_server_becomes_chinese(
    server: Server, request: pytest.FixtureRequest
) -> None:
    await server.moderator.slash(server.channel, "settings", palette="intl")
    request.getfixturevalue("chinese_server")
    opened = await server.moderator.slash(server.channel, "settings")
    assert "**Palette**: Green up, red down (international)\n" in panel(sent(opened))


async def test_the_zones_offered(server: Server, speaking: Speaking) -> None:
    offered = await server.moderator.autocomplete(server.channel, "settings", "zone", "台北")
    assert offered == [{"name": "Asia/Taipei · Taipei · UTC+8", "value": "Asia/Taipei"}]
    with speaking("zh-TW"):
        offered = await server.moderator.autocomplete(server.channel, "settings", "zone", "")
    assert offered[0] == {"name": "Asia/Taipei · 台北 · UTC+8", "value": "Asia/Taipei"}
    everything = await server.moderator.autocomplete(server.channel, "settings", "zone", "a")
    assert len(everything) == 25
    assert await server.alice.autocomplete(server.channel, "settings", "zone", "Taipei") == []


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        (
            "Atlantis",
            "“Atlantis” is no time zone known here: write a city (Taipei), a country, UTC+8 or EST.",
        ),
        (
            "UTC-5",
            (
                "“UTC-5” fits several time zones: choose America/New_York, America/Eirunepe, "
                "America/Rio_Branco, America/Nassau or another one."
            ),
        ),
    ],
)
async def test_a_bad_zone_changes_nothing_at_all(server: Server, zone: str, sentence: str) -> None:
    told = await server.moderator.slash(server.channel, "settings", zone=zone, theme="light")
    assert told.ephemeral
    assert sent(told).content == sentence
    assert await kept(server) is None
    assert_error(server.env, UserError)


async def test_everybodys_role_makes_no_moderators(server: Server) -> None:
    told = await server.moderator.slash(
        server.channel, "settings", role=server.channel.guild.default_role, theme="light"
    )
    assert sent(told).content == "That role is everybody's: then every member could change these settings."
    opened = await server.moderator.slash(server.channel, "settings")
    custom_id = selects(sent(opened))["moderator_role"]["custom_id"]
    told = await server.moderator.select(
        sent(opened), [server.channel.guild.default_role], custom_id=custom_id
    )
    assert sent(told).content.startswith("That role is everybody's")
    assert await kept(server) is None
    assert_error(server.env, UserError)


async def press(server: Server, message: simcord.ResponseMessage, data: dict[str, Any]) -> None:
    """A press as only a forged client would send it: values that no panel offers."""
    stored = server.env.backend.messages[server.channel.id][message.id]
    await simcord.actors._component_interaction(server.moderator, stored, data)


@pytest.mark.parametrize("resolved", [True, False])
async def test_a_strangers_channel_is_refused(server: Server, resolved: bool) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    elsewhere = "999999999999999999"
    stranger = {"id": elsewhere, "type": 0, "name": "theirs", "permissions": "0"}
    data = {
        "custom_id": "set1|public_channels|choose",
        "component_type": 8,
        "values": [elsewhere],
        "resolved": {"channels": {elsewhere: stranger}} if resolved else {"channels": {}},
    }
    await press(server, sent(opened), data)
    told = [message for message in answers_in(server) if message]
    assert told[-1] == "That channel does not belong to this server."
    assert await kept(server) is None


def answers_in(server: Server) -> list[str]:
    """What was said in answer to interactions, in order; empty for cards."""
    return [
        (body_of(request).get("data") or {}).get("content") or ""
        for request in server.env.http_requests
        if request.path.endswith("/callback")
    ]


@pytest.mark.parametrize("value", ["fr", "../../x"])
async def test_a_value_no_panel_offers_is_refused(server: Server, value: str) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    data = {"custom_id": "set1|language|choose", "component_type": 3, "values": [value]}
    await press(server, sent(opened), data)
    assert answers_in(server)[-1].startswith("This panel is from another version of Leadline.")
    assert await kept(server) is None


async def test_members_are_refused_and_a_right_taken_away_is_seen(server: Server) -> None:
    told = await server.alice.slash(server.channel, "settings", theme="light")
    assert told.ephemeral
    assert sent(told).content.startswith("Only moderators can do this")

    role = server.channel.guild.create_role("analysts")
    await server.moderator.slash(server.channel, "settings", role=role)
    guild = server.channel.guild
    carol = guild.add_member(server.env.create_user("carol"), roles=[role])
    opened = await carol.slash(server.channel, "settings")
    assert opened.ephemeral
    await server.moderator.click(
        sent(await server.moderator.slash(server.channel, "settings")), label="No role"
    )
    # Her panel still stands open.
    told = await carol.click(sent(opened), label="Only for the asker")
    assert sent(told).content.startswith("Only moderators can do this")
    after = await kept(server)
    assert after is not None
    assert after.public_channels is None


async def test_presses_work_after_a_restart(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    custom_id = selects(sent(opened))["theme"]["custom_id"]
    answers = bot_of(server).answers
    await server.env.restart_bot(Leadline(answers))
    await server.moderator.select(sent(opened), ["light"], custom_id=custom_id)
    assert "Saved. Theme: **Light pictures**" in texts(sent(opened))[0]
    settings = await kept(server)
    assert settings is not None
    assert settings.theme == "light"


async def test_a_press_delivered_again_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has set it back meanwhile."""
    emit = server.env.backend.emit
    delivered: list[Any] = []

    def noted(event: str, payload: Any, *args: Any, **kwargs: Any) -> Any:
        if event == "INTERACTION_CREATE":
            delivered.append(payload)
        return emit(event, payload, *args, **kwargs)

    opened = await server.moderator.slash(server.channel, "settings")
    monkeypatch.setattr(server.env.backend, "emit", noted)
    await server.moderator.click(sent(opened), label="Only for the asker")
    once = await kept(server)
    await server.moderator.click(sent(opened), label="Every channel")
    assert once is not None
    assert once.public_channels == ()
    first, _ = delivered
    for _ in range(20):
        emit("INTERACTION_CREATE", first)
        await server.env.settle()
    settings = await kept(server)
    assert settings is not None
    assert settings.public_channels is None


async def test_the_panel_fits_into_a_message_at_its_fullest(server: Server) -> None:
    guild = server.channel.guild
    channels = [guild.create_text_channel(f"channel-{number}") for number in range(25)]
    role = guild.create_role("analysts")
    opened = await server.moderator.slash(
        server.channel, "settings", language="en", role=role, lights_flows="-9,999.5", lights_closes="96"
    )
    custom_id = selects(sent(opened))["public_channels"]["custom_id"]
    await server.moderator.select(sent(opened), channels, custom_id=custom_id)
    assert len(chosen(selects(sent(opened))["public_channels"])) == 25
    parts = list(walk_components(sent(opened).components))
    assert len(parts) <= 40
    assert sum(len(text) for text in texts(sent(opened))) <= 4000


async def test_a_channel_that_is_gone_is_no_longer_shown_as_chosen(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    gone = server.channel.guild.create_text_channel("gone")
    custom_id = selects(sent(opened))["public_channels"]["custom_id"]
    await server.moderator.select(sent(opened), [gone, server.channel], custom_id=custom_id)
    channel = bot_of(server).get_channel(gone.id)
    assert isinstance(channel, discord.TextChannel)
    with server.env.time_context():
        await channel.delete()
    await server.env.settle()
    opened = await server.moderator.slash(server.channel, "settings")
    assert chosen(selects(sent(opened))["public_channels"]) == [server.channel.id]


# The four lights

OWN = {"line": "7萬", "closes": "6", "flows_musd": "-200", "macro_sigma": "2", "silver_sigma": "2.5"}
SAID = (
    "Saved. Four lights: **line 70,000 · held after 6 closes · flows from −200.0\N{NO-BREAK SPACE}US$\N{NO-BREAK SPACE}m"
    " · macro under 2σ · silver under 2.5σ**"
)
KEPT = {
    "light_line": 70_000.0, "light_closes": 6, "light_flows_musd": -200.0, "light_macro_sigma": 2.0,
    "light_silver_sigma": 2.5,
}  # fmt: skip


def of_lights(settings: ServerSettings | None) -> dict[str, float | None]:
    return {} if settings is None else {name: getattr(settings, name) for name in KEPT}


async def test_the_thresholds_by_a_form_filled_with_what_holds(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    form = await server.moderator.click(sent(opened), label="Change the thresholds")
    assert form._interaction.modal is not None
    fields = [
        part for part in walk_components(form._interaction.modal["components"]) if part.get("type") == 4
    ]
    assert {field["custom_id"]: field["value"] for field in fields} == {
        "line": "73600", "closes": "8", "flows_musd": "0", "macro_sigma": "1.5", "silver_sigma": "1.5",
    }  # fmt: skip
    await server.moderator.submit_modal(form, OWN)
    assert texts(sent(opened))[0].split("\n")[1:] == [SAID]
    assert of_lights(await kept(server)) == KEPT
    card = await server.alice.slash(server.channel, "lights")
    assert "Line 70,000: not held" in texts(sent(card))[0]

    await server.moderator.click(sent(opened), label="Default thresholds")
    assert "line 73,600" in texts(sent(opened))[0]
    assert set(of_lights(await kept(server)).values()) == {None}


async def test_an_empty_field_is_what_holds_by_default(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings", lights_line="70000", lights_macro="2")
    form = await server.moderator.click(sent(opened), label="Change the thresholds")
    await server.moderator.submit_modal(form, OWN | {"line": "", "macro_sigma": "預設"})
    settings = of_lights(await kept(server))
    assert (settings["light_line"], settings["light_macro_sigma"]) == (None, None)
    assert settings["light_closes"] == 6


async def test_the_thresholds_in_one_line(server: Server) -> None:
    done = await server.moderator.slash(
        server.channel, "settings", lights_line="70k", lights_closes="6", lights_flows="-200", lights_macro="2",
        lights_silver="2.5",
    )  # fmt: skip
    assert texts(sent(done))[0].split("\n")[1:] == [SAID]
    assert of_lights(await kept(server)) == KEPT
    again = await server.moderator.slash(server.channel, "settings", lights_line="default")
    assert "line 73,600" in texts(sent(again))[0]
    settings = of_lights(await kept(server))
    assert (settings["light_line"], settings["light_closes"]) == (None, 6)


@pytest.mark.parametrize(
    ("option", "typed", "sentence"),
    [
        ("lights_line", "high", "“high” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ("lights_line", "0", "“0” is out of range: it may be from 0.01 to 1,000,000,000."),
        ("lights_closes", "97", "“97” is out of range: it may be from 1 to 96."),
        ("lights_closes", "2.5", "“2.5” is not a whole number."),
        ("lights_flows", "200m", "“200m” is out of range: it may be from -10,000 to 10,000."),
        ("lights_macro", "0.4", "“0.4” is out of range: it may be from 0.5 to 6."),
        ("lights_silver", "nan", "“nan” is not a number: write 76.53, 57,397.50 or 57.4k."),
    ],
)
async def test_a_bad_threshold_changes_nothing_at_all(
    server: Server, option: str, typed: str, sentence: str
) -> None:
    told = await server.moderator.slash(server.channel, "settings", theme="light", **{option: typed})
    assert told.ephemeral
    assert sent(told).content == sentence
    assert await kept(server) is None
    assert_error(server.env, UserError)


async def test_members_do_not_set_thresholds(server: Server) -> None:
    told = await server.alice.slash(server.channel, "settings", lights_line="70000")
    assert sent(told).content.startswith("Only moderators can do this")
    assert await kept(server) is None


async def test_the_form_opens_after_a_restart(server: Server) -> None:
    opened = await server.moderator.slash(server.channel, "settings")
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    form = await server.moderator.click(sent(opened), label="Change the thresholds")
    await server.moderator.submit_modal(form, OWN)
    assert of_lights(await kept(server)) == KEPT
