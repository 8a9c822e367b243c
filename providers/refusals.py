"""How sources say no over HTTP, put into the words of ``providers/errors.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from providers.errors import Blocked, ProviderError, Refused, TooMany, Unreachable

_WEEK_S: Final = 7 * 86_400.0

# Only looked for where such pages have their title: large true pages may tell of robots too.
_HEAD: Final = 2_000
_WAIT: Final = ("too many requests", "will be right back")
_CHALLENGE: Final = (
    "just a moment",
    "attention required",
    "access denied",
    "verify you are human",
    "__verify",
)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, secrets: Iterable[str] = ()
) -> ProviderError | None:
    """What an answer with this status means; None if its body is to be read.

    ``headers`` by names in lower case; ``now`` our clock, for want of the source's own.
    """
    head = body[:_HEAD].decode("ascii", "replace").lower()
    if status in {418, 429} or (status == 503 and "retry-after" in headers):
        return TooMany(f"answered {status}", retry_after_s=retry_after(headers, now=now))
    if "cf-mitigated" in headers or any(mark in head for mark in _challenges(head, status)):
        return Blocked(f"a challenge page instead of an answer ({status})")
    if status in {403, 451}:
        return Blocked(f"answered {status}")
    if any(mark in head for mark in _WAIT) and _page_or_words(head):
        return TooMany(f"asks to wait in words ({status})", retry_after_s=retry_after(headers, now=now))
    if status >= 500:
        return Unreachable(f"answered {status}")
    if status != 200:
        return Refused(f"answered {status}{_said(head, secrets)}")
    return None


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds from now on; None without the header, or if it is neither seconds nor a date."""
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        return min(float(said), _WEEK_S)
    until = http_date(said)
    if until is None:
        return None
    # Against the source's own clock where it shows it: ours may be wrong.
    return min(max((until - (http_date(headers.get("date", "")) or now)).total_seconds(), 0.0), _WEEK_S)


def http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _page_or_words(head: str) -> bool:
    """A page, or a line of text: not JSON that happens to hold such words."""
    return head.lstrip()[:1] not in {"{", "["}


def _challenges(head: str, status: int) -> tuple[str, ...]:
    return _CHALLENGE if status != 200 or _page_or_words(head) else ()


def _said(head: str, secrets: Iterable[str]) -> str:
    """The beginning of what the source says, fit for a log; nothing of a page."""
    if head.lstrip().startswith("<"):
        return ""
    for secret in secrets:
        head = head.replace(secret.lower(), "***")
    words = re.sub(r"[^ -~]+", " ", head).strip()[:120]
    return f": {words}" if words else ""
