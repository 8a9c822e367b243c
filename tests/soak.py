"""How often a test that kills, repeats or draws by lot does so: one knob for all of them.

``make test`` runs such a test shortly; ``make soak`` runs the tests marked ``soak`` alone,
and for long.
"""

from __future__ import annotations

import os


def times(*, short: int, long: int) -> int:
    """``long`` under ``make soak``, which sets LEADLINE_SOAK=1; else ``short``."""
    return long if os.environ.get("LEADLINE_SOAK") == "1" else short
