"""What gets through the gate, whatever the source."""

from __future__ import annotations

import pytest

from providers import gate
from providers.errors import Malformed


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": -1e999}',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": 1,}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
        b"<html></html>",
        b"",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_json_that_other_readers_let_pass(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        gate.read(body)

    assert caught.value.body == body


def test_json_is_read() -> None:
    assert gate.read(b' {"a": [1, 2.5, "x", null, true]} ') == {"a": [1, 2.5, "x", None, True]}


def test_what_a_source_says_is_one_short_line() -> None:
    said = gate.words("  Busy,\r\n\x1b[31m try \u200b later " + "x" * 500)

    assert said.startswith("Busy, [31m try later xxx")
    assert len(said) == 120
