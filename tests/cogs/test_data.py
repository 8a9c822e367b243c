"""``/data`` as people meet it: how old everything is, and what moderators enter, confirm and undo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import simcord
from people import Server, Speaking, bot_of, buttons, changed_in_place, people_of, sent, texts
from raw import COMPONENT, Asked, message_of
from simcord import assert_error
from simcord.components import walk_components
from sqlalchemy import select

from bot import data_upload
from bot.client import Leadline
from bot.clock import FixedClock
from bot.data_status import _state
from bot.errors import UserError
from bot.every_feed import every_feed
from bot.fetching import registered
from bot.reports.flows import FlowsQuery
from bot.reports.flows import answer as flows_at
from bot.reports.flows import as_json as flows_json
from bot.reports.shapes import Asked as Question
from bot.reports.silver_margin import SilverMarginQuery, as_json
from bot.reports.silver_margin import answer as margin_at
from storage import feeds, privacy, schema, servers
from storage.store import Store

NBSP = "\N{NO-BREAK SPACE}"
NOTICE = {
    "effective": "2026-02-06",
    "value": "18",
    "notice": "2026-02-05",
    "number": "26-057",
    "link": "https://www.cmegroup.com/notices/clearing/2026/02/Chadv26-057.html",
}
GONE = "This preview is gone: it was answered already, is older than 15 minutes, or Leadline was restarted."
AFTER_CLOSE = datetime(2026, 2, 6, 6, 0, tzinfo=UTC)
"""The session of 5 February is over, and nobody has reported it yet."""


def plain(text: str) -> str:
    return text.replace(NBSP, " ")


def at(server: Server, instant: datetime) -> None:
    bot = bot_of(server)
    bot.clock = bot.answers.clock = FixedClock(instant)


def store_of(server: Server) -> Store:
    return bot_of(server).answers.store


async def rows(server: Server, table: Any) -> list[Any]:
    async with store_of(server).read() as db:
        return list((await db.execute(select(table))).all())


async def typed(server: Server, *, rule: str = "percent", **fields: str) -> simcord.InteractionResult:
    """The form opened and sent: a preview, or what is wrong."""
    shown = await server.moderator.slash(server.channel, "data margin", product="SI", rule=rule)
    return await server.moderator.submit_modal(shown, NOTICE | fields)


async def entered(server: Server) -> simcord.InteractionResult:
    preview = await typed(server)
    await server.moderator.click(sent(preview), label="Confirm")
    return preview


async def rule_line(server: Server) -> str:
    asked = await server.alice.slash(server.channel, "silver-margin", private=True)
    return plain(texts(sent(asked))[0])


# Margins


async def test_a_form_of_five_fields_is_the_first_answer(server: Server) -> None:
    shown = await server.moderator.slash(server.channel, "data margin", product="SI", rule="percent")
    assert shown._interaction.modal is not None
    found = [
        part for part in walk_components(shown._interaction.modal["components"]) if part.get("type") == 4
    ]
    assert [part["custom_id"] for part in found] == list(NOTICE)
    assert shown._interaction.modal["title"] == "Margin of SI, percent"


async def test_the_preview_says_what_it_would_change_and_changes_nothing(server: Server) -> None:
    """84.165 x 5,000 x 15 % = 63,123.75 and 18 % = 75,748.50."""
    preview = await typed(server)
    assert preview.ephemeral
    assert plain(texts(sent(preview))[0]).split("\n") == [
        "**Preview: nothing is kept yet**",
        "SI: 15 % → **18 %** from 6 Feb 2026 22:00 UTC (17:00 New York)",
        "A contract at the close of 4 Feb 2026, 84.165 USD/oz: 63,123.75 → **75,748.50 USD** (+20.0 %)",
        "Notice `26-057` of 5 Feb 2026",
        f"From `{NOTICE['link']}`",
        "-# It will answer in this server alone, and be called entered by a moderator wherever it counts.",
    ]
    assert list(buttons(sent(preview))) == ["Confirm", "Cancel"]
    assert await rows(server, schema.entries) == []
    assert "Next change: none known." in await rule_line(server)


async def test_confirmed_it_answers_at_once_here_and_says_where_it_is_from(server: Server) -> None:
    elsewhere = people_of(server.env)
    preview = await entered(server)
    assert texts(sent(preview))[0].startswith("Kept. /silver-margin answers with it")
    assert list(buttons(sent(preview))) == ["Undo"]
    assert (
        "Next change: **18 %** from 6 Feb 22:00 UTC (17:00 New York), 75,748.50 USD a contract at this price "
        "· +20.0 % (entered by a moderator, 5 Feb 2026)"
    ) in await rule_line(server)
    assert "Next change: none known." in await rule_line(elsewhere)
    [entry] = await rows(server, schema.entries)
    assert (entry.server_id, entry.added_by) == (server.channel.guild.id, server.moderator.id)
    assert (entry.origin, entry.size, entry.kind) == (NOTICE["link"], 1, "margins")


async def test_it_is_known_from_when_it_was_entered_and_not_before(server: Server) -> None:
    await entered(server)
    server_id = server.channel.guild.id

    async def told(instant: datetime) -> dict[str, Any]:
        asked = Question(store=store_of(server), at=instant, server_id=server_id)
        return as_json(await margin_at(SilverMarginQuery(), asked), instant)

    before = await told(datetime(2026, 2, 5, 17, 59, 59, tzinfo=UTC))
    now = await told(datetime(2026, 2, 5, 18, tzinfo=UTC))
    later = await told(datetime(2026, 2, 7, tzinfo=UTC))
    assert before["next"] is None
    assert (now["next"]["value"], now["next"]["entered_at"]) == (18, "2026-02-05T18:00:00Z")
    assert now["entered_at"] is None
    # Its own notice is in the shared table by then; the moderators' goes before it here.
    assert (later["rate_pct"], later["entered_at"]) == (18, "2026-02-05T18:00:00Z")
    assert later["steps"][-1]["entered_at"] == "2026-02-05T18:00:00Z"
    shared = await margin_at(
        SilverMarginQuery(), Question(store=store_of(server), at=datetime(2026, 2, 7, tzinfo=UTC))
    )
    assert shared.in_force.entered_at is None


async def test_undone_after_a_restart(server: Server) -> None:
    preview = await entered(server)
    await server.env.restart_bot(Leadline(bot_of(server).answers))
    await server.moderator.click(sent(preview), label="Undo")
    assert texts(sent(preview))[0].startswith("Undone: margin changes: 1 · `https://www.cmegroup.com/")
    assert buttons(sent(preview)) == {}
    assert "Next change: none known." in await rule_line(server)
    [entry] = await rows(server, schema.entries)
    assert entry.withdrawn_by == server.moderator.id


async def test_undo_is_for_the_moderators_of_its_own_server(server: Server) -> None:
    preview = await entered(server)
    elsewhere = people_of(server.env)
    data = {"custom_id": buttons(sent(preview))["Undo"], "component_type": 2}
    on = message_of(sent(preview))
    for who, words in (
        (server.bob, "Only moderators can do this"),
        (elsewhere.moderator, "There is nothing to undo"),
    ):
        channel = server.channel if who is server.bob else elsewhere.channel
        pressed = await Asked(server.env, COMPONENT, who, channel, data, on=on).deliver()
        assert sent(pressed).content.startswith(words)
    [entry] = await rows(server, schema.entries)
    assert entry.withdrawn_at is None


async def test_a_preview_is_answered_once(server: Server) -> None:
    preview = await typed(server)
    data = {"custom_id": buttons(sent(preview))["Confirm"], "component_type": 2}
    on = message_of(sent(preview))
    # The same press delivered five times, then pressed anew.
    await Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on).deliver(5)
    again = await Asked(server.env, COMPONENT, server.moderator, server.channel, data, on=on).deliver()
    assert sent(again).content.startswith(GONE)
    assert len(await rows(server, schema.entries)) == 1
    assert len(await rows(server, schema.entered_margins)) == 1
    undo = {"custom_id": buttons(sent(preview))["Undo"], "component_type": 2}
    on = message_of(sent(preview))
    await Asked(server.env, COMPONENT, server.moderator, server.channel, undo, on=on).deliver(5)
    again = await Asked(server.env, COMPONENT, server.moderator, server.channel, undo, on=on).deliver()
    assert sent(again).content.startswith("There is nothing to undo")


async def test_cancelled_it_is_gone(server: Server) -> None:
    preview = await typed(server)
    confirm = {"custom_id": buttons(sent(preview))["Confirm"], "component_type": 2}
    on = message_of(sent(preview))
    pressed = await server.moderator.click(sent(preview), label="Cancel")
    assert changed_in_place(pressed, preview)
    assert texts(sent(preview)) == ["Cancelled: nothing was kept."]
    again = await Asked(server.env, COMPONENT, server.moderator, server.channel, confirm, on=on).deliver()
    assert sent(again).content.startswith(GONE)
    assert await rows(server, schema.entries) == []


@pytest.mark.parametrize("how", ["restarted", "too old"])
async def test_a_preview_that_is_gone_says_so(server: Server, how: str) -> None:
    preview = await typed(server)
    if how == "restarted":
        await server.env.restart_bot(Leadline(bot_of(server).answers))
    else:
        at(server, datetime(2026, 2, 5, 18, 15, 1, tzinfo=UTC))
    pressed = await server.moderator.click(sent(preview), label="Confirm")
    assert sent(pressed).content.startswith(GONE)
    assert await rows(server, schema.entries) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"value": "100.1"}, "“100.1” is out of range: it may be from 0.1 to 100."),
        ({"value": "0"}, "“0” is out of range: it may be from 0.1 to 100."),
        ({"value": "nan"}, "“nan” is not a number: write 76.53, 57,397.50 or 57.4k."),
        ({"effective": "6 Feb"}, "“6 Feb” is not a whole date: write 2026-02-06."),
        ({"effective": "2026-02-30"}, "“2026-02-30” is not a whole date: write 2026-02-06."),
        ({"notice": "2026-02-06"}, "The notice date 2026-02-06 lies in the future."),
        (
            {"effective": "2026-02-04"},
            "The effective date 2026-02-04 has to be the notice date or one of the 90 days after it.",
        ),
        ({"link": "http://www.cmegroup.com/x"}, "The link has to begin with https:// and lead to a public page."),
        ({"link": "https://user@evil.example/"}, "The link has to begin with https:// and lead to a public page."),
        ({"link": "https://localhost/"}, "The link has to begin with https:// and lead to a public page."),
    ],
)  # fmt: skip
async def test_a_field_that_cannot_be_used(server: Server, fields: dict[str, str], sentence: str) -> None:
    told = await typed(server, **fields)
    assert told.ephemeral
    assert sent(told).content.replace("：//", "://").replace("＠", "@") == sentence  # noqa: RUF001
    assert await rows(server, schema.entries) == []


async def test_a_slip_of_the_unit_is_pointed_out(server: Server) -> None:
    """32,500 after 15 % of 84.165 x 5,000 = 63,123.75: 0.51 times. 3,250: a twentieth."""
    fine = await typed(server, rule="fixed", value="32,500")
    slip = await typed(server, rule="fixed", value="3,250")
    assert "SI: 15 % → **32,500 USD**" in plain(texts(sent(fine))[0])
    assert "That is a large step" not in texts(sent(fine))[0]
    assert "**That is a large step: check the rule and the unit.**" in texts(sent(slip))[0]


# Flows


async def flow(server: Server, day: str = "2026-02-05", total: str = "-434.1") -> simcord.InteractionResult:
    return await server.moderator.slash(
        server.channel, "data flow", asset="BTC", date=day, total=total, source="issuers' pages"
    )


async def test_a_missing_day_is_filled_by_hand_marked_and_superseded(server: Server) -> None:
    at(server, AFTER_CLOSE)
    preview = await flow(server)
    assert plain(texts(sent(preview))[0]).split("\n")[1:4] == [
        "BTC spot ETFs · 5 Feb 2026: **−434.1 US$ m**",
        "It counts until the publisher has reported the day itself.",
        "From `issuers' pages`",
    ]
    await server.moderator.click(sent(preview), label="Confirm")

    asked = await server.alice.slash(server.channel, "flows", since="2026-01-16", private=True)
    first, data = map(plain, texts(sent(asked)))
    lines = first.split("\n")
    assert lines[0] == "**BTC spot ETFs −434.1 US$ m** · Thu 5 Feb · entered by a moderator"
    assert lines[1].startswith("**3 days of net outflow in a row since Tue 3 Feb** · 2 of 14 days positive")
    assert lines[1].endswith(" · with 1 manual day")
    assert data.startswith(
        "-# Farside Investors · final to 4 Feb 2026 · with 1 manual day · 33 h old · not reported yet"
    )
    chart = await server.alice.slash(server.channel, "flows", asset="ETH", private=True)
    assert "manual" not in texts(sent(chart))[0]
    other = people_of(server.env)
    elsewhere = await other.alice.slash(other.channel, "flows", private=True)
    assert "Thu 5 Feb: **not reported yet**" in texts(sent(elsewhere))[0]

    # At 09:00 UTC the publisher's own figure is known, and stands.
    at(server, datetime(2026, 2, 6, 10, tzinfo=UTC))
    asked = await server.alice.slash(server.channel, "flows", private=True)
    first, data = map(plain, texts(sent(asked)))
    assert first.split("\n")[0] == "**BTC spot ETFs −434.1 US$ m** · Thu 5 Feb · final"
    assert "manual" not in first + data


async def test_by_hand_in_json_and_csv_and_never_before_it_was_known(server: Server) -> None:
    at(server, AFTER_CLOSE)
    await server.moderator.click(sent(await flow(server, total="-1")), label="Confirm")

    async def told(instant: datetime) -> dict[str, Any]:
        asked = Question(store=store_of(server), at=instant, server_id=server.channel.guild.id)
        return flows_json(await flows_at(FlowsQuery(), asked), instant)

    now = await told(AFTER_CLOSE)
    assert (now["last_date"], now["published_to"], now["manual_days"]) == ("2026-02-05", "2026-02-04", 1)
    assert now["age_s"] == 33 * 3_600  # of the publisher's figure: 16:00 New York of the 4th
    assert [day["date"] for day in now["days"] if day["manual"]] == ["2026-02-05"]
    before = await told(datetime(2026, 2, 6, 5, 59, 59, tzinfo=UTC))
    assert (before["last_date"], before["manual_days"]) == ("2026-02-04", 0)
    # By 7 February the source has spoken.
    assert (await told(datetime(2026, 2, 7, tzinfo=UTC)))["manual_days"] == 0


@pytest.mark.parametrize(
    ("day", "total", "sentence"),
    [
        ("2026-02-06", "1", "2026-02-06 is no US trading day that is over."),
        ("2026-01-19", "1", "2026-01-19 is no US trading day that is over."),  # Martin Luther King Day
        ("2026-01-31", "1", "2026-01-31 is no US trading day that is over."),
        ("5 Feb", "1", "“5 Feb” is not a whole date: write 2026-02-06."),
        ("2026-02-05", "10,001", "“10,001” is out of range: it may be from -10,000 to 10,000."),
        ("2026-02-05", "inf", "“inf” is not a number: write 76.53, 57,397.50 or 57.4k."),
    ],
)
async def test_a_flow_that_cannot_be(server: Server, day: str, total: str, sentence: str) -> None:
    at(server, AFTER_CLOSE)
    told = await flow(server, day, total)
    assert told.ephemeral
    assert sent(told).content == sentence
    assert_error(server.env, UserError)


async def test_a_day_the_publisher_has_is_said_to_stay_as_it_is(server: Server) -> None:
    preview = await flow(server, "2026-02-04", "99")
    assert "Days of it that a publisher has reported: 1." in texts(sent(preview))[0]
    await server.moderator.click(sent(preview), label="Confirm")
    asked = await server.alice.slash(server.channel, "flows", private=True)
    assert plain(texts(sent(asked))[0]).startswith("**BTC spot ETFs −544.9 US$ m** · Wed 4 Feb · final")


# Files


@pytest.fixture
def discords_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attachments of the simulated Discord lie at an address of its own."""
    monkeypatch.setattr(data_upload, "HOSTS", data_upload.HOSTS | {"cdn.simcord.invalid"})


