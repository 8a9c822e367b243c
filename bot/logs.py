"""Logs: one line an event on standard error, everything through structlog."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Final

import structlog

HIDDEN: Final = "[secret]"


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Nothing is meant to hold a secret; should one come up all the same, this takes it out of the line."""

    secrets: tuple[str, ...] = ()

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record), self.secrets)


def hidden(text: str, secrets: tuple[str, ...]) -> str:
    """``text`` without the ``secrets``."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def configure(level: str, *, secrets: tuple[str, ...] = ()) -> None:
    """Sends our own and the libraries' records through one formatter; JSON where nobody watches.

    The ``secrets`` are left out of every line, and of the traceback the program may end with.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    watched = sys.stderr.isatty()
    renderer: list[structlog.typing.Processor] = (
        # Not its own rich traceback: that prints every local variable, and with them
        # tokens and what people told us of their accounts.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if watched
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = _Formatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    formatter.secrets = tuple(secret for secret in secrets if secret)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Chatty, the first four write addresses and payloads that hold tokens and keys, aiosqlite
    # writes every row of an import, and Alembic its plugins at each start.
    for name in ("discord", "aiohttp", "httpx", "httpcore", "aiosqlite", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # It warns of every further try; what becomes of a source is told once, by us.
    logging.getLogger("stamina").setLevel(logging.ERROR)

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        lines = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(hidden(lines, formatter.secrets))

    sys.excepthook = told
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
