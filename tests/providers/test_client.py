"""What leaves the process, how often, and what never does."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import tracemalloc
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from providers.addresses import PublicOnly
from providers.budget import PATIENCE_S
from providers.client import Client
from providers.errors import Blocked, Malformed, ProviderError, Refused, Unreachable
from providers.hosts import BROWSER, HOSTS, HostRules
from providers.shapes import Answer, Request
from tests.patience import PATIENCE, until
from tests.providers.loopback import HTML, Diverted, Loopback, Reply
from tests.providers.test_faults import BOMB

KRAKEN = Request(host="api.kraken.com", path="/0/public/OHLC", params={"pair": "XBTUSD"})
SOSO = Request(
    host="api.sosovalue.xyz",
    path="/openapi/v2/etf/historicalInflowChart",
    json={"type": "us-btc-spot"},
    secret_headers={"x-soso-api-key": SecretStr("Key-of-SoSo-1")},
)
FRED = Request(
    host="api.stlouisfed.org",
    path="/fred/series/observations",
    params={"series_id": "DFEDTARU"},
    secret_params={"api_key": SecretStr("Key-of-FRED-2")},
)
FINE = Reply(body=b"{}")


async def test_an_answer_comes_with_the_instant_at_which_the_source_made_it(
    source: Loopback, client: Client
) -> None:
    source.always = Reply(body=b'{"error":[]}', headers={"Date": "Thu, 05 Feb 2026 18:00:07 GMT"})

    answer = await client.fetch(KRAKEN)

    assert answer == (b'{"error":[]}', datetime(2026, 2, 5, 18, 0, 7, tzinfo=UTC))
    [asked] = source.asked
    assert (asked.method, str(asked.url)) == ("GET", "https://api.kraken.com/0/public/OHLC?pair=XBTUSD")


def test_the_more_careful_of_two_clocks_tells_when_an_answer_was_made() -> None:
    at = datetime(2026, 2, 5, 18, tzinfo=UTC)
    second = timedelta(seconds=1)

    assert Answer(b"", at).at(at + second) == at
    assert Answer(b"", at + second).at(at) == at
    assert Answer(b"", None).at(at) == at


async def test_only_hosts_of_the_list_are_called(source: Loopback, client: Client) -> None:
    with pytest.raises(Refused):
        await client.fetch(Request(host="169.254.169.254", path="/latest/meta-data"))

    assert source.asked == []


@pytest.mark.parametrize(
    "path", ["//evil.test/x", "/../x", "/x?y=1#z", "/@evil.test", "/x\r\nHost: evil.test"]
)
async def test_no_path_leads_to_another_host(path: str, source: Loopback, client: Client) -> None:
    source.always = FINE

    await client.fetch(Request(host="api.kraken.com", path=path))

    [asked] = source.asked
    assert (asked.url.host, asked.url.query, asked.url.fragment) == ("api.kraken.com", b"", "")


async def test_symbols_are_encoded(source: Loopback, client: Client) -> None:
    source.always = FINE

    await client.fetch(Request(host="query1.finance.yahoo.com", path="/v8/finance/chart/^GSPC"))
    await client.fetch(Request(host="query1.finance.yahoo.com", path="/v8/finance/chart/SI=F"))
    await client.fetch(Request(host="query1.finance.yahoo.com", path="/v8/x", params={"a": "b&c=d e"}))

    assert [asked.url.raw_path for asked in source.asked] == [
        b"/v8/finance/chart/%5EGSPC",
        b"/v8/finance/chart/SI%3DF",
        b"/v8/x?a=b%26c%3Dd+e",
    ]


async def test_no_redirect_is_followed(source: Loopback, client: Client) -> None:
    source.replies.append(Reply(status=302, headers={"Location": "https://api.kraken.com/0/elsewhere"}))
    source.always = FINE

    with pytest.raises(Refused, match="answered 302"):
        await client.fetch(KRAKEN)

    assert len(source.asked) == 1


async def test_each_host_hears_the_name_it_wants(source: Loopback, client: Client) -> None:
    source.always = FINE

    await client.fetch(Request(host="query1.finance.yahoo.com", path="/"))
    await client.fetch(Request(host="api.exchange.coinbase.com", path="/"))

    yahoo, coinbase = (asked.headers["user-agent"] for asked in source.asked)
    assert yahoo == BROWSER
    assert coinbase.startswith("Leadline")


async def test_a_post_carries_its_json_and_is_sent_once(source: Loopback, client: Client) -> None:
    source.always = Reply(status=500)

    with pytest.raises(Unreachable):
        await client.fetch(SOSO)

    [asked] = source.asked
    assert (asked.method, json.loads(asked.body)) == ("POST", {"type": "us-btc-spot"})
    assert asked.headers["x-soso-api-key"] == "Key-of-SoSo-1"


@pytest.mark.parametrize(
    "fault", [Reply(status=500), Reply(cut="before"), Reply(body=b"{" * 9, cut="halfway")]
)
async def test_two_faults_are_got_over_and_three_are_told(
    fault: Reply, source: Loopback, client: Client
) -> None:
    source.replies.extend([fault, fault, FINE])
    assert (await client.fetch(KRAKEN)).body == b"{}"

    source.replies.extend([fault, fault, fault, FINE])
    with pytest.raises(Unreachable):
        await client.fetch(KRAKEN)

    assert len(source.asked) == 6


@pytest.mark.parametrize(
    "refusal",
    [Reply(status=403), Reply(status=451), Reply(status=404), Reply(status=429), Reply(status=418)],
    ids=lambda reply: str(reply.status),
)
async def test_a_no_is_not_asked_again(refusal: Reply, source: Loopback, client: Client) -> None:
    source.always = refusal

    with pytest.raises(ProviderError):
        await client.fetch(KRAKEN)

    assert len(source.asked) == 1


async def test_a_no_is_a_no_however_it_is_packed(source: Loopback, client: Client) -> None:
    source.replies.append(Reply(status=403, body=b"?", headers={"Content-Encoding": "br"}))
    source.replies.append(Reply(status=404, body=BOMB, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(Blocked):
        await client.fetch(KRAKEN)
    with pytest.raises(Refused):
        await client.fetch(KRAKEN)


async def test_a_call_has_so_long_and_no_longer_whatever_trickles_in(source: Loopback) -> None:
    """Each byte comes within any time limit a single read could have."""
    source.always = Reply(body=b"{" + b" " * 100 + b"}", drip_s=0.05)
    rules = {"api.kraken.com": HostRules(calls=9, per_s=1, total_s=0.4)}
    async with Client(hosts=rules, transport=source.transport) as client:
        with pytest.raises(Unreachable, match=r"within 0\.4 s"):
            await client.fetch(KRAKEN)


async def test_nobody_there() -> None:
    rules = {"api.kraken.com": HostRules(calls=9, per_s=1, total_s=PATIENCE, pause_s=0.001)}
    # A port that is taken, so that nobody else comes to listen at it.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with Client(hosts=rules, transport=Diverted(lambda: taken.getsockname()[1])) as client:
            with pytest.raises(Unreachable, match="ConnectError"):
                await client.fetch(KRAKEN)


async def test_a_bomb_takes_little_memory(source: Loopback, client: Client) -> None:
    source.always = Reply(body=BOMB, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="larger than 16 MiB"):
            await client.fetch(KRAKEN)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 40 * 1024 * 1024


async def test_the_environment_leads_nobody_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key would go through whatever proxy happens to be named there."""
    called: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        rules = HostRules(calls=9, per_s=1.0, total_s=2.0, pause_s=0.001)
        # Nothing listens on this machine's port for https, or nothing that answers with a certificate.
        transport = PublicOnly(httpx.AsyncHTTPTransport(trust_env=False), allows=lambda _: True)
        async with Client(hosts={"127.0.0.1": rules}, transport=transport) as client:
            with pytest.raises(Unreachable):
                await client.fetch(Request(host="127.0.0.1", path="/"))
        # And unless a test says so, it is no address to be called at all.
        async with Client(hosts={"127.0.0.1": rules}) as client:
            with pytest.raises(Refused):
                await client.fetch(Request(host="127.0.0.1", path="/"))

    assert called == []


