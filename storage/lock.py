"""The lock that says a bot is running on a store."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from analysis.errors import UserError
from storage import sqlite


def path_for(url: str) -> Path | None:
    """The lock file beside a store's file; None for a store without one."""
    file = sqlite.file_of(url)
    return beside(file) if file is not None else None


def beside(file: Path) -> Path:
    """The lock file of the store in ``file``."""
    return file.with_name(f"{file.name}.lock")


class RunningLock:
    """Held while a bot runs on a store. The system releases it when the process ends, however it ends.

    The file holds the process id and stays behind; only the lock on it counts. As a
    context manager it raises UserError when another holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock, or raise UserError at once."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            raise UserError("The lock file {path} cannot be made.", path=str(self.path)) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise UserError(
                "A bot is already running on this store (process {pid}).", pid=pid(self.path)
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def held(path: Path) -> bool:
    """Whether a running process holds the lock; a file left behind by a dead one does not count."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def beat(path: Path) -> None:
    """Say that the holder is well: the time of its lock file is when it last said so."""
    os.utime(path)


def last_beat(path: Path) -> float | None:
    """Epoch seconds of the last ``beat``; None without a lock file."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def pid(path: Path) -> str:
    """The process id in a lock file; ``?`` where it says none."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return "?"
    return text if text.isdigit() else "?"
