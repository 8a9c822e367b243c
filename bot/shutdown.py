"""Ctrl-C and SIGTERM: once to close in order, twice to leave at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """While inside, the first SIGINT or SIGTERM sets ``stop``.

    A second one cancels the task that entered, so that only its clean-up still runs,
    and ends the program with 128 + the signal's number, as a shell would report it. From
    then on signals have their usual effect again: a third one kills.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    hurried: signal.Signals | None = None

    def received(signum: signal.Signals) -> None:
        nonlocal hurried
        if not stop.is_set():
            stop.set()
            return
        hurried = signum
        forget()
        if task is not None:
            task.cancel()

    def forget() -> None:
        for signum in SIGNALS:
            loop.remove_signal_handler(signum)

    for signum in SIGNALS:
        loop.add_signal_handler(signum, received, signum)
    try:
        yield
    except asyncio.CancelledError:
        if hurried is None:
            raise
        raise SystemExit(128 + hurried) from None
    finally:
        forget()
