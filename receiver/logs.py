"""Structured log lines: for people on a terminal, as JSON everywhere else, and never with a secret in one."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from schemas.masking import MASK, is_secret_field


def configure(level: str, form: Literal["console", "json"] | None) -> None:
    """Set up structlog for this process; without a form, a terminal gets `console` and everything else `json`."""
    console = sys.stderr.isatty() if form is None else form == "console"
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            *(
                [structlog.dev.ConsoleRenderer(colors=True)]
                if console
                else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # A second fence: nothing that is named like a secret is ever logged on purpose.
    for name in event:
        if is_secret_field(name):
            event[name] = MASK
    return event
