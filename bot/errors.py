"""Every error Leadline raises on purpose, as one tree.

    Exception
    ├── UserError            a sentence the reader can act on (raised on every floor)
    │   ├── NotAllowed       the reader lacks the right; nothing was changed
    │   ├── NoData           rows are missing; names the series and its next try
    │   ├── AlreadyDone      the same interaction came twice; the first time stands
    │   ├── OperatorMustAct  starting again changes nothing; exit status 78
    │   └── StartLater       starting again now would do harm; exit status 75
    └── PictureUnavailable   the words go out without the picture, and say so

Anything else that surfaces is a defect: it is logged with its traceback and the
reader is told, in words of ours, that it was not their doing. What becomes of
each is decided in one place for Discord (``bot/tree.py``) and in one for the
terminal (``bot/cli.py``).
"""

from __future__ import annotations

from analysis.errors import AlreadyDone, NoData, UserError


class NotAllowed(UserError):  # noqa: N818 -- reads as the answer it is
    """The person asking may not do this here."""


class OperatorMustAct(UserError):  # noqa: N818 -- reads as the answer it is
    """The bot cannot run until whoever runs it has changed something."""


class StartLater(UserError):  # noqa: N818 -- reads as the answer it is
    """The bot must not be started again for hours."""


class PictureUnavailable(Exception):  # noqa: N818 -- a state of the pool, not somebody's mistake
    """A picture could not be drawn in time; the reason is for the log only."""


__all__ = [
    "AlreadyDone",
    "NoData",
    "NotAllowed",
    "OperatorMustAct",
    "PictureUnavailable",
    "StartLater",
    "UserError",
]
