"""``leadline`` as a process of its own, with limits as long as tests wait: ``tests/conftest.py`` reaches only its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from importlib import import_module
from typing import Final

from tests.patience import PATIENCE

LIMITS: Final = {
    "PICTURE_SECONDS": "bot.answers",
    "FINISH_SECONDS": "bot.client",
    "POST_SECONDS": "bot.client",
    "START_SECONDS": "bot.registration",
    "START_LIMIT": "bot.drawing",
    "SECONDS": "bot.repeats",
}
"""Where the bot's own limits stand."""


def lend(*, but: Collection[str] = ()) -> None:
    """Makes this process patient; ``but`` names the limits, and the doctor's checks, that are left as they are."""
    for name, module in LIMITS.items():
        if name not in but:
            setattr(import_module(module), name, PATIENCE)
    from bot import doctor
    from bot.pictures import Pictures

    checks = (check if check.name in but else replace(check, seconds=PATIENCE) for check in doctor.CHECKS)
    vars(doctor)["CHECKS"] = tuple(checks)
    made = Pictures.__init__
    made.__kwdefaults__ = (made.__kwdefaults__ or {}) | {"limit": PATIENCE}


if __name__ == "__main__":  # drawing processes read this file again
    from bot.cli import main

    lend()
    main()
