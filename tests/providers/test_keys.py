"""A key goes to its source and to nobody else."""

from __future__ import annotations

import io
import logging
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot import logs
from providers.client import Client
from providers.errors import ProviderError, Refused
from providers.shapes import Request
from tests.providers.loopback import Loopback, Reply

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


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the bot's own logs hold, at the most talkative."""
    names = ("", "discord", "aiohttp", "httpx", "httpcore", "aiosqlite", "alembic", "stamina")
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure("DEBUG")
    yield stream
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("request_", "key"), [(SOSO, "Key-of-SoSo-1"), (FRED, "Key-of-FRED-2")], ids=["header", "address"]
)
@pytest.mark.parametrize(
    "reply",
    [
        FINE,
        Reply(status=500),
        Reply(status=400, body=b'{"error_message":"api_key KEY is not registered."}'),
        Reply(cut="before"),
        Reply(status=302, headers={"Location": "https://x.test/?api_key=KEY"}),
        Reply(status=429, headers={"Retry-After": "9999"}),
    ],
    ids=["200", "500", "400", "reset", "302", "429"],
)
async def test_a_key_stands_in_no_log_and_no_error(
    request_: Request, key: str, reply: Reply, source: Loopback, client: Client, written: io.StringIO
) -> None:
    """Not even when the source repeats it."""
    source.always = replace(
        reply,
        body=reply.body.replace(b"KEY", key.encode()),
        headers={name: value.replace("KEY", key) for name, value in reply.headers.items()},
    )
    told = ""

    try:
        await client.fetch(request_)
    except ProviderError as error:
        logging.getLogger("bot").exception("failed")
        told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)

    sent = "".join(f"{asked.url}{asked.headers}" for asked in source.asked)
    assert key in sent
    assert key.lower() not in (told + written.getvalue() + repr(request_)).lower()


@pytest.mark.parametrize("key", ["two\r\nlines", "鑰匙", "nul\x00"])
async def test_a_key_that_fits_no_header_is_named_by_nobody(
    key: str, source: Loopback, client: Client
) -> None:
    request = Request(host="api.kraken.com", path="/", secret_headers={"x-key": SecretStr(key)})

    with pytest.raises(Refused) as caught:
        await client.fetch(request)

    assert key[:3] not in "".join(traceback.format_exception(caught.value))
    assert source.asked == []
