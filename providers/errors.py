"""Every way a source can fail, as one tree.

    ProviderError            nothing of the answer may be stored
    ├── Unreachable          no answer: refused, reset, too slow, name not found
    ├── Refused              an answer that says no (status, or an error inside a 200)
    │   └── TooMany          the source asks us to wait: 429, 418, or its own words
    ├── Blocked              a challenge page, or a refusal for where we are (403, 451)
    └── Malformed            not what was agreed: not JSON, another shape, out of bounds;
                             the body is kept so that somebody can look at it

What the coordinator does about each is decided in ``bot/ingest.py``.
"""

from __future__ import annotations


class ProviderError(Exception):
    """``reason`` is one short line for a log, without anything secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreachable(ProviderError):  # noqa: N818 -- what happened, not somebody's mistake
    pass


class Refused(ProviderError):  # noqa: N818
    pass


class TooMany(Refused):
    """``retry_after_s``: seconds the source asks us to stay away; None when it names none."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Blocked(ProviderError):  # noqa: N818
    pass


class Malformed(ProviderError):  # noqa: N818
    def __init__(self, reason: str, *, body: bytes) -> None:
        super().__init__(reason)
        self.body = body
