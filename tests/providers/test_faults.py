"""Whatever goes wrong at a source, over real HTTP: its kind of error, or the true rows; never others."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

import pytest

from providers.client import Client
from providers.errors import Blocked, Malformed, ProviderError, TooMany, Unreachable
from tests.patience import PATIENCE
from tests.providers.all_subjects import ALL
from tests.providers.conftest import hurried
from tests.providers.loopback import HTML, JSON, Loopback, Reply
from tests.providers.subjects import NOW, Subject

CHALLENGE = (
    b'<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>'
    b'<meta name="robots" content="noindex,nofollow"></head><body>Enable JavaScript and cookies</body></html>'
)
PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """``reply`` from a source's true body; ``raises`` is what must come of it.

    ``of_json`` is a fault that only JSON can have; ``total_s`` the time the call has.
    """

    name: str
    reply: Callable[[bytes], Reply]
    raises: type[ProviderError]
    of_json: bool = False
    total_s: float = PATIENCE


BOMB = gzip.compress(b" " * (40 << 20))
"""40 MiB in 40 KiB."""


def numbers_gone(body: bytes) -> bytes:
    return re.sub(rb'(?<=[\s\[:,])"?[0-9.]+"?(?=[,\]}])', b"NaN", body)


FAULTS = [
    Fault("429 in an hour", lambda _: Reply(status=429, headers={"Retry-After": "3600"}), TooMany),
    Fault(
        "429 until a date",
        lambda _: Reply(
            status=429,
            headers={"Date": "Thu, 05 Feb 2026 18:00:00 GMT", "Retry-After": "Thu, 05 Feb 2026 19:00:00 GMT"},
        ),
        TooMany,
    ),
    Fault("429 in words", lambda _: Reply(status=429, body=b"Too Many Requests", kind="text/plain"), TooMany),
    Fault("200 in words", lambda _: Reply(body=b"Edge: Too Many Requests", kind="text/plain"), TooMany),
    Fault("418", lambda _: Reply(status=418, headers={"Retry-After": "120"}), TooMany),
    Fault("451", lambda _: Reply(status=451, body=b'{"code":0,"msg":"restricted location"}'), Blocked),
    Fault("challenge with 200", lambda _: Reply(body=CHALLENGE, kind=HTML), Blocked),
    Fault("challenge with 403", lambda _: Reply(status=403, body=CHALLENGE, kind=HTML), Blocked),
    Fault("challenge with 503", lambda _: Reply(status=503, body=CHALLENGE, kind=HTML), Blocked),
    Fault(
        "challenge by header", lambda true: Reply(body=true, headers={"cf-mitigated": "challenge"}), Blocked
    ),
    Fault("500", lambda _: Reply(status=500, body=b"oops"), Unreachable),
    Fault("redirect", lambda _: Reply(status=302, headers={"Location": "https://x.test/"}), ProviderError),
    Fault("reset", lambda true: Reply(body=true, cut="before"), Unreachable),
    Fault("reset halfway", lambda true: Reply(body=true, cut="halfway"), Unreachable),
    Fault("drip", lambda true: Reply(body=true, drip_s=0.05), Unreachable, total_s=0.3),
    Fault("cut short", lambda true: Reply(body=true[: len(true) * 2 // 3]), Malformed, of_json=True),
    Fault("a page", lambda _: Reply(body=PAGE, kind=HTML), Malformed),
    Fault("NaN", lambda true: Reply(body=numbers_gone(true)), Malformed, of_json=True),
    Fault("nothing at all", lambda _: Reply(body=b""), Malformed),
    Fault("null", lambda _: Reply(body=b"null"), Malformed),
    Fault("a list of lists", lambda _: Reply(body=b"[[]]"), Malformed),
    Fault("nested without end", lambda _: Reply(body=b"[" * 200_000), Malformed),
    Fault("a number of 5,000 digits", lambda _: Reply(body=b"[" + b"9" * 5000 + b"]"), Malformed),
    Fault("gzip bomb", lambda _: Reply(body=BOMB, headers={"Content-Encoding": "gzip"}), Malformed),
    Fault(
        "gzip cut short",
        lambda true: Reply(body=gzip.compress(true)[:-20], headers={"Content-Encoding": "gzip"}),
        Malformed,
    ),
    Fault("no gzip", lambda true: Reply(body=true, headers={"Content-Encoding": "gzip"}), Malformed),
    Fault("other packing", lambda true: Reply(body=true, headers={"Content-Encoding": "br"}), Malformed),
]

every_source = pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)


@every_source
async def test_a_true_answer_arrives(subject: Subject, source: Loopback, client: Client) -> None:
    source.always = Reply(body=gzip.compress(subject.body), headers={"Content-Encoding": "gzip"})

    found = subject.parse((await client.fetch(subject.request)).body, NOW)

    subject.check(found)
    assert subject.rows(found) >= 3


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        pytest.param(subject, fault, id=f"{subject.name}: {fault.name}")
        for subject in ALL
        for fault in FAULTS
        if subject.kind == JSON or not fault.of_json
    ],
)
async def test_a_fault_is_an_error_of_its_kind(subject: Subject, fault: Fault, source: Loopback) -> None:
    source.always = fault.reply(subject.body)
    # From a source of pages, a short one without the table is its challenge in other words.
    raises = Blocked if subject.kind == HTML and fault.name == "a page" else fault.raises
    hosts = hurried(total_s=fault.total_s)

    async with Client(hosts=hosts, transport=source.transport) as client:
        with pytest.raises(raises) as caught:
            subject.parse((await client.fetch(subject.request)).body, NOW)

    assert "\n" not in caught.value.reason
    assert len(caught.value.reason) < 200


@every_source
async def test_an_error_inside_a_200(subject: Subject, source: Loopback, client: Client) -> None:
    for body, kind in subject.says_no:
        source.always = Reply(body=body)
        with pytest.raises(kind) as caught:
            subject.parse((await client.fetch(subject.request)).body, NOW)
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("subject", "empty"),
    [pytest.param(subject, subject.empty, id=subject.name) for subject in ALL if subject.empty],
)
async def test_an_answer_without_rows(
    subject: Subject, empty: bytes, source: Loopback, client: Client
) -> None:
    source.always = Reply(body=empty)
    answer = await client.fetch(subject.request)

    if subject.nothing is None:
        assert subject.rows(subject.parse(answer.body, NOW)) == 0
    else:
        with pytest.raises(subject.nothing):
            subject.parse(answer.body, NOW)


@every_source
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (timedelta(hours=2), timedelta(0)),
        (timedelta(minutes=-4), timedelta(0)),
        (timedelta(0), timedelta(hours=3)),
        (timedelta(0), timedelta(minutes=-2)),
        (timedelta(minutes=-4), timedelta(hours=3)),
        (timedelta(hours=2), timedelta(minutes=-2)),
    ],
)
async def test_one_clock_that_is_ahead_closes_no_bar(
    subject: Subject, source: Loopback, client: Client, ours: timedelta, theirs: timedelta
) -> None:
    """Ours, or the one the source shows; two that are both ahead would deceive us."""
    source.always = Reply(body=subject.body, headers={"Date": format_datetime(NOW + theirs, usegmt=True)})

    answer = await client.fetch(subject.request)

    subject.check(subject.parse(answer.body, answer.at(NOW + ours)))
