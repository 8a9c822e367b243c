"""The straight lines: one module per report, one line each here."""

from __future__ import annotations

from typing import Any, Final

from bot.reports import flows, ladder, levels, levels_kept, lights, macro, silver_margin, stress, stress_kept
from bot.reports.shapes import Derived, Report

REPORTS: Final[dict[str, Report[Any, Any]]] = {
    report.name: report
    for report in (
        levels.REPORT,
        flows.REPORT,
        silver_margin.REPORT,
        stress.REPORT,
        macro.REPORT,
        lights.REPORT,
        ladder.REPORT,
    )
}
DERIVED: Final[tuple[Derived, ...]] = (levels_kept.DERIVED, stress_kept.DERIVED)
"""What is kept for them and made anew with new data."""