async def upload(server: Server, name: str, body: bytes, kind: str = "BTC") -> simcord.InteractionResult:
    return await server.moderator.slash(server.channel, "data upload", kind=kind, file=(name, body))


FLOWS = b"date,Total\n2026-02-04,1.5\n2026-02-05,-434.1\n"


async def test_a_file_of_flows_is_shown_and_then_kept(server: Server, discords_own: None) -> None:
    at(server, AFTER_CLOSE)
    preview = await upload(server, "days.csv", FLOWS)
    assert preview.ephemeral
    told = plain(texts(sent(preview))[0]).split("\n")
    assert told[1] == "2 days of BTC spot ETF flows, 4 Feb 2026 to 5 Feb 2026, sum −432.6 US$ m"
    assert told[2].startswith("Days of it that a publisher has reported: 1.")
    assert "From `days.csv`" in told
    assert await rows(server, schema.entered_flows) == []
    await server.moderator.click(sent(preview), label="Confirm")
    asked = await server.alice.slash(server.channel, "flows", private=True)
    assert plain(texts(sent(asked))[0]).startswith("**BTC spot ETFs −434.1 US$ m** · Thu 5 Feb · entered by")


async def test_a_file_of_margins_is_shown_and_then_kept(server: Server, discords_own: None) -> None:
    body = (
        b"product,basis,notice_date,effective,non_hrp_initial,non_hrp_maintenance,source\n"
        b"SI,percent,2026-01-30,2026-02-02,15,15,a\nSI,percent,2026-02-05,2026-02-06,18,18,=1+1\n"
        b"GC,percent,2026-02-05,2026-02-06,9,9,c\n"
    )
    preview = await upload(server, "margins.csv", body, "margins")
    told = plain(texts(sent(preview))[0])
    assert "3 margin changes of GC, SI, 2 Feb 2026 to 6 Feb 2026" in told
    assert "SI: 15 % → **18 %** from 6 Feb 2026" in told
    assert "GC: 8 % → **9 %** from 6 Feb 2026" in told
    await server.moderator.click(sent(preview), label="Confirm")
    assert "Next change: **18 %**" in await rule_line(server)
    # What somebody wrote into a file is no formula in ours.
    asked = await server.alice.slash(server.channel, "silver-margin", private=True)
    numbers = await server.alice.click(sent(asked), label="CSV")
    assert ",'=1+1,2026-02-05T18:00:00Z" in (await sent(numbers).attachments[0].read()).decode("utf-8-sig")


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("days.csv.gz", FLOWS, "days.csv.gz is not a CSV file"),
        ("days.csv", b"x" * (2 * 2**20 + 1), "days.csv is too large: at most 2 MiB."),
        ("days.csv", b"date,Total\n2026-02-04,1\n2026-01-30,1\n", "days.csv, row 3, column date: '2026-01-30' comes"),
        ("days.csv", b"date,Total\n2026-01-16,1\n2026-01-19,1\n",
         "days.csv, row 3: 2026-01-19 is no US trading day that is over."),
        ("days.csv", b"date,Total\n2026-02-04,1e9\n", "days.csv, row 2, column total: '1e9' cannot be used."),
    ],
)  # fmt: skip
async def test_a_bad_file_changes_nothing(
    server: Server, discords_own: None, name: str, body: bytes, sentence: str
) -> None:
    told = await upload(server, name, body)
    assert told.ephemeral
    assert sent(told).content.replace("＿", "_").startswith(sentence)  # noqa: RUF001
    assert await rows(server, schema.entries) == []
    assert_error(server.env, UserError)


