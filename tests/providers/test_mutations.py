"""True answers with something changed, by the thousand: refused, or read as what could be true."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import Any

import pytest

from providers.errors import ProviderError
from tests.providers.all_subjects import ALL
from tests.providers.subjects import NOW, Subject
from tests.soak import times

# fmt: off
TOKENS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1", b"0", b"null", b"true", b"{}", b"[]", b'""', b'"',
    b"-", b"(", b")", b"<td>", b"</tr>", b"&nbsp;", b"\x00", b"\xff\xfe", b"\xef\xbc\x91", b"1_000", b",", b".",
    b"9" * 400, b"[" * 50, b"0x1F", b"1e-400", b"2026", b"\\u0000", b"\r\n",
)
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, -1e308, 5e-324, 10**30, "", "0", "-1", "NaN", "inf", "1e5",
    "1_000", "\u0661\u0662", " 1", "1 ", "66102.5\n", ".", "2026-13-40", [], {}, [[]], {"value": 1}, "x" * 5000,
)
# fmt: on


def mutated_bytes(body: bytes, dice: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        at = dice.randrange(len(changed) + 1)
        to = min(len(changed), at + dice.choice((1, 1, 2, 8, 60)))
        match dice.randrange(7):
            case 0:
                changed[at:to] = b""
            case 1:
                changed[at:at] = changed[at:to]
            case 2:
                changed[at:to] = bytes(dice.randrange(256) for _ in range(to - at))
            case 3:
                changed[at:to] = dice.choice(TOKENS)
            case 4:
                changed[at:at] = dice.choice(TOKENS)
            case 5:
                # One figure for another: the change that is hardest to see.
                figures = [place for place, byte in enumerate(changed) if 48 <= byte <= 57]
                if figures:
                    changed[dice.choice(figures)] = dice.randrange(48, 58)
            case _:
                changed[to:] = b""
    return bytes(changed)


def mutated_json(body: bytes, dice: random.Random) -> bytes:
    """Still JSON: a value replaced, taken out, doubled or put elsewhere."""
    value = json.loads(body)
    for _ in range(dice.choice((1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key = dice.choice(places)
        match dice.randrange(6):
            case 0 | 1:
                # A copy: what is put there is changed in its turn.
                holder[key] = deepcopy(dice.choice(LEAVES))
            case 2:
                del holder[key]
            case 3:
                other, elsewhere = dice.choice(places)
                holder[key] = json.loads(json.dumps(other[elsewhere]))
            case 4 if isinstance(holder, list):
                holder.insert(dice.randrange(len(holder) + 1), holder[key])
            case 5 if isinstance(holder, list):
                dice.shuffle(holder)
            case _:
                if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
                    holder[key] = holder[key] * dice.choice((-1, 10, 0.1, 1000, 1.0000001))
    return json.dumps(value).encode()


def _places(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


@pytest.mark.soak
@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.name)
def test_no_mutation_crashes_or_passes_a_row_that_cannot_be(subject: Subject) -> None:
    dice = random.Random(subject.name)  # noqa: S311 -- the same every time
    refused = passed = 0
    is_json = subject.kind == "application/json"
    for number in range(times(short=10_000, long=100_000)):
        mutate = mutated_json if is_json and number % 2 else mutated_bytes
        body = mutate(subject.body, dice)
        try:
            found = subject.parse(body, NOW)
        except ProviderError:
            refused += 1
            continue
        except Exception as error:  # the body is what one needs to see
            pytest.fail(f"{error!r} for {body!r}")
        subject.check(found)
        passed += 1
    # The dice must have thrown both, or nothing was tried.
    assert min(refused, passed) > 0
