"""Patience with machines that many share, which may be twenty times slower for some seconds.

``PATIENCE`` is how long tests wait for what comes in its own time; what fails takes long to do so.
``lend`` gives the bot itself as long, where its limits are not what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bot.pictures import Pictures

PATIENCE: Final = 300.0
"""Seconds."""

LIMITS: Final = {
    "PICTURE_SECONDS": "bot.answers",
    "FINISH_SECONDS": "bot.client",
    "START_SECONDS": "bot.registration",
    "START_LIMIT": "bot.drawing",
    "SECONDS": "bot.repeats",
}
"""Where the bot's own limits stand."""

Setter = Callable[[Any, str, Any], None]


def lend(put: Setter = setattr, *, but: Collection[str] = ()) -> None:
    """Makes this process as patient as tests are; ``but`` names the limits, and the doctor's checks, left as they are."""
    for name, module in LIMITS.items():
        if name not in but:
            put(import_module(module), name, PATIENCE)
    doctor = import_module("bot.doctor")
    checks = (check if check.name in but else replace(check, seconds=PATIENCE) for check in doctor.CHECKS)
    put(doctor, "CHECKS", tuple(checks))
    made = import_module("bot.pictures").Pictures.__init__
    put(made, "__kwdefaults__", made.__kwdefaults__ | {"limit": PATIENCE})


def lend_to(pictures: Pictures, put: Setter) -> None:
    """As ``lend``, to drawing processes that are there already."""
    for process in pictures._processes:
        put(process, "_limit", PATIENCE)
