"""Results in, pictures out: one module a picture."""

from __future__ import annotations

from typing import Final

CHARTS: Final = ("levels", "flows", "silver_margin", "stress", "macro", "lights", "ladder")
"""The modules that a drawing process loads before it is asked: those of ``bot.reports.REPORTS``, by name,
so that they can load while the reports still do."""
