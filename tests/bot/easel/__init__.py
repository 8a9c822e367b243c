"""A room to draw in for the tests: charts that behave, and charts that do not.

Imported by drawing processes under the name ``easel``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A result: what to write on the picture, and how the chart is to misbehave."""

    as_of: datetime
    text: str
    seconds: float = 0.0
    pid_file: str = ""
    gate: str = ""
