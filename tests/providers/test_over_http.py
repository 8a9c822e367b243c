"""What each source is asked on the wire, and the faults that only pages of flows have."""

from __future__ import annotations

import json

import pytest

from providers import farside, fredgraph, sosovalue, yahoo
from providers.client import Client
from providers.errors import Malformed
from providers.shapes import FlowDays
from tests.providers import farside_pages as pages
from tests.providers.all_subjects import BREAKEVEN, BTC, KEY, SILVER_DAYS
from tests.providers.loopback import HTML, Loopback, Reply
from tests.providers.subjects import NOW


async def test_yahoo_sees_a_browser_and_an_encoded_symbol(source: Loopback, client: Client) -> None:
    source.always = Reply(body=b"{}")
    await client.fetch(yahoo.request(SILVER_DAYS))
    [asked] = source.asked
    assert asked.url.raw_path.startswith(b"/v8/finance/chart/SI%3DF?interval=1d&period1=")
    assert "Chrome/" in asked.headers["user-agent"]


async def test_sosovalue_is_sent_its_question_and_the_key_in_a_header(
    source: Loopback, client: Client
) -> None:
    source.always = Reply(body=b"{}")
    await client.fetch(sosovalue.request(BTC, KEY))
    [asked] = source.asked
    assert asked.method == "POST"
    assert str(asked.url) == "https://api.sosovalue.xyz/openapi/v2/etf/historicalInflowChart"
    assert json.loads(asked.body) == {"type": "us-btc-spot"}
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-soso-api-key"] == KEY.get_secret_value()


async def test_fred_without_a_key_is_asked_for_one_series(source: Loopback, client: Client) -> None:
    source.always = Reply(body=b"observation_date,T10YIE\n", kind="application/csv")
    await client.fetch(fredgraph.request(BREAKEVEN))
    [asked] = source.asked
    assert str(asked.url) == "https://fred.stlouisfed.org/graph/fredgraph.csv?id=T10YIE"


class TestFarside:
    DAYS = tuple(pages.rows(pages.BTC_ROWS)[-4:-1])

    async def read(self, body: bytes, source: Loopback, client: Client) -> FlowDays:
        source.always = Reply(body=body, kind=HTML)
        answer = await client.fetch(farside.request(BTC))
        return farside.parse(answer.body, BTC, answer.at(NOW))

    async def test_a_new_fund(self, source: Loopback, client: Client) -> None:
        table = [[*cells[:-1], "1.5", cells[-1]] for cells in self.DAYS]
        found = await self.read(pages.btc(table, funds=(*pages.BTC, "MSBT")), source, client)
        assert [day.funds["MSBT"] for day in found.days] == [1.5] * 3
        assert [day.total_musd for day in found.days] == [561.8, -272.0, -544.9]

    async def test_an_empty_total_header(self, source: Loopback, client: Client) -> None:
        body = pages.btc(self.DAYS).replace(b"<th>Total</th>", b"<th></th>")
        found = await self.read(body, source, client)
        assert [day.total_musd for day in found.days] == [561.8, -272.0, -544.9]

    async def test_the_running_day_s_partial_total(self, source: Loopback, client: Client) -> None:
        running = ["05 Feb 2026", "-", "68.2", *["-"] * 9, "68.2"]
        found = await self.read(pages.btc([*self.DAYS, running]), source, client)
        assert [(day.final, day.total_musd) for day in found.days[2:]] == [(True, -544.9), (False, None)]

    async def test_a_bogus_day_twice(self, source: Loopback, client: Client) -> None:
        bogus = ["01 Jan 2024", *self.DAYS[-1][1:]]
        for table in (
            [bogus, *self.DAYS],
            [*self.DAYS, bogus],
            [*self.DAYS, ["04 Feb 2026", *self.DAYS[0][1:]]],
        ):
            with pytest.raises(Malformed):
                await self.read(pages.btc(table), source, client)