HEADER = b"product,basis,notice_date,effective,non_hrp_initial,non_hrp_maintenance\n"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (b"SI,fixed,2026-02-05,2026-02-06,1000001,1000001", "m.csv, row 2: such a margin or date cannot be."),
        (b"SI,percent,2026-02-06,2026-02-06,18,18", "m.csv, row 2: such a margin or date cannot be."),
        (b"SI,percent,2026-02-05,2026-05-07,18,18", "m.csv, row 2: such a margin or date cannot be."),
        (b"QI,percent,2026-02-05,2026-02-06,18,18",
         "m.csv, row 2: margins of QI are not used; known are SI, GC."),
    ],
)  # fmt: skip
async def test_a_margin_of_a_file_keeps_within_the_bounds_of_the_form(
    server: Server, discords_own: None, row: bytes, sentence: str
) -> None:
    told = await upload(server, "m.csv", HEADER + row + b"\n", "margins")
    assert sent(told).content == sentence
    assert await rows(server, schema.entries) == []
    assert_error(server.env, UserError)


async def test_a_file_from_elsewhere_is_not_fetched(server: Server) -> None:
    """The simulated Discord's address is none of Discord's."""
    told = await upload(server, "days.csv", FLOWS)
    assert sent(told).content == "days.csv does not lie with Discord."
    assert_error(server.env, UserError)


