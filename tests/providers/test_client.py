from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.client import Client
from providers.errors import Refused
from providers.shapes import Request
from tests.providers.loopback import Loopback, Reply

KRAKEN = Request(host="api.kraken.com", path="/0/public/OHLC", params={"pair": "XBTUSD"})


async def test_an_answer_comes_with_the_instant_at_which_the_source_made_it(
    source: Loopback, client: Client
) -> None:
    source.always = Reply(body=b'{"error":[]}', headers={"Date": "Thu, 05 Feb 2026 18:00:07 GMT"})

    answer = await client.fetch(KRAKEN)

    assert answer.body == b'{"error":[]}'
    assert answer.made_at == datetime(2026, 2, 5, 18, 0, 7, tzinfo=UTC)
    [asked] = source.asked
    assert (asked.method, str(asked.url)) == ("GET", "https://api.kraken.com/0/public/OHLC?pair=XBTUSD")


async def test_only_hosts_of_the_list_are_called(source: Loopback, client: Client) -> None:
    with pytest.raises(Refused):
        await client.fetch(Request(host="169.254.169.254", path="/latest/meta-data"))

    assert source.asked == []
