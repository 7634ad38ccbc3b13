"""Structured logs, one correlation id from click to letter. Ids only: no name, address or content is ever logged."""

import logging
import sys
from contextvars import ContextVar
from uuid import uuid4

import structlog

CORRELATION: ContextVar[str] = ContextVar("correlation", default="")


def correlation() -> str:
    """The id that follows one wish through all processes; made here when nobody brought one."""
    if not CORRELATION.get():
        CORRELATION.set(uuid4().hex)
    return CORRELATION.get()


def _with_correlation(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if CORRELATION.get():
        event.setdefault("correlation", CORRELATION.get())
    return event


def set_up(service: str, level: str = "INFO") -> None:
    """Write every log line as JSON on standard error, under the service's name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_correlation,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format='{"log": "%(name)s", "event": "%(message)s"}')


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that names where it speaks from."""
    return structlog.get_logger(where=name)  # type: ignore[no-any-return]