# Status


async def choose(server: Server, card: simcord.InteractionResult, page: str) -> str:
    await server.alice.select(sent(card), [page])
    return plain(texts(sent(card))[0])


async def test_every_series_of_the_sample_is_told_with_its_age(server: Server) -> None:
    card = await server.alice.slash(server.channel, "data status")
    assert card.ephemeral
    first = plain(texts(sent(card))[0])
    assert "Nothing is fetched here (FETCH=false, or a preview)" in first
    assert "came with Leadline and ends 6 Feb 2026" in first
    assert "**ETF flows**: series: 2 · late 0" not in first
    told = "".join(
        [await choose(server, card, page) for page in ("btc", "eth", "metals", "indices", "flows", "macro")]
    )
    for label in ("BTC 30m", "BTC 1h", "BTC 1d", "SI 1d", "GC 1d", "CL 1d", "ES 1d", "NQ 1d", "DXY 1d"):
        assert f"- {label} · " in told, label
    for label in ("BTC ETF flows · Farside", "ETH ETF flows · Farside", "CPIAUCSL", "DFEDTARU", "T10YIE"):
        assert f"- {label}" in told, label
    assert told.count(" · sample") == told.count("\n- ")


async def feed(server: Server) -> None:
    """Three feeds: one fresh, one that fails, one never tried."""
    now = datetime(2026, 2, 5, 18, tzinfo=UTC)
    async with store_of(server).write() as db:
        bars = (await db.execute(select(schema.series).where(schema.series.c.interval == "30m"))).first()
        assert bars is not None
        await feeds.register(
            db,
            [
                feeds.Registered(
                    name="kraken:BTC:30m", host="k", source="Kraken", label="BTC 30m · Kraken",
                    instrument_id=bars.instrument_id, interval="30m",
                ),
                feeds.Registered(name="farside:BTC:flows", host="f", source="Somebody",
                                 label="BTC ETF flows · Somebody", asset="BTC"),
                feeds.Registered(name="fred:DGS10", host="d", source="FRED", label="DGS10 · FRED", series="DGS10"),
            ],
        )  # fmt: skip
        await feeds.succeeded(
            db, "kraken:BTC:30m", now=now, next_try_at=datetime(2026, 2, 5, 18, 30, tzinfo=UTC)
        )
        await feeds.failed(
            db, "farside:BTC:flows", "HTTP 403 @everyone", now=now,
            next_try_at=datetime(2026, 2, 5, 18, 1, tzinfo=UTC),
        )  # fmt: skip


