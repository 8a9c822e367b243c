"""What a source asks us to wait, and that we do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from providers.client import Client
from providers.errors import TooMany
from providers.hosts import HostRules
from providers.refusals import retry_after
from providers.shapes import Request
from tests.patience import PATIENCE, until
from tests.providers.conftest import hurried
from tests.providers.loopback import Loopback, Reply
from tests.providers.test_faults import BOMB

KRAKEN = Request(host="api.kraken.com", path="/0/public/OHLC", params={"pair": "XBTUSD"})
SOSO = Request(
    host="api.sosovalue.xyz",
    path="/openapi/v2/etf/historicalInflowChart",
    json={"type": "us-btc-spot"},
    secret_headers={"x-soso-api-key": SecretStr("Key-of-SoSo-1")},
)
FINE = Reply(body=b"{}")


async def test_a_short_wait_is_waited_out_by_everybody(source: Loopback, client: Client) -> None:
    """One is told to wait a second: the nine who came behind wait with it."""
    source.replies.append(Reply(status=429, headers={"Retry-After": "1"}))
    source.always = FINE
    patient = {**hurried(), "api.kraken.com": HostRules(calls=1000, per_s=1, total_s=PATIENCE, pause_s=0.001)}
    async with Client(hosts=patient, transport=source.transport) as waiting:
        first = asyncio.create_task(waiting.fetch(KRAKEN))
        # Its answer has come once nobody may call for a while.
        await until(lambda: waiting._budgets["api.kraken.com"]._not_before > 0)
        assert len(source.asked) == 1
        others = [asyncio.create_task(waiting.fetch(KRAKEN)) for _ in range(9)]
        answers = await asyncio.gather(first, *others)

    assert {answer.body for answer in answers} == {b"{}"}
    told, *later = source.asked
    assert len(later) == 10
    assert min(asked.at for asked in later) - told.at >= 1.0


async def test_a_long_wait_is_told_and_nobody_calls_meanwhile(source: Loopback, client: Client) -> None:
    source.replies.append(Reply(status=418, headers={"Retry-After": "120"}))
    source.always = FINE

    with pytest.raises(TooMany) as told:
        await client.fetch(KRAKEN)
    with pytest.raises(TooMany) as later:
        await client.fetch(KRAKEN)
    await client.fetch(Request(host="api.stlouisfed.org", path="/"))  # another host

    assert told.value.retry_after_s == 120
    assert later.value.retry_after_s == pytest.approx(120, abs=5)
    assert [asked.url.host for asked in source.asked] == ["api.kraken.com", "api.stlouisfed.org"]


@pytest.mark.parametrize(
    "rest",
    [
        Reply(body=b"{}" * 50, cut="halfway"),
        Reply(body=b"{}" * 50, drip_s=0.1),
        Reply(body=BOMB, headers={"Content-Encoding": "gzip"}),
        Reply(body=b"{}", headers={"Content-Encoding": "br"}),
    ],
    ids=["reset", "drip", "bomb", "packed otherwise"],
)
async def test_a_wait_counts_even_if_the_rest_of_its_answer_is_broken(
    rest: Reply, source: Loopback, client: Client
) -> None:
    source.always = replace(rest, status=429, headers={**rest.headers, "Retry-After": "60"})

    for _ in range(2):
        with pytest.raises(TooMany):
            await client.fetch(KRAKEN)

    assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("120", None, 120.0),
        ("0", None, 0.0),
        ("99999999", None, 7 * 86_400.0),
        ("Thu, 05 Feb 2026 18:10:00 GMT", None, 600.0),
        # By the source's own clock, which is five minutes behind ours.
        ("Thu, 05 Feb 2026 18:10:00 GMT", "Thu, 05 Feb 2026 17:55:00 GMT", 900.0),
        ("Thu, 05 Feb 2026 17:00:00 GMT", None, 0.0),
        ("soon", None, None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None, None),
        ("-5", None, None),
        ("", None, None),
        ("\u0661\u0662", None, None),
    ],
)
def test_seconds_and_dates_to_wait_for(said: str, date: str | None, seconds: float | None) -> None:
    headers = {"retry-after": said} | ({"date": date} if date else {})

    assert retry_after(headers, now=datetime(2026, 2, 5, 18, tzinfo=UTC)) == seconds


async def test_a_source_that_is_down_and_says_for_how_long(source: Loopback, client: Client) -> None:
    source.always = Reply(status=503, headers={"Retry-After": "600"})

    with pytest.raises(TooMany) as caught:
        await client.fetch(KRAKEN)

    assert caught.value.retry_after_s == 600