async def test_what_a_source_says_reaches_the_log_without_a_page(source: Loopback, client: Client) -> None:
    source.replies.append(Reply(status=400, body=b'{"code":-1121,\n"msg":"Invalid symbol."}'))
    source.replies.append(Reply(status=400, body=b"<html>Bad Request</html>", kind=HTML))

    with pytest.raises(Refused) as said:
        await client.fetch(KRAKEN)
    with pytest.raises(Refused) as page:
        await client.fetch(KRAKEN)

    assert said.value.reason == 'answered 400: {"code":-1121, "msg":"Invalid symbol."}'
    assert page.value.reason == "answered 400"


async def test_a_large_true_page_may_tell_of_challenges(source: Loopback, client: Client) -> None:
    """Cloudflare puts a script of that name into pages it lets through."""
    page = b"<html><head><title>Flows</title></head>" + b"<!-- x -->" * 300 + b"<script>/* Just a moment */"
    source.replies.append(Reply(body=page, kind=HTML))
    source.replies.append(Reply(body=b"<html><title>Just a moment...</title>" + b" " * 9000, kind=HTML))

    assert (await client.fetch(KRAKEN)).body == page
    with pytest.raises(Blocked):
        await client.fetch(KRAKEN)


async def test_a_cancelled_call_is_cancelled(source: Loopback, client: Client) -> None:
    source.always = Reply(body=b"{}", drip_s=PATIENCE)
    call = asyncio.create_task(client.fetch(KRAKEN))
    await until(lambda: source.asked)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


def test_the_hosts_are_all_and_their_rules_make_sense() -> None:
    for host, rules in HOSTS.items():
        assert httpx.URL(scheme="https", host=host).host == host
        assert rules.calls >= 1
        # A Retry-After that is waited out must fit into the time of a call.
        assert rules.total_s > 2 * PATIENCE_S
        assert rules.user_agent.isascii()
    assert len({*itertools.chain(HOSTS)}) == 12