async def test_a_source_that_fails_is_named_with_its_reason_and_next_try(server: Server) -> None:
    await feed(server)
    bot_of(server).fetches = True
    card = await server.alice.slash(server.channel, "data status")
    first = plain(texts(sent(card))[0])
    assert "Nothing is fetched" not in first
    assert (
        "**Not answering**\n- BTC ETF flows · Somebody · **no value yet** · next <t:1770314460:R> · " in first
    )
    assert "fails: HTTP 403 ＠everyone" in first  # noqa: RUF001
    fresh = await choose(server, card, "btc")
    assert (
        "- BTC 30m · Kraken · **fresh** · <t:1770314400:f> · under a minute old · sample · "
        "answered <t:1770314400:R> · next <t:1770316200:R>"
    ) in fresh
    # An import under another name stays a series of its own.
    assert "BTC ETF flows · Farside" in await choose(server, card, "flows")


THURSDAY, SATURDAY = datetime(2026, 2, 5, tzinfo=UTC), datetime(2026, 2, 7, 12, tzinfo=UTC)
WEDNESDAYS_CLOSE, FRIDAYS_CLOSE = datetime(2026, 2, 4, 22, tzinfo=UTC), datetime(2026, 2, 6, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "interval", "rests", "at", "state"),
    [
        # Twice the rhythm is fresh, six times late, as on every card.
        (THURSDAY, "30m", False, datetime(2026, 2, 5, 1, 0, tzinfo=UTC), "fresh"),
        (THURSDAY, "30m", False, datetime(2026, 2, 5, 1, 1, tzinfo=UTC), "late"),
        (THURSDAY, "30m", False, datetime(2026, 2, 5, 3, 1, tzinfo=UTC), "stale"),
        # On Saturday the last close of the week is all there is.
        (FRIDAYS_CLOSE, "30m", True, SATURDAY, "closed"),
        (datetime(2026, 2, 6, 18, tzinfo=UTC), "30m", True, SATURDAY, "stale"),
        (FRIDAYS_CLOSE, "1d", True, SATURDAY, "closed"),
        (WEDNESDAYS_CLOSE, "1d", True, datetime(2026, 2, 5, 20, tzinfo=UTC), "fresh"),
        (None, "30m", False, SATURDAY, "none"),
    ],
)
def test_states_in_and_out_of_hours(
    newest: datetime | None, interval: str, rests: bool, at: datetime, state: str
) -> None:
    assert _state(newest, interval, None, at, asked_at=None, rests=rests) == state


