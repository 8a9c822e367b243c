"""The errors every floor may raise at a reader.

They live on the lowest floor so that storage and analysis can raise them; the whole
tree of errors is drawn in ``bot/errors.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


class UserError(Exception):
    """Something the person who asked can understand and mend.

    ``msgid`` is an English sentence with ``{named}`` placeholders and at the same
    time the key of its translation; ``values`` fill the placeholders, tuples as lists
    of the reader's language. No message is ever built from another exception's text. ``then`` is a second sentence, if there is one.
    """

    def __init__(self, msgid: str, **values: object) -> None:
        super().__init__(msgid)
        self.msgid = msgid
        self.values = values
        self.then: UserError | None = None

    def __str__(self) -> str:
        return self.in_words(str)

    def in_words(self, _: Callable[[str], str], show: Callable[[object], object] | None = None) -> str:
        """The sentence in the language of ``_`` and, on a line of its own, the one that follows it.

        ``show`` makes of a value what is written; without it instants are ISO 8601.
        """
        values = {
            name: _(", ").join(map(str, value)) if isinstance(value, tuple) else (show or _written)(value)
            for name, value in self.values.items()
        }
        told = _(self.msgid).format(**values)
        return told if self.then is None else f"{told}\n{self.then.in_words(_, show)}"


class NoData(UserError):  # noqa: N818 -- reads as the answer it is
    """A question that cannot be answered because rows are missing."""


class AlreadyDone(UserError):  # noqa: N818 -- reads as the answer it is
    """Discord delivered an interaction again whose change is already kept."""


def _written(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
