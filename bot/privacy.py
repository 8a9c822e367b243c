"""What Leadline keeps about a person, in words and as a file they can take along."""

from __future__ import annotations

import json
from datetime import datetime

from bot.language import Speech, iso
from storage.privacy import Held

BACKUPS_GONE_AFTER_DAYS = 60
"""Eight weekly backups are the oldest kept; PRIVACY.md promises no more than this."""


def words(held: Held, speech: Speech) -> str:
    """How much of each kind is kept."""
    _ = speech._
    named = {
        "levels_added": _("Levels you added to a server's level book: {n}"),
        "data_entered": _("Margins and flows you entered, by form or file: {n}"),
        "data_undone": _("Margins and flows whose entry you undid: {n}"),
        "settings_changed": _("Servers whose settings you changed last: {n}"),
        "digests_added": _("Digests you added: {n}"),
        "digests_changed": _("Digests you changed last: {n}"),
        "alerts_owned": _("Alerts told to you by direct message: {n}"),
        "alerts_added": _("Alerts you added: {n}"),
        "alerts_changed": _("Alerts you changed last: {n}"),
    }
    lines = [f"- {named[kind].format(n=len(rows))}" for kind, rows in held.items() if rows]
    if not lines:
        return _("Leadline keeps nothing about you.") + "\n" + _not_kept(speech)
    return "\n".join(
        (
            f"**{_('What Leadline keeps about you')}**",
            *lines,
            "-# "
            + _(
                "Kept with each: your user id and when it was. The prices, figures, settings, digests and the "
                "alerts of channels are the server's."
            ),
            _not_kept(speech),
        )
    )


def _not_kept(speech: Speech) -> str:
    _ = speech._
    return "-# " + _("What you ask is not kept. All of it in a file: /privacy export. Gone: /privacy delete.")


def question(held: Held, speech: Speech) -> str:
    _ = speech._
    return "\n".join(
        (
            words(held, speech).split("\n-# ", maxsplit=1)[0],
            _(
                "Your user id is taken out of all of it, for good. The levels, figures, settings, digests and the alerts of "
                "channels stay: they are the server's. Alerts told to you by direct message are deleted."
            ),
        )
    )


def gone(speech: Speech) -> str:
    _ = speech._
    return _(
        "Done: nothing here names you any more. The bot's own backups made before now are deleted as they age, the last within {days} days."
    ).format(days=BACKUPS_GONE_AFTER_DAYS)


def export(held: Held, user_id: int, now: datetime) -> bytes:
    """All that ``held`` found, as JSON; ids as text, because they are longer than JavaScript's numbers."""
    document = {
        "user_id": str(user_id),
        "made_at": iso(now),
        **{
            kind: [{name: _plain(name, value) for name, value in row.items()} for row in rows]
            for kind, rows in held.items()
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def _plain(name: str, value: object) -> object:
    return str(value) if isinstance(value, int) and name.endswith(("_id", "_by", "_role")) else value
