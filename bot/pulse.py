"""What keeps the event loop turning: the garbage collector out of its way, a crowd let in one by one, and a
watchdog that names who held it up.

Everybody who presses a button waits for this one loop. A collection of all that the libraries
made while loading takes a tenth of a second; a calculation that was forgotten on the loop, longer.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import structlog

log = structlog.get_logger(__name__)

BEAT: Final = 0.02
"""Seconds between two beats of the loop, and between two looks at them."""
STALL: Final = 0.05
"""How long the loop may stand still unremarked."""
SWITCH: Final = 0.001
"""How long a thread that calculates may keep Python's lock while the loop asks for it; five times as often as usual."""
QUIET: Final = 10.0
"""At most one line in so many seconds: of those between, the longest stall."""
_ROOT: Final = str(Path(__file__).resolve().parents[1])
_SHOWN: Final = 3


def hold_off() -> None:
    """No collection while all is loaded, as long as ``settle`` follows: to be called before.

    Of some 200,000 objects, looked through five times meanwhile for a tenth of a second each, some
    dozens would be found to be garbage. A bot that waits for Discord for hours still collects its own.
    """
    gc.set_threshold(500_000)


def settle() -> None:
    """Leave what is there now out of every later collection, and collect seldom: to be called once all is loaded.

    What dies in circles after that is still found; what lives as long as the program is not looked
    through again and again, nor this one time, when the first readers wait. From here on threads also
    give way to the loop sooner: it lets go of the lock with each message it sends, and wants it back.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(SWITCH)


class OneByOne:
    """Of many tasks that wake at once, one goes on in each turn of the event loop.

    Two hundred who waited for one picture would otherwise all be answered between two beats.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Returns when it is the caller's turn; those who came first go first."""
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_soon(self._next, loop)
        await mine

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        first = self._waiting.popleft()
        if not first.done():  # it may have been cancelled
            first.set_result(None)
        if self._waiting:
            loop.call_soon(self._next, loop)


class Watchdog:
    """Looks from a thread whether the loop beats; ``run`` is the loop's side. Real time, whatever the clocks say."""

    def __init__(self, *, stall: float = STALL, quiet: float = QUIET) -> None:
        self._stall = stall
        self._quiet = quiet
        self._beat = time.perf_counter()
        self._loop_thread = threading.get_ident()
        self._caught: str | None = None
        self._told = float("-inf")
        self._longest: tuple[float, str] | None = None
        self._ended = threading.Event()

    async def run(self) -> None:
        """Beats until cancelled, and tells of the stalls between two beats."""
        self._loop_thread = threading.get_ident()
        self._beat = time.perf_counter()
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()
        try:
            while True:
                await asyncio.sleep(BEAT)
                self._beaten()
        finally:
            self._ended.set()

    def _beaten(self) -> None:
        now = time.perf_counter()
        stood = now - self._beat - BEAT
        self._beat = now
        caught, self._caught = self._caught, None
        if stood > self._stall and (self._longest is None or stood > self._longest[0]):
            # Not seen by the thread either: it was not let run, as while C code holds Python's lock.
            self._longest = stood, caught or "unknown: no other thread could run either"
        if self._longest is not None and now - self._told > self._quiet:
            seconds, culprit = self._longest
            log.info("the event loop stood still", ms=round(1000 * seconds), culprit=culprit)
            self._longest, self._told = None, now

    def _look(self) -> None:
        while not self._ended.wait(BEAT):
            if self._caught is None and time.perf_counter() - self._beat - BEAT > self._stall:
                frame = sys._current_frames().get(self._loop_thread)
                self._caught = culprit(frame)


def culprit(frame: FrameType | None) -> str:
    """The innermost function, and the innermost of our own that led there: names and lines, never values."""
    places: list[tuple[str, str]] = []
    while frame is not None:
        code = frame.f_code
        places.append((code.co_filename, f"{code.co_name} ({_short(code.co_filename)}:{frame.f_lineno})"))
        frame = frame.f_back
    if not places:
        return "unknown"
    if places[0][1].startswith("select "):
        return "the machine: the loop had nothing to do"
    ours = [place for file, place in places[1:] if file.startswith(_ROOT) and "site-packages" not in file]
    return " < ".join((places[0][1], *ours[:_SHOWN]))


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


@asynccontextmanager
async def watched() -> AsyncIterator[None]:
    """While inside, stalls of the loop are logged with whoever caused them."""
    running = asyncio.create_task(Watchdog().run(), name="watchdog")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
