"""Pictures on request: drawn in processes of their own, shared, and kept for a while."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import logging
import marshal
import pickle
import queue
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from bot.drawing import CHARTS_PACKAGE, LANGUAGE_MODULE, DrawingProcess, Room, stop_servers
from bot.errors import PictureUnavailable

if TYPE_CHECKING:
    from analysis.charts.look import Look, Picture

__all__ = ["PictureUnavailable", "Pictures"]

log = logging.getLogger(__name__)

_NO_TIME = datetime.fromtimestamp(0, UTC)


class Result(Protocol):
    """A result dataclass of ``analysis``: frozen, numbers only, with the instant it was asked for."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def as_of(self) -> datetime: ...


class Pictures:
    """Charts drawn in ``workers`` processes, which load the modules ``charts`` first; one per bot.

    The same chart of the same result in the same look is drawn once, however many
    ask for it and whenever they ask: what is being drawn is shared, what was drawn
    is kept while it fits into ``keep_bytes`` and ``keep``. ``as_of`` does not count,
    because charts do not draw it. Kept pictures live no longer than this object, so
    no version of the drawing code is part of the key.

    A drawing is given up after ``limit`` seconds and its process killed. At most
    ``waiting`` drawings are open at a time.
    """

    def __init__(
        self,
        *,
        charts: tuple[str, ...],
        workers: int = 1,
        limit: float = 12.0,
        waiting: int = 64,
        keep: int = 512,
        keep_bytes: int = 64 * 1024 * 1024,
        charts_package: str = CHARTS_PACKAGE,
        language_module: str = LANGUAGE_MODULE,
    ) -> None:
        room = Room(charts_package=charts_package, language_module=language_module, charts=charts)
        self._processes = [DrawingProcess(room, limit=limit) for _ in range(workers)]
        self._idle: queue.SimpleQueue[DrawingProcess] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="pictures")
        self._waiting = waiting
        self._drawing: dict[bytes, asyncio.Future[Picture]] = {}
        self._kept = _Kept(keep, keep_bytes)
        self._open = False
        self.drawn = 0
        self.shared = 0
        self.cached = 0

    async def start(self) -> None:
        """Start the processes and wait until they are warm.

        A failure is logged, not raised: the next request tries again.
        """
        self._open = True
        atexit.register(self._kill)
        warmed = await asyncio.gather(
            *(asyncio.wrap_future(self._threads.submit(self._warm, process)) for process in self._processes),
            return_exceptions=True,
        )
        for error in warmed:
            if error is not None:
                log.error("no drawing process", exc_info=error)

    @staticmethod
    async def name(chart: str, result: Result, look: Look) -> bytes:
        """What a picture is known by here: equal questions have equal names."""
        return await asyncio.to_thread(_key, chart, result, look)

    def kept(self, name: bytes) -> Picture | None:
        """The picture of that name, if it is still here."""
        picture = self._kept.get(name)
        self.cached += picture is not None
        return picture

    async def draw(self, chart: str, result: Result, look: Look, *, key: bytes | None = None) -> Picture:
        """The picture of ``result`` by the chart of that name; ``key`` is its ``name``, if that is known.

        Raises PictureUnavailable if there is none to be had now. A caller who is
        cancelled does not take the picture away from the others who wait for it.
        """
        key = key or await self.name(chart, result, look)
        # No await from here to the entry in `_drawing`: two callers cannot both be first.
        if (kept := self.kept(key)) is not None:
            return kept
        drawing = self._drawing.get(key)
        if drawing is not None:
            self.shared += 1
        else:
            drawing = self._begin(key, chart, result, look)
        try:
            return await asyncio.shield(drawing)
        except asyncio.CancelledError:
            if drawing.cancelled():  # by close(), not by whoever waits here
                raise PictureUnavailable("pictures are closed") from None
            raise

    async def close(self) -> None:
        """Kill what is being drawn and end every process; whoever waits gets PictureUnavailable."""
        if self._open:
            self._open = False
            await asyncio.to_thread(self._end)
            atexit.unregister(self._kill)

    def _begin(self, key: bytes, chart: str, result: Result, look: Look) -> asyncio.Future[Picture]:
        if not self._open:
            raise PictureUnavailable("pictures are closed")
        if len(self._drawing) >= self._waiting:
            raise PictureUnavailable("too many drawings are waiting")
        # Not loop.run_in_executor: SimCord would stop the clocks in that thread.
        drawing = asyncio.wrap_future(self._threads.submit(self._draw, chart, result, look))
        self._drawing[key] = drawing
        drawing.add_done_callback(lambda done: self._finished(key, chart, done))
        return drawing

    def _finished(self, key: bytes, chart: str, drawing: asyncio.Future[Picture]) -> None:
        del self._drawing[key]
        # Asking for the exception also marks it as seen when every waiter has left.
        if not drawing.cancelled() and drawing.exception() is None:
            self.drawn += 1
            log.debug("drew %s, %d bytes", chart, len(drawing.result().png))
            self._kept.put(key, drawing.result())

    # In the threads, of which there are as many as processes

    def _warm(self, process: DrawingProcess) -> None:
        try:
            process.warm()
        finally:
            self._idle.put(process)

    def _draw(self, chart: str, result: Result, look: Look) -> Picture:
        process = self._idle.get()
        try:
            return process.draw(_wire(chart, result, look))
        finally:
            self._idle.put(process)

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()

    def _end(self) -> None:
        self._kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.close()
        stop_servers()


class _Kept:
    """The pictures used last, bounded by number and bytes."""

    def __init__(self, number: int, room: int) -> None:
        self._number = number
        self._room = room
        self._size = 0
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()

    def get(self, key: bytes) -> Picture | None:
        picture = self._pictures.get(key)
        if picture is not None:
            self._pictures.move_to_end(key)
        return picture

    def put(self, key: bytes, picture: Picture) -> None:
        self._pictures[key] = picture
        self._size += len(picture.png)
        while self._size > self._room or len(self._pictures) > self._number:
            _, oldest = self._pictures.popitem(last=False)
            self._size -= len(oldest.png)


def _key(chart: str, result: Result, look: Look) -> bytes:
    """Equal questions have equal keys, whichever objects carry the values."""
    values = (chart, _plain(replace(result, as_of=_NO_TIME)), _plain(look))
    # Version 2 is the last one without references to repeated objects.
    return hashlib.sha256(marshal.dumps(values, 2)).digest()


def _plain(value: Any) -> Any:
    """Dataclasses, enums, instants and arrays as what ``marshal`` can write.

    Ten times faster than pickling them, which counts here: a result carries hundreds
    of events, and 50 people may ask at once.
    """
    kind: Any = type(value)
    if kind in _PLAIN:
        plain = value
    elif kind is tuple:
        plain = tuple([_plain(part) for part in value])
    elif kind is datetime:
        plain = value.timestamp()
    elif isinstance(value, Enum):
        plain = value.value
    elif isinstance(value, np.ndarray):
        plain = value.dtype.str, value.shape, value.tobytes()
    elif is_dataclass(value):
        plain = kind.__qualname__, tuple([_plain(getattr(value, name)) for name in _names(kind)])
    else:
        plain = pickle.dumps(value)
    return plain


_PLAIN = frozenset({float, int, bool, str, bytes, type(None)})


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _wire(chart: str, result: Result, look: Look) -> bytes:
    """The request as a drawing process reads it: without ``as_of``, so that no chart can draw it."""
    return pickle.dumps((chart, replace(result, as_of=_NO_TIME), look), pickle.HIGHEST_PROTOCOL)
