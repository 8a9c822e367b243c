"""Logs: what they must not hold."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

QUIET = ("discord", "aiohttp", "httpx", "httpcore", "aiosqlite", "alembic", "stamina")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    named = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in named.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("watched", [True, False])
def test_a_traceback_tells_no_values(monkeypatch: pytest.MonkeyPatch, *, watched: bool) -> None:
    """What somebody told us of an account is in the variables of a failed answer, at any level."""
    written = Terminal() if watched else io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure("DEBUG")

    def failing(typed: dict[str, str]) -> None:
        raise RuntimeError(f"no price for {len(typed)} option")

    try:
        failing({"equity": f"{2_345_678.91:,}"})
    except RuntimeError as error:
        structlog.get_logger("bot.tree").error("unexpected error", exc_info=error)
    assert "no price for 1 option" in written.getvalue()
    assert "in failing" in written.getvalue()
    assert "2,345,678.91" not in written.getvalue()
