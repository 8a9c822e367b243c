"""CSV files into the store. Layouts: ``docs/csv.md``. A bad file changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Called now and then with how many bytes of a file are read and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did, in rows: new, there already, differing from what was there, not yet closed."""

    added: int = 0
    unchanged: int = 0
    revised: int = 0
    skipped: int = 0
