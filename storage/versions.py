"""How rows that are revised or arrive late are kept: every version, with the instant it was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What storing did, in rows: new, there already, and differing from what was there."""

    added: int
    unchanged: int
    revised: int


def known_from(
    versions: Sequence[tuple[int, object]],
    value: object,
    *,
    known_at: int | None,
    first_known_at: int,
    now: int,
    is_sample: bool,
) -> int | None:
    """From when a new version is known; None where it says nothing new.

    ``versions`` are the stored ones as (known_at, value), oldest first; values are expected in
    the order in which they became known. A value that says
    itself when it was known is compared with what was known then. Otherwise the first
    version is known from ``first_known_at`` by the calendar, and a later one that differs
    from the newest is known from ``now``. The sample only fills what is empty.
    """
    if not versions:
        return first_known_at if known_at is None else known_at
    if is_sample:
        return None
    if known_at is None:
        newest_at, newest = versions[-1]
        return None if newest == value else max(now, newest_at)
    in_force = [stored for at, stored in versions if at <= known_at]
    return None if in_force and in_force[-1] == value else known_at


class Tally:
    """Counts what storing does, row by row."""

    def __init__(self) -> None:
        self.added = self.unchanged = self.revised = 0

    def note(self, *, is_new: bool, had_versions: bool) -> None:
        if not is_new:
            self.unchanged += 1
        elif had_versions:
            self.revised += 1
        else:
            self.added += 1

    def stored(self) -> Stored:
        return Stored(added=self.added, unchanged=self.unchanged, revised=self.revised)
