"""The errors every floor may raise at a reader.

They live on the lowest floor so that storage and analysis can raise them; the whole
tree of errors is drawn in ``bot/errors.py``.
"""

from __future__ import annotations


class UserError(Exception):
    """Something the person who asked can understand and mend.

    ``msgid`` is an English sentence with ``{named}`` placeholders and at the same
    time the key of its translation; ``values`` fill the placeholders. No message
    is ever built from another exception's text.
    """

    def __init__(self, msgid: str, **values: object) -> None:
        super().__init__(msgid)
        self.msgid = msgid
        self.values = values

    def __str__(self) -> str:
        return self.msgid.format(**self.values)


class AlreadyDone(UserError):  # noqa: N818 -- reads as the answer it is
    """Discord delivered an interaction again whose change is already kept."""
