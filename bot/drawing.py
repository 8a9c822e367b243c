"""One drawing process: what runs inside it, and the handle the bot holds it by.

A request is the pickle of (chart, result, look); the answer is a ``Picture`` or a
``Failure``. The process answers one request after the other over its pipe.
"""

from __future__ import annotations

import gc
import importlib
import logging
import multiprocessing
import os
import pickle
import platform
import selectors
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver, resource_tracker
from typing import TYPE_CHECKING, Any

from analysis.charts import CHARTS
from analysis.charts.look import Picture
from bot.errors import PictureUnavailable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.process import BaseProcess

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
START_LIMIT = 30.0
CHARTS_PACKAGE = "analysis.charts"
LANGUAGE_MODULE = "bot.language"


@dataclass(frozen=True, slots=True)
class Failure:
    """A chart raised: its traceback, for the log and never for a reader."""

    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a drawing process needs to know: where charts and words are, what to load first."""

    charts_package: str = CHARTS_PACKAGE
    language_module: str = LANGUAGE_MODULE
    charts: tuple[str, ...] = CHARTS

    def modules(self) -> list[str]:
        return [*(f"{self.charts_package}.{chart}" for chart in self.charts), self.language_module]


def context() -> ForkServerContext | SpawnContext:
    """A fork server has the libraries loaded once and gives a new process in milliseconds.

    Not on macOS: forking without exec is unsafe once system frameworks are loaded.
    """
    if platform.system() == "Linux":
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def load_ahead(room: Room) -> None:
    """Has the fork server load what drawing needs while the caller loads its own; does nothing where there is none."""
    if context().get_start_method() != "forkserver":
        return
    with suppress(OSError), _signals_blocked():  # the first drawing process tries again, and says why not
        _preload(room)
        forkserver.ensure_running()


def _preload(room: Room) -> None:
    context().set_forkserver_preload([__name__, *room.modules()])


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """What is born inside has Ctrl-C and the end of the service blocked: before its first line either would show a traceback.

    The tracker comes first, because starting it unblocks them.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stop_servers() -> None:
    """End the fork server and the resource tracker, which else live as long as the bot.

    Both leave by themselves when the bot dies; ``multiprocessing`` has no public way
    to end them earlier, so the private one is touched here and nowhere else. While
    another drawing process lives they stay: the fork server would wait for it.
    """
    if multiprocessing.active_children():
        return
    # The tracker last: the fork server holds the pipe it watches.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def serve(pipe: Connection[Any, Any], room: Room) -> None:
    """Draw what is asked until the other end of the pipe is gone. Runs in the drawing process."""
    # Ctrl-C and a stop of the whole service reach every process of the group: the
    # bot decides when a drawing ends, and SIGKILL is how it says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    # Whatever a library prints must not mix into the output of `report --json`.
    os.dup2(2, 1)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    for module in room.modules():
        try:
            importlib.import_module(module)
        except Exception:
            # Said by the first drawing that needs it, with its traceback.
            log.debug("cannot load %s", module, exc_info=True)
    # What is loaded stays: not to be looked through, and not to be copied from the fork server, ever again.
    gc.freeze()
    try:
        pipe.send(None)
        while True:
            pipe.send(_draw(pipe.recv_bytes(), room))
    except (EOFError, OSError):
        return


def _draw(asked: bytes, room: Room) -> Picture | Failure:
    try:
        chart, result, look = pickle.loads(asked)  # noqa: S301 -- written by our own parent
        catalogue = importlib.import_module(room.language_module).catalogue
        drawing = importlib.import_module(f"{room.charts_package}.{chart}")
        picture: Picture = drawing.draw(result, look, catalogue(look.locale).gettext)
    except Exception:
        return Failure(traceback.format_exc())
    return picture


def leave_with_parent() -> None:
    """Ends this process with the one that asked for it, in the middle of whatever it does; for a thread of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class DrawingProcess:
    """A process that is started when needed, and started again after it died.

    Every method blocks: ``warm`` and ``draw`` are called from one thread at a time,
    ``kill`` from any, ``close`` when no other call runs. Real time comes from
    ``perf_counter`` and the kernel, because under SimCord ``time.monotonic`` can
    stand still.
    """

    def __init__(self, room: Room, *, limit: float) -> None:
        self._room = room
        self._limit = limit
        self._context = context()
        self._lock = threading.Lock()
        self._killed = False
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._deaths = 0
        self._not_before = 0.0

    def warm(self) -> None:
        """Start the process and wait until its libraries are loaded."""
        self._ready()

    def draw(self, asked: bytes) -> Picture:
        """Raises PictureUnavailable if the chart raises, the process dies or the limit passes."""
        pipe = self._ready()
        answer = self._exchange(pipe, asked, self._limit)
        self._deaths = 0
        if isinstance(answer, Picture):
            return answer
        log.error("a chart could not be drawn\n%s", answer.traceback if answer else "no picture")
        raise PictureUnavailable("the chart raised an error")

    def kill(self) -> None:
        """End the process, even in the middle of a drawing; none is started any more."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        self.kill()
        self._bury()

    def _ready(self) -> Connection[Any, Any]:
        """The pipe to a process that has said it is ready."""
        if self._pipe is not None:
            # An idle process says nothing: if there is something to read, it is the end.
            if not _readable(self._pipe, 0):
                return self._pipe
            log.warning("the drawing process ended while idle; starting another")
            self._bury()
        rest = self._not_before - time.perf_counter()
        if rest > 0:
            raise PictureUnavailable(f"no drawing process for another {rest:.1f} s")
        try:
            pipe = self._start()
        except OSError as error:
            self._died("could not be started")
            raise PictureUnavailable("the drawing process could not be started") from error
        self._exchange(pipe, None, START_LIMIT)
        return pipe

    def _start(self) -> Connection[Any, Any]:
        with self._lock:
            if self._killed:
                raise PictureUnavailable("pictures are closed")
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(theirs, self._room), name="leadline-drawing", daemon=True
            )
            try:
                with _signals_blocked():
                    if self._context.get_start_method() == "forkserver":
                        _preload(self._room)
                    process.start()
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            self._process, self._pipe = process, ours
        return ours

    def _exchange(
        self, pipe: Connection[Any, Any], asked: bytes | None, limit: float
    ) -> Picture | Failure | None:
        """Send a request, if there is one, and wait for the answer."""
        try:
            if asked is not None:
                pipe.send_bytes(asked)
            if _readable(pipe, limit):
                answer: Picture | Failure | None = pipe.recv()
                return answer
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._died("died")
            raise PictureUnavailable("the drawing process died") from error
        self._died(f"was killed: no answer within {limit:g} s")
        raise PictureUnavailable("the drawing took too long")

    def _died(self, how: str) -> None:
        self._bury()
        if self._killed:
            return
        self._deaths += 1
        # The first death costs nothing; a chain of them must not spin.
        pause = min(FIRST_PAUSE * 2 ** (self._deaths - 2), LONGEST_PAUSE) if self._deaths > 1 else 0.0
        self._not_before = time.perf_counter() + pause
        log.warning("the drawing process %s (%d in a row)", how, self._deaths)

    def _bury(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            pipe, self._pipe = self._pipe, None
        if process is not None:
            process.kill()
            process.join()
            process.close()
        if pipe is not None:
            pipe.close()


def _readable(pipe: Connection[Any, Any], limit: float) -> bool:
    # Connection.poll(limit) would measure with time.monotonic; the kernel does not.
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(limit))
