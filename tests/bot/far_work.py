"""What tests/bot/test_refresh.py has done in another process, which must be able to import it."""

from __future__ import annotations

import os
import time


def doubled(number: int) -> dict[str, int]:
    return {"doubled": 2 * number, "pid": os.getpid()}


def fails(number: int) -> None:
    raise ZeroDivisionError(f"of {number}")


def dies() -> None:
    os._exit(3)


def lasts() -> None:
    print("begun", flush=True)
    time.sleep(60)