@pytest.mark.parametrize(
    ("at", "state"),
    [
        # The session of the 5th ends at 21:00 UTC; its flows are overdue from 09:00 UTC of the day after.
        (datetime(2026, 2, 5, 20, tzinfo=UTC), "fresh"),
        (datetime(2026, 2, 5, 22, tzinfo=UTC), "pending"),
        (datetime(2026, 2, 6, 10, tzinfo=UTC), "late"),
        (datetime(2026, 2, 10, 10, tzinfo=UTC), "stale"),
    ],
)
def test_states_of_flows(at: datetime, state: str) -> None:
    assert _state(datetime(2026, 2, 4, tzinfo=UTC), None, "BTC", at, asked_at=None, rests=True) == state


async def test_no_page_is_longer_than_discord_takes(server: Server) -> None:
    """All that is fetched, each with the longest of reasons."""
    store, now = store_of(server), datetime(2026, 2, 5, 18, tzinfo=UTC)
    async with store.write() as db:
        known = [await registered(db, one) for one in every_feed()]
        await feeds.register(db, known)
        for one in known:
            await feeds.succeeded(db, one.name, now=now, next_try_at=now)
            await feeds.failed(db, one.name, "x" * 300, now=now, next_try_at=now)
    card = await server.alice.slash(server.channel, "data status")
    for page in ("all", "btc", "eth", "metals", "indices", "flows", "macro"):
        told = await choose(server, card, page)
        assert len(told) <= 4_000
        assert not told.endswith("…"), page


