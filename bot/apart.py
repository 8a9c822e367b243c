"""Long arithmetic in a process of its own, so that the event loop and the drawings do not wait for it."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from bot.drawing import Failure, context, leave_with_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LIMIT_SECONDS: Final = 120.0
_NICER: Final = 10


class ApartError(Exception):
    """The process died, took too long, or what it was given to do raised; says which."""


async def apart(work: Callable[..., Any], *given: Any, limit: float = LIMIT_SECONDS) -> Any:
    """``work(*given)``, worked out elsewhere; function, arguments and answer must be picklable.

    Raises ApartError. Who is cancelled takes the process along.
    """
    child = _Child()
    try:
        return await asyncio.to_thread(child.run, work, given, limit)
    except asyncio.CancelledError:
        child.kill()
        raise


class _Child:
    """One process for one piece of work. ``run`` blocks, ``kill`` may be called meanwhile from anywhere."""

    def __init__(self) -> None:
        ours, theirs = context().Pipe()
        self._ours: Connection[Any, Any] = ours
        self._theirs: Connection[Any, Any] = theirs
        self._killed = False
        self._pid: int | None = None

    def run(self, work: Callable[..., Any], given: tuple[Any, ...], limit: float) -> Any:
        # As where drawings are made: born with both signals blocked, the tracker before that.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        process = context().Process(target=_work, args=(self._theirs,), name="leadline-apart", daemon=True)
        try:
            process.start()
            self._pid = process.pid
            self._theirs.close()
            if self._killed:
                raise ApartError("it was no longer wanted")
            # Not as an argument of the process: half of it would be told on standard error if the bot were killed here.
            self._ours.send((work, given))
            answer = self._answer(limit)
        except BrokenPipeError:
            raise ApartError("the process died") from None
        finally:
            self._pid = None
            self._theirs.close()
            self._ours.close()
            if process.pid is not None:
                process.kill()
                process.join()
                process.close()
        if isinstance(answer, Failure):
            raise ApartError(answer.traceback)
        return answer

    def kill(self) -> None:
        self._killed = True
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)

    def _answer(self, limit: float) -> Any:
        # The kernel measures: under SimCord Python's monotonic clock may stand still.
        with selectors.DefaultSelector() as selector:
            selector.register(self._ours, selectors.EVENT_READ)
            if not selector.select(limit):
                raise ApartError(f"no answer within {limit:g} s")
        try:
            return self._ours.recv()
        except EOFError:
            raise ApartError("the process died") from None


def _work(pipe: Connection[Any, Any]) -> None:
    # Ctrl-C and a stop of the service reach every process of the group; the bot says when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=leave_with_parent, daemon=True).start()
    os.dup2(2, 1)
    os.nice(_NICER)
    try:
        work, given = pipe.recv()
    except (EOFError, OSError):
        # The bot is gone.
        return
    try:
        answer = work(*given)
    except Exception:
        answer = Failure(traceback.format_exc())
    try:
        pipe.send(answer)
    except OSError:
        return
