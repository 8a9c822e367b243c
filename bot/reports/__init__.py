"""The straight lines: one module per report, one line each here."""

from __future__ import annotations

from typing import Any, Final

from bot.reports import flows, ladder, levels, lights, macro, silver_margin, stress
from bot.reports.shapes import Report

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
CHARTS: Final = tuple(report.chart for report in REPORTS.values())
"""The modules of ``analysis.charts`` that a drawing process loads before it is asked."""
