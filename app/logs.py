"""Structured logging: one JSON object a line with time, level, event and what is bound; never texts or secrets."""

import logging
import sys
import traceback

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

bound = bound_contextvars
CAUSES = 5


def _stack(exc_info: ExcInfo) -> str:
    """Where an exception came from, and its causes: types and places, not their words, which may quote anything."""
    error: BaseException | None = exc_info[1]
    parts: list[str] = []
    while error is not None and len(parts) < CAUSES:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhile handling\n".join(parts)


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Libraries put tracebacks with their words below the first line of what they say."""
    event["event"] = str(event["event"]).partition("\n")[0]
    return event


SHARED: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.ExceptionRenderer(_stack),
    _one_line,
]


def configure(level: str) -> None:
    """Send every logger's lines to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # A line that can't be written would be shown with all that it was made of.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "botocore", "urllib3", "rq.worker", "alembic", "onlyfansapi"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