async def test_moderators_undo_from_the_status(server: Server) -> None:
    await entered(server)
    for_all = await server.alice.slash(server.channel, "data status")
    assert "1. margin changes: 1 · `https://www.cmegroup.com/" in texts(sent(for_all))[0]
    assert buttons(sent(for_all)) == {}
    card = await server.moderator.slash(server.channel, "data status")
    assert list(buttons(sent(card))) == ["Undo 1"]
    await server.moderator.click(sent(card), label="Undo 1")
    assert texts(sent(card))[0].startswith("Undone: ")
    assert "Next change: none known." in await rule_line(server)


# People, servers, languages


async def test_members_may_look_but_not_enter(server: Server) -> None:
    for command, options in (
        ("data margin", {"product": "SI", "rule": "percent"}),
        ("data flow", {"asset": "BTC", "date": "2026-02-04", "total": "1"}),
        ("data upload", {"kind": "BTC", "file": ("a.csv", FLOWS)}),
    ):
        refused = await server.bob.slash(server.channel, command, **options)
        assert refused.ephemeral
        assert sent(refused).content.startswith("Only moderators can do this")


async def test_who_entered_is_forgotten_and_the_figure_stays(server: Server) -> None:
    preview = await entered(server)
    store = store_of(server)
    async with store.read() as db:
        assert len((await privacy.held(db, server.moderator.id))["data_entered"]) == 1
    await privacy.forget(store, server.moderator.id, interaction_id=1, now=AFTER_CLOSE)
    assert "Next change: **18 %**" in await rule_line(server)
    await server.moderator.click(sent(preview), label="Undo")
    assert "Next change: none known." in await rule_line(server)


