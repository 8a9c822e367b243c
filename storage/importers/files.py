"""Open a file somebody named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from analysis.errors import UserError


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size in bytes. Raises UserError if it is no readable, regular file."""
    try:
        # A pipe or a device would make open() wait.
        stream = path.open("rb") if path.is_file() else None
    except OSError:
        stream = None
    if stream is None:
        raise UserError("{file} cannot be read.", file=path.name)
    with stream:
        yield stream, path.stat().st_size
