"""Whether the disk of the store has room for more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from storage import sqlite

LEAST: Final = 100 * 1024 * 1024
"""Below it nothing is fetched: what is left is for backups, digests and what people enter."""


def folder_of(file: Path | None) -> Path:
    """The folder a store is in, or the nearest above it that exists already."""
    folder = (file or Path()).absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def nearly_full(url: str) -> bool:
    """Whether fetching stands still for want of room; never for a store that is in no file.

    A disk that does not say how full it is, is not: the write itself will tell.
    """
    file = sqlite.file_of(url)
    if file is None:
        return False
    try:
        return shutil.disk_usage(folder_of(file)).free < LEAST
    except OSError:
        return False