async def test_a_server_that_is_forgotten_takes_its_entries_along(server: Server) -> None:
    await entered(server)
    at(server, AFTER_CLOSE)
    await server.moderator.click(sent(await flow(server)), label="Confirm")
    other = people_of(server.env)
    theirs = await other.moderator.slash(other.channel, "data margin", product="GC", rule="percent")
    preview = await other.moderator.submit_modal(theirs, NOTICE | {"value": "9"})
    await other.moderator.click(sent(preview), label="Confirm")
    async with store_of(server).write() as db:
        await servers.forget(db, server.channel.guild.id)
    assert [entry.server_id for entry in await rows(server, schema.entries)] == [other.channel.guild.id]
    assert len(await rows(server, schema.entered_margins)) == 1
    assert await rows(server, schema.entered_flows) == []


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        preview = await typed(server)
        told = plain(texts(sent(preview))[0])
        assert told.startswith(
            "**預覽：尚未保存**\nSI：15 % → **18 %**，2026/2/6（五）22:00 UTC 起（紐約 17:00）"
        )
        await server.moderator.click(sent(preview), label="確認")
        asked = await server.alice.slash(server.channel, "silver-margin", private=True)
        assert "（由管理員輸入，2026/2/5）" in texts(sent(asked))[0]
        status = await server.alice.slash(server.channel, "data status")
        assert texts(sent(status))[0].startswith("### 資料 · 總覽\n此處不抓取資料")
